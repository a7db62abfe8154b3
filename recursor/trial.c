#include "recursor/trial.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/custom_metrics.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/policy/ipset.h"
#include "recursor/policy/shelf.h"
#include "recursor/script_side.h"
#include "recursor/trial_known.h"
#include "recursor/trial_questions.h"
#include "recursor/validation.h"

enum {
	LOOK_EVERY = 64, /* questions between two looks at the clock */
	SERVERS_MAX = 8, /* addresses that preoutquery is shown for a question */
	/* Where the settings have no limit: a control thread comes to an end. */
	INSTRUCTIONS = 1000000,
	HEAP_BYTES = 256 << 20,
	CLIENT_PORT = 1053,
};

static_assert((int)HOOKS <= (int)TRY_HOOKS_MAX, "the report has a place for each hook");

struct trial {
	struct script_side side;
	const struct watch_env *env;
	const struct trial_options *options;
	struct try_report *report;
	struct trial_questions questions;
	struct script *script;
	struct custom_metrics *metrics;
	struct try_hook hooks[HOOKS];
	bool has_failed; /* a hook, in the question at hand */
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* ---- what the script may ask ---- */

static void keep_line(struct try_report *r, const char *text, size_t len)
{
	char *line = r->lines[r->n_lines];

	if (r->n_lines == TRY_LINES_MAX) {
		r->more_lines++;
		return;
	}
	(void)snprintf(line, TRY_TEXT_MAX, "%.*s", (int)(len < TRY_TEXT_MAX ? len : TRY_TEXT_MAX),
		       text);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	r->n_lines++;
}

/* Errors of hooks come here too; they are counted by themselves. */
static void host_log(void *ctx, int level, const char *text)
{
	static const char own[] = "From Lua script: ";
	struct trial *t = ctx;

	(void)level;
	if (strncmp(text, own, sizeof(own) - 1) == 0)
		keep_line(t->report, text + sizeof(own) - 1, strlen(text) - (sizeof(own) - 1));
}

static void host_print(void *ctx, const char *text, size_t len)
{
	struct trial *t = ctx;

	while (len > 0 && text[len - 1] == '\n')
		len--;
	keep_line(t->report, text, len);
}

/* ---- the calls ---- */

static void note_error(struct try_report *r, const char *why)
{
	struct try_count *e = r->errors;

	for (size_t i = 0; i < r->n_errors; i++, e++) {
		if (strncmp(e->text, why, sizeof(e->text) - 1) == 0) {
			e->n++;
			return;
		}
	}
	if (r->n_errors == TRY_ERRORS_MAX) {
		r->more_errors++;
		return;
	}
	(void)snprintf(e->text, sizeof(e->text), "%s", why);
	e->n = 1;
	r->n_errors++;
}

static void note_call(struct trial *t, enum hook hook, enum script_verdict verdict,
		      uint64_t began_ns)
{
	const struct script_outcome *o = script_outcome(t->script);
	struct try_hook *h = &t->hooks[hook];

	h->calls++;
	h->cpu_ns += cpu_ns() - began_ns;
	h->changes += verdict == SCRIPT_TAKEN;
	h->drops += verdict == SCRIPT_DROP;
	h->kills += verdict == SCRIPT_KILL;
	if (o->failed) {
		h->errors++;
		t->has_failed = true;
		note_error(t->report, o->why);
	}
}

static bool has(const struct trial *t, enum hook hook)
{
	return script_has(t->script, hook);
}

static enum script_verdict call(struct trial *t, enum hook hook, struct hook_query *q)
{
	enum script_verdict verdict = SCRIPT_PASS;
	uint64_t began_ns = cpu_ns();

	if (!has(t, hook))
		return SCRIPT_PASS;
	verdict = script_call(t->script, hook, q);
	note_call(t, hook, verdict, began_ns);
	return verdict;
}

/* ---- one question ---- */

/* What was known when the question came, or would have been found out. */
static int load_known(void *ctx, struct hook_records *to)
{
	return known_rows(to, ctx);
}

static bool is_nodata(const struct hook_query *q, const struct known *k)
{
	if (!q->answer.has_records)
		return k->is_nodata;
	for (size_t i = 0; i < q->answer.records.n; i++)
		if (q->answer.records.rows[i].place == PLACE_ANSWER &&
		    (q->answer.records.rows[i].type == q->qtype || q->qtype == TYPE_ANY))
			return false;
	return true;
}

/* The hooks that come after the resolver, in their order: a postresolve still sees what another
 * wanted dropped, as rcode -2, but for what a policy drops. */
static enum script_verdict try_found(struct trial *t, struct hook_query *q, struct known *k)
{
	static const enum hook after[] = { HOOK_NXDOMAIN, HOOK_NOERROR, HOOK_NODATA,
					   HOOK_POSTRESOLVE };
	enum script_verdict result = SCRIPT_PASS;
	int rcode = k->rcode;

