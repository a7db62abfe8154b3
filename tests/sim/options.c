/* A scenario's header: what it needs, and what it sets. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/netset.h"
#include "common/rrtype.h"
#include "tests/sim/play.h"

enum { HINTS_MAX = 32, HINT_TTL = 3600000 };
enum { DEFAULT_START = 1700006400 }; /* a midnight, so that nothing depends on the day of the run */

/* `set: name = value` */
static const struct {
	const char *name;
	size_t offset, size;
} settings[] = {
#define ROW(name, member)                                                                          \
	{                                                                                          \
		name, offsetof(struct resolver_config, member),                                    \
			sizeof(((struct resolver_config *)0)->member)                              \
	}
	ROW("max-qperq", max_qperq),
	ROW("max-total-msec", max_total_msec),
	ROW("max-bytesperq", max_bytesperq),
	ROW("max-cnames-followed", max_cnames),
	ROW("max-recursion-depth", max_depth),
	ROW("max-ns-address-qperq", max_ns_address_qperq),
	ROW("max-ns-per-resolve", max_ns_per_resolve),
	ROW("max-rrset-size", max_rrset_records),
	ROW("max-goals", max_goals),
	ROW("max-chain-length", max_chain),
	ROW("max-inflight-per-zone", max_inflight_zone),
	ROW("network-timeout", network_timeout_ms),
	ROW("edns-outgoing-bufsize", edns_payload),
	ROW("qname-max-minimize-count", minimise_max),
	ROW("qname-minimize-one-label", minimise_one_lab),
	ROW("use-0x20", use_0x20),
	ROW("spoof-nearmiss-max", spoof_nearmiss_max),
	ROW("root-nx-trust", root_nx_trust),
	ROW("minimum-ttl-override", min_ttl),
	ROW("max-cache-ttl", max_ttl),
	ROW("max-negative-ttl", max_negative_ttl),
	ROW("max-cache-bogus-ttl", max_bogus_ttl),
	ROW("resolution-failure-ttl", failure_ttl),
	ROW("stale-window", stale_s), /* in seconds; the daemon has serve-stale-extensions */
	ROW("serve-stale-client-timeout", stale_client_timeout_ms),
	ROW("max-background-resolutions", max_background),
	ROW("refresh-on-ttl-perc", refresh_percent),
	ROW("serve-rfc1918", serve_rfc1918),
	ROW("serve-rfc6303", serve_rfc6303),
	ROW("nsec3-max-iterations", dnssec_limits.nsec3_max_iterations),
	ROW("max-ds-lookups-per-record", dnssec_limits.max_ds_lookups_per_record),
	ROW("max-nsec3s-per-record", dnssec_limits.max_nsec3s_per_record),
	ROW("max-nsec3-hash-computations-per-query", dnssec_limits.max_nsec3_hashes),
#undef ROW
};

/* Keys that mean nothing here, or are read elsewhere. */
static const char *const quiet_keys[] = {
	"stub-addr",
	"stub-name",
	"hint",
	"forward",
	"forward-recurse",
	"forward-group",
	"auth",
	"query-minimization",
	"harden-glue",
	"force-ipv6",
	"val-override-date",
	"val-override-timestamp",
	"trust-anchor",
	"feature-list",
	"forward-addr",
	"domain-insecure",
	"sign",
	"break",
	"copy",
};

static int refuse(const struct scenario *s, const struct header_key *o, char *why)
{
	snprintf(why, SCENARIO_WHY_MAX, "%s:%u: refused: %s: %s", s->path, o->line, o->name,
		 o->value);
	return E_MALFORMED;
}

const char *play_reason_to_skip(const struct scenario *s)
{
	if (scenario_option(s, "forward-addr") != NULL)
		return "needs forwarding";
	if (scenario_option(s, "feature-list") != NULL)
		return "needs a policy module";
	for (size_t i = 0; i < s->n_options; i++) {
		if (strcmp(s->options[i].name, "features") != 0)
			continue;
		if (strstr(s->options[i].value, "dns64") != NULL)
			return "needs DNS64";
		if (strstr(s->options[i].value, "static_hint") != NULL)
			return "needs static hints";
		if (strstr(s->options[i].value, "renumber") != NULL)
			return "needs a policy module";
	}
	return NULL;
}

uint32_t play_start_time(const struct scenario *s)
{
	const char *stamp = scenario_option(s, "val-override-timestamp");
	const char *date = scenario_option(s, "val-override-date");
	struct tm tm = { 0 };

	if (stamp != NULL)
		return (uint32_t)strtoul(stamp, NULL, 10);
	if (date != NULL && strptime(date, "%Y%m%d%H%M%S", &tm) != NULL)
		return (uint32_t)timegm(&tm);
	return DEFAULT_START;
}

