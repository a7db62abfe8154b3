/*
 * From the texts of all settings to a snapshot: what holds for one value is read by
 * settings_value.c, what holds between them is checked here.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/log.h"
#include "config.h"
#include "recursor/settings/settings_table.h"
#include "recursor/watch/health.h"
#include "recursor/watch/web/api_files.h"
#include "recursor/watch/web/credential.h"

struct building {
	struct settings *s;
	const struct settings_source *from;
	char *why;
};

/* "recursor.conf:12: threads=0: must be 1 to 256"; returns `err`. */
static int __attribute__((format(printf, 4, 5)))
refuse(const struct building *b, const char *name, int err, const char *format, ...)
{
	char reason[SETTINGS_WHY_MAX];
	const struct setting *row = setting_find(name);
	const char *place = "", *colon = "";
	va_list args;
	size_t i;

	ASSERT(row != NULL);
	i = (size_t)(row - settings_table);
	/* Without places it is an operator who waits for the answer. */
	if (b->from->places != NULL) {
		place = b->from->places[i] != NULL ? b->from->places[i] : "default";
		colon = ": ";
	}
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	(void)snprintf(b->why, SETTINGS_WHY_MAX, "%.160s%s%s=%.100s: %.200s", place, colon, name,
		       b->from->texts[i], reason);
	return err;
}

/* The same without the value. */
static int refuse_secret(const struct building *b, const char *name, const char *reason)
{
	const struct setting *row = setting_find(name);
	const char *place = NULL;

	ASSERT(row != NULL);
	if (b->from->places != NULL)
		place = b->from->places[row - settings_table];
	(void)snprintf(b->why, SETTINGS_WHY_MAX, "%.160s%s%s: %.200s", place != NULL ? place : "",
		       place != NULL ? ": " : "", name, reason);
	return E_MALFORMED;
}

static void warn(const struct building *b, const char *line)
{
	if (b->from->warn.line != NULL)
		b->from->warn.line(b->from->warn.ctx, line);
}

/* What the old snapshot found outside for this row still holds. */
static bool is_as_before(const struct building *b, const char *name)
{
	const struct settings_source *from = b->from;
	const struct setting *row = setting_find(name);

	ASSERT(row != NULL);
	for (size_t i = 0; i < from->n_names; i++)
		if (strcmp(from->names[i], name) == 0)
			return false;
	return from->old != NULL && strcmp(from->texts[row - settings_table],
					   from->old->texts[row - settings_table]) == 0;
}

/* A user or group was known when the daemon started; in a chroot nobody is. */
static bool is_known_name(const struct building *b, const struct setting *row)
{
	return (row->type == SET_USER || row->type == SET_GROUP) && is_as_before(b, row->name);
}

static int read_members(struct building *b)
{
	char reason[SETTINGS_WHY_MAX];

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];
		int err = E_OK;

		if (is_known_name(b, row))
			*(const char **)((char *)b->s + row->offset) = b->from->texts[i];
		else
			err = setting_read(row, b->from->texts[i], b->s, reason);
		if (err != E_OK)
			return refuse(b, row->name, err, "%s", reason);
	}
	return E_OK;
}

static bool is_loopback(const struct addr *a)
{
	static const uint8_t six[16] = { [15] = 1 };

	return a->family == 4 ? a->ip[0] == 127 : memcmp(a->ip, six, sizeof(six)) == 0;
}

static int finish_addresses(struct building *b)
{
	struct settings *s = b->s;
	bool only_loopback = true;

	if (s->local_address.n == 0)
		return refuse(b, "local-address", E_MALFORMED, "no address");
	if (s->query_local_address.n == 0)
		return refuse(b, "query-local-address", E_MALFORMED, "no address");
	for (unsigned i = 0; i < s->query_local_address.n; i++) {
		if (s->query_local_address.a[i].port != 0)
			return refuse(b, "query-local-address", E_MALFORMED,
				      "a port is not for here: see udp-source-port-min");
	}
	for (unsigned i = 0; i < s->local_address.n; i++) {
		struct addr *a = &s->local_address.a[i];

		if (a->port == 0)
			a->port = s->local_port;
		only_loopback = only_loopback && is_loopback(a);
		for (unsigned k = 0; k < i; k++) {
			if (addr_equal(a, &s->local_address.a[k]))
				return refuse(b, "local-address", E_EXISTS, "an address twice");
		}
	}
	if (netset_is_empty(s->allow_from) && !only_loopback)
		warn(b, "allow-from is empty: everybody may ask, an open resolver is easily "
			"abused");
	return E_OK;
}

