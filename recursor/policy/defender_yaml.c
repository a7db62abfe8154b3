/* defender_yaml: the reader of defender_rules.h: each key is a row of a table. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "common/check.h"
#include "recursor/policy/defender_rules.h"
#include "recursor/resolve/zones.h"

enum { VALUE_SHOWN = 64, MANY = 1000000000 };

struct reading {
	yaml_document_t doc;
	const char *file;
	void (*warn)(const char *line);
	char *why;
	size_t n_items;
	unsigned n_limits;
};

struct field {
	const char *key;
	int (*read)(struct reading *rd, const struct field *f, yaml_node_t *node, void *to);
	size_t offset;
	uint32_t min, max;
};

static size_t line_of(const yaml_node_t *node)
{
	return node->start_mark.line + 1;
}

/* The value as it stands there; a list or mapping by its kind. */
static const char *shown(const yaml_node_t *node)
{
	if (node->type == YAML_SEQUENCE_NODE)
		return "a list";
	if (node->type == YAML_MAPPING_NODE)
		return "a mapping";
	return (const char *)node->data.scalar.value;
}

static int refuse(struct reading *rd, const yaml_node_t *node, const char *key, const char *reason)
{
	(void)snprintf(rd->why, DEFENDER_WHY_MAX, "%.200s:%zu: %.64s: '%.*s' %s", rd->file,
		       line_of(node), key, VALUE_SHOWN, shown(node), reason);
	return E_MALFORMED;
}

static void warn(struct reading *rd, const yaml_node_t *node, const char *key, const char *what)
{
	char line[DEFENDER_WHY_MAX];

	if (rd->warn == NULL)
		return;
	(void)snprintf(line, sizeof(line), "%.200s:%zu: %s: '%.*s' %s", rd->file, line_of(node),
		       key, VALUE_SHOWN, shown(node), what);
	rd->warn(line);
}

/* A node by its number.  Aliases make a file longer than it is: what is looked at is counted. */
static int fetch(struct reading *rd, int index, yaml_node_t **out)
{
	yaml_node_t *node = yaml_document_get_node(&rd->doc, index);

	ASSERT(node != NULL);
	if (++rd->n_items > DEFENDER_ITEMS_MAX) {
		(void)snprintf(rd->why, DEFENDER_WHY_MAX, "%.200s:%zu: more than %d values",
			       rd->file, line_of(node), DEFENDER_ITEMS_MAX);
		return E_LIMIT;
	}
	*out = node;
	return E_OK;
}

/* NULL and E_OK never come together. */
static int scalar(struct reading *rd, const char *key, yaml_node_t *node, const char **text)
{
	if (node->type != YAML_SCALAR_NODE)
		return refuse(rd, node, key, "is no single value");
	if (strlen((const char *)node->data.scalar.value) != node->data.scalar.length)
		return refuse(rd, node, key, "has a NUL byte");
	*text = (const char *)node->data.scalar.value;
	return E_OK;
}

/* ---- kinds of values ---- */

static int read_number(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	char reason[80], *end;
	const char *text = "";
	unsigned long long n;
	int err = scalar(rd, f->key, node, &text);

	if (err != E_OK)
		return err;
	n = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || n < f->min || n > f->max) {
		(void)snprintf(reason, sizeof(reason), "is no number from %u to %u", f->min,
			       f->max);
		return refuse(rd, node, f->key, reason);
	}
	*(uint32_t *)((char *)to + f->offset) = (uint32_t)n;
	return E_OK;
}

static int read_ratio(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	char reason[80], *end;
	const char *text = "";
	double n;
	int err = scalar(rd, f->key, node, &text);

	if (err != E_OK)
		return err;
	n = strtod(text, &end);
	if ((text[0] != '.' && (text[0] < '0' || text[0] > '9')) || *end != '\0' || !isfinite(n) ||
	    n < f->min || n > f->max) {
		(void)snprintf(reason, sizeof(reason), "is no number from %u to %u", f->min,
			       f->max);
		return refuse(rd, node, f->key, reason);
	}
	memcpy((char *)to + f->offset, &n, sizeof(n));
	return E_OK;
}

static int read_bool(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	static const char *const words[] = { "false", "no", "off", "true", "yes", "on" };
	const char *text = "";
	int err = scalar(rd, f->key, node, &text);

	if (err != E_OK)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0) {
			*(bool *)((char *)to + f->offset) = i >= ARRAY_LEN(words) / 2;
			return E_OK;
		}
	return refuse(rd, node, f->key, "is neither true nor false");
}

