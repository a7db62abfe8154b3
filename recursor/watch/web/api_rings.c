/*
 * The endpoints of what came last: jsonstat as PowerDNS has it, and rings/ with more to choose.
 */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/watch/top.h"
#include "recursor/watch/web/api_impl.h"
#include "recursor/watch/web/endpoint_table.h"

/* A word for a ring, and how its entries are counted when nothing else is said. */
struct ring_word {
	const char *word;
	enum ring_kind ring;
	enum top_by by;
};

static const struct ring_word ring_words[] = {
#define RING_WORD(function, ring, by, word) { word, ring, by },
	TOPS(RING_WORD)
#undef RING_WORD
};

static const struct ring_word *find_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(ring_words); i++)
		if (ring_words[i].by != TOP_BY_SUFFIX && strcmp(ring_words[i].word, word) == 0)
			return &ring_words[i];
	return NULL;
}

static int count(struct endpoint_call *c, struct top *t, struct top_wanted *wanted)
{
	struct psl *psl = c->env->psl(c->env->ctx);
	int err;

	wanted->psl = psl;
	err = top_count(t, c->env->rings, wanted);
	psl_put(psl);
	wanted->psl = NULL;
	return err == E_OK ? 0 : endpoint_fail(c, 500, "%s", err_text(err));
}

/* ---- jsonstat ---- */

enum { JSONSTAT_ROWS = 101 };

static json_t *entry_json(const struct top_row *row)
{
	char key[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	if (row->name == NULL)
		return json_pack("[I, s]", (json_int_t)row->count, addr_ip_text(key, &row->remote));
	return json_pack("[I, s, s]", (json_int_t)row->count, name_to_text_undotted(key, row->name),
			 rrtype_to_text(row->type, type));
}

static json_t *entries_json(const struct top *t, bool of_names)
{
	json_t *list = json_array();
	size_t rest = t->entries;

	for (size_t i = 0; i < t->n && i < JSONSTAT_ROWS; i++) {
		json_array_append_new(list, entry_json(&t->rows[i]));
		rest -= t->rows[i].count;
	}
	if (rest > 0)
		json_array_append_new(list,
				      of_names ? json_pack("[I, s, s]", (json_int_t)rest, "", "")
					       : json_pack("[I, s]", (json_int_t)rest, ""));
	return list;
}

int api_jsonstat(struct endpoint_call *c)
{
	const char *command = endpoint_parameter(c, "command"),
		   *name = endpoint_parameter(c, "name"),
		   *filtered = endpoint_parameter(c, "public-filtered");
	bool of_names = command != NULL && strcmp(command, "get-query-ring") == 0;
	const struct ring_word *word = name == NULL ? NULL : find_word(name);
	struct top_wanted wanted = { 0 };
	struct top t = { 0 };
	json_t *entries;

	if (!of_names && (command == NULL || strcmp(command, "get-remote-ring") != 0))
		return endpoint_fail(c, 404, "Command '%s' not found",
				     command == NULL ? "" : command);
	if (word != NULL && (word->by == TOP_BY_REMOTE) != of_names) {
		wanted.ring = word->ring;
		wanted.by = of_names && filtered != NULL && *filtered != '\0' ? TOP_BY_SUFFIX
									      : word->by;
		if (count(c, &t, &wanted) != 0)
			return -1;
	}
	entries = entries_json(&t, of_names);
	top_clear(&t);
	return endpoint_reply_json(c, json_pack("{s:o}", "entries", entries));
}

/* ---- rings/ ---- */

enum { ROWS_DEFAULT = 20, ROWS_MAX = 10000 };

struct ring_request {
	struct top_wanted wanted;
	struct netset *clients;
	uint8_t within[NAME_MAX_LEN];
	size_t limit;
};

static int read_group(struct endpoint_call *c, struct ring_request *rq)
{
	static const struct {
		const char *word;
		enum top_by by;
	} groups[] = { { "name", TOP_BY_QUESTION },
		       { "suffix", TOP_BY_SUFFIX },
		       { "client", TOP_BY_REMOTE } };
	const char *text = endpoint_parameter(c, "group");

	if (text == NULL || *text == '\0')
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		if (strcmp(groups[i].word, text) != 0)
			continue;
		/* What is a list of addresses stays one. */
		if (rq->wanted.by != TOP_BY_REMOTE)
			rq->wanted.by = groups[i].by;
		return 0;
	}
	return endpoint_fail(c, 422, "group '%s' is none of name, suffix and client", text);
}