/* ---- values ---- */

/* "name = value" in place. */
static bool split(char *text, char **name, char **value)
{
	char *equal = strchr(text, '='), *end;

	if (equal == NULL)
		return false;
	for (end = equal; end > text && isspace((unsigned char)end[-1]); end--)
		;
	*end = '\0';
	*name = text + strspn(text, " \t");
	*value = equal + 1 + strspn(equal + 1, " \t");
	return true;
}

static bool set_number(struct resolver_config *cfg, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		char *at = (char *)cfg + settings[i].offset;
		long long v;

		if (strcmp(settings[i].name, name) != 0)
			continue;
		if (settings[i].size == sizeof(bool)) {
			*(bool *)at = conf_bool(value);
			return true;
		}
		if (conf_int(value, 0, UINT32_MAX, &v) != E_OK)
			return false;
		if (settings[i].size == sizeof(uint16_t))
			*(uint16_t *)(void *)at = (uint16_t)v;
		else
			*(uint32_t *)(void *)at = (uint32_t)v;
		return true;
	}
	return false;
}

static bool set_value(struct player *p, const char *name, const char *value)
{
	char bad[ADDR_TEXT_MAX];

	if (strcmp(name, "max-inflight-per-server") == 0) {
		p->max_inflight_server = (uint32_t)strtoul(value, NULL, 10);
		return p->max_inflight_server > 0;
	}
	if (strcmp(name, "dont-throttle-netmasks") == 0) {
		if (netset_new(&p->dont_throttle_nets) != E_OK)
			return false;
		p->cfg.dont_throttle_nets = p->dont_throttle_nets;
		return netset_add_list(p->dont_throttle_nets, value, bad) == E_OK;
	}
	if (strcmp(name, "dont-throttle-names") == 0) {
		char bad_name[NAME_TEXT_MAX];

		if (nameset_new(&p->dont_throttle_names) != E_OK ||
		    nameset_add_list(p->dont_throttle_names, value, bad_name) != E_OK)
			return false;
		nameset_seal(p->dont_throttle_names);
		p->cfg.dont_throttle_names = p->dont_throttle_names;
		return true;
	}
	if (strcmp(name, "dont-query") == 0)
		return netset_add_list(p->dont_query, value, bad) == E_OK;
	if (strcmp(name, "nothing-below-nxdomain") == 0) {
		p->cfg.nothing_below_nxdomain = strcmp(value, "yes") == 0      ? NX_CUT_YES
						: strcmp(value, "dnssec") == 0 ? NX_CUT_DNSSEC
									       : NX_CUT_NO;
		return true;
	}
	return set_number(&p->cfg, name, value);
}

static bool set_feature(struct player *p, const char *name, const char *value)
{
	if (strcmp(name, "min_ttl") == 0)
		return set_number(&p->cfg, "minimum-ttl-override", value);
	if (strcmp(name, "max_ttl") == 0)
		return set_number(&p->cfg, "max-cache-ttl", value);
	return true; /* play_reason_to_skip() knows which of the rest matter */
}

static bool set_pairs(struct player *p, const char *pairs,
		      bool (*set)(struct player *p, const char *name, const char *value))
{
	char *copy = strdup(pairs), *save = NULL, *name, *value;
	bool ok = copy != NULL;

	for (char *pair = ok ? strtok_r(copy, ";", &save) : NULL; ok && pair != NULL;
	     pair = strtok_r(NULL, ";", &save))
		ok = split(pair, &name, &value) && set(p, name, value);
	free(copy);
	return ok;
}

static bool is_quiet(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(quiet_keys); i++)
		if (strcmp(quiet_keys[i], name) == 0)
			return true;
	return false;
}

static bool configure_one(struct player *p, const struct header_key *o, bool *localhost)
{
	if (strcmp(o->name, "do-ip4") == 0)
		p->cfg.use_ipv4 = conf_bool(o->value);
	else if (strcmp(o->name, "do-ip6") == 0)
		p->cfg.use_ipv6 = conf_bool(o->value);
	else if (strcmp(o->name, "do-not-query-localhost") == 0)
		*localhost = conf_bool(o->value);
	else if (strcmp(o->name, "features") == 0)
		return set_pairs(p, o->value, set_feature);
	else if (strcmp(o->name, "set") == 0)
		return set_pairs(p, o->value, set_value);
	else
		return is_quiet(o->name);
	return true;
}