static int read_text(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	char **place = (char **)((char *)to + f->offset), *copy;
	const char *text = "";
	int err = scalar(rd, f->key, node, &text);

	if (err != E_OK)
		return err;
	for (const char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return refuse(rd, node, f->key, "has a control character");
	copy = strndup(text, f->max);
	if (copy == NULL)
		return E_NOMEM;
	free(*place);
	*place = copy;
	return E_OK;
}

static int read_type(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	const char *text = "";
	int err = scalar(rd, f->key, node, &text);

	(void)to;
	if (err != E_OK)
		return err;
	if (strcmp(text, "prsd") != 0)
		return refuse(rd, node, f->key, "is no kind of rule: there is prsd");
	return E_OK;
}

/* ---- lists ---- */

typedef int take_item(struct reading *rd, const struct field *f, yaml_node_t *item, void *to);

/* Each item of a list; a single value is a list of one. */
static int each_item(struct reading *rd, const struct field *f, yaml_node_t *node, take_item *take,
		     void *to)
{
	int err = E_OK;

	if (node->type == YAML_SCALAR_NODE)
		return take(rd, f, node, to);
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse(rd, node, f->key, "is no list");
	for (yaml_node_item_t *at = node->data.sequence.items.start;
	     at < node->data.sequence.items.top && err == E_OK; at++) {
		yaml_node_t *item = NULL;

		err = fetch(rd, *at, &item);
		if (err == E_OK)
			err = take(rd, f, item, to);
	}
	return err;
}

static int take_failure(struct reading *rd, const struct field *f, yaml_node_t *item, void *to)
{
	static const char *const words[] = { "nxdomain", "servfail", "timeout", "other-rcodes" };
	const char *text = "";
	int err = scalar(rd, f->key, item, &text);

	for (unsigned i = 0; err == E_OK && i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i]) == 0) {
			*(unsigned *)to |= 1U << i;
			return E_OK;
		}
	if (err != E_OK)
		return err;
	return refuse(rd, item, f->key, "is none of nxdomain, servfail, timeout, other-rcodes");
}

static int read_failures(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct defender_rule *r = to;

	r->failures = 0;
	return each_item(rd, f, node, take_failure, &r->failures);
}

static int take_name(struct reading *rd, const struct field *f, yaml_node_t *item, void *to)
{
	char bad[NAME_TEXT_MAX];
	uint8_t name[NAME_MAX_LEN];
	const char *text = "";
	int err = scalar(rd, f->key, item, &text);

	if (err != E_OK)
		return err;
	/* A list of names would split at a blank or comma. */
	if (strpbrk(text, ", \t\r\n") != NULL || name_from_text(name, text) != E_OK)
		return refuse(rd, item, f->key, "is no name");
	err = nameset_add_list(to, text, bad);
	return err == E_OK || err == E_NOMEM ? err : refuse(rd, item, f->key, err_text(err));
}

static int read_names(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct nameset **set = (struct nameset **)((char *)to + f->offset);
	int err = nameset_new(set);

	if (err == E_OK)
		err = each_item(rd, f, node, take_name, *set);
	if (err == E_OK)
		nameset_seal(*set);
	return err;
}

static int take_net(struct reading *rd, const struct field *f, yaml_node_t *item, void *to)
{
	const char *text = "";
	int err = scalar(rd, f->key, item, &text);

	if (err != E_OK)
		return err;
	if (text[0] == '!' || strpbrk(text, ", \t\r\n") != NULL)
		return refuse(rd, item, f->key, "is no network");
	err = netset_add_text(to, text);
	return err == E_OK || err == E_NOMEM ? err : refuse(rd, item, f->key, "is no network");
}

static int read_nets(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct netset **set = (struct netset **)((char *)to + f->offset);
	int err = netset_new(set);

	return err == E_OK ? each_item(rd, f, node, take_net, *set) : err;
}

static int take_excluded(struct reading *rd, const struct field *f, yaml_node_t *item, void *to)
{
	char negated[ADDR_TEXT_MAX + 1];
	const char *text = "";
	int err = scalar(rd, f->key, item, &text);

	if (err != E_OK)
		return err;
	if (text[0] == '!' || strlen(text) >= ADDR_TEXT_MAX || strpbrk(text, ", \t\r\n") != NULL)
		return refuse(rd, item, f->key, "is no network");
	(void)snprintf(negated, sizeof(negated), "!%s", text);
	err = netset_add_text(to, negated);
	return err == E_OK || err == E_NOMEM ? err : refuse(rd, item, f->key, "is no network");
}

