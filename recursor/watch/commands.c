/* commands: reading a request, running it, and the commands of one screen or less. */
#include "recursor/watch/commands.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/ctl.h"
#include "common/rrtype.h"
#include "config.h"
#include "recursor/watch/anchor_commands.h"
#include "recursor/watch/carbon.h"
#include "recursor/watch/change.h"
#include "recursor/watch/copy_commands.h"
#include "recursor/watch/dnstap_command.h"
#include "recursor/watch/drain.h"
#include "recursor/watch/dump.h"
#include "recursor/watch/explain.h"
#include "recursor/watch/ipset_commands.h"
#include "recursor/watch/log_queries.h"
#include "recursor/watch/metrics.h"
#include "recursor/watch/script_command.h"
#include "recursor/watch/throttling.h"
#include "recursor/watch/top.h"
#include "recursor/watch/top_cost.h"
#include "recursor/watch/trace_command.h"
#include "recursor/watch/try_script.h"
#include "recursor/watch/wipe.h"

/* ---- the daemon's life ---- */

static void visit_nothing(void *arg, const struct watch_worker *w)
{
	(void)arg;
	(void)w;
}

/* Somebody else than rec_control has sent it. */
static int client_command(struct command_call *call)
{
	fprintf(call->out, "that is a command of rec_control's own\n");
	return 1;
}

static int ping(struct command_call *call)
{
	json_t *list = json_array();
	int status = 0;

	for (unsigned i = 0; i < call->env->n_workers; i++) {
		if (call->env->on_worker(call->env->ctx, i, visit_nothing, NULL) != E_OK) {
			fprintf(call->out, "no answer from worker-%u\n", i);
			status = 1;
			continue;
		}
		fprintf(call->out, "pong worker-%u\n", i);
		json_array_append_new(list, json_sprintf("worker-%u", i));
	}
	json_object_set_new(call->json, "pong", list);
	return status;
}

static int version(struct command_call *call)
{
	fprintf(call->out, "%s\n", PACKAGE_VERSION);
	json_object_set_new(call->json, "version", json_string(PACKAGE_VERSION));
	return 0;
}

static int quit(struct command_call *call)
{
	fprintf(call->out, "bye\n");
	json_object_set_new(call->json, "result", json_string("bye"));
	call->quit = COMMAND_QUIT;
	return 0;
}

static int quit_nicely(struct command_call *call)
{
	fprintf(call->out, "bye nicely\n");
	json_object_set_new(call->json, "result", json_string("bye nicely"));
	call->quit = COMMAND_QUIT_NICELY;
	return 0;
}

static int help(struct command_call *call)
{
	json_t *list = json_array();

	for (size_t i = 0; i < commands_count(); i++) {
		const struct command *c = commands_at(i);

		fprintf(call->out, "%s%s%s\n        %s\n", c->word,
			c->arguments[0] == '\0' ? "" : " ", c->arguments, c->help);
		json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "command", c->word,
						      "arguments", c->arguments, "help", c->help));
	}
	json_object_set_new(call->json, "commands", list);
	return 0;
}

/* ---- numbers ---- */

static int get(struct command_call *call)
{
	for (int i = 0; i < call->argc; i++) {
		const char *name = call->argv[i];
		uint64_t value;

		if (!metrics_get(call->env, name, &value)) {
			fprintf(call->out, "UNKNOWN\n");
			json_object_set_new(call->json, name, json_null());
			continue;
		}
		fprintf(call->out, "%llu\n", (unsigned long long)value);
		json_object_set_new(call->json, name, json_integer((json_int_t)value));
	}
	return 0;
}

static void show_sample(void *ctx, const struct metric_sample *s)
{
	struct command_call *call = ctx;

	fprintf(call->out, "%s\t%llu\n", s->name, (unsigned long long)s->value);
	json_object_set_new(call->json, s->name, json_integer((json_int_t)s->value));
}

static int get_all(struct command_call *call)
{
	metrics_visit(call->env, "stats-rec-control-disabled-list", show_sample, call);
	return 0;
}

/* A query's type is counted when it comes, however it is answered. */
static int get_qtypelist(struct command_call *call)
{
	json_t *list = json_object();
	char buf[RRTYPE_TEXT_MAX];

	for (unsigned type = 0; type <= UINT16_MAX; type++) {
		const char *text = rrtype_to_text((uint16_t)type, buf);
		uint64_t sum = 0;

		for (unsigned i = 0; i < call->env->n_workers; i++)
			sum += counter_get(&call->env->qtypes(call->env->ctx, i)[type]);
		if (sum == 0)
			continue;
		fprintf(call->out, "%s\t%llu\n", text, (unsigned long long)sum);
		json_object_set_new(list, text, json_integer((json_int_t)sum));
	}
	json_object_set_new(call->json, "qtypes", list);
	return 0;
}

/* ---- what is being resolved ---- */

enum { QUERIES_SHOWN_MAX = 100 };

