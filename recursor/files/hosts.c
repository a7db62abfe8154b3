#include "recursor/files/hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/conf.h"
#include "common/name.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/authzone.h"
#include "recursor/settings/settings.h"

/* A name and one of its addresses. */
struct entry {
	uint32_t order;
	bool is_first; /* of its line: the address's name */
	struct addr addr;
	uint8_t name[NAME_MAX_LEN];
};

struct reading {
	struct entry **entries;
	size_t n, cap;
	const char *path;
	unsigned line;
	const uint8_t *suffix;
	const struct hosts_warn *warn;
	char *why;
};

static int refuse(const struct reading *r, int err, const char *reason)
{
	(void)snprintf(r->why, SETTINGS_WHY_MAX, "etc-hosts-file=%.300s: %s", r->path, reason);
	return err;
}

static void warn(const struct reading *r, const char *word, const char *what)
{
	char line[SETTINGS_WHY_MAX];

	if (r->warn->line == NULL)
		return;
	(void)snprintf(line, sizeof(line), "etc-hosts-file: %.300s:%u: '%.80s' is no %s, ignored",
		       r->path, r->line, word, what);
	/* The file's own words are in it; they shall not steer a terminal. */
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	r->warn->line(r->warn->ctx, line);
}

/* ---- reading ---- */

static int entry_add(struct reading *r, const uint8_t *name, const struct addr *a, bool is_first)
{
	struct entry *e;

	if (r->n == HOSTS_ENTRIES_MAX)
		return refuse(r, E_LIMIT, "too many names");
	if (r->n == r->cap) {
		size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
		struct entry **more = realloc(r->entries, cap * sizeof(struct entry *));

		if (more == NULL)
			return refuse(r, E_NOMEM, err_text(E_NOMEM));
		r->entries = more;
		r->cap = cap;
	}
	e = malloc(sizeof(*e));
	if (e == NULL)
		return refuse(r, E_NOMEM, err_text(E_NOMEM));
	*e = (struct entry) { .order = (uint32_t)r->n, .is_first = is_first, .addr = *a };
	(void)name_lower(e->name, name);
	r->entries[r->n++] = e;
	return E_OK;
}

/* A host's name as written: dotless ones get the suffix. */
static bool read_name(const struct reading *r, const char *text, uint8_t name[NAME_MAX_LEN])
{
	size_t len;

	if (name_from_text(name, text) != E_OK || name_is_root(name))
		return false;
	if (name_labels(name) > 1 || text[strlen(text) - 1] == '.')
		return true;
	len = name_len(name) - 1;
	if (len + name_len(r->suffix) > NAME_MAX_LEN)
		return false;
	(void)name_copy(name + len, r->suffix);
	return true;
}

/* "address name [name ...]" */
static int read_line(struct reading *r, char *line)
{
	char *save = NULL, *word;
	uint8_t name[NAME_MAX_LEN];
	bool is_first = true;
	struct addr a;
	int err = E_OK;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, " \t\r", &save);
	if (word == NULL)
		return E_OK;
	if (addr_from_text(&a, word, 0) != E_OK || a.port != 0) {
		warn(r, word, "address");
		return E_OK;
	}
	while (err == E_OK && (word = strtok_r(NULL, " \t\r", &save)) != NULL) {
		if (!read_name(r, word, name)) {
			warn(r, word, "name of a host");
			continue;
		}
		err = entry_add(r, name, &a, is_first);
		is_first = false;
	}
	return err;
}

/* ---- from entries to zones ---- */