/* include_ranges and exclude_ranges are one set, in which the more specific wins: everybody, but. */
static int clients_of(struct defender_rule *r)
{
	int err;

	if (r->clients != NULL)
		return E_OK;
	err = netset_new(&r->clients);
	if (err == E_OK)
		err = netset_add_text(r->clients, "0.0.0.0/0");
	if (err == E_OK)
		err = netset_add_text(r->clients, "::/0");
	return err;
}

static int read_include(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct defender_rule *r = to;
	int err = clients_of(r);

	return err == E_OK ? each_item(rd, f, node, take_net, r->clients) : err;
}

static int read_exclude(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct defender_rule *r = to;
	int err = clients_of(r);

	return err == E_OK ? each_item(rd, f, node, take_excluded, r->clients) : err;
}

/* ---- mappings ---- */

static const struct field *field_of(const struct field *fields, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

/* *seen gets a bit for each field that was there. */
static int read_mapping(struct reading *rd, const char *what, yaml_node_t *node,
			const struct field *fields, size_t n, void *to, uint32_t *seen)
{
	*seen = 0;
	ASSERT(n <= 32);
	if (node->type != YAML_MAPPING_NODE)
		return refuse(rd, node, what, "is no mapping of keys to values");
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *key = NULL, *value = NULL;
		const struct field *f;
		const char *text = "";
		int err = fetch(rd, pair->key, &key);

		if (err == E_OK)
			err = fetch(rd, pair->value, &value);
		if (err == E_OK)
			err = scalar(rd, what, key, &text);
		if (err != E_OK)
			return err;
		f = field_of(fields, n, text);
		if (f == NULL)
			return refuse(rd, key, what, "is no key that is known here");
		if (*seen & 1U << (f - fields))
			return refuse(rd, key, what, "is there twice");
		*seen |= 1U << (f - fields);
		err = f->read(rd, f, value, to);
		if (err != E_OK)
			return err;
	}
	return E_OK;
}

/* ---- actions ---- */

static int read_effect(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	const char *text = "";
	int err = scalar(rd, f->key, node, &text);

	if (err != E_OK)
		return err;
	for (unsigned i = 0; i < f->max; i++)
		if (strcasecmp(text, defender_effect_text(i)) == 0) {
			*(enum defender_effect *)((char *)to + f->offset) = i;
			return E_OK;
		}
	return refuse(rd, node, f->key,
		      f->max == DEFENDER_EFFECTS ? "is no action"
						 : "is none of refused, drop, nxdomain, truncate");
}

static int read_pool(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct defender_action *a = to;
	const char *text = "";
	int err = scalar(rd, f->key, node, &text);

	if (err != E_OK)
		return err;
	if (*text == '\0' || strlen(text) >= sizeof(a->pool) || strpbrk(text, " \t\r\n") != NULL)
		return refuse(rd, node, f->key, "is no name of a group of forwarders");
	(void)snprintf(a->pool, sizeof(a->pool), "%s", text);
	a->route = zones_group_id(text);
	return E_OK;
}

enum {
	ACTION_TYPE,
	ACTION_IPV4,
	ACTION_IPV6,
	ACTION_QPS,
	ACTION_EXCEEDED,
	ACTION_SLIP,
	ACTION_ACTION,
	ACTION_POOL
};

static const struct field action_fields[] = {
	[ACTION_TYPE] = { "type", read_effect, offsetof(struct defender_action, effect), 0,
			  DEFENDER_EFFECTS },
	[ACTION_IPV4] = { "ipv4_mask", read_number, offsetof(struct defender_action, ipv4_bits), 0,
			  32 },
	[ACTION_IPV6] = { "ipv6_mask", read_number, offsetof(struct defender_action, ipv6_bits), 0,
			  128 },
	[ACTION_QPS] = { "qps", read_number, offsetof(struct defender_action, qps), 1, MANY },
	[ACTION_EXCEEDED] = { "rate_exceeded_action", read_effect,
			      offsetof(struct defender_action, otherwise), 0, DEFENDER_ALLOW },
	[ACTION_SLIP] = { "slip", read_number, offsetof(struct defender_action, slip), 1, MANY },
	[ACTION_ACTION] = { "action", read_effect, offsetof(struct defender_action, otherwise), 0,
			    DEFENDER_ALLOW },
	[ACTION_POOL] = { "pool", read_pool, 0, 0, 0 },
};

