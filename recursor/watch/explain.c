#include "recursor/watch/explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/watch/lookup.h"
#include "recursor/watch/past.h"
#include "recursor/watch/trace_text.h"

static int ask_and_wait(struct command_call *call, struct lookup *l)
{
	int wait_ms = lookup_patience_ms(call->env);
	int err = lookup_run(l, call->env, call->stop_fd, wait_ms);

	if (err == E_SYSTEM)
		fprintf(call->out, "no answer from worker-0\n");
	else if (err == E_STOPPED)
		fprintf(call->out, "given up: the daemon ends\n");
	else if (err != E_OK)
		fprintf(call->out, "no answer within %d ms\n", wait_ms);
	return err;
}

static size_t count_records(const struct answer *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_sets; i++)
		n += a->sets[i]->n_rr;
	return n;
}

enum { RECORD_TEXT_MAX = 300 * 1024 }; /* 64 KB of rdata, each byte as \DDD, and some */

static void print_records(FILE *out, json_t *list, const struct rrset *s, uint32_t now_s, char *buf)
{
	struct rdata rr;
	size_t at = 0;

	while (rrset_next(s, &at, &rr)) {
		if (rrset_record_text(s, &rr, rrset_ttl_left(s, now_s), buf, RECORD_TEXT_MAX) !=
		    E_OK)
			continue;
		fprintf(out, "%s\n", buf);
		json_array_append_new(list, command_json_text(buf));
	}
}

/* In lower case, as in a sentence; NULL: it was not looked at. */
static const char *security_word(const struct answer *a)
{
	static const char *const words[] = { [SEC_INDETERMINATE] = "indeterminate",
					     [SEC_INSECURE] = "insecure",
					     [SEC_SECURE] = "secure",
					     [SEC_BOGUS] = "bogus" };

	if (a->is_under_nta)
		return "insecure by a negative trust anchor";
	return words[a->security];
}

static void print_verdict(struct command_call *call, const struct answer *a, size_t n_records)
{
	char rcode[RRTYPE_TEXT_MAX];

	fprintf(call->out, "\n%s, %zu record%s", rcode_to_text(a->rcode, rcode), n_records,
		n_records == 1 ? "" : "s");
	if (security_word(a) != NULL) {
		fprintf(call->out, ", %s", security_word(a));
		json_object_set_new(call->json, "security", json_string(security_word(a)));
	}
	json_object_set_new(call->json, "rcode", json_string(rcode_to_text(a->rcode, rcode)));
	if (a->ede != EDE_NONE) {
		fprintf(call->out, " (%s%s%s)", ede_to_text(a->ede),
			a->ede_text == NULL ? "" : ": ", a->ede_text == NULL ? "" : a->ede_text);
		json_object_set_new(call->json, "ede", json_string(ede_to_text(a->ede)));
		if (a->ede_text != NULL)
			json_object_set_new(call->json, "ede-text", json_string(a->ede_text));
	}
	fputc('\n', call->out);
}

static void print_answer(struct command_call *call, const struct answer *a)
{
	uint32_t now_s = call->env->wall_s(call->env->ctx);
	json_t *answer = json_array(), *authority = json_array();
	char *buf = malloc(RECORD_TEXT_MAX);

	for (size_t i = 0; buf != NULL && i < a->n_sets; i++)
		print_records(call->out, answer, a->sets[i], now_s, buf);
	for (size_t i = 0; buf != NULL && i < a->n_authority; i++)
		print_records(call->out, authority, a->authority[i], now_s, buf);
	free(buf);
	json_object_set_new(call->json, "answer", answer);
	json_object_set_new(call->json, "authority", authority);
}

static void print_totals(struct command_call *call, const struct answer *a, uint64_t ms)
{
	char *limit = call->env->setting(call->env->ctx, "max-qperq");
	int max_qperq = limit == NULL ? 0 : atoi(limit);

	free(limit);
	fprintf(call->out, "%u", a->out_queries);
	if (max_qperq > 0)
		fprintf(call->out, " of %d", max_qperq);
	fprintf(call->out, " out-queries, %u timed out, %u throttled, %u bytes, %llu ms\n",
		a->timeouts, a->throttled, a->bytes, (unsigned long long)ms);
	json_object_set_new(call->json, "totals",
			    json_pack("{s:I,s:I,s:I,s:I,s:I}", "out-queries",
				      (json_int_t)a->out_queries, "timeouts",
				      (json_int_t)a->timeouts, "throttled",
				      (json_int_t)a->throttled, "bytes", (json_int_t)a->bytes, "ms",
				      (json_int_t)ms));
}

static void report(struct command_call *call, const struct lookup *l, uint64_t ms)
{
	struct trace_style style = { .unicode = call->unicode, .colour = call->colour };
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	json_object_set_new(call->json, "name", json_string(name_to_text(name, l->name)));
	json_object_set_new(call->json, "type",
			    json_string(rrtype_to_text(l->question.type, type)));
	trace_print(call->out, l->trace, &style);
	json_object_set_new(call->json, "events", trace_json(l->trace));
	json_object_set_new(call->json, "events-lost", json_integer(l->trace->lost));
	print_verdict(call, &l->answer, count_records(&l->answer));
	print_answer(call, &l->answer);
	print_totals(call, &l->answer, ms);
}

static int read_question(struct command_call *call, uint8_t *name, uint16_t *type)
{
	int err = name_from_text(name, call->argv[0]);

	*type = TYPE_A;
	if (err != E_OK)
		fprintf(call->out, "'%s' is no domain name: %s\n", call->argv[0], err_text(err));
	else if (call->argc > 1 && rrtype_from_text(call->argv[1], type) != E_OK) {
		fprintf(call->out, "Unknown qtype %s\n", call->argv[1]);
		err = E_MALFORMED;
	} else if (!resolver_seeks(*type)) {
		fprintf(call->out, "No zone has records of qtype %s\n", call->argv[1]);
		err = E_RANGE;
	}
	return err;
}

static bool is_of_past(const struct command_call *call)
{
	for (int i = 0; i < call->argc; i++)
		if (strcmp(call->argv[i], "--past") == 0)
			return true;
	return false;
}

static int explain_now(struct command_call *call)
{
	uint64_t began_ms = call->env->now_ms(call->env->ctx);
	uint8_t name[NAME_MAX_LEN];
	struct lookup *l = NULL;
	uint16_t type;
	int err = read_question(call, name, &type);

	if (err != E_OK)
		return 1;
	err = lookup_new(&l, true);
	if (err != E_OK) {
		fprintf(call->out, "%s\n",
			err == E_SYSTEM ? "no descriptor to wait with" : err_text(err));
		return 1;
	}
	/* Validated, whoever else is not: to know why is what one asks for. */
	l->question = (struct question) {
		.name = name, .type = type, .no_cache = true, .validate = true
	};
	err = ask_and_wait(call, l);
	if (err == E_OK)
		report(call, l, call->env->now_ms(call->env->ctx) - began_ms);
	lookup_free(l);
	return err != E_OK;
}

int explain_command(struct command_call *call)
{
	if (is_of_past(call))
		return past_command(call);
	for (int i = 0; i < call->argc; i++)
		if (strncmp(call->argv[i], "--", 2) == 0) {
			fprintf(call->out, "%s is for --past\n", call->argv[i]);
			return 1;
		}
	if (call->argc < 1 || call->argc > 2) {
		fprintf(call->out, "usage: explain NAME [TYPE], or explain [NAME [TYPE]] --past\n");
		return 1;
	}
	return explain_now(call);
}