static int by_name(const void *x, const void *y)
{
	const struct entry *a = *(struct entry *const *)x, *b = *(struct entry *const *)y;
	int order = name_compare(a->name, b->name);

	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int by_address(const void *x, const void *y)
{
	const struct entry *a = *(struct entry *const *)x, *b = *(struct entry *const *)y;
	int order = memcmp(&a->addr, &b->addr, sizeof(a->addr));

	return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

/* SOA and NS as PowerDNS makes them. */
static int zone_begin(struct authzone **out, const uint8_t *apex, char *reason)
{
	static const uint8_t localhost[] = "\11localhost";
	static const uint32_t numbers[5] = { 1, 604800, HOSTS_TTL, 2419200, 604800 };
	uint8_t soa[sizeof(localhost) + sizeof("\4root") + 20];
	struct authzone *a = NULL;
	size_t len;
	int err = authzone_new(&a, apex);

	if (err != E_OK)
		return err;
	memcpy(soa, localhost, sizeof(localhost));
	len = sizeof(localhost);
	memcpy(soa + len, "\4root", sizeof("\4root"));
	len += sizeof("\4root");
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++, len += 4)
		wire_put_u32(soa + len, numbers[i]);
	err = authzone_add(a, apex, TYPE_SOA, HOSTS_TTL, soa, (uint16_t)len, reason);
	if (err == E_OK)
		err = authzone_add(a, apex, TYPE_NS, HOSTS_TTL, localhost, sizeof(localhost),
				   reason);
	if (err != E_OK) {
		authzone_free(a);
		return err;
	}
	*out = a;
	return E_OK;
}

static int zone_end(struct zones *zones, struct authzone **zone, char *reason)
{
	int err = authzone_finish(*zone, reason);

	if (err == E_OK)
		err = zones_add_auth(zones, *zone);
	if (err == E_OK)
		*zone = NULL;
	return err;
}

/* The zone of one name, of which entries `from` to `to` speak. */
static int add_forward(const struct reading *r, struct zones *zones, size_t from, size_t to)
{
	const uint8_t *name = r->entries[from]->name;
	char reason[AUTHZONE_WHY_MAX] = "";
	struct authzone *zone = NULL;
	int err;

	if (zones_exact(zones, name) != NULL)
		return E_OK;
	err = zone_begin(&zone, name, reason);
	for (size_t i = from; i < to && err == E_OK; i++) {
		const struct addr *a = &r->entries[i]->addr;
		bool six = a->family == 6;

		err = authzone_add(zone, name, six ? TYPE_AAAA : TYPE_A, HOSTS_TTL, a->ip,
				   six ? 16 : 4, reason);
	}
	if (err == E_OK)
		err = zone_end(zones, &zone, reason);
	authzone_free(zone);
	return err == E_OK ? E_OK : refuse(r, err, *reason != '\0' ? reason : err_text(err));
}

/* RFC 1035 3.5, RFC 3596 2.5 */
static void reverse_name(const struct addr *a, uint8_t out[NAME_MAX_LEN])
{
	static const char hex[] = "0123456789abcdef";
	char text[96], *p = text;

	if (a->family == 4) {
		(void)snprintf(text, sizeof(text), "%u.%u.%u.%u.in-addr.arpa.", a->ip[3], a->ip[2],
			       a->ip[1], a->ip[0]);
	} else {
		for (int i = 15; i >= 0; i--) {
			*p++ = hex[a->ip[i] & 15];
			*p++ = '.';
			*p++ = hex[a->ip[i] >> 4];
			*p++ = '.';
		}
		memcpy(p, "ip6.arpa.", sizeof("ip6.arpa."));
	}
	ASSERT(name_from_text(out, text) == E_OK);
}

static int add_reverse(const struct reading *r, struct zones *zones, const struct entry *e)
{
	char reason[AUTHZONE_WHY_MAX] = "";
	struct authzone *zone = NULL;
	uint8_t name[NAME_MAX_LEN];
	int err;

	reverse_name(&e->addr, name);
	if (zones_exact(zones, name) != NULL)
		return E_OK;
	err = zone_begin(&zone, name, reason);
	if (err == E_OK)
		err = authzone_add(zone, name, TYPE_PTR, HOSTS_TTL, e->name,
				   (uint16_t)name_len(e->name), reason);
	if (err == E_OK)
		err = zone_end(zones, &zone, reason);
	authzone_free(zone);
	return err == E_OK ? E_OK : refuse(r, err, *reason != '\0' ? reason : err_text(err));
}

static int add_all(const struct reading *r, struct zones *zones)
{
	int err = E_OK;

	if (r->n == 0)
		return E_OK;
	qsort(r->entries, r->n, sizeof(struct entry *), by_name);
	for (size_t from = 0, to; from < r->n && err == E_OK; from = to) {
		for (to = from + 1; to < r->n; to++)
			if (!name_equal(r->entries[to]->name, r->entries[from]->name))
				break;
		err = add_forward(r, zones, from, to);
	}
	/* The first line of an address comes first: what follows finds its zone there. */
	qsort(r->entries, r->n, sizeof(struct entry *), by_address);
	for (size_t i = 0; i < r->n && err == E_OK; i++)
		if (r->entries[i]->is_first)
			err = add_reverse(r, zones, r->entries[i]);
	return err;
}

int hosts_add_text(struct zones *zones, char *text, const char *path, const uint8_t *suffix,
		   const struct hosts_warn *warn_to, char *why)
{
	struct reading r = { .path = path, .suffix = suffix, .warn = warn_to, .why = why };
	int err = E_OK;

	for (char *line; err == E_OK && (line = strsep(&text, "\n")) != NULL;) {
		r.line++;
		err = read_line(&r, line);
	}
	if (err == E_OK)
		err = add_all(&r, zones);
	while (r.n > 0)
		free(r.entries[--r.n]);
	free(r.entries);
	return err;
}

int hosts_add(struct zones *zones, const char *path, const uint8_t *suffix,
	      const struct hosts_warn *warn_to, char *why)
{
	const struct reading r = { .path = path, .why = why };
	char *text = NULL;
	size_t len;
	int err = conf_load_file(path, &text, &len);

	if (err != E_OK)
		return refuse(&r, err, err_why(err));
	err = memchr(text, '\0', len) != NULL
		      ? refuse(&r, E_MALFORMED, "a NUL byte in the file")
		      : hosts_add_text(zones, text, path, suffix, warn_to, why);
	free(text);
	return err;
}
