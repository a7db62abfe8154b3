/* top: see top.h. */
#include "recursor/watch/top.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/grow.h"
#include "common/rrtype.h"

enum { ROWS_SHOWN = 20, ROWS_MOST = 10000, ROOM_FIRST = 4096 };

/* ---- counting ---- */

/* What is counted of an entry. */
struct item {
	uint64_t hash;
	size_t at; /* of its name, in `names` */
	uint16_t type;
	struct addr remote;
};

struct counting {
	const struct top_wanted *wanted;
	enum top_by by;
	struct psl_memo *memo;
	struct item *items;
	size_t n, cap;
	uint8_t *names;
	size_t names_len, names_cap;
	bool failed;
};

static bool note_name(struct counting *c, struct item *item, const struct ring_entry *e)
{
	const uint8_t *name = e->name;
	size_t len;

	if (c->by == TOP_BY_SUFFIX)
		name = name_suffix(
			name, psl_registrable_memo(c->memo, c->wanted->psl, name, name_hash(name)));
	len = name_len(name);
	if (!grow(&c->names, &c->names_cap, c->names_len + len, 1, ROOM_FIRST))
		return false;
	memcpy(c->names + c->names_len, name, len);
	item->at = c->names_len;
	item->type = e->type;
	item->hash = name_hash(name) + e->type;
	c->names_len += len;
	return true;
}

static bool is_wanted(const struct top_wanted *w, const struct ring_entry *e)
{
	if (!e->has_name && (w->by != TOP_BY_REMOTE || w->within != NULL))
		return false;
	return (w->clients == NULL || netset_match(w->clients, &e->remote)) &&
	       (w->within == NULL || name_is_within(e->name, w->within));
}

static bool note_entry(void *ctx, const struct ring_entry *e)
{
	struct counting *c = ctx;
	struct item item = { .at = 0 };

	if (!is_wanted(c->wanted, e))
		return true;
	c->failed = !grow(&c->items, &c->cap, c->n + 1, sizeof(*c->items), ROOM_FIRST);
	if (c->failed)
		return false;
	if (c->by == TOP_BY_REMOTE) {
		item.remote = e->remote;
		item.hash = addr_hash(&e->remote);
	} else {
		c->failed = !note_name(c, &item, e);
	}
	c->items[c->n] = item;
	c->n += !c->failed;
	return !c->failed;
}

static int compare_keys(const struct counting *c, const struct item *a, const struct item *b)
{
	int order;

	if (c->by == TOP_BY_REMOTE)
		return memcmp(&a->remote, &b->remote, sizeof(a->remote));
	order = name_compare(c->names + a->at, c->names + b->at);
	return order != 0 ? order : (a->type > b->type) - (a->type < b->type);
}

/* Equal keys beside each other: by hash, since to compare names is dear. */
static int compare_items(const void *x, const void *y, void *ctx)
{
	const struct item *a = x, *b = y;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return compare_keys(ctx, a, b);
}

static int compare_rows(const void *x, const void *y)
{
	const struct top_row *a = x, *b = y;
	int order;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	if (a->name == NULL)
		return memcmp(&a->remote, &b->remote, sizeof(a->remote));
	order = name_compare(a->name, b->name);
	return order != 0 ? order : (a->type > b->type) - (a->type < b->type);
}

static size_t distinct(const struct counting *c)
{
	size_t n = c->n > 0;

	for (size_t i = 1; i < c->n; i++)
		n += compare_items(&c->items[i - 1], &c->items[i], (void *)c) != 0;
	return n;
}

static int make_rows(struct top *out, const struct counting *c)
{
	size_t n = distinct(c), at = 0;
	struct top_row *rows = calloc(n + 1, sizeof(*rows));

	if (rows == NULL)
		return E_NOMEM;
	for (size_t i = 0; i < c->n; i++) {
		const struct item *item = &c->items[i];

		if (i > 0 && compare_items(item - 1, item, (void *)c) != 0)
			at++;
		rows[at].count++;
		rows[at].remote = item->remote;
		rows[at].type = item->type;
		rows[at].name = c->by == TOP_BY_REMOTE ? NULL : c->names + item->at;
	}
	qsort(rows, n, sizeof(*rows), compare_rows);
	*out = (struct top) { .entries = c->n, .n = n, .rows = rows };
	return E_OK;
}

int top_count(struct top *out, struct ringset *rings, const struct top_wanted *wanted)
{
	struct counting c = { .wanted = wanted, .by = wanted->by };
	int err = psl_memo_new(&c.memo);

	if (err != E_OK)
		return err;
	(void)ringset_read(rings, wanted->ring, note_entry, &c);
	err = c.failed ? E_NOMEM : E_OK;
	if (err == E_OK && c.n > 0)
		qsort_r(c.items, c.n, sizeof(*c.items), compare_items, &c);
	if (err == E_OK)
		err = make_rows(out, &c);
	if (err == E_OK) {
		out->memory = c.names;
		c.names = NULL;
	}
	free(c.names);
	free(c.items);
	psl_memo_free(c.memo);
	return err;
}