static int finish_webserver(struct building *b)
{
	struct settings *s = b->s;
	char reason[CREDENTIAL_WHY_MAX];
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;

	if (s->webserver && s->webserver_address.n == 0)
		return refuse(b, "webserver-address", E_MALFORMED, "no address");
	for (unsigned i = 0; i < s->webserver_address.n; i++)
		if (s->webserver_address.a[i].port == 0)
			s->webserver_address.a[i].port = s->webserver_port;
	if (credential_check(s->webserver_password, reason) != E_OK)
		return refuse_secret(b, "webserver-password", reason);
	if (credential_check(s->api_key, reason) != E_OK)
		return refuse_secret(b, "api-key", reason);
	if (health_read_test(s->ready_test_name, name, &type) != E_OK)
		return refuse(b, "ready-test-name", E_MALFORMED, "no name, or no type behind it");
	return E_OK;
}

/* Why the API can change nothing there, or NULL. */
static const char *why_no_api_dir(const struct settings *s)
{
	int fd = -1;

	/* After chroot paths have another meaning. */
	if (*s->chroot != '\0')
		return "there is a chroot";
	switch (api_place_open(&fd, s->api_config_dir, s->include_dir)) {
	case API_PLACE_FITS:
		close(fd);
		return NULL;
	case API_PLACE_WORDS:
		return "a path with blanks or commas";
	case API_PLACE_UNREADABLE:
		return strerror(errno);
	case API_PLACE_ELSEWHERE:
		break;
	}
	return "it is not include-dir, and would not be read";
}

/* Said while somebody looks, and not at the API's first change.  No error: with PowerDNS it is none. */
static void check_api_dir(const struct building *b)
{
	const char *dir = b->s->api_config_dir, *why;
	char line[400];

	if (*dir == '\0' || b->from->old != NULL)
		return;
	why = why_no_api_dir(b->s);
	if (why == NULL)
		return;
	(void)snprintf(line, sizeof(line), "api-config-dir=%.200s: %s: the API changes nothing",
		       dir, why);
	warn(b, line);
}

static int finish_ports(struct building *b)
{
	struct settings *s = b->s;
	unsigned avoided = 0, span;

	if (s->udp_source_port_min > s->udp_source_port_max)
		return refuse(b, "udp-source-port-min", E_RANGE,
			      "is above udp-source-port-max, which is %u",
			      (unsigned)s->udp_source_port_max);
	span = (unsigned)(s->udp_source_port_max - s->udp_source_port_min) + 1;
	for (unsigned i = 0; i < s->n_udp_source_port_avoid; i++)
		avoided += s->udp_source_port_avoid[i] >= s->udp_source_port_min &&
			   s->udp_source_port_avoid[i] <= s->udp_source_port_max;
	if (avoided >= span)
		return refuse(b, "udp-source-port-avoid", E_RANGE, "leaves no port to ask from");
	return E_OK;
}

/* One netmask a line; `#` opens a comment.  `text` is written to. */
static int add_lines(struct building *b, const char *name, struct netset *set, char *text)
{
	unsigned n = 1;

	for (char *line; (line = strsep(&text, "\n")) != NULL; n++) {
		char bad[ADDR_TEXT_MAX] = "";
		int err;

		line[strcspn(line, "#")] = '\0';
		err = netset_add_list(set, line, bad);
		if (err != E_OK)
			return refuse(b, name, err, "line %u: '%s' is not a netmask", n, bad);
	}
	return E_OK;
}