#define BIT(i) (1U << (i))

/* The keys that an action needs, and those that it may have; all have a type. */
static const struct {
	uint32_t needs, may;
} parameters[DEFENDER_EFFECTS] = {
	[DEFENDER_RATE_LIMIT] = { BIT(ACTION_QPS),
				  BIT(ACTION_IPV4) | BIT(ACTION_IPV6) | BIT(ACTION_EXCEEDED) },
	[DEFENDER_SLIP] = { BIT(ACTION_SLIP), BIT(ACTION_ACTION) },
	[DEFENDER_ROUTE] = { BIT(ACTION_POOL), 0 },
};

static int check_action(struct reading *rd, yaml_node_t *node, const struct defender_action *a,
			uint32_t seen)
{
	uint32_t needs = parameters[a->effect].needs | BIT(ACTION_TYPE);
	uint32_t may = needs | parameters[a->effect].may;
	char reason[128];

	for (unsigned i = 0; i < ARRAY_LEN(action_fields); i++) {
		bool is_needed = needs & BIT(i), is_there = seen & BIT(i);

		if (is_needed == is_there || (is_there && (may & BIT(i))))
			continue;
		if (is_needed)
			(void)snprintf(reason, sizeof(reason), "of type %s has no %s",
				       defender_effect_text(a->effect), action_fields[i].key);
		else
			(void)snprintf(reason, sizeof(reason), "of type %s takes no %s",
				       defender_effect_text(a->effect), action_fields[i].key);
		return refuse(rd, node, "action", reason);
	}
	return E_OK;
}

static int make_limit(struct reading *rd, yaml_node_t *node, struct defender_action *a)
{
	const struct ratelimit_config cfg = {
		.qps = a->qps,
		.ipv4_bits = a->ipv4_bits,
		.ipv6_bits = a->ipv6_bits,
		.max = DEFENDER_LIMIT_CLIENTS,
	};

	if (++rd->n_limits > DEFENDER_LIMITS_MAX)
		return refuse(rd, node, "action", "is one rate-limit too many");
	return ratelimit_new(&a->limit, &cfg);
}

/* A word, or a mapping with the type and its parameters. */
static int read_action(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct defender_action *a = (struct defender_action *)(void *)((char *)to + f->offset);
	uint32_t seen = BIT(ACTION_TYPE);
	int err;

	*a = (struct defender_action) {
		.effect = DEFENDER_EFFECTS,
		.otherwise = DEFENDER_REFUSED,
		.ipv4_bits = 32,
		.ipv6_bits = 64,
	};
	if (node->type == YAML_MAPPING_NODE) {
		err = read_mapping(rd, "action", node, action_fields, ARRAY_LEN(action_fields), a,
				   &seen);
	} else {
		struct field word = action_fields[ACTION_TYPE];

		word.key = f->key;
		err = read_effect(rd, &word, node, a);
	}
	if (err != E_OK)
		return err;
	if (a->effect == DEFENDER_EFFECTS)
		return refuse(rd, node, f->key, "has no type");
	/* DNSdist's documented page says truncate where nothing else is said. */
	if (a->effect == DEFENDER_SLIP && !(seen & BIT(ACTION_ACTION)))
		a->otherwise = DEFENDER_TRUNCATE;
	err = check_action(rd, node, a, seen);
	if (err == E_OK && a->effect == DEFENDER_RATE_LIMIT)
		err = make_limit(rd, node, a);
	return err;
}

/* ---- policies ---- */

static int take_protocol(struct reading *rd, const struct field *f, yaml_node_t *item, void *to)
{
	static const struct {
		const char *word;
		unsigned bit;
	} protocols[] = {
		{ "DoUDP", DEFENDER_UDP },
		{ "DoTCP", DEFENDER_TCP },
		{ "DNSCryptUDP", 4 },
		{ "DNSCryptTCP", 4 },
		{ "DoT", 4 },
		{ "DoH", 4 },
		{ "DoQ", 4 },
		{ "DoH3", 4 },
	};
	const char *text = "";
	int err = scalar(rd, f->key, item, &text);

	if (err != E_OK)
		return err;
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		if (strcasecmp(text, protocols[i].word) != 0)
			continue;
		*(unsigned *)to |= protocols[i].bit;
		if (protocols[i].bit == 4)
			warn(rd, item, f->key, "is not served here: nothing comes that way");
		return E_OK;
	}
	return refuse(rd, item, f->key, "is no protocol: DoUDP, DoTCP, ...");
}