struct query_row {
	char name[NAME_TEXT_MAX];
	char remote[ADDR_TEXT_MAX];
	uint16_t type;
	bool tcp, chained;
	uint32_t spent_ms;
};

struct query_visit {
	const struct watch_env *env;
	size_t outstanding;
	unsigned n;
	struct query_row rows[QUERIES_SHOWN_MAX];
};

static bool note_query(void *ctx, const struct request_view *v)
{
	struct query_visit *visit = ctx;
	struct query_row *row = &visit->rows[visit->n++];
	struct watch_client client;

	name_to_text(row->name, v->name);
	row->type = v->type;
	row->chained = v->chained;
	row->spent_ms = v->spent_ms;
	row->tcp = false;
	strcpy(row->remote, "-"); /* nobody's: an explain, the priming of the root */
	if (visit->env->client_of(visit->env->ctx, v, &client)) {
		addr_ip_text(row->remote, &client.remote);
		row->tcp = client.tcp;
	}
	return visit->n < QUERIES_SHOWN_MAX;
}

static void visit_queries(void *arg, const struct watch_worker *w)
{
	struct query_visit *visit = arg;
	struct resolver_stats stats;

	resolver_stats(w->resolver, &stats);
	visit->outstanding = stats.requests;
	resolver_walk(w->resolver, note_query, visit);
}

static json_t *print_queries(FILE *out, const struct query_visit *visit)
{
	json_t *list = json_array();
	char type[RRTYPE_TEXT_MAX];

	fprintf(out, "%zu currently outstanding questions\n", visit->outstanding);
	fprintf(out, "%-39s %-6s %-15s %-4s %-9s %s\n", "qname", "qtype", "remote", "tcp",
		"chained", "spent(ms)");
	for (unsigned i = 0; i < visit->n; i++) {
		const struct query_row *row = &visit->rows[i];
		const char *type_text = rrtype_to_text(row->type, type);

		fprintf(out, "%-39s %-6s %-15s %-4c %-9c %u\n", row->name, type_text, row->remote,
			row->tcp ? 'Y' : 'n', row->chained ? 'Y' : 'n', row->spent_ms);
		json_array_append_new(list,
				      json_pack("{s:s,s:s,s:s,s:b,s:b,s:I}", "qname", row->name,
						"qtype", type_text, "remote", row->remote, "tcp",
						row->tcp, "chained", row->chained, "spent-ms",
						(json_int_t)row->spent_ms));
	}
	fprintf(out, " - done\n");
	return list;
}

static int current_queries(struct command_call *call)
{
	struct query_visit *visit = malloc(sizeof(*visit));
	json_t *list = json_array();

	for (unsigned i = 0; visit != NULL && i < call->env->n_workers; i++) {
		json_t *queries;

		memset(visit, 0, sizeof(*visit));
		visit->env = call->env;
		if (call->env->on_worker(call->env->ctx, i, visit_queries, visit) != E_OK)
			continue; /* it has stopped: nothing is being resolved there */
		queries = print_queries(call->out, visit);
		json_array_append_new(list, json_pack("{s:o,s:I,s:o}", "worker",
						      json_sprintf("worker-%u", i), "outstanding",
						      (json_int_t)visit->outstanding, "queries",
						      queries));
	}
	json_object_set_new(call->json, "workers", list);
	if (visit == NULL)
		fprintf(call->out, "%s\n", err_text(E_NOMEM));
	free(visit);
	return visit == NULL;
}

/* ---- the table ---- */

static const struct command table[] = {
#define COMMAND_ROW(word, alias, arguments, least, most, file, wait_s, function, help)             \
	{ word, alias, arguments, help, least, most, file, function },
	COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};

size_t commands_count(void)
{
	return ARRAY_LEN(table);
}

const struct command *commands_at(size_t i)
{
	ASSERT(i < ARRAY_LEN(table));
	return &table[i];
}