static int read_client(struct endpoint_call *c, struct ring_request *rq)
{
	const char *text = endpoint_parameter(c, "client");
	char bad[ADDR_TEXT_MAX];

	if (text == NULL || *text == '\0')
		return 0;
	if (netset_new(&rq->clients) != E_OK)
		return endpoint_fail(c, 500, "%s", err_text(E_NOMEM));
	if (netset_add_list(rq->clients, text, bad) != E_OK)
		return endpoint_fail(c, 422, "client '%s' is no netmask", bad);
	rq->wanted.clients = rq->clients;
	return 0;
}

static int read_within(struct endpoint_call *c, struct ring_request *rq)
{
	const char *text = endpoint_parameter(c, "within");

	if (text == NULL || *text == '\0')
		return 0;
	if (name_from_text(rq->within, text) != E_OK)
		return endpoint_fail(c, 422, "within '%s' is no domain name", text);
	name_lower(rq->within, rq->within);
	rq->wanted.within = rq->within;
	return 0;
}

static int read_limit(struct endpoint_call *c, struct ring_request *rq)
{
	const char *text = endpoint_parameter(c, "limit");
	char *end = NULL;
	unsigned long n;

	rq->limit = ROWS_DEFAULT;
	if (text == NULL || *text == '\0')
		return 0;
	n = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
	if (n == 0 || n > ROWS_MAX || *end != '\0')
		return endpoint_fail(c, 422, "limit '%s' is no number from 1 to %d", text,
				     ROWS_MAX);
	rq->limit = n;
	return 0;
}

static int read_request(struct endpoint_call *c, struct ring_request *rq)
{
	const struct ring_word *word = find_word(c->args[0]);

	if (word == NULL)
		return endpoint_fail(c, 404, "There is no ring '%s'", c->args[0]);
	rq->wanted.ring = word->ring;
	rq->wanted.by = word->by;
	if (read_group(c, rq) != 0 || read_client(c, rq) != 0 || read_within(c, rq) != 0)
		return -1;
	return read_limit(c, rq);
}

static json_t *row_json(const struct top *t, const struct top_row *row)
{
	char key[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	double share = (double)row->count / (double)t->entries;
	json_t *json = json_pack("{s:I, s:f}", "count", (json_int_t)row->count, "share", share);

	if (row->name == NULL) {
		json_object_set_new(json, "key", json_string(addr_ip_text(key, &row->remote)));
		return json;
	}
	json_object_set_new(json, "key", json_string(name_to_text(key, row->name)));
	json_object_set_new(json, "type", json_string(rrtype_to_text(row->type, type)));
	return json;
}

static json_t *rows_json(const struct top *t, size_t limit)
{
	json_t *rows = json_array();
	size_t rest = t->entries;

	for (size_t i = 0; i < t->n && i < limit; i++) {
		json_array_append_new(rows, row_json(t, &t->rows[i]));
		rest -= t->rows[i].count;
	}
	return json_pack("{s:I, s:I, s:o, s:I}", "entries", (json_int_t)t->entries, "different",
			 (json_int_t)t->n, "rows", rows, "rest", (json_int_t)rest);
}

int api_ring(struct endpoint_call *c)
{
	struct ring_request rq = { .limit = 0 };
	struct top t = { 0 };
	int result = read_request(c, &rq);

	if (result == 0)
		result = count(c, &t, &rq.wanted);
	if (result == 0)
		result = endpoint_reply_json(c, rows_json(&t, rq.limit));
	top_clear(&t);
	netset_free(rq.clients);
	return result;
}