static int read_protocols(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	struct defender_policy *p = to;

	return each_item(rd, f, node, take_protocol, &p->protocols);
}

static const struct field option_fields[] = {
	{ "allow_cache_lookups", read_bool, offsetof(struct defender_policy, allow_cache_lookups),
	  0, 0 },
};

static int read_options(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	uint32_t seen;

	return read_mapping(rd, f->key, node, option_fields, ARRAY_LEN(option_fields), to, &seen);
}

enum { POLICY_ACTION = 3 };

static const struct field policy_fields[] = {
	{ "protocols", read_protocols, 0, 0, 0 },
	{ "subnets", read_nets, offsetof(struct defender_policy, subnets), 0, 0 },
	{ "options", read_options, 0, 0, 0 },
	[POLICY_ACTION] = { "action", read_action, offsetof(struct defender_policy, action), 0, 0 },
};

static int take_policy(struct reading *rd, const struct field *f, yaml_node_t *item, void *to)
{
	struct defender_rule *r = to;
	struct defender_policy *p;
	uint32_t seen;
	int err;

	if (r->n_policies == DEFENDER_POLICIES_MAX)
		return refuse(rd, item, f->key, "is one policy too many");
	p = realloc(r->policies, (r->n_policies + 1) * sizeof(*p));
	if (p == NULL)
		return E_NOMEM;
	r->policies = p;
	p = &r->policies[r->n_policies++];
	*p = (struct defender_policy) { .line = (unsigned)line_of(item) };
	err = read_mapping(rd, f->key, item, policy_fields, ARRAY_LEN(policy_fields), p, &seen);
	if (err == E_OK && !(seen & BIT(POLICY_ACTION)))
		return refuse(rd, item, f->key, "has no action");
	return err;
}

static int read_policies(struct reading *rd, const struct field *f, yaml_node_t *node, void *to)
{
	if (node->type != YAML_SEQUENCE_NODE)
		return refuse(rd, node, f->key, "is no list");
	return each_item(rd, f, node, take_policy, to);
}

/* ---- rules ---- */

#define IN_RULE(member) offsetof(struct defender_rule, member)

static const struct field rule_fields[] = {
	{ "type", read_type, 0, 0, 0 },
	{ "window", read_number, IN_RULE(window_s), 1, DEFENDER_WINDOW_MAX },
	{ "minimum_number_of_labels", read_number, IN_RULE(min_labels), 1, NAME_MAX_LABELS },
	{ "minimum_number_of_qps", read_number, IN_RULE(min_qps), 1, MANY },
	{ "minimum_number_of_children", read_number, IN_RULE(min_children), 0, MANY },
	{ "maximum_queries_per_child_ratio", read_ratio, IN_RULE(max_queries_per_child), 0, MANY },
	{ "maximum_cache_hit_ratio", read_ratio, IN_RULE(max_cache_hit_ratio), 0, 1 },
	{ "minimum_failure_ratio", read_ratio, IN_RULE(min_failure_ratio), 0, 1 },
	{ "failures", read_failures, 0, 0, 0 },
	{ "include_queries_to_domain", read_bool, IN_RULE(include_domain), 0, 0 },
	{ "exclude_suffixes", read_names, IN_RULE(exclude), 0, 0 },
	{ "action", read_action, IN_RULE(action), 0, 0 },
	{ "action_duration", read_number, IN_RULE(duration_s), 1, 604800 },
	{ "comment", read_text, IN_RULE(comment), 0, 200 },
	{ "policies", read_policies, 0, 0, 0 },
	{ "include_ranges", read_include, 0, 0, 0 },
	{ "exclude_ranges", read_exclude, 0, 0, 0 },
	{ "ipv4_mask", read_number, IN_RULE(ipv4_bits), 0, 32 },
	{ "ipv6_mask", read_number, IN_RULE(ipv6_bits), 0, 128 },
	{ "port_mask", read_number, IN_RULE(port_bits), 0, 16 },
	{ "observe", read_bool, IN_RULE(observe), 0, 0 },
	{ "known_first", read_bool, IN_RULE(known_first), 0, 0 },
	{ "unseen_qps", read_number, IN_RULE(unseen_qps), 0, MANY },
};

