/* A record of an rrset as a line of text. */
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rrset.h"
#include "common/rrtype.h"
#include "common/wire.h"

/* ldns leaves a tab within a string as it is, and blanks at the end of a line. */
static char *tidy(const char *rdata)
{
	size_t len = strcspn(rdata, "\n");
	char *out = malloc(4 * len + 1), *p = out;

	if (out == NULL)
		return NULL;
	while (len > 0 && rdata[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (rdata[i] == '\t')
			p = stpcpy(p, "\\009");
		else
			*p++ = rdata[i];
	}
	*p = '\0';
	return out;
}

/* The rdata as ldns writes them, into a buffer of its own; NULL when they make no sense to it. */
static char *ldns_rdata_text(const struct rrset *s, const struct rdata *rr)
{
	size_t head = (size_t)s->owner_len + 10, pos = 0;
	uint8_t *wire = malloc(head + rr->len);
	ldns_rr *record = NULL;
	ldns_buffer *text = NULL;
	char *all = NULL, *rdata = NULL;

	if (wire == NULL)
		return NULL;
	memcpy(wire, rrset_owner(s), s->owner_len);
	wire_put_u16(wire + s->owner_len, s->type);
	wire_put_u16(wire + s->owner_len + 2, CLASS_IN);
	wire_put_u32(wire + s->owner_len + 4, 0);
	wire_put_u16(wire + s->owner_len + 8, rr->len);
	if (rr->len > 0)
		memcpy(wire + head, rr->data, rr->len);
	/* Room for all of it at once: there are types (SVCB, HTTPS) for which ldns does not make
	 * room as it writes, and a long record of them would end the process on its assertion.
	 * Five bytes become of one at the most in these (a list of keys). */
	text = ldns_buffer_new(2 * NAME_TEXT_MAX + 8 * (size_t)rr->len);
	if (text == NULL || ldns_wire2rr(&record, wire, head + rr->len, &pos,
					 LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		goto out;
	if (ldns_rr2buffer_str_fmt(text, ldns_output_format_nocomments, record) != LDNS_STATUS_OK)
		goto out;
	all = ldns_buffer_export2str(text);
	rdata = all;
	/* owner, TTL, class, type: each with a tab behind it */
	for (unsigned i = 0; i < 4 && rdata != NULL; i++) {
		rdata = strchr(rdata, '\t');
		rdata += rdata != NULL;
	}
	rdata = rdata != NULL ? tidy(rdata) : NULL;
out:
	free(all);
	ldns_buffer_free(text);
	ldns_rr_free(record);
	free(wire);
	return rdata;
}

/* The form that any rdata can take (RFC 3597 5). */
static char *generic_rdata_text(const struct rdata *rr)
{
	size_t cap = 16 + 2 * (size_t)rr->len;
	char *text = malloc(cap);
	int n;

	if (text == NULL)
		return NULL;
	n = snprintf(text, cap, "\\# %u%s", (unsigned)rr->len, rr->len > 0 ? " " : "");
	for (size_t i = 0; i < rr->len; i++)
		n += snprintf(text + n, cap - (size_t)n, "%02x", (unsigned)rr->data[i]);
	return text;
}

int rrset_record_text(const struct rrset *s, const struct rdata *rr, uint32_t ttl, char *out,
		      size_t cap)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	char *rdata, *line = NULL;
	int n, err = E_OK;

	rdata = ldns_rdata_text(s, rr);
	if (rdata == NULL)
		rdata = generic_rdata_text(rr);
	if (rdata == NULL)
		return E_NOMEM;
	n = asprintf(&line, "%s %u IN %s %s", name_to_text(owner, rrset_owner(s)), (unsigned)ttl,
		     rrtype_to_text(s->type, type), rdata);
	if (n < 0) {
		err = E_NOMEM;
		goto out;
	}
	if ((size_t)n >= cap)
		err = E_TOO_LONG;
	else
		memcpy(out, line, (size_t)n + 1);
	free(line);
out:
	free(rdata);
	return err;
}