/* The text of the file that a row names: what it was, or read now. */
static int load_lines(struct building *b, const char *name, const char *path, const char *before,
		      char **out)
{
	size_t len;
	int err;

	if (is_as_before(b, name) && before != NULL) {
		*out = strdup(before);
		return *out != NULL ? E_OK : refuse(b, name, E_NOMEM, "%s", err_text(E_NOMEM));
	}
	err = conf_load_file(path, out, &len);
	if (err == E_TOO_LONG)
		return refuse(b, name, err, "longer than %d bytes", CONF_FILE_MAX);
	if (err != E_OK)
		return refuse(b, name, err, "%s", err_why(err));
	if (memchr(*out, '\0', len) != NULL) {
		free(*out);
		*out = NULL;
		return refuse(b, name, E_MALFORMED, "a NUL byte in the file");
	}
	return E_OK;
}

/* Networks from a file, in the place of those in the setting; `lines` keeps what it says. */
static int read_nets_file(struct building *b, const char *name, const char *path,
			  const char *before, char **lines, struct netset **nets)
{
	struct netset *set = NULL;
	char *scratch = NULL;
	int err;

	if (*path == '\0')
		return E_OK;
	err = load_lines(b, name, path, before, lines);
	if (err != E_OK)
		return err;
	scratch = strdup(*lines);
	if (scratch == NULL || netset_new(&set) != E_OK) {
		err = refuse(b, name, E_NOMEM, "%s", err_text(E_NOMEM));
		goto out;
	}
	err = add_lines(b, name, set, scratch);
	if (err != E_OK)
		goto out;
	netset_free(*nets);
	*nets = set;
	set = NULL;
out:
	netset_free(set);
	free(scratch);
	return err;
}

/* Names from a file, beside those in the setting. */
static int read_names_file(struct building *b, const char *name, const char *path,
			   const char *before, char **lines, struct nameset *names)
{
	unsigned n = 1;
	char *text, *rest;
	int err;

	if (*path == '\0')
		return E_OK;
	err = load_lines(b, name, path, before, lines);
	if (err != E_OK)
		return err;
	text = rest = strdup(*lines);
	if (text == NULL)
		return refuse(b, name, E_NOMEM, "%s", err_text(E_NOMEM));
	for (char *line; (line = strsep(&rest, "\n")) != NULL && err == E_OK; n++) {
		char bad[NAME_TEXT_MAX] = "";

		line[strcspn(line, "#")] = '\0';
		err = nameset_add_list(names, line, bad);
		if (err != E_OK)
			(void)refuse(b, name, err, "line %u: '%.100s' is no domain name", n, bad);
	}
	free(text);
	return err;
}

static int read_files(struct building *b)
{
	static const struct settings nothing;
	const struct settings *old = b->from->old != NULL ? b->from->old : &nothing;
	struct settings *s = b->s;
	int err = read_nets_file(b, "allow-from-file", s->allow_from_file, old->allow_from_lines,
				 &s->allow_from_lines, &s->allow_from);

	if (err == E_OK)
		err = read_nets_file(b, "allow-notify-from-file", s->allow_notify_from_file,
				     old->allow_notify_from_lines, &s->allow_notify_from_lines,
				     &s->allow_notify_from);
	if (err == E_OK)
		err = read_names_file(b, "allow-notify-for-file", s->allow_notify_for_file,
				      old->allow_notify_for_lines, &s->allow_notify_for_lines,
				      s->allow_notify_for);
	if (err == E_OK) {
		nameset_seal(s->allow_notify_for);
		nameset_seal(s->dont_throttle_names);
		nameset_seal(s->x_dnssec_names);
	}
	return err;
}

static int read_suffixes(struct building *b)
{
	static const char name[] = "public-suffix-list-file";
	struct settings *s = b->s;
	char reason[SETTINGS_WHY_MAX];
	int err;

	if (is_as_before(b, name)) {
		s->psl = psl_get(b->from->old->psl);
		return E_OK;
	}
	err = psl_new(&s->psl, s->public_suffix_list_file, reason, sizeof(reason));
	return err == E_OK ? E_OK : refuse(b, name, err, "%s", reason);
}