bool command_only_looks(const struct command *c)
{
	static const char *const beginnings[] = {
		"current-", "dump-", "explain", "get",  "hash-",   "help",
		"list-",    "ping",  "top-",    "try-", "version",
	};

	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
		if (strncmp(c->word, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static const struct command *find_command(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strcmp(word, table[i].word) == 0)
			return &table[i];
		if (table[i].alias[0] != '\0' && strcmp(word, table[i].alias) == 0)
			return &table[i];
	}
	return NULL;
}

/* Why a command of PowerDNS is not here; NULL: it is none. */
static const char *why_not_here(const char *word)
{
	static const char *const others[][2] = {
#define OTHER_ROW(other, why) { other, why },
		COMMANDS_NOT_HERE(OTHER_ROW)
#undef OTHER_ROW
	};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (strcmp(word, others[i][0]) == 0)
			return others[i][1];
	return NULL;
}

/* ---- reading a request ---- */

static bool read_flag(struct command_request *rq, const char *word)
{
	if (strcmp(word, "--json") == 0)
		rq->json = true;
	else if (strcmp(word, "--unicode") == 0)
		rq->unicode = true;
	else if (strcmp(word, "--color") == 0)
		rq->colour = true;
	else
		return false;
	return true;
}

static void refuse(struct command_request *rq, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void refuse(struct command_request *rq, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(rq->why, sizeof(rq->why), format, ap);
	va_end(ap);
}

static void refuse_unknown(struct command_request *rq, const char *word)
{
	const char *why = why_not_here(word);

	if (why != NULL)
		refuse(rq, "%s: not here: %s", word, why);
	else
		refuse(rq, "Unknown command '%.100s', try 'help'", word);
}

void command_parse(struct command_request *rq, char *text, size_t len)
{
	const struct command *c;
	int n, at = 0;

	*rq = (struct command_request) { .file = -1, .stop_fd = -1, .client_fd = -1 };
	n = memchr(text, 0, len) != NULL ? E_MALFORMED
					 : ctl_split(text, rq->words, COMMAND_WORDS_MAX);
	if (n == E_LIMIT) {
		refuse(rq, "more than %d words", COMMAND_WORDS_MAX);
		return;
	}
	for (; at < n && strncmp(rq->words[at], "--", 2) == 0; at++) {
		if (!read_flag(rq, rq->words[at])) {
			refuse(rq, "Unknown flag '%.100s'", rq->words[at]);
			return;
		}
	}
	if (n <= at) {
		refuse(rq, "invalid command");
		return;
	}
	for (char *p = rq->words[at]; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	c = find_command(rq->words[at]);
	rq->argv = &rq->words[at + 1];
	rq->argc = n - at - 1;
	if (c == NULL)
		refuse_unknown(rq, rq->words[at]);
	else if (rq->argc < c->min_args || rq->argc > c->max_args)
		refuse(rq, "usage: %s%s%s", c->word, c->arguments[0] == '\0' ? "" : " ",
		       c->arguments);
	else
		rq->command = c;
}

bool command_brings_file(const struct command_request *rq)
{
	if (rq->command == NULL)
		return false;
	return rq->command->takes_file == COMMAND_TAKES_FILE ||
	       (rq->command->takes_file != COMMAND_TAKES_NONE && rq->argc > 1);
}

/* ---- running it ---- */

json_t *command_json_text(const char *text)
{
	json_t *s = json_string(text);
	char *copy;

	if (s != NULL)
		return s;
	copy = strdup(text);
	if (copy == NULL)
		return NULL;
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	s = json_string(copy);
	free(copy);
	return s;
}

/* Turns the call's text into an error's JSON, or its JSON into the text. */
static void reply_in_json(struct command_call *call, struct command_reply *reply)
{
	char *text;

	if (reply->status != 0) {
		json_object_clear(call->json);
		if (reply->len > 0 && reply->text[reply->len - 1] == '\n')
			reply->text[reply->len - 1] = '\0';
		json_object_set_new(call->json, "error", command_json_text(reply->text));
	}
	text = json_dumps(call->json, JSON_COMPACT);
	free(reply->text);
	reply->text = text;
	reply->len = text == NULL ? 0 : strlen(text);
}

static int run_call(struct command_call *call, const struct command_request *rq)
{
	if (rq->command == NULL) {
		fprintf(call->out, "%s\n", rq->why);
		return 1;
	}
	if (command_brings_file(rq) && rq->file < 0) {
		fprintf(call->out, "%s: no file came with it\n", rq->command->word);
		return 1;
	}
	/* Where poll(2) sees room in one there may be some for a byte alone: what is written then waits
	 * for a reader, and so would the daemon's end. */
	if (command_brings_file(rq) && isatty(rq->file) == 1) {
		fprintf(call->out,
			"%s: the daemon takes no terminal, which its own rec_control does not "
			"pass; put a pipe between, as in `rec_control ... | cat`\n",
			rq->command->word);
		return 1;
	}
	return rq->command->run(call);
}

void command_run(const struct watch_env *env, const struct command_request *rq,
		 struct command_reply *reply)
{
	struct command_call call = {
		.env = env,
		.argc = rq->argc,
		.argv = rq->argv,
		.file = rq->file,
		.stop_fd = rq->stop_fd,
		.client_fd = rq->client_fd,
		.unicode = rq->unicode,
		.colour = rq->colour,
	};

	*reply = (struct command_reply) { .status = 1 };
	call.out = open_memstream(&reply->text, &reply->len);
	if (call.out == NULL)
		return;
	if (rq->json)
		call.json = json_object();
	reply->status = run_call(&call, rq);
	if (fclose(call.out) != 0) { /* no memory for the whole text */
		command_reply_free(reply);
		reply->status = 1;
	} else if (rq->json) {
		reply_in_json(&call, reply);
	}
	json_decref(call.json);
	reply->quit = call.quit;
}

void command_reply_free(struct command_reply *reply)
{
	free(reply->text);
	*reply = (struct command_reply) { 0 };
}
