/* past: see past.h. */
#include "recursor/watch/past.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/rrtype.h"
#include "recursor/watch/past_stories.h"
#include "recursor/watch/trace_text.h"

enum { DAY_TEXT_MAX = 32 };

/* ---- what is asked for ---- */

static int set_name(struct past_query *q, const char *value, char *why)
{
	size_t len = strlen(value);
	char text[NAME_TEXT_MAX];
	int err = E_TOO_LONG;

	q->below = len > 0 && value[len - 1] == '$';
	if (q->below)
		len--;
	if (len < sizeof(text)) {
		memcpy(text, value, len);
		text[len] = '\0';
		err = name_from_text(q->name, text);
	}
	q->has_name = err == E_OK;
	if (err != E_OK)
		(void)snprintf(why, PAST_WHY_MAX, "'%.100s' is no domain name: %s", value,
			       err_text(err));
	return err;
}

static int set_client(struct past_query *q, const char *value, char *why)
{
	struct addr a;
	unsigned bits;
	int err = addr_prefix_from_text(&a, &bits, value);

	if (err != E_OK) {
		(void)snprintf(why, PAST_WHY_MAX, "'%.100s' is neither an address nor a netmask",
			       value);
		return err;
	}
	q->client = a;
	q->client_bits = bits;
	return E_OK;
}

static int add_kind(void *ctx, const char *word, size_t len)
{
	struct past_query *q = ctx;

	for (unsigned i = 0; i < RECORDER_KIND_COUNT; i++)
		if (strlen(recorder_kind_name(i)) == len &&
		    memcmp(recorder_kind_name(i), word, len) == 0) {
			q->kinds |= (uint8_t)(1 << i);
			return E_OK;
		}
	return E_NOT_FOUND;
}

static int set_kind(struct past_query *q, const char *value, char *why)
{
	int err = conf_each_word(value, add_kind, q);

	if (err != E_OK)
		(void)snprintf(why, PAST_WHY_MAX, "'%.100s' is none of failed, slow, refused",
			       value);
	return err;
}

static int set_limit(struct past_query *q, const char *value, char *why)
{
	long long n = 0;
	int err = conf_int(value, 1, PAST_LIMIT_MOST, &n);

	if (err == E_OK)
		q->limit = (size_t)n;
	else
		(void)snprintf(why, PAST_WHY_MAX, "limit: '%.100s' is no number from 1 to %d",
			       value, PAST_LIMIT_MOST);
	return err;
}

static int set_type(struct past_query *q, const char *value, char *why)
{
	int err = rrtype_from_text(value, &q->type);

	if (err != E_OK)
		(void)snprintf(why, PAST_WHY_MAX, "Unknown qtype %.100s", value);
	return err;
}

static const struct {
	const char *name;
	int (*set)(struct past_query *q, const char *value, char *why);
} parameters[] = {
	{ "client", set_client }, { "kind", set_kind }, { "limit", set_limit },
	{ "name", set_name },     { "type", set_type },
};

int past_query_set(struct past_query *q, const char *parameter, const char *value,
		   char why[PAST_WHY_MAX])
{
	for (size_t i = 0; i < ARRAY_LEN(parameters); i++)
		if (strcmp(parameter, parameters[i].name) == 0)
			return parameters[i].set(q, value, why);
	(void)snprintf(why, PAST_WHY_MAX, "there is no parameter '%.100s'", parameter);
	return E_NOT_FOUND;
}

/* ---- as text and as JSON ---- */