/* The directory as seen before chroot, with the default filled in. */
static int finish_socket_dir(struct building *b)
{
	struct settings *s = b->s;
	bool rooted = *s->chroot != '\0';
	const char *dir = s->socket_dir;
	char *path = NULL;

	if (*dir == '\0' && !rooted)
		dir = RUNSTATEDIR "/pdns-recursor";
	if (asprintf(&path, "%s%s%s", s->chroot, rooted ? "/" : "", dir) < 0)
		return refuse(b, "socket-dir", E_NOMEM, "%s", err_text(E_NOMEM));
	s->memory = path;
	s->socket_dir = path;
	return E_OK;
}

static void finish_log(struct building *b)
{
	struct settings *s = b->s;

	if (s->daemon && s->disable_syslog)
		warn(b, "daemon and disable-syslog are both set: nothing will be logged");
	if (s->loglevel < LOG_LEVEL_ERROR)
		s->loglevel = LOG_LEVEL_ERROR;
	if (!s->quiet && s->loglevel < LOG_LEVEL_INFO)
		s->loglevel = LOG_LEVEL_INFO;
	if (s->loglevel > LOG_LEVEL_DEBUG)
		s->loglevel = LOG_LEVEL_DEBUG;
}

/* PowerDNS can leave it. */
static void check_parents_set(const struct building *b)
{
	if (!b->s->save_parent_ns_set)
		warn(b, "save-parent-ns-set=no has no effect: name servers that a parent names are "
			"always asked when the zone's own fail");
}

bool settings_memory_is_idle(const struct settings *s, char line[SETTINGS_WHY_MAX])
{
	uint64_t entries = s->max_cache_entries + s->max_packetcache_entries;

	if (s->max_cache_memory <= entries * SETTINGS_ENTRY_BYTES + SETTINGS_CACHES_BYTES)
		return false;
	(void)snprintf(line, SETTINGS_WHY_MAX,
		       "max-cache-memory is more than max-cache-entries=%" PRIu64
		       " and max-packetcache-entries=%" PRIu64 " can fill: raise these, too",
		       s->max_cache_entries, s->max_packetcache_entries);
	return true;
}

/* With less the limits of single entries mean nothing any more. */
static int check_memory(const struct building *b)
{
	static const uint64_t least = 8 << 20;
	const struct settings *s = b->s;
	char line[SETTINGS_WHY_MAX];

	if (s->max_cache_memory == 0)
		return E_OK;
	if (s->max_cache_memory < least)
		return refuse(b, "max-cache-memory", E_RANGE, "must be 0, or 8M or more");
	if (settings_memory_is_idle(s, line))
		warn(b, line);
	return E_OK;
}

static uint32_t power_of_two(uint32_t n)
{
	uint32_t power = 1;

	while (power < n)
		power *= 2;
	return power;
}

int settings_build(struct settings **out, const struct settings_source *from,
		   char why[SETTINGS_WHY_MAX])
{
	struct building b = { .from = from, .why = why };
	int err;

	b.s = calloc(1, sizeof(*b.s));
	if (b.s == NULL) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	atomic_init(&b.s->refs, 1);
	err = read_members(&b);
	if (err == E_OK)
		err = read_files(&b);
	if (err == E_OK)
		err = read_suffixes(&b);
	if (err == E_OK)
		err = finish_addresses(&b);
	if (err == E_OK)
		err = finish_ports(&b);
	if (err == E_OK)
		err = finish_webserver(&b);
	if (err == E_OK)
		check_api_dir(&b);
	if (err == E_OK)
		err = check_memory(&b);
	if (err == E_OK)
		err = finish_socket_dir(&b);
	if (err != E_OK) {
		settings_free(b.s);
		return err;
	}
	check_parents_set(&b);
	finish_log(&b);
	b.s->record_cache_shards = power_of_two(b.s->record_cache_shards);
	if (from->old != NULL)
		b.s->has_file = from->old->has_file;
	b.s->texts = from->texts;
	*out = b.s;
	return E_OK;
}

const struct settings *settings_get(const struct settings *s)
{
	atomic_fetch_add(&((struct settings *)s)->refs, 1);
	return s;
}

