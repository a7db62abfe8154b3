/* Zones of depth d live at 10.9.0.d; any other address is the root. */
#include "tests/sim/generate.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "tests/sim/play.h"

enum { TTL = 3600, SERVERS = 13 };

struct request_of_server {
	const char *argument;
	struct player *player;
	const struct outquery *q;
	const ldns_rdf *name;
	ldns_rr_type type;
	unsigned labels; /* of the name */
	unsigned depth;  /* of the zone that the server asked speaks for */
};

typedef void (*generator)(ldns_pkt *reply, const struct request_of_server *r);

static void __attribute__((format(printf, 3, 4)))
put(ldns_pkt *reply, ldns_pkt_section section, const char *format, ...)
{
	char text[1024];
	ldns_rr *rr = NULL;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ASSERT(ldns_rr_new_frm_str(&rr, text, TTL, NULL, NULL) == LDNS_STATUS_OK);
	ldns_pkt_push_rr(reply, section, rr);
}

/* The last `labels` labels of the name asked for, as text; the caller frees it. */
static char *suffix(const struct request_of_server *r, unsigned labels)
{
	unsigned all = r->labels < labels ? r->labels : labels;
	ldns_rdf *d = ldns_dname_clone_from(r->name, (uint16_t)(r->labels - all));
	char *text = ldns_rdf2str(d);

	ASSERT(text != NULL);
	ldns_rdf_deep_free(d);
	return text;
}

static void refer_with_glue(ldns_pkt *reply, const char *zone, const char *ns, unsigned depth)
{
	put(reply, LDNS_SECTION_AUTHORITY, "%s NS %s", zone, ns);
	put(reply, LDNS_SECTION_ADDITIONAL, "%s A 10.9.0.%u", ns, depth);
}

static void say_nothing_there(ldns_pkt *reply, const char *zone, ldns_pkt_rcode rcode)
{
	ldns_pkt_set_aa(reply, true);
	ldns_pkt_set_rcode(reply, (uint8_t)rcode);
	put(reply, LDNS_SECTION_AUTHORITY, "%s SOA ns.example. admin.example. 1 3600 600 86400 300",
	    zone);
}

/* The root refers to the top-level domain at 10.9.0.1.  True: that was it. */
static bool refer_to_top(ldns_pkt *reply, const struct request_of_server *r)
{
	char *top, ns[300];

	if (r->depth > 0)
		return false;
	top = suffix(r, 1);
	snprintf(ns, sizeof(ns), "ns.%s", top);
	refer_with_glue(reply, top, ns, 1);
	free(top);
	return true;
}

/* Each label is a zone of its own. */
static void deep(ldns_pkt *reply, const struct request_of_server *r)
{
	char *zone = suffix(r, r->depth + 1), ns[1100];

	snprintf(ns, sizeof(ns), "n.%s", zone);
	if (r->depth >= r->labels || strlen(ns) > 250)
		say_nothing_there(reply, zone, LDNS_RCODE_NOERROR);
	else
		refer_with_glue(reply, zone, ns, r->depth + 1);
	free(zone);
}

/* The number in a name's second label from the right: n17.example. */
static unsigned number_of(const struct request_of_server *r)
{
	char *zone = suffix(r, 2);
	unsigned n = 0;

	(void)sscanf(zone, "%*[a-z]%u", &n);
	free(zone);
	return n;
}

/* To find a zone's servers takes finding another's, twice over, for ever. */
static void glueless(ldns_pkt *reply, const struct request_of_server *r)
{
	unsigned n = number_of(r);
	char *zone;

	if (refer_to_top(reply, r))
		return;
	zone = suffix(r, 2);
	put(reply, LDNS_SECTION_AUTHORITY, "%s NS ns.n%u.example.", zone, 2 * n + 1);
	put(reply, LDNS_SECTION_AUTHORITY, "%s NS ns.n%u.example.", zone, 2 * n + 2);
	free(zone);
}

/* A referral to many names without glue (NXNSAttack).  Argument: how many, and what is said of
 * each: nxdomain, nodata, silent, refused. */
static void names(ldns_pkt *reply, const struct request_of_server *r)
{
	unsigned n = 60;
	char say[16] = "nxdomain", *zone;

	(void)sscanf(r->argument, "%u %15s", &n, say);
	if (refer_to_top(reply, r))
		return;
	zone = suffix(r, 2);
	if (strcmp(zone, "victim.example.") == 0) {
		for (unsigned i = 0; i < n; i++)
			put(reply, LDNS_SECTION_AUTHORITY, "%s NS ns%u.d%u.example.", zone, i, i);
	} else if (strcmp(say, "refused") == 0 && r->depth == 2) {
		ldns_pkt_set_rcode(reply, LDNS_RCODE_REFUSED);
	} else if (strcmp(say, "nxdomain") == 0) {
		say_nothing_there(reply, "example.", LDNS_RCODE_NXDOMAIN);
	} else if (strcmp(say, "nodata") == 0) {
		say_nothing_there(reply, "example.", LDNS_RCODE_NOERROR);
	} else if (r->depth == 1) {
		char ns[300];

		snprintf(ns, sizeof(ns), "a.%s", zone);
		refer_with_glue(reply, zone, ns, 2);
	} else {
		ldns_pkt_set_qr(reply, false); /* silence */
	}
	free(zone);
}