static int take_rule(struct reading *rd, const struct field *f, yaml_node_t *item, void *to)
{
	struct defender_rules *rules = to;
	struct defender_rule *r;
	uint32_t seen;
	int err;

	if (rules->n == DEFENDER_RULES_MAX)
		return refuse(rd, item, f->key, "is one rule too many");
	r = realloc(rules->rules, (rules->n + 1) * sizeof(*r));
	if (r == NULL)
		return E_NOMEM;
	rules->rules = r;
	r = &rules->rules[rules->n++];
	*r = (struct defender_rule) {
		.window_s = 60,
		.min_labels = 2,
		.min_qps = 100,
		.min_children = 50,
		.max_queries_per_child = 2,
		.max_cache_hit_ratio = 0.2,
		.min_failure_ratio = 0.8,
		.failures = DEFENDER_FAIL_NXDOMAIN | DEFENDER_FAIL_SERVFAIL |
			    DEFENDER_FAIL_TIMEOUT | DEFENDER_FAIL_OTHER,
		.include_domain = true,
		.ipv4_bits = 32,
		.ipv6_bits = 64,
		.action = { .effect = DEFENDER_REFUSED },
		.duration_s = 60,
		.known_first = true,
		.unseen_qps = 10,
		.line = (unsigned)line_of(item),
	};
	err = read_mapping(rd, f->key, item, rule_fields, ARRAY_LEN(rule_fields), r, &seen);
	if (err == E_OK && !(seen & 1))
		return refuse(rd, item, f->key, "has no type");
	return err;
}

static int take_document(struct reading *rd, struct defender_rules *rules)
{
	static const struct field f = { .key = "rule" };
	yaml_node_t *root = yaml_document_get_root_node(&rd->doc);

	if (root == NULL || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0)) {
		(void)snprintf(rd->why, DEFENDER_WHY_MAX, "%.300s: there are no rules in it",
			       rd->file);
		return E_MALFORMED;
	}
	if (root->type != YAML_SEQUENCE_NODE)
		return refuse(rd, root, "rules", "is no list of rules");
	return each_item(rd, &f, root, take_rule, rules);
}

static int syntax_error(const yaml_parser_t *p, const char *file, char *why)
{
	if (p->error == YAML_MEMORY_ERROR)
		return E_NOMEM;
	(void)snprintf(why, DEFENDER_WHY_MAX, "%.200s:%zu: no YAML: %.100s", file,
		       p->problem_mark.line + 1, p->problem == NULL ? "?" : p->problem);
	return E_MALFORMED;
}

/* One document and no more. */
static int read_documents(struct reading *rd, yaml_parser_t *parser, struct defender_rules *rules)
{
	int err;
	bool more;

	if (!yaml_parser_load(parser, &rd->doc))
		return syntax_error(parser, rd->file, rd->why);
	err = take_document(rd, rules);
	yaml_document_delete(&rd->doc);
	if (err != E_OK)
		return err;
	if (!yaml_parser_load(parser, &rd->doc))
		return syntax_error(parser, rd->file, rd->why);
	more = yaml_document_get_root_node(&rd->doc) != NULL;
	yaml_document_delete(&rd->doc);
	if (!more)
		return E_OK;
	(void)snprintf(rd->why, DEFENDER_WHY_MAX, "%.300s: a second document", rd->file);
	return E_MALFORMED;
}

int defender_rules_read(struct defender_rules **out, const char *text, size_t len, const char *file,
			void (*warn_line)(const char *line), char *why)
{
	struct reading rd = { .file = file, .warn = warn_line, .why = why };
	struct defender_rules *rules = calloc(1, sizeof(*rules));
	yaml_parser_t parser;
	int err = E_NOMEM;

	(void)snprintf(why, DEFENDER_WHY_MAX, "%.300s: %s", file, err_text(E_NOMEM));
	if (rules == NULL)
		return E_NOMEM;
	atomic_init(&rules->refs, 1);
	rules->file = strdup(file);
	if (len > DEFENDER_FILE_MAX) {
		(void)snprintf(why, DEFENDER_WHY_MAX, "%.300s: more than %d bytes", file,
			       DEFENDER_FILE_MAX);
		err = E_TOO_LONG;
	} else if (rules->file != NULL && yaml_parser_initialize(&parser)) {
		yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
		err = read_documents(&rd, &parser, rules);
		yaml_parser_delete(&parser);
	}
	if (err == E_OK)
		*out = rules;
	else
		defender_rules_put(rules);
	return err;
}