	/* A hook before has perhaps looked at the records, when there were none. */
	hookanswer_clear(&q->answer);
	q->answer.rcode = rcode;
	q->load = load_known;
	q->load_ctx = k;
	q->validation = (uint8_t)validation_state(
		&(struct answer) { .security = k->security, .bogus = (uint8_t)k->bogus });
	for (size_t i = 0; i < ARRAY_LEN(after); i++) {
		enum script_verdict verdict;

		if ((after[i] == HOOK_NXDOMAIN && rcode != RCODE_NXDOMAIN) ||
		    (after[i] == HOOK_NOERROR && rcode != RCODE_NOERROR) ||
		    (after[i] == HOOK_NODATA &&
		     (rcode != RCODE_NOERROR || q->answer.rcode != RCODE_NOERROR ||
		      !is_nodata(q, k))))
			continue;
		verdict = call(t, after[i], q);
		if (verdict == SCRIPT_PASS)
			continue;
		result = verdict;
		if (verdict == SCRIPT_TAKEN)
			continue;
		if (q->policy.kind == POLICY_DROP)
			break;
		q->answer.rcode = HOOK_RCODE_DROP;
	}
	q->load = NULL;
	return result;
}

/* Each server, as if its answer did not come, until the hook does something. */
static enum script_verdict try_servers(struct trial *t, struct hook_query *q)
{
	uint32_t now_s = t->env->wall_s(t->env->ctx);
	struct addr servers[SERVERS_MAX];
	enum script_verdict verdict = SCRIPT_PASS;
	size_t n;

	n = known_servers(servers, SERVERS_MAX, t->env->cache, q->qname, now_s);
	for (size_t i = 0; i < n && verdict == SCRIPT_PASS; i++) {
		struct hook_outquery out = {
			.server = servers[i],
			.qname = q->qname,
			.qtype = q->qtype,
		};

		q->out = &out;
		verdict = call(t, HOOK_PREOUTQUERY, q);
		q->out = NULL;
		hookanswer_clear(&out.reply);
	}
	/* What a hook drops there is the question to that server: the next one is asked. */
	return verdict == SCRIPT_DROP ? SCRIPT_PASS : verdict;
}

static enum script_verdict try_hooks(struct trial *t, struct hook_query *q, bool is_new,
				     bool *is_unknown)
{
	enum script_verdict verdict;
	struct known k;

	if (has(t, HOOK_GETTAG)) {
		uint64_t began_ns = cpu_ns();

		script_gettag(t->script, q);
		note_call(t, HOOK_GETTAG, SCRIPT_PASS, began_ns);
	}
	verdict = call(t, HOOK_PRERPZ, q);
	if (verdict == SCRIPT_PASS)
		verdict = call(t, HOOK_PRERESOLVE, q);
	if (verdict == SCRIPT_PASS && is_new && has(t, HOOK_PREOUTQUERY))
		verdict = try_servers(t, q);
	if (verdict != SCRIPT_PASS)
		return verdict;
	*is_unknown = !known_look(&k, t->env->cache, q->qname, q->qtype,
				  t->env->wall_s(t->env->ctx));
	if (*is_unknown)
		return SCRIPT_PASS;
	verdict = try_found(t, q, &k);
	known_put(&k);
	return verdict;
}

static enum script_verdict try_question(struct trial *t, const struct trial_question *question,
					bool is_new, bool *is_unknown)
{
	struct addr remote = question->remote;
	struct hook_query q = {
		.local = t->options->local,
		.qname = trial_question_name(&t->questions, question),
		.qtype = question->type,
		.qclass = CLASS_IN,
		.tcp = question->tcp,
		.header = { 0, 0, 1, 0, 0, 1 }, /* RD, and one question */
		.time_us = clock_ns(CLOCK_REALTIME) / 1000,
	};
	enum script_verdict verdict;

	remote.port = CLIENT_PORT;
	q.remote = remote;
	if (has(t, HOOK_IPFILTER)) {
		uint64_t began_ns = cpu_ns();
		bool drop = script_ipfilter(t->script, &q.remote, &q.local, q.header, q.tcp);

		note_call(t, HOOK_IPFILTER, drop ? SCRIPT_DROP : SCRIPT_PASS, began_ns);
		if (drop)
			return SCRIPT_DROP;
	}
	if (q.qname == NULL)
		return SCRIPT_PASS; /* a ring of addresses alone */
	hookquery_init(&q);
	verdict = try_hooks(t, &q, is_new, is_unknown);
	script_query_end(&q);
	hookquery_deinit(&q);
	return verdict;
}

/* ---- all of them ---- */

static void note_verdict(struct trial *t, struct trial_question *question,
			 enum script_verdict verdict, bool is_unknown)
{
	struct try_report *r = t->report;

