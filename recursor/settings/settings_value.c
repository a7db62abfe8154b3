/*
 * From a setting's text to its member.
 */
#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/name.h"
#include "recursor/settings/settings_table.h"
#include "recursor/settings/zonelist.h"
#include "recursor/watch/dnstap.h"

/* A place in the struct: the table's macros have checked its type. */
static void *member(const struct setting *row, struct settings *s)
{
	return (char *)s + row->offset;
}

static int read_number(const struct setting *row, const char *text, long long *out, char *reason)
{
	int err = row->type == SET_SIZE ? conf_size(text, row->min, row->max, out)
					: conf_int(text, row->min, row->max, out);

	if (err == E_MALFORMED)
		(void)snprintf(reason, SETTINGS_WHY_MAX, "not a number");
	else if (err == E_RANGE)
		(void)snprintf(reason, SETTINGS_WHY_MAX, "must be %lld to %lld", row->min,
			       row->max);
	return err;
}

static int store_number(const struct setting *row, const char *text, struct settings *s,
			char *reason)
{
	long long number;
	/* PowerDNS takes an empty number for its default. */
	int err = read_number(row, *text == '\0' ? row->initial : text, &number, reason);

	if (err != E_OK)
		return err;
	if (row->type == SET_PORT)
		*(uint16_t *)member(row, s) = (uint16_t)number;
	else if (row->type == SET_BIG || row->type == SET_SIZE)
		*(uint64_t *)member(row, s) = (uint64_t)number;
	else
		*(uint32_t *)member(row, s) = (uint32_t)number;
	return E_OK;
}

static bool is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = choices; *at != '\0'; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n;
	}
	return false;
}

struct choosing {
	const char *choices;
	char *reason;
};

static int check_word(void *ctx, const char *word, size_t len)
{
	const struct choosing *c = ctx;
	char text[64];

	(void)snprintf(text, sizeof(text), "%.*s", (int)len, word);
	if (len < sizeof(text) && is_choice(c->choices, text))
		return E_OK;
	(void)snprintf(c->reason, SETTINGS_WHY_MAX, "'%s' is none of %s", text, c->choices);
	return E_MALFORMED;
}

static int check_words(const char *choices, const char *text, char *reason)
{
	struct choosing c = { .choices = choices, .reason = reason };

	return conf_each_word(text, check_word, &c);
}

static int check_taps(const char *text, char *reason)
{
	struct dnstap_server servers[DNSTAP_SERVERS_MAX];
	unsigned n;

	static_assert((int)DNSTAP_WHY_MAX <= (int)SETTINGS_WHY_MAX, "a reason has room");
	return dnstap_read_servers(servers, &n, text, reason);
}

/* The text itself is the value, if it is one. */
static int check_text(const struct setting *row, const char *text, char *reason)
{
	uint8_t name[NAME_MAX_LEN];
	long long number;
	bool is_number = conf_int(text, 0, UINT32_MAX - 1, &number) == E_OK;

	if (*text == '\0' && *row->initial == '\0')
		return E_OK;
	switch (row->type) {
	case SET_WORD:
		if (is_choice(row->unit, text))
			return E_OK;
		(void)snprintf(reason, SETTINGS_WHY_MAX, "must be one of %s", row->unit);
		return E_MALFORMED;
	case SET_WORDS:
		return check_words(row->unit, text, reason);
	case SET_TAPS:
		return check_taps(text, reason);
	case SET_NAME:
		if (name_from_text(name, text) == E_OK)
			return E_OK;
		(void)snprintf(reason, SETTINGS_WHY_MAX, "not a domain name");
		return E_MALFORMED;
	case SET_USER:
		if (is_number || getpwnam(text) != NULL)
			return E_OK;
		(void)snprintf(reason, SETTINGS_WHY_MAX, "no such user");
		return E_MALFORMED;
	case SET_GROUP:
		if (is_number || getgrnam(text) != NULL)
			return E_OK;
		(void)snprintf(reason, SETTINGS_WHY_MAX, "no such group");
		return E_MALFORMED;
	case SET_MODE:
		if (strspn(text, "01234567") == strlen(text) && strlen(text) <= 4 &&
		    strtoul(text, NULL, 8) <= 0777)
			return E_OK;
		(void)snprintf(reason, SETTINGS_WHY_MAX, "not an octal mode up to 777");
		return E_MALFORMED;
	case SET_ZONES:
		return zonelist_read_files(text, NULL, NULL, reason);
	case SET_FORWARDS:
		return zonelist_read_forwards(text, NULL, NULL, reason);
	case SET_FORWARD_GROUPS:
		return zonelist_read_groups(text, NULL, NULL, reason);
	default:
		return E_OK;
	}
}

static int store_text(const struct setting *row, const char *text, struct settings *s, char *reason)
{
	int err = check_text(row, text, reason);

	if (err == E_OK)
		*(const char **)member(row, s) = text;
	return err;
}

static int store_nets(const struct setting *row, const char *text, struct settings *s, char *reason)
{
	struct netset **place = member(row, s), *set = NULL;
	char bad[ADDR_TEXT_MAX] = "";
	int err = netset_new(&set);

	if (err != E_OK)
		return err;
	err = netset_add_list(set, text, bad);
	if (err != E_OK) {
		(void)snprintf(reason, SETTINGS_WHY_MAX, "'%s': %s", bad,
			       err == E_MALFORMED ? "not a netmask"
			       : err == E_RANGE   ? "the prefix is too long"
						  : err_text(err));
		netset_free(set);
		return err;
	}
	netset_free(*place);
	*place = set;
	return E_OK;
}