/* Every name is an alias of one in another top-level domain. */
static void aliases(ldns_pkt *reply, const struct request_of_server *r)
{
	char *name;
	unsigned n = 0;

	if (refer_to_top(reply, r))
		return;
	name = suffix(r, r->labels);
	(void)sscanf(name, "a%u.", &n);
	ldns_pkt_set_aa(reply, true);
	put(reply, LDNS_SECTION_ANSWER, "%s CNAME a%u.t%u.", name, n + 1, n + 1);
	free(name);
}

/* Thirteen servers with addresses of both families, and what each of them does: silent,
 * refused, servfail, formerr, truncated, lame. */
static void thirteen(ldns_pkt *reply, const struct request_of_server *r)
{
	const struct addr *a = &r->q->server;
	bool is_root = a->family == 4 ? a->ip[0] != 10 : a->ip[0] != 0xfd;

	if (is_root) {
		char *top = suffix(r, 1);

		for (unsigned i = 1; i <= SERVERS; i++) {
			put(reply, LDNS_SECTION_AUTHORITY, "%s NS n%u.%s", top, i, top);
			put(reply, LDNS_SECTION_ADDITIONAL, "n%u.%s A 10.9.0.%u", i, top, i);
			put(reply, LDNS_SECTION_ADDITIONAL, "n%u.%s AAAA fd00::%x", i, top, i);
		}
		free(top);
	} else if (strcmp(r->argument, "silent") == 0) {
		ldns_pkt_set_qr(reply, false);
	} else if (strcmp(r->argument, "truncated") == 0) {
		ldns_pkt_set_tc(reply, true);
	} else if (strcmp(r->argument, "lame") == 0) {
		put(reply, LDNS_SECTION_AUTHORITY, ". NS up.example.");
	} else {
		ldns_pkt_set_rcode(reply, strcmp(r->argument, "refused") == 0 ? LDNS_RCODE_REFUSED
					  : strcmp(r->argument, "formerr") == 0
						  ? LDNS_RCODE_FORMERR
						  : LDNS_RCODE_SERVFAIL);
	}
}

/* The zone is served by the names in itself, of which there are none. */
static void cycle(ldns_pkt *reply, const struct request_of_server *r)
{
	char *zone;

	if (refer_to_top(reply, r))
		return;
	zone = suffix(r, 2);
	put(reply, LDNS_SECTION_AUTHORITY, "%s NS ns.%s", zone,
	    strcmp(zone, "one.example.") == 0 ? "two.example." : "one.example.");
	free(zone);
}

/* Whatever comes to mind, another thing each time. */
static void anything(ldns_pkt *reply, const struct request_of_server *r);

static const struct {
	const char *name;
	generator make;
} generators[] = {
	{ "deep", deep },         { "glueless", glueless }, { "names", names },
	{ "aliases", aliases },   { "thirteen", thirteen }, { "cycle", cycle },
	{ "anything", anything },
};

static void anything(ldns_pkt *reply, const struct request_of_server *r)
{
	static const char *const arguments[] = { "silent",  "refused",   "servfail",
						 "formerr", "truncated", "lame" };
	struct network *net = &r->player->net;
	struct request_of_server one = *r;
	uint32_t last = ARRAY_LEN(generators) - 1;

	one.argument = arguments[network_random_below(net, ARRAY_LEN(arguments))];
	generators[network_random_below(net, last)].make(reply, &one);
	if (network_random_below(net, 8) == 0)
		ldns_pkt_set_aa(reply, !ldns_pkt_aa(reply));
	if (network_random_below(net, 10) == 0)
		ldns_pkt_set_qr(reply, false);
	if (network_random_below(net, 16) == 0)
		ldns_pkt_set_rcode(reply, (uint8_t)network_random_below(net, 6));
}

static const char *find(const char *spec, generator *out)
{
	for (size_t i = 0; i < ARRAY_LEN(generators); i++) {
		size_t n = strlen(generators[i].name);

		if (strncmp(spec, generators[i].name, n) != 0 ||
		    (spec[n] != '\0' && spec[n] != ' '))
			continue;
		*out = generators[i].make;
		return spec[n] == '\0' ? spec + n : spec + n + 1;
	}
	return NULL;
}

bool generate_knows(const char *spec)
{
	generator make;

	return find(spec, &make) != NULL;
}

ldns_pkt *generate(const char *spec, struct player *p, const struct outquery *q,
		   const ldns_pkt *query)
{
	const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
	struct request_of_server r = {
		.player = p,
		.q = q,
		.name = ldns_rr_owner(question),
		.type = ldns_rr_get_type(question),
		.labels = ldns_dname_label_count(ldns_rr_owner(question)),
		.depth = q->server.ip[0] == 10 ? q->server.ip[3] : 0,
	};
	ldns_pkt *reply = ldns_pkt_new();
	generator make = NULL;

	ASSERT(reply != NULL);
	r.argument = find(spec, &make);
	ldns_pkt_set_qr(reply, true);
	ldns_pkt_set_edns_udp_size(reply, 4096);
	ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
	if (r.argument != NULL && r.labels == 0)
		say_nothing_there(reply, ".", LDNS_RCODE_NOERROR);
	else if (r.argument != NULL)
		make(reply, &r);
	if (r.argument != NULL && ldns_pkt_qr(reply))
		return reply;
	ldns_pkt_free(reply);
	return NULL;
}