void top_clear(struct top *t)
{
	free(t->rows);
	free(t->memory);
	*t = (struct top) { .n = 0 };
}

/* ---- the commands ---- */

static void print_row(FILE *out, json_t *list, const struct top *t, const struct top_row *row)
{
	char key[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	double percent = 100.0 * (double)row->count / (double)t->entries;
	json_int_t count = (json_int_t)row->count;

	if (row->name == NULL) {
		addr_ip_text(key, &row->remote);
		fprintf(out, "%.2f%%\t%s\n", percent, key);
		json_array_append_new(list, json_pack("{s:I,s:s}", "count", count, "remote", key));
		return;
	}
	(void)name_to_text(key, row->name);
	fprintf(out, "%.2f%%\t%s|%s\n", percent, key, rrtype_to_text(row->type, type));
	json_array_append_new(list, json_pack("{s:I,s:s,s:s}", "count", count, "name", key, "type",
					      rrtype_to_text(row->type, type)));
}

static void print_top(struct command_call *call, const struct top *t, size_t limit)
{
	size_t shown = t->n < limit ? t->n : limit, rest = t->entries;
	json_t *list = json_array();

	if (t->entries == 0)
		fprintf(call->out, "No qualifying data available\n");
	else
		fprintf(call->out, "Over last %zu entries:\n", t->entries);
	for (size_t i = 0; i < shown; i++) {
		print_row(call->out, list, t, &t->rows[i]);
		rest -= t->rows[i].count;
	}
	if (t->entries > 0)
		fprintf(call->out, "\n%.2f%%\trest\n", 100.0 * (double)rest / (double)t->entries);
	json_object_set_new(call->json, "entries", json_integer((json_int_t)t->entries));
	json_object_set_new(call->json, "top", list);
	json_object_set_new(call->json, "rest", json_integer((json_int_t)rest));
}

/* What the arguments choose. */
struct choice {
	struct netset *clients; /* or NULL */
	uint8_t within[NAME_MAX_LEN];
	bool has_within;
	size_t limit;
};

static bool read_word(struct choice *c, const char *word)
{
	char bad[ADDR_TEXT_MAX];
	long long limit;

	if (strncmp(word, "limit=", 6) == 0) {
		if (conf_int(word + 6, 1, ROWS_MOST, &limit) != E_OK)
			return false;
		c->limit = (size_t)limit;
		return true;
	}
	if (strncmp(word, "suffix=", 7) == 0) {
		uint8_t name[NAME_MAX_LEN];

		c->has_within = name_from_text(name, word + 7) == E_OK;
		if (c->has_within)
			name_lower(c->within, name);
		return c->has_within;
	}
	return strncmp(word, "client=", 7) == 0 && c->clients == NULL &&
	       netset_new(&c->clients) == E_OK &&
	       netset_add_list(c->clients, word + 7, bad) == E_OK;
}

static int show_top(struct command_call *call, struct top_wanted *wanted, const struct choice *c)
{
	const struct watch_env *env = call->env;
	struct psl *psl = env->psl(env->ctx);
	struct top t;
	int err;

	wanted->psl = psl;
	wanted->clients = c->clients;
	wanted->within = c->has_within ? c->within : NULL;
	err = top_count(&t, env->rings, wanted);
	psl_put(psl);
	if (err != E_OK) {
		fprintf(call->out, "%s\n", err_text(err));
		return 1;
	}
	print_top(call, &t, c->limit);
	top_clear(&t);
	return 0;
}

static int run_top(struct command_call *call, enum ring_kind ring, enum top_by by)
{
	struct top_wanted wanted = { .ring = ring, .by = by };
	struct choice c = { .limit = ROWS_SHOWN };
	int status = 0, i = 0;

	while (i < call->argc && read_word(&c, call->argv[i]))
		i++;
	if (i < call->argc) {
		fprintf(call->out,
			"'%s' is none of client=NETMASK, suffix=NAME, limit=N (%d at most)\n",
			call->argv[i], ROWS_MOST);
		status = 1;
	} else {
		status = show_top(call, &wanted, &c);
	}
	netset_free(c.clients);
	return status;
}

#define TOP_COMMAND(function, ring, by, word)                                                      \
	int function(struct command_call *call)                                                    \
	{                                                                                          \
		return run_top(call, ring, by);                                                    \
	}
TOPS(TOP_COMMAND)
#undef TOP_COMMAND

bool top_find_ring(const char *word, enum ring_kind *out)
{
	static const struct {
		const char *word;
		enum ring_kind ring;
	} words[] = {
#define TOP_WORD(function, ring, by, word) { word, ring },
		TOPS(TOP_WORD)
#undef TOP_WORD
	};

	for (unsigned i = 0; i < RING_COUNT; i++) {
		if (strcmp(word, ring_name((enum ring_kind)i)) == 0) {
			*out = (enum ring_kind)i;
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(word, words[i].word) == 0) {
			*out = words[i].ring;
			return true;
		}
	}
	return false;
}
