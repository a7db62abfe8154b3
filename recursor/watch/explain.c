#include "recursor/watch/explain.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/rrtype.h"
#include "recursor/watch/trace_text.h"

struct explain {
	atomic_uint refs;
	int done_fd; /* an eventfd: readable when `answer` is there */
	atomic_bool is_done;
	struct request *request; /* the worker's alone */

	uint8_t name[NAME_MAX_LEN];
	uint16_t type;

	struct answer answer; /* its sets are ours: references */
	struct rrset **sets;
	struct rrset *soa;
	struct trace trace;
};

static void explain_put(struct explain *x)
{
	if (atomic_fetch_sub(&x->refs, 1) > 1)
		return;
	for (size_t i = 0; i < x->answer.n_sets; i++)
		rrset_put(x->sets[i]);
	rrset_put(x->soa);
	free(x->sets);
	if (x->done_fd >= 0)
		close(x->done_fd);
	free(x);
}

/* ---- on the worker ---- */

static void explain_done(void *ctx, const struct answer *a)
{
	struct explain *x = ctx;
	uint64_t one = 1;

	x->request = NULL;
	x->answer = *a;
	x->answer.sets = NULL;
	x->answer.soa = NULL;
	x->answer.n_sets = 0;
	x->sets = calloc(a->n_sets + 1, sizeof(struct rrset *));
	for (size_t i = 0; x->sets != NULL && i < a->n_sets; i++)
		x->sets[x->answer.n_sets++] = rrset_get(a->sets[i]);
	if (a->soa != NULL)
		x->soa = rrset_get((struct rrset *)a->soa);
	atomic_store(&x->is_done, true);
	/* It cannot fail: the counter holds more than 1. */
	if (write(x->done_fd, &one, sizeof(one)) < 0)
		(void)one;
	explain_put(x);
}

static void visit_ask(void *arg, const struct watch_worker *w)
{
	struct explain *x = arg;
	struct question q = {
		.name = x->name,
		.type = x->type,
		.no_cache = true,
		.trace = &x->trace,
	};
	struct request *request;

	atomic_fetch_add(&x->refs, 1);
	request = resolver_ask(w->resolver, &q, explain_done, x);
	if (!atomic_load(&x->is_done))
		x->request = request;
}

static void visit_cancel(void *arg, const struct watch_worker *w)
{
	struct explain *x = arg;

	if (x->request == NULL)
		return;
	resolver_cancel(w->resolver, x->request);
	x->request = NULL;
	explain_put(x);
}

/* ---- on the control thread ---- */

static int setting_ms(const struct watch_env *env, const char *name, int otherwise)
{
	char *text = env->setting(env->ctx, name);
	int value = text == NULL ? otherwise : atoi(text);

	free(text);
	return value;
}

/* Asks and waits.  When it takes too long or the daemon ends, the request is taken back: after
 * that the trace is not written to any more.  (A worker that has stopped cancels nothing, but
 * then it writes nothing either, and its resolver's end gives its reference back.) */
static bool ask_and_wait(struct command_call *call, struct explain *x)
{
	const struct watch_env *env = call->env;
	struct pollfd fds[2] = {
		{ .fd = x->done_fd, .events = POLLIN },
		{ .fd = call->stop_fd, .events = POLLIN },
	};
	int wait_ms = setting_ms(env, "max-total-msec", 7000) + 1000;

	if (env->n_workers == 0 || env->on_worker(env->ctx, 0, visit_ask, x) != E_OK) {
		fprintf(call->out, "no answer from worker-0\n");
		return false;
	}
	poll(fds, 2, wait_ms);
	if (atomic_load(&x->is_done))
		return true;
	if (env->on_worker(env->ctx, 0, visit_cancel, x) == E_OK && atomic_load(&x->is_done))
		return true;
	if (fds[1].revents != 0)
		fprintf(call->out, "given up: the daemon ends\n");
	else
		fprintf(call->out, "no answer within %d ms\n", wait_ms);
	return false;
}

static size_t count_records(const struct explain *x)
{
	size_t n = 0;

	for (size_t i = 0; i < x->answer.n_sets; i++)
		n += x->sets[i]->n_rr;
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

static void print_verdict(struct command_call *call, const struct answer *a, size_t n_records)
{
	char rcode[RRTYPE_TEXT_MAX];

	fprintf(call->out, "\n%s, %zu record%s", rcode_to_text(a->rcode, rcode), n_records,
		n_records == 1 ? "" : "s");
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

static void print_answer(struct command_call *call, const struct explain *x)
{
	uint32_t now_s = call->env->wall_s(call->env->ctx);
	json_t *answer = json_array(), *authority = json_array();
	char *buf = malloc(RECORD_TEXT_MAX);

	for (size_t i = 0; buf != NULL && i < x->answer.n_sets; i++)
		print_records(call->out, answer, x->sets[i], now_s, buf);
	if (buf != NULL && x->soa != NULL)
		print_records(call->out, authority, x->soa, now_s, buf);
	free(buf);
	json_object_set_new(call->json, "answer", answer);
	json_object_set_new(call->json, "authority", authority);
}

static void print_totals(struct command_call *call, const struct answer *a, uint64_t ms)
{
	int max_qperq = setting_ms(call->env, "max-qperq", 0);

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

static void report(struct command_call *call, const struct explain *x, uint64_t ms)
{
	struct trace_style style = { .unicode = call->unicode, .colour = call->colour };
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];

	json_object_set_new(call->json, "name", json_string(name_to_text(name, x->name)));
	json_object_set_new(call->json, "type", json_string(rrtype_to_text(x->type, type)));
	trace_print(call->out, &x->trace, &style);
	json_object_set_new(call->json, "events", trace_json(&x->trace));
	json_object_set_new(call->json, "events-lost", json_integer(x->trace.lost));
	print_verdict(call, &x->answer, count_records(x));
	print_answer(call, x);
	print_totals(call, &x->answer, ms);
}

static int read_question(struct command_call *call, struct explain *x)
{
	int err = name_from_text(x->name, call->argv[0]);

	x->type = TYPE_A;
	if (err != E_OK)
		fprintf(call->out, "'%s' is no domain name: %s\n", call->argv[0], err_text(err));
	else if (call->argc > 1 && rrtype_from_text(call->argv[1], &x->type) != E_OK) {
		fprintf(call->out, "Unknown qtype %s\n", call->argv[1]);
		err = E_MALFORMED;
	} else if (!resolver_seeks(x->type)) {
		fprintf(call->out, "No zone has records of qtype %s\n", call->argv[1]);
		err = E_RANGE;
	}
	return err;
}

int explain_command(struct command_call *call)
{
	struct explain *x = calloc(1, sizeof(*x));
	uint64_t began_ms = call->env->now_ms(call->env->ctx);
	int status = 1;

	if (x == NULL) {
		fprintf(call->out, "%s\n", err_text(E_NOMEM));
		return status;
	}
	atomic_init(&x->refs, 1);
	x->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (x->done_fd < 0)
		fprintf(call->out, "no descriptor to wait with\n");
	else if (read_question(call, x) == E_OK && ask_and_wait(call, x)) {
		report(call, x, call->env->now_ms(call->env->ctx) - began_ms);
		status = 0;
	}
	explain_put(x);
	return status;
}