static char *day_text(char out[DAY_TEXT_MAX], uint32_t wall_s)
{
	time_t t = (time_t)wall_s;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(out, DAY_TEXT_MAX, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		strcpy(out, "?");
	return out;
}

static const char *name_of(const struct recorder_story *s, char buf[NAME_TEXT_MAX])
{
	return s->name == NULL ? "?" : name_to_text(buf, s->name);
}

/* "SERVFAIL", or that nothing was sent. */
static const char *rcode_of(const struct recorder_story *s, char buf[RRTYPE_TEXT_MAX])
{
	return s->is_dropped ? "no answer" : rcode_to_text(s->rcode, buf);
}

static json_t *text_or_null(const char *text)
{
	return text == NULL ? json_null() : command_json_text(text);
}

static void set_steps(json_t *o, const struct recorder_story *s, struct trace *t)
{
	if (s->step_bytes == NULL || t == NULL)
		return;
	if (journal_expand(t, &s->steps, s->step_bytes, s->name, s->type)) {
		json_object_set_new(o, "events", trace_json(t));
		json_object_set_new(o, "events-lost", json_integer(t->lost));
	}
}

static json_t *story_json(const struct past_story *row, struct trace *t)
{
	const struct recorder_story *s = &row->copy.story;
	char buf[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], client[ADDR_TEXT_MAX];
	json_t *o = json_object();

	json_object_set_new(o, "kind", json_string(recorder_kind_name(row->copy.kind)));
	json_object_set_new(o, "name",
			    s->name == NULL ? json_null() : json_string(name_of(s, buf)));
	json_object_set_new(o, "type",
			    s->name == NULL ? json_null()
					    : json_string(rrtype_to_text(s->type, type)));
	json_object_set_new(o, "client", json_string(addr_text(client, &s->client)));
	json_object_set_new(o, "transport", json_string(s->tcp ? "TCP" : "UDP"));
	json_object_set_new(o, "time", json_integer(s->wall_s));
	json_object_set_new(o, "worker", json_integer(row->worker));
	json_object_set_new(o, "rcode",
			    s->is_dropped ? json_null() : json_string(rcode_of(s, type)));
	json_object_set_new(o, "reason", json_string(recorder_reason_name(row->copy.reason)));
	json_object_set_new(o, "ede",
			    s->ede == EDE_NONE ? json_null() : json_string(ede_to_text(s->ede)));
	json_object_set_new(o, "ede-text", text_or_null(s->text));
	json_object_set_new(o, "figures", text_or_null(s->figures));
	json_object_set_new(o, "usec", json_integer((json_int_t)s->took_us));
	json_object_set_new(o, "out-queries", json_integer(s->out_queries));
	json_object_set_new(o, "timeouts", json_integer(s->timeouts));
	json_object_set_new(o, "throttled", json_integer(s->throttled));
	json_object_set_new(o, "bytes", json_integer(s->bytes));
	set_steps(o, s, t);
	return o;
}

static json_t *stories_json(const struct past_stories *s, bool with_steps)
{
	struct trace *t = with_steps ? malloc(sizeof(*t)) : NULL;
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(list, story_json(s->list[i], t));
	free(t);
	return list;
}

static void set_stories(json_t *json, const struct past_stories *s, bool with_steps)
{
	json_object_set_new(json, "stories", stories_json(s, with_steps));
	json_object_set_new(json, "is-on", json_boolean(s->is_on));
	json_object_set_new(json, "is-cut", json_boolean(s->is_cut));
}

json_t *past_json(const struct watch_env *env, const struct past_query *q, bool with_steps)
{
	bool steps = with_steps || q->has_name;
	struct past_stories s = { .n = 0 };
	json_t *json;

	if (past_stories_read(&s, env, q, steps) != E_OK)
		return NULL;
	json = json_object();
	set_stories(json, &s, steps);
	past_stories_free(&s);
	return json;
}

/* What became of it, in half a line. */
static void print_end(FILE *out, const struct past_story *row)
{
	const struct recorder_story *s = &row->copy.story;
	char rcode[RRTYPE_TEXT_MAX];

	fprintf(out, "%s", rcode_of(s, rcode));
	if (row->copy.reason != RECORDER_RESOLVED)
		fprintf(out, ": %s", recorder_reason_sentence(row->copy.reason));
	if (s->figures != NULL)
		fprintf(out, " (%s)", s->figures);
	if (s->ede != EDE_NONE || s->text != NULL)
		fprintf(out, " (%s%s%s)", s->ede == EDE_NONE ? "" : ede_to_text(s->ede),
			s->ede == EDE_NONE || s->text == NULL ? "" : ": ",
			s->text == NULL ? "" : s->text);
}

static void print_row(FILE *out, const struct past_story *row)
{
	const struct recorder_story *s = &row->copy.story;
	char buf[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], client[ADDR_TEXT_MAX], day[DAY_TEXT_MAX];

	fprintf(out, "%s %-7s %7llu ms %-15s %s %s ", day_text(day, s->wall_s),
		recorder_kind_name(row->copy.kind), (unsigned long long)(s->took_us / 1000),
		addr_ip_text(client, &s->client), name_of(s, buf),
		s->name == NULL ? "?" : rrtype_to_text(s->type, type));
	print_end(out, row);
	fputc('\n', out);
}

static void print_story(const struct command_call *call, const struct past_story *row,
			struct trace *t)
{
	const struct trace_style style = { .unicode = call->unicode, .colour = call->colour };
	const struct recorder_story *s = &row->copy.story;
	char buf[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], day[DAY_TEXT_MAX];
	char client[ADDR_TEXT_MAX];

	fprintf(call->out, "%s %s, asked by %s over %s, worker-%u, ended %s: %s\n", name_of(s, buf),
		s->name == NULL ? "?" : rrtype_to_text(s->type, type),
		addr_text(client, &s->client), s->tcp ? "TCP" : "UDP", row->worker,
		day_text(day, s->wall_s), recorder_kind_name(row->copy.kind));
	if (s->step_bytes != NULL && t != NULL &&
	    journal_expand(t, &s->steps, s->step_bytes, s->name, s->type))
		trace_print(call->out, t, &style);
	print_end(call->out, row);
	fprintf(call->out, "\n%u out-queries, %u timed out, %u throttled, %u bytes, %llu ms\n",
		s->out_queries, s->timeouts, s->throttled, s->bytes,
		(unsigned long long)(s->took_us / 1000));
}

static void print_stories(const struct command_call *call, const struct past_stories *s, bool whole)
{
	struct trace *t = whole ? malloc(sizeof(*t)) : NULL;

	/* The newest last: that is where the eye is. */
	for (size_t i = s->n; i-- > 0;) {
		if (!whole)
			print_row(call->out, s->list[i]);
		else
			print_story(call, s->list[i], t);
		if (whole && i > 0)
			fputc('\n', call->out);
	}
	free(t);
}

/* ---- the command ---- */

struct words {
	struct past_query q;
	bool with_steps;
};

/* --past, --steps, --failed, --client=... */
static int read_flag(struct words *w, const char *flag, char *why)
{
	const char *equals = strchr(flag, '=');
	char name[16];

	if (strcmp(flag, "past") == 0)
		return E_OK;
	if (strcmp(flag, "steps") == 0) {
		w->with_steps = true;
		return E_OK;
	}
	if (add_kind(&w->q, flag, strlen(flag)) == E_OK)
		return E_OK;
	if (equals != NULL && (size_t)(equals - flag) < sizeof(name)) {
		memcpy(name, flag, (size_t)(equals - flag));
		name[equals - flag] = '\0';
		if (strcmp(name, "client") == 0 || strcmp(name, "limit") == 0)
			return past_query_set(&w->q, name, equals + 1, why);
	}
	(void)snprintf(why, PAST_WHY_MAX, "Unknown flag '--%.100s'", flag);
	return E_NOT_FOUND;
}

static int read_words(const struct command_call *call, struct words *w, char *why)
{
	unsigned n = 0;
	int err = E_OK;

	for (int i = 0; i < call->argc && err == E_OK; i++) {
		const char *word = call->argv[i];

		if (strncmp(word, "--", 2) == 0) {
			err = read_flag(w, word + 2, why);
		} else if (n == 2) {
			(void)snprintf(why, PAST_WHY_MAX, "'%.100s' is one word too many", word);
			err = E_MALFORMED;
		} else {
			err = past_query_set(&w->q, n == 0 ? "name" : "type", word, why);
			n++;
		}
	}
	/* The whole of few stories rather than a list of many. */
	if (w->q.limit == 0 && (w->with_steps || (w->q.has_name && !w->q.below)))
		w->q.limit = 3;
	return err;
}

int past_command(struct command_call *call)
{
	struct words w = { .with_steps = false };
	struct past_stories s = { .n = 0 };
	char why[PAST_WHY_MAX];
	bool whole;

	if (read_words(call, &w, why) != E_OK) {
		fprintf(call->out, "%s\n", why);
		return 1;
	}
	whole = w.with_steps || (w.q.has_name && !w.q.below);
	if (past_stories_read(&s, call->env, &w.q, whole) != E_OK) {
		fprintf(call->out, "%s\n", err_text(E_NOMEM));
		return 1;
	}
	if (!s.is_on)
		fprintf(call->out, "nothing is recorded: flight-recorder-memory is 0\n");
	else if (s.n == 0)
		fprintf(call->out, "nothing of that is on record\n");
	if (s.is_cut)
		fprintf(call->out,
			"older ones are left out: the steps of all would take more than %d bytes\n\n",
			PAST_STEPS_MAX);
	print_stories(call, &s, whole);
	if (call->json != NULL)
		set_stories(call->json, &s, whole);
	past_stories_free(&s);
	return 0;
}