	r->tried++;
	r->failed += t->has_failed;
	question->is_affected = verdict != SCRIPT_PASS;
	switch (verdict) {
	case SCRIPT_PASS:
		r->passed += !is_unknown;
		r->unknown += is_unknown;
		break;
	case SCRIPT_TAKEN:
		r->changed++;
		break;
	case SCRIPT_DROP:
		r->dropped++;
		break;
	case SCRIPT_KILL:
		r->killed++;
		break;
	}
}

static bool is_told_to_stop(int stop_fd)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	return stop_fd >= 0 && poll(&p, 1, 0) != 0;
}

/* False: it is to end. */
static bool look_at_clock(struct trial *t, const struct try_request *rq, size_t i,
			  uint64_t began_ms, uint64_t *told_ms)
{
	uint64_t now_ms = clock_ns(CLOCK_MONOTONIC) / 1000000;

	if (now_ms - began_ms > TRY_MS_MAX || is_told_to_stop(rq->stop_fd)) {
		t->report->has_timed_out = true;
		return false;
	}
	if (now_ms - *told_ms > TRY_PROGRESS_MS) {
		*told_ms = now_ms;
		log_notice("try-lua-script: %s has been tried on %zu of %zu questions", rq->path, i,
			   t->questions.n);
	}
	return true;
}

static void try_all(struct trial *t, const struct try_request *rq)
{
	uint64_t began_ms = clock_ns(CLOCK_MONOTONIC) / 1000000, told_ms = began_ms;
	uint64_t began_ns = cpu_ns();

	for (size_t i = 0; i < t->questions.n; i++) {
		struct trial_question *q = &t->questions.list[i];
		bool is_unknown = false;
		enum script_verdict verdict;

		if (i % LOOK_EVERY == 0 && !look_at_clock(t, rq, i, began_ms, &told_ms))
			break;
		t->has_failed = false;
		verdict = try_question(t, q, trial_question_is_new(&t->questions, q), &is_unknown);
		note_verdict(t, q, verdict, is_unknown);
	}
	t->report->cpu_us = (cpu_ns() - began_ns) / 1000;
}

static void take_hooks(struct trial *t)
{
	struct try_report *r = t->report;

	for (unsigned i = 0; i < HOOKS; i++) {
		if (!has(t, (enum hook)i))
			continue;
		t->hooks[i].name = hook_name((enum hook)i);
		r->hooks[r->n_hooks++] = t->hooks[i];
	}
}

/* ---- a state of its own ---- */

static int load(struct trial *t, struct ipsets *ipsets, struct shelf *shelf,
		const struct script_code *code, char *why)
{
	const struct trial_options *o = t->options;
	struct script_limits limits = o->limits;
	struct script_host host = {
		.is_trial = true,
		.config_dir = o->config_dir,
		.config_name = o->config_name,
		.metrics = t->metrics,
		.ipsets = ipsets,
		.shelf = shelf,
		.log = host_log,
		.print = host_print,
	};
	uint64_t began_ns = cpu_ns();
	int err;

	script_side_fill(&t->side, &host);
	if (limits.instructions == 0)
		limits.instructions = INSTRUCTIONS;
	if (limits.heap_bytes == 0)
		limits.heap_bytes = HEAP_BYTES;
	err = script_new(&t->script, code, &limits, &host, why);
	t->report->load_cpu_us = (cpu_ns() - began_ns) / 1000;
	return err;
}

int trial_run(const struct watch_env *env, const struct trial_options *options,
	      const struct try_request *rq, struct try_report *out, char *why)
{
	struct trial t = { .env = env, .options = options, .report = out };
	struct script_files files = { .path = rq->path, .include_dir = options->include_dir };
	struct script_code *code = NULL;
	struct ipsets *ipsets = NULL;
	struct shelf *shelf = NULL; /* rate limits of its own */
	int err;

	(void)snprintf(why, ENV_WHY_MAX, "%s", err_text(E_NOMEM));
	err = script_code_load(&code, &files, why);
	if (err == E_OK)
		err = script_side_init(&t.side, env, env->psl(env->ctx));
	if (err == E_OK)
		err = custom_metrics_new(&t.metrics);
	if (err == E_OK && options->ipsets != NULL)
		err = ipsets_new_overlay(&ipsets, options->ipsets);
	if (err == E_OK)
		err = shelf_new(&shelf);
	if (err == E_OK)
		err = trial_questions_read(&t.questions, env->rings, rq->ring, &out->entries);
	if (err != E_OK)
		goto out;
	err = load(&t, ipsets, shelf, code, why);
	if (err != E_OK)
		goto out;
	try_all(&t, rq);
	take_hooks(&t);
	out->bytes = script_bytes(t.script);
	err = trial_questions_count(&t.questions, t.side.psl, out);
	if (err != E_OK)
		(void)snprintf(why, ENV_WHY_MAX, "%s", err_text(err));
out:
	script_put(t.script);
	script_code_free(code);
	ipsets_free(ipsets);
	shelf_free(shelf);
	custom_metrics_free(t.metrics);
	script_side_deinit(&t.side);
	trial_questions_free(&t.questions);
	return err;
}