int play_configure(struct player *p, char *why)
{
	const char *root = scenario_option(p->s, "stub-addr");
	bool keep_localhost = true;
	char text[ADDR_TEXT_MAX + 1];
	int err = netset_new(&p->dont_query);

	if (err != E_OK) {
		snprintf(why, SCENARIO_WHY_MAX, "%s", err_text(err));
		return err;
	}
	resolver_config_defaults(&p->cfg);
	p->cfg.use_ipv4 = p->cfg.use_ipv6 = true;
	p->cfg.qname_minimisation = p->o->minimise;
	p->cfg.dont_query = p->dont_query;
	p->cfg.journal_bytes = 1 << 20;
	if (p->o->foreign)
		p->cfg.serve_special = false;
	p->cfg.dnssec = play_validates(p->s) ? DNSSEC_VALIDATE : DNSSEC_OFF;
	for (size_t i = 0; i < p->s->n_options; i++)
		if (!configure_one(p, &p->s->options[i], &keep_localhost))
			return refuse(p->s, &p->s->options[i], why);
	if (!keep_localhost)
		return E_OK;
	/* A root hint in 127.0.0.0/8 is used all the same (FORMAT: do-not-query-localhost). */
	snprintf(text, sizeof(text), "!%s", root == NULL ? "192.0.2.1" : root);
	if (netset_add_text(p->dont_query, "127.0.0.0/8") != E_OK ||
	    netset_add_text(p->dont_query, "::1/128") != E_OK ||
	    netset_add_text(p->dont_query, text) != E_OK) {
		snprintf(why, SCENARIO_WHY_MAX, "%s: stub-addr: %s", p->s->path, text + 1);
		return E_MALFORMED;
	}
	return E_OK;
}

/* ---- root hints ---- */

struct hints {
	struct rrset *sets[HINTS_MAX + 1];
	size_t n; /* sets[0] is the NS set, made last */
	struct rdata names[HINTS_MAX];
	uint8_t wire[HINTS_MAX][NAME_MAX_LEN];
};

static bool add_hint(struct hints *h, const char *name, const char *address, uint32_t now_s)
{
	uint8_t *wire = h->wire[h->n];
	struct rdata rr;
	struct addr a;

	if (h->n == HINTS_MAX || name_from_text(wire, name) != E_OK ||
	    addr_from_text(&a, address, 0) != E_OK)
		return false;
	name_lower(wire, wire);
	h->names[h->n] = (struct rdata) { wire, (uint16_t)name_len(wire) };
	rr = (struct rdata) { a.ip, a.family == 4 ? 4 : 16 };
	if (rrset_new(&h->sets[h->n + 1], wire, a.family == 4 ? TYPE_A : TYPE_AAAA, HINT_TTL, now_s,
		      RANK_LOCAL, &rr, 1, NULL, 0) != E_OK)
		return false;
	h->n++;
	return true;
}

static bool collect_hints(struct hints *h, const struct scenario *s, uint32_t now_s)
{
	const char *address = scenario_option(s, "stub-addr");
	const char *name = scenario_option(s, "stub-name");
	char text[2][300];

	if (address != NULL &&
	    !add_hint(h, name == NULL ? "k.root-servers.net" : name, address, now_s))
		return false;
	for (size_t i = 0; i < s->n_options; i++)
		if (strcmp(s->options[i].name, "hint") == 0 &&
		    (sscanf(s->options[i].value, "%299s %299s", text[0], text[1]) != 2 ||
		     !add_hint(h, text[0], text[1], now_s)))
			return false;
	return h->n > 0 && rrset_new(&h->sets[0], name_root, TYPE_NS, HINT_TTL, now_s, RANK_LOCAL,
				     h->names, h->n, NULL, 0) == E_OK;
}

int play_set_hints(struct player *p, char *why)
{
	uint32_t now_s = play_start_time(p->s);
	struct hints h = { .n = 0 };
	int err = E_MALFORMED;

	/* The resolver's own. */
	if (scenario_option(p->s, "stub-addr") == NULL && scenario_option(p->s, "hint") == NULL)
		return E_OK;
	if (collect_hints(&h, p->s, now_s))
		err = resolver_set_hints(p->resolver, h.sets, h.n + 1);
	if (err != E_OK)
		snprintf(why, SCENARIO_WHY_MAX, "%s: no root hint that can be used", p->s->path);
	for (size_t i = 0; i < ARRAY_LEN(h.sets); i++)
		rrset_put(h.sets[i]);
	return err;
}
