#include "text_set.h"

#include <check.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "common/wire.h"
#include "wire_name.h"

enum { RRSIG_FIXED = 18, SIGNATURE = 64 };

static unsigned labels_signed(const uint8_t *owner)
{
	return name_labels(owner) - (owner[0] == 1 && owner[1] == '*');
}

struct rrset *text_set_of(const uint8_t *zone, const uint8_t *owner, uint16_t type,
			  const struct rdata *rr, size_t n_rr, unsigned labels)
{
	uint8_t bytes[RRSIG_FIXED + NAME_MAX_LEN + SIGNATURE] = { 0 };
	struct rdata sig = { .data = bytes };
	struct rrset *s = NULL;

	wire_put_u16(bytes, type);
	bytes[2] = 13;
	bytes[3] = (uint8_t)labels;
	wire_put_u32(bytes + 4, TEXT_SET_TTL);
	wire_put_u32(bytes + 8, TEXT_SET_UNTIL_S);
	wire_put_u32(bytes + 12, TEXT_SET_NOW_S - 3600);
	sig.len = (uint16_t)(RRSIG_FIXED + name_copy(bytes + RRSIG_FIXED, zone) + SIGNATURE);
	ck_assert_int_eq(rrset_new(&s, owner, type, TEXT_SET_TTL, TEXT_SET_NOW_S,
				   RANK_AUTH_AUTHORITY, rr, n_rr, &sig, 1),
			 E_OK);
	rrset_set_security(s, SEC_SECURE, 0);
	s->zone_labels = (uint8_t)name_labels(zone);
	return s;
}

static struct rrset *from_text(const char *zone, const char *line, int labels)
{
	ldns_rr *rr = NULL;
	uint8_t *bytes = NULL, owner[NAME_MAX_LEN];
	size_t len = 0, owner_len;
	struct rdata rdata;
	struct rrset *s;

	ck_assert_msg(ldns_rr_new_frm_str(&rr, line, TEXT_SET_TTL, NULL, NULL) == LDNS_STATUS_OK,
		      "%s", line);
	ck_assert(ldns_rr2wire(&bytes, rr, LDNS_SECTION_ANSWER, &len) == LDNS_STATUS_OK);
	owner_len = name_lower(owner, bytes);
	rdata.data = bytes + owner_len + 10;
	rdata.len = (uint16_t)(len - owner_len - 10);
	s = text_set_of(wire(zone), owner, wire_get_u16(bytes + owner_len), &rdata, 1,
			labels >= 0 ? (unsigned)labels : labels_signed(owner));
	free(bytes);
	ldns_rr_free(rr);
	return s;
}

struct rrset *text_set(const char *zone, const char *line)
{
	return from_text(zone, line, -1);
}

struct rrset *text_set_labels(const char *zone, const char *line, unsigned labels)
{
	return from_text(zone, line, (int)labels);
}
