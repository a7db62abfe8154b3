/* A scenario's header: where trust begins and ends. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "tests/sim/play.h"

enum { RDATA_MAX = 4096, ANCHOR_TEXT_MAX = 2048 };

/* `example. DNSKEY 257 3 7 AwEA... ( j7Io... )`: a record, perhaps without TTL and class. */
static int add_anchor(struct anchors *a, const char *text)
{
	uint8_t rdata[RDATA_MAX];
	char line[ANCHOR_TEXT_MAX];
	ldns_rr *rr = NULL;
	size_t len = 0;
	int err = E_MALFORMED;

	(void)snprintf(line, sizeof(line), "%s", text);
	for (char *p = line; *p != '\0'; p++)
		if (*p == '(' || *p == ')')
			*p = ' ';
	if (ldns_rr_new_frm_str(&rr, line, 3600, NULL, NULL) != LDNS_STATUS_OK)
		return err;
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);

		if (len + ldns_rdf_size(field) > sizeof(rdata))
			goto out;
		memcpy(rdata + len, ldns_rdf_data(field), ldns_rdf_size(field));
		len += ldns_rdf_size(field);
	}
	err = anchors_add(a, ldns_rdf_data(ldns_rr_owner(rr)), (uint16_t)ldns_rr_get_type(rr),
			  rdata, len);
out:
	ldns_rr_free(rr);
	return err;
}

/* `ZONE example.`: the keys of a zone that the scenario has signed. */
static int add_zone(struct anchors *a, const struct player *p, const char *text)
{
	uint8_t name[NAME_MAX_LEN], ds[SIGN_DS_MAX];
	int err = name_from_text(name, text);
	size_t len;

	if (err == E_OK && play_signed_ds(p, name, 0, ds) == 0)
		err = E_MALFORMED;
	for (unsigned i = 0; err == E_OK && (len = play_signed_ds(p, name, i, ds)) > 0; i++)
		err = anchors_add(a, name, TYPE_DS, ds, len);
	return err;
}

static int add_insecure(struct anchors *a, const char *text)
{
	uint8_t name[NAME_MAX_LEN];
	int err = name_from_text(name, text);

	return err == E_OK ? anchors_add_nta(a, name, "domain-insecure", 0) : err;
}

bool play_validates(const struct scenario *s)
{
	return scenario_option(s, "trust-anchor") != NULL;
}

int play_set_trust(struct player *p, char *why)
{
	struct anchors *a = NULL;
	int err = anchors_new(&a);

	for (size_t i = 0; i < p->s->n_options && err == E_OK; i++) {
		const struct header_key *o = &p->s->options[i];

		if (strcmp(o->name, "trust-anchor") == 0)
			err = strncmp(o->value, "ZONE ", 5) == 0 ? add_zone(a, p, o->value + 5)
								 : add_anchor(a, o->value);
		else if (strcmp(o->name, "domain-insecure") == 0)
			err = add_insecure(a, o->value);
		if (err != E_OK)
			snprintf(why, SCENARIO_WHY_MAX, "%s:%u: refused: %s: %s", p->s->path,
				 o->line, o->name, o->value);
	}
	if (err == E_OK && play_validates(p->s))
		resolver_set_anchors(p->resolver, a);
	anchors_put(a);
	return err;
}
