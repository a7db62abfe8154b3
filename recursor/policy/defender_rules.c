/* defender_rules: see defender_rules.h.  The reader is defender_yaml.c. */
#include "recursor/policy/defender_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/conf.h"

/* A flood is accused when a hundred questions a second for ten seconds' mean were for names below
 * one domain, nearly each of another name, and nearly all failed.  Left out is who lives on questions
 * for names that are mostly not there: reverse lookups, ENUM, lists of senders and files. */
static const char builtin[] = "- type: prsd\n"
			      "  comment: built in\n"
			      "  observe: true\n"
			      "  window: 10\n"
			      "  minimum_number_of_labels: 2\n"
			      "  minimum_number_of_qps: 100\n"
			      "  minimum_number_of_children: 200\n"
			      "  maximum_queries_per_child_ratio: 2\n"
			      "  maximum_cache_hit_ratio: 0.2\n"
			      "  minimum_failure_ratio: 0.8\n"
			      "  failures: [nxdomain, servfail, timeout, other-rcodes]\n"
			      "  include_queries_to_domain: false\n"
			      "  action: refused\n"
			      "  action_duration: 60\n"
			      "  exclude_suffixes:\n"
			      "    - in-addr.arpa.\n"
			      "    - ip6.arpa.\n"
			      "    - e164.arpa.\n"
			      "    - abuseat.org.\n"
			      "    - barracudacentral.org.\n"
			      "    - dnswl.org.\n"
			      "    - mailspike.net.\n"
			      "    - mcafee.com.\n"
			      "    - sophosxl.net.\n"
			      "    - sorbs.net.\n"
			      "    - spamcop.net.\n"
			      "    - spamhaus.net.\n"
			      "    - spamhaus.org.\n"
			      "    - surbl.org.\n"
			      "    - uribl.com.\n";

int defender_rules_builtin(struct defender_rules **out)
{
	char why[DEFENDER_WHY_MAX];
	struct defender_rules *r = NULL;
	int err = defender_rules_read(&r, builtin, sizeof(builtin) - 1, "built in", NULL, why);

	ASSERT(err == E_OK || err == E_NOMEM);
	if (err != E_OK)
		return err;
	free(r->file);
	r->file = NULL;
	*out = r;
	return E_OK;
}

int defender_rules_load(struct defender_rules **out, const char *path,
			void (*warn)(const char *line), char *why)
{
	char *text = NULL;
	size_t len;
	int err = conf_load_file(path, &text, &len);

	if (err != E_OK) {
		(void)snprintf(why, DEFENDER_WHY_MAX, "%.300s: %s", path, err_why(err));
		return err;
	}
	err = defender_rules_read(out, text, len, path, warn, why);
	free(text);
	return err;
}

static void rule_deinit(struct defender_rule *r)
{
	for (size_t i = 0; i < r->n_policies; i++) {
		netset_free(r->policies[i].subnets);
		ratelimit_free(r->policies[i].action.limit);
	}
	ratelimit_free(r->action.limit);
	free(r->policies);
	netset_free(r->clients);
	nameset_free(r->exclude);
	free(r->comment);
}

struct defender_rules *defender_rules_get(struct defender_rules *r)
{
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	return r;
}

void defender_rules_put(struct defender_rules *r)
{
	if (r == NULL || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < r->n; i++)
		rule_deinit(&r->rules[i]);
	free(r->rules);
	free(r->file);
	free(r);
}

const char *defender_effect_text(enum defender_effect effect)
{
	static const char *const words[DEFENDER_EFFECTS] = {
		[DEFENDER_REFUSED] = "refused",   [DEFENDER_DROP] = "drop",
		[DEFENDER_NXDOMAIN] = "nxdomain", [DEFENDER_TRUNCATE] = "truncate",
		[DEFENDER_ALLOW] = "allow",       [DEFENDER_RATE_LIMIT] = "rate-limit",
		[DEFENDER_SLIP] = "slip",         [DEFENDER_LOG] = "log",
		[DEFENDER_ROUTE] = "route",
	};

	ASSERT(effect < DEFENDER_EFFECTS);
	return words[effect];
}

char *defender_action_text(char out[DEFENDER_ACTION_TEXT_MAX], const struct defender_action *a)
{
	const char *word = defender_effect_text(a->effect);
	size_t cap = DEFENDER_ACTION_TEXT_MAX;

	if (a->effect == DEFENDER_RATE_LIMIT)
		(void)snprintf(out, cap, "%s %u/s per /%u or /%u, beyond it %s", word, a->qps,
			       a->ipv4_bits, a->ipv6_bits, defender_effect_text(a->otherwise));
	else if (a->effect == DEFENDER_SLIP)
		(void)snprintf(out, cap, "%s 1 in %u, the others %s", word, a->slip,
			       defender_effect_text(a->otherwise));
	else if (a->effect == DEFENDER_ROUTE)
		(void)snprintf(out, cap, "%s to %s", word, a->pool);
	else
		(void)snprintf(out, cap, "%s", word);
	return out;
}