void settings_free(const struct settings *shared)
{
	/* The count is the one member that changes. */
	struct settings *s = (struct settings *)shared;

	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	free(s->allow_from_lines);
	free(s->allow_notify_from_lines);
	free(s->allow_notify_for_lines);
	netset_free(s->allow_notify_from);
	nameset_free(s->allow_notify_for);
	netset_free(s->allow_from);
	netset_free(s->dont_query);
	netset_free(s->dont_throttle_netmasks);
	nameset_free(s->dont_throttle_names);
	nameset_free(s->x_dnssec_names);
	netset_free(s->webserver_allow_from);
	psl_put(s->psl);
	settings_texts_free(s->texts);
	free(s->memory);
	free(s);
}

int settings_texts_new(char ***out, char *const *from)
{
	char **texts = calloc(settings_count, sizeof(*texts));
	char host[SETTINGS_HOST_MAX];

	if (texts == NULL)
		return E_NOMEM;
	for (size_t i = 0; i < settings_count; i++) {
		texts[i] = strdup(from != NULL ? from[i]
					       : setting_initial(&settings_table[i], host));
		if (texts[i] == NULL) {
			settings_texts_free(texts);
			return E_NOMEM;
		}
	}
	*out = texts;
	return E_OK;
}

void settings_texts_free(char **texts)
{
	if (texts == NULL)
		return;
	for (size_t i = 0; i < settings_count; i++)
		free(texts[i]);
	free(texts);
}

static bool has_text(const struct setting *row)
{
	return row != NULL && (row->status == SETTING_OURS || row->status == SETTING_LATER);
}

char *settings_default_text(const char *name)
{
	const struct setting *row = setting_find(name);
	char host[SETTINGS_HOST_MAX];

	return has_text(row) ? strdup(setting_initial(row, host)) : NULL;
}

static int order_of_rows(const void *a, const void *b)
{
	const struct setting *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

const char *settings_text(const struct settings *s, const char *name)
{
	const struct setting *row = setting_find(name);

	return has_text(row) ? s->texts[row - settings_table] : NULL;
}

void settings_each(const struct settings *s,
		   void (*cb)(void *ctx, const char *name, const char *value), void *ctx)
{
	const struct setting **rows = calloc(settings_count, sizeof(*rows));
	size_t n = 0;

	for (size_t i = 0; rows != NULL && i < settings_count; i++)
		if (settings_table[i].status == SETTING_OURS)
			rows[n++] = &settings_table[i];
	if (n > 0)
		qsort(rows, n, sizeof(*rows), order_of_rows);
	for (size_t i = 0; i < n; i++)
		cb(ctx, rows[i]->name, s->texts[rows[i] - settings_table]);
	free(rows);
}

/* `s` with other values for `names`. */
static int build_changed(struct settings **out, const struct settings *s, const char *const *names,
			 const char *const *values, size_t n, char why[SETTINGS_WHY_MAX])
{
	struct settings_source from = { .old = s };
	int err = settings_texts_new(&from.texts, s->texts);

	for (size_t i = 0; i < n && err == E_OK; i++) {
		const struct setting *row = setting_find(names[i]);
		char *text = strdup(values[i]);

		ASSERT(row != NULL);
		err = text != NULL ? E_OK : E_NOMEM;
		if (err != E_OK)
			break;
		free(from.texts[row - settings_table]);
		from.texts[row - settings_table] = text;
	}
	if (err != E_OK)
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s", err_text(err));
	else
		err = settings_build(out, &from, why);
	if (err != E_OK)
		settings_texts_free(from.texts);
	return err;
}

int settings_change(struct settings **out, const struct settings *s, const char *name,
		    const char *value, char why[SETTINGS_WHY_MAX])
{
	const struct setting *row = setting_find(name);

	if (row == NULL || row->status != SETTING_OURS) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "%.100s: unknown setting", name);
		return E_NOT_FOUND;
	}
	return build_changed(out, s, &name, &value, 1, why);
}

int settings_merge(struct settings **out, const struct settings *s, const struct settings *with,
		   const char *const *names, size_t n_names, char why[SETTINGS_WHY_MAX])
{
	const char *values[SETTINGS_MERGE_MAX];

	ASSERT(n_names <= SETTINGS_MERGE_MAX);
	for (size_t i = 0; i < n_names; i++)
		values[i] = settings_text(with, names[i]);
	return build_changed(out, s, names, values, n_names, why);
}