static int store_names(const struct setting *row, const char *text, struct settings *s,
		       char *reason)
{
	struct nameset **place = member(row, s), *set = NULL;
	char bad[NAME_TEXT_MAX] = "";
	int err = nameset_new(&set);

	if (err != E_OK)
		return err;
	err = nameset_add_list(set, text, bad);
	if (err != E_OK) {
		(void)snprintf(reason, SETTINGS_WHY_MAX, "'%.200s' is no domain name: %s", bad,
			       err_text(err));
		nameset_free(set);
		return err;
	}
	nameset_free(*place);
	*place = set;
	return E_OK;
}

struct reading {
	const struct setting *row;
	struct addr_list *addrs;
	struct algorithm_set *algorithms;
	struct settings *s;
	char *reason;
};

static int add_addr(void *ctx, const char *word, size_t len)
{
	struct reading *r = ctx;
	struct addr_list *list = r->addrs;
	char text[ADDR_TEXT_MAX];

	if (list->n == SETTINGS_ADDRS_MAX) {
		(void)snprintf(r->reason, SETTINGS_WHY_MAX, "more than %d addresses",
			       SETTINGS_ADDRS_MAX);
		return E_LIMIT;
	}
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, word);
	if (len >= sizeof(text) || addr_from_text(&list->a[list->n], text, 0) != E_OK) {
		(void)snprintf(r->reason, SETTINGS_WHY_MAX, "'%s': not an address", text);
		return E_MALFORMED;
	}
	list->n++;
	return E_OK;
}

static int store_addrs(const struct setting *row, const char *text, struct settings *s,
		       char *reason)
{
	struct addr_list list = { .n = 0 };
	struct reading r = { .row = row, .addrs = &list, .reason = reason };
	int err = conf_each_word(text, add_addr, &r);

	if (err == E_OK)
		memcpy(member(row, s), &list, sizeof(list));
	return err;
}

static int add_port(void *ctx, const char *word, size_t len)
{
	struct reading *r = ctx;
	char text[16];
	long long port;
	int err;

	if (r->s->n_udp_source_port_avoid == SETTINGS_AVOID_MAX) {
		(void)snprintf(r->reason, SETTINGS_WHY_MAX, "more than %d ports",
			       SETTINGS_AVOID_MAX);
		return E_LIMIT;
	}
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, word);
	err = read_number(r->row, text, &port, r->reason);
	if (err == E_OK)
		r->s->udp_source_port_avoid[r->s->n_udp_source_port_avoid++] = (uint16_t)port;
	return err;
}

static int add_algorithm(void *ctx, const char *word, size_t len)
{
	struct reading *r = ctx;
	uint64_t *bits = r->algorithms->bits;
	char text[16];
	long long number;
	int err;

	(void)snprintf(text, sizeof(text), "%.*s", (int)len, word);
	err = read_number(r->row, text, &number, r->reason);
	if (err == E_OK)
		bits[number / 64] |= 1ULL << (number % 64);
	return err;
}

static int store_algorithms(const struct setting *row, const char *text, struct settings *s,
			    char *reason)
{
	struct algorithm_set set = { .bits = { 0 } };
	struct reading r = { .row = row, .algorithms = &set, .reason = reason };
	int err = conf_each_word(text, add_algorithm, &r);

	if (err == E_OK)
		memcpy(member(row, s), &set, sizeof(set));
	return err;
}

static int store_avoid(const struct setting *row, const char *text, struct settings *s,
		       char *reason)
{
	struct reading r = { .row = row, .s = s, .reason = reason };

	s->n_udp_source_port_avoid = 0;
	return conf_each_word(text, add_port, &r);
}

int setting_read(const struct setting *row, const char *text, struct settings *s,
		 char reason[SETTINGS_WHY_MAX])
{
	(void)snprintf(reason, SETTINGS_WHY_MAX, "%s", err_text(E_NOMEM));
	if (row->status != SETTING_OURS)
		return E_OK;
	if (row->type == SET_AVOID)
		return store_avoid(row, text, s, reason);
	if (row->offset == SETTING_NO_MEMBER)
		return E_OK;
	switch (row->type) {
	case SET_BOOL:
		*(bool *)member(row, s) = conf_bool(text);
		return E_OK;
	case SET_INT:
	case SET_BIG:
	case SET_SIZE:
	case SET_PORT:
		return store_number(row, text, s, reason);
	case SET_NETS:
		return store_nets(row, text, s, reason);
	case SET_NAMES:
		return store_names(row, text, s, reason);
	case SET_ADDRS:
		return store_addrs(row, text, s, reason);
	case SET_ALGORITHMS:
		return store_algorithms(row, text, s, reason);
	default:
		return store_text(row, text, s, reason);
	}
}

int setting_check(const struct setting *row, const char *text, char reason[SETTINGS_WHY_MAX])
{
	struct settings *scratch = calloc(1, sizeof(*scratch));
	int err;

	if (scratch == NULL) {
		(void)snprintf(reason, SETTINGS_WHY_MAX, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	err = setting_read(row, text, scratch, reason);
	netset_free(scratch->allow_from);
	netset_free(scratch->allow_notify_from);
	nameset_free(scratch->allow_notify_for);
	netset_free(scratch->dont_query);
	netset_free(scratch->dont_throttle_netmasks);
	nameset_free(scratch->dont_throttle_names);
	nameset_free(scratch->x_dnssec_names);
	netset_free(scratch->webserver_allow_from);
	free(scratch);
	return err;
}
