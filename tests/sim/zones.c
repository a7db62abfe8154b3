/* A scenario's header: the zones that the operator has configured. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/resolve/authzone.h"
#include "recursor/resolve/zones.h"
#include "tests/sim/play.h"

enum { SERVERS_MAX = 16 };

static int refuse(const struct scenario *s, const struct header_key *o, int err, const char *reason,
		  char *why)
{
	snprintf(why, SCENARIO_WHY_MAX, "%s:%u: %s: %s", s->path, o != NULL ? o->line : 0,
		 o != NULL ? o->name : "zones", reason);
	return err;
}

/* "example.com. 192.0.2.1 192.0.2.2"; of a group its name, whatever it is. */
static int add_forward(struct zones *z, const struct header_key *o)
{
	struct addr servers[SERVERS_MAX];
	uint8_t name[NAME_MAX_LEN];
	char text[NAME_TEXT_MAX], *save = NULL, *whose, *word;
	size_t n = 0;

	(void)snprintf(text, sizeof(text), "%s", o->value);
	whose = strtok_r(text, " \t", &save);
	while ((word = strtok_r(NULL, " \t", &save)) != NULL)
		if (n == SERVERS_MAX || addr_from_text(&servers[n++], word, 53) != E_OK)
			return E_MALFORMED;
	if (whose != NULL && strcmp(o->name, "forward-group") == 0)
		return zones_add_group(z, whose, servers, n);
	if (whose == NULL || name_from_text(name, whose) != E_OK)
		return E_MALFORMED;
	name_lower(name, name);
	return zones_add_forward(z, name, servers, n, strcmp(o->name, "forward") != 0, false);
}

static int add_record(struct authzone *a, const char *line, char *reason)
{
	uint8_t rdata[4096], owner[NAME_MAX_LEN];
	ldns_rr *rr = NULL;
	size_t len = 0;
	int err = E_MALFORMED;

	snprintf(reason, AUTHZONE_WHY_MAX, "no record");
	if (ldns_rr_new_frm_str(&rr, line, 3600, NULL, NULL) != LDNS_STATUS_OK)
		return err;
	name_lower(owner, ldns_rdf_data(ldns_rr_owner(rr)));
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *field = ldns_rr_rdf(rr, i);

		if (len + ldns_rdf_size(field) > sizeof(rdata))
			goto out;
		memcpy(rdata + len, ldns_rdf_data(field), ldns_rdf_size(field));
		len += ldns_rdf_size(field);
	}
	err = authzone_add(a, owner, (uint16_t)ldns_rr_get_type(rr), ldns_rr_ttl(rr), rdata,
			   (uint16_t)len, reason);
out:
	ldns_rr_free(rr);
	return err;
}

/* "example.com. RECORD"; lines of one zone follow each other: another name closes it. */
static int add_auth(struct zones *z, struct authzone **open, const char *text, char *reason)
{
	uint8_t apex[NAME_MAX_LEN];
	char name[NAME_TEXT_MAX];
	int at = 0, err;

	snprintf(reason, AUTHZONE_WHY_MAX, "no name");
	if (sscanf(text, "%1000s %n", name, &at) != 1 || name_from_text(apex, name) != E_OK)
		return E_MALFORMED;
	name_lower(apex, apex);
	if (*open != NULL && !name_equal(authzone_apex(*open), apex)) {
		err = authzone_finish(*open, reason);
		if (err == E_OK)
			err = zones_add_auth(z, *open);
		if (err != E_OK)
			return err;
		*open = NULL;
	}
	if (*open == NULL && (err = authzone_new(open, apex)) != E_OK)
		return err;
	return add_record(*open, text + at, reason);
}

int play_set_zones(struct player *p, char *why)
{
	struct authzone *open = NULL;
	struct zones *z = NULL;
	char reason[AUTHZONE_WHY_MAX] = "wrong";
	const struct header_key *o = NULL;
	int err = zones_new(&z);

	for (size_t i = 0; i < p->s->n_options && err == E_OK; i++) {
		o = &p->s->options[i];
		if (strncmp(o->name, "forward", 7) == 0 && strcmp(o->name, "forward-addr") != 0)
			err = add_forward(z, o);
		else if (strcmp(o->name, "auth") == 0)
			err = add_auth(z, &open, o->value, reason);
	}
	if (err == E_OK && open != NULL)
		err = authzone_finish(open, reason);
	if (err == E_OK && open != NULL) {
		err = zones_add_auth(z, open);
		open = NULL;
	}
	if (err != E_OK)
		err = refuse(p->s, o, err, reason, why);
	else
		resolver_set_zones(p->resolver, z);
	authzone_free(open);
	zones_put(z);
	return err;
}
