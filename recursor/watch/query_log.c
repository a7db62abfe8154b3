/* query_log: see query_log.h.  First a worker's side, then the thread that writes. */
#include "recursor/watch/query_log.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/query_queue.h"

enum {
	ALL_BIT = QUERY_RULES_MAX, /* in the records: quiet=no wanted it */
	LOOK_MS = 20,              /* the queues are looked at so often */
	IDLE_ROUNDS = 75,          /* and so many times when nothing is wanted any more */
};

/* A rule, and what came of it; one without id is none. */
struct kept_rule {
	struct query_rule rule;
	uint64_t lines, held_back;
};

struct query_log {
	unsigned n_workers;
	struct query_queue *queues;        /* one for each worker */
	pthread_mutex_t lock, spread_lock; /* spread_lock is taken first */
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stop, all;
	unsigned last_id;
	_Atomic unsigned n_rules, most_rules;
	struct kept_rule rules[QUERY_RULES_MAX]; /* a rule keeps its place */
	_Atomic uint32_t rate;
	_Atomic uint64_t n_lines, n_held_back;
	/* The writing thread's. */
	uint64_t second, lines_in_second, held_back_in_second;
};

/* ---- a worker's ---- */

void query_filter_init(struct query_filter *f, struct query_log *log, unsigned worker,
		       struct counters *counters)
{
	ASSERT(worker < log->n_workers);
	*f = (struct query_filter) { .queue = &log->queues[worker], .counters = counters };
}

bool query_filter_is_used(struct query_filter *f, uint64_t now_ms)
{
	for (unsigned i = 0; i < f->rules.n;) {
		if (f->rules.rules[i].until_ms > now_ms)
			i++;
		else
			f->rules.rules[i] = f->rules.rules[--f->rules.n];
	}
	return f->all || f->rules.n > 0;
}

static bool is_in_net(const struct query_rule *r, const struct addr *client)
{
	struct addr net = *client;

	if (net.family != r->client.family)
		return false;
	addr_truncate(&net, r->client_bits);
	return addr_equal_ip(&net, &r->client);
}

static bool matches(const struct query_rule *r, const struct query_seen *q, uint32_t lot)
{
	return !(r->has_client && !is_in_net(r, q->client)) && !(r->has_share && lot >= r->share) &&
	       !(r->has_suffix && !name_is_within(q->name, r->suffix));
}

/* The same for a question and its answer. */
static uint32_t draw_lot(const struct query_seen *q)
{
	uint64_t sender = addr_hash(q->client) + ((uint64_t)q->client->port << 16) + q->id;

	return (uint32_t)(hash_mix(q->name_hash, sender) >> 32);
}

/* The bits of who wants it; a rule's bit is its place in the log, which stands in its id. */
static uint32_t wanted_by(const struct query_filter *f, const struct query_seen *q, bool is_answer,
			  uint64_t now_ms)
{
	uint32_t bits = f->all ? 1U << ALL_BIT : 0;
	uint32_t lot = f->rules.n > 0 ? draw_lot(q) : 0;

	for (unsigned i = 0; i < f->rules.n; i++) {
		const struct query_rule *r = &f->rules.rules[i];

		if ((!is_answer || r->answers) && now_ms < r->until_ms && matches(r, q, lot))
			bits |= 1U << r->id % QUERY_RULES_MAX;
	}
	return bits;
}

static struct query_record *begin(struct query_filter *f, const struct query_seen *q,
				  bool is_answer, uint64_t now_ms)
{
	uint32_t bits = wanted_by(f, q, is_answer, now_ms);
	struct query_record *r = bits == 0 ? NULL : query_queue_place(f->queue);

	if (bits != 0 && r == NULL)
		COUNT(f->counters, query_log_drops);
	if (r == NULL)
		return NULL;
	r->rules = bits;
	r->worker = f->queue->worker;
	r->client = *q->client;
	r->id = q->id;
	r->type = q->type;
	r->tcp = q->tcp;
	r->edns = q->edns;
	r->dnssec_ok = q->dnssec_ok;
	r->is_answer = is_answer;
	name_copy(r->name, q->name);
	return r;
}

void query_filter_question(struct query_filter *f, const struct query_seen *q, uint64_t now_ms)
{
	if (begin(f, q, false, now_ms) != NULL)
		query_queue_put(f->queue);
}

void query_filter_answer(struct query_filter *f, const struct query_seen *q,
			 const struct query_outcome *a, uint64_t now_ms)
{
	struct query_record *r = begin(f, q, true, now_ms);

	if (r == NULL)
		return;
	r->outcome = *a;
	query_queue_put(f->queue);
}

/* ---- writing ---- */

static void write_question(const struct query_record *r)
{
	char name[NAME_TEXT_MAX], buf[RRTYPE_TEXT_MAX], client[ADDR_TEXT_MAX];
	const char *type = rrtype_to_text(r->type, buf);

	(void)name_to_text(name, r->name);
	(void)addr_text(client, &r->client);
	log_asked_for("queries",
		      LOG_FIELDS(LOG_TEXT("client", client), LOG_TEXT("qname", name),
				 LOG_TEXT("qtype", type), LOG_NUMBER("qid", r->id),
				 LOG_BOOL("tcp", r->tcp), LOG_BOOL("edns", r->edns),
				 LOG_BOOL("do", r->dnssec_ok), LOG_NUMBER("worker", r->worker)),
		      "%squestion for '%s|%s' from %s", r->tcp ? "TCP " : "", name, type, client);
}

static const char *describe(char out[200], const struct query_record *r)
{
	const struct query_outcome *a = &r->outcome;
	char rcode[RRTYPE_TEXT_MAX];
	const char *text = rcode_to_text(a->rcode, rcode);

	if (a->dropped)
		(void)snprintf(out, 200, "none, it was dropped");
	else if (a->truncated)
		(void)snprintf(out, 200, "come again over TCP");
	else if (a->from_packetcache)
		(void)snprintf(out, 200, "%s, from the packet cache", text);
	else
		(void)snprintf(
			out, 200,
			"%s, %zu sets, took %u packets, %u throttled, %u timeouts, %.1f ms%s%s%s%s",
			text, a->sets, a->out_queries, a->throttled, a->timeouts,
			(double)a->us / 1000, a->dnssec != NULL ? ", " : "",
			a->dnssec != NULL ? a->dnssec : "", a->ede >= 0 ? ", " : "",
			a->ede >= 0 ? ede_to_text(a->ede) : "");
	return out;
}

static void write_answer(const struct query_record *r)
{
	const struct query_outcome *a = &r->outcome;
	char name[NAME_TEXT_MAX], buf[RRTYPE_TEXT_MAX], client[ADDR_TEXT_MAX], text[200];
	char rcode[RRTYPE_TEXT_MAX];
	const char *type = rrtype_to_text(r->type, buf);

	(void)name_to_text(name, r->name);
	(void)addr_text(client, &r->client);
	log_asked_for(
		"queries",
		LOG_FIELDS(LOG_TEXT("client", client), LOG_TEXT("qname", name),
			   LOG_TEXT("qtype", type), LOG_NUMBER("qid", r->id),
			   LOG_TEXT("rcode", a->dropped ? NULL : rcode_to_text(a->rcode, rcode)),
			   LOG_TEXT("ede", a->ede >= 0 ? ede_to_text(a->ede) : NULL),
			   LOG_TEXT("dnssec", a->dnssec),
			   LOG_BOOL("packetcache", a->from_packetcache),
			   LOG_BOOL("dropped", a->dropped), LOG_NUMBER("sets", a->sets),
			   LOG_NUMBER("outqueries", a->out_queries),
			   LOG_NUMBER("timeouts", a->timeouts), LOG_NUMBER("usec", a->us),
			   LOG_NUMBER("worker", r->worker)),
		"answer to question '%s|%s' of %s: %s", name, type, client, describe(text, r));
}

/* With the lock not held; at the beginning of a second. */
static void tell_held_back(struct query_log *log, uint64_t second)
{
	if (log->held_back_in_second > 0)
		log_line(LOG_LEVEL_NOTICE, "queries",
			 LOG_FIELDS(LOG_NUMBER("held_back", log->held_back_in_second)),
			 "%" PRIu64 " more lines of questions and answers were not written "
			 "(query-log-rate=%u a second)",
			 log->held_back_in_second, atomic_load(&log->rate));
	log->second = second;
	log->lines_in_second = log->held_back_in_second = 0;
}

static void count_lines(struct query_log *log, uint32_t bits, bool written)
{
	pthread_mutex_lock(&log->lock);
	for (unsigned i = 0; i < QUERY_RULES_MAX; i++) {
		struct kept_rule *k = &log->rules[i];

		if (bits >> i & 1 && written)
			k->lines++;
		else if (bits >> i & 1)
			k->held_back++;
	}
	pthread_mutex_unlock(&log->lock);
}

static void write_record(struct query_log *log, const struct query_record *r)
{
	uint32_t rate = atomic_load(&log->rate);
	bool fits = rate == 0 || log->lines_in_second < rate;

	count_lines(log, r->rules, fits);
	if (!fits) {
		log->held_back_in_second++;
		atomic_fetch_add(&log->n_held_back, 1);
		return;
	}
	log->lines_in_second++;
	atomic_fetch_add(&log->n_lines, 1);
	if (r->is_answer)
		write_answer(r);
	else
		write_question(r);
}

/* No more of one queue than it can hold: the others have their turn, and the second is looked at. */
static void empty_queues(struct query_log *log)
{
	uint64_t second = clock_now_ms() / 1000;

	if (second != log->second)
		tell_held_back(log, second);
	for (unsigned i = 0; i < log->n_workers; i++) {
		struct query_queue *q = &log->queues[i];
		const struct query_record *r;

		for (unsigned n = 0; n < QUERY_QUEUE_MAX && (r = query_queue_look(q)) != NULL;
		     n++) {
			write_record(log, r);
			query_queue_took(q);
		}
	}
}

static void tell_end(const struct kept_rule *k, const char *why)
{
	log_with(LOG_LEVEL_NOTICE,
		 LOG_FIELDS(LOG_NUMBER("rule", k->rule.id), LOG_NUMBER("lines", k->lines),
			    LOG_NUMBER("held_back", k->held_back)),
		 "log-queries: rule %u %s: %" PRIu64 " lines were written, %" PRIu64 " held back",
		 k->rule.id, why, k->lines, k->held_back);
}

/* With the lock held.  Returns whether there is something to be written. */
static bool end_rules(struct query_log *log, uint64_t now_ms)
{
	bool is_used = log->all;

	for (unsigned i = 0; i < QUERY_RULES_MAX; i++) {
		struct kept_rule *k = &log->rules[i];

		if (k->rule.id != 0 && k->rule.until_ms <= now_ms) {
			tell_end(k, "has ended");
			k->rule.id = 0;
			log->n_rules--;
		}
		is_used = is_used || k->rule.id != 0;
	}
	return is_used;
}

static void *run(void *ctx)
{
	static const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	struct query_log *log = ctx;
	unsigned idle_rounds = 0;
	bool stop = false;

	while (!stop) {
		empty_queues(log);
		pthread_mutex_lock(&log->lock);
		idle_rounds = end_rules(log, clock_now_ms()) ? 0 : idle_rounds + 1;
		/* It looks for a while yet: a worker may have been about to put something in. */
		if (idle_rounds > IDLE_ROUNDS && !log->stop) {
			pthread_cond_wait(&log->changed, &log->lock);
			idle_rounds = 0;
		}
		stop = log->stop;
		pthread_mutex_unlock(&log->lock);
		if (!stop)
			(void)nanosleep(&pause, NULL);
	}
	empty_queues(log);
	tell_held_back(log, 0);
	return NULL;
}

/* With the lock held. */
static int start_thread(struct query_log *log)
{
	sigset_t all, before;

	if (!log->started) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		log->started = pthread_create(&log->thread, NULL, run, log) == 0;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_cond_signal(&log->changed);
	return log->started ? E_OK : E_SYSTEM;
}

/* ---- rules ---- */

int query_log_add(struct query_log *log, struct query_rule *rule)
{
	int err = E_LIMIT;

	pthread_mutex_lock(&log->lock);
	(void)end_rules(log, clock_now_ms());
	/* The place is told by the id, so ids are passed over until one's place is free. */
	for (unsigned i = 1; i <= QUERY_RULES_MAX && err == E_LIMIT; i++) {
		struct kept_rule *k = &log->rules[(log->last_id + i) % QUERY_RULES_MAX];

		if (k->rule.id != 0)
			continue;
		err = start_thread(log);
		if (err != E_OK)
			break;
		log->last_id += i;
		rule->id = log->last_id;
		*k = (struct kept_rule) { .rule = *rule };
		log->n_rules++;
		if (log->n_rules > log->most_rules)
			log->most_rules = log->n_rules;
	}
	pthread_mutex_unlock(&log->lock);
	return err;
}

unsigned query_log_remove(struct query_log *log, unsigned id)
{
	unsigned n = 0;

	pthread_mutex_lock(&log->lock);
	for (unsigned i = 0; i < QUERY_RULES_MAX; i++) {
		struct kept_rule *k = &log->rules[i];

		if (k->rule.id == 0 || (id != 0 && id != k->rule.id))
			continue;
		tell_end(k, "was taken out");
		k->rule.id = 0;
		log->n_rules--;
		n++;
	}
	pthread_mutex_unlock(&log->lock);
	return n;
}

unsigned query_log_show(struct query_log *log, struct query_rule_shown out[QUERY_RULES_MAX])
{
	unsigned n = 0;

	pthread_mutex_lock(&log->lock);
	(void)end_rules(log, clock_now_ms());
	for (unsigned i = 0; i < QUERY_RULES_MAX; i++) {
		const struct kept_rule *k = &log->rules[i];

		if (k->rule.id != 0)
			out[n++] = (struct query_rule_shown) { k->rule, k->lines, k->held_back };
	}
	pthread_mutex_unlock(&log->lock);
	return n;
}

void query_log_spread(struct query_log *log,
		      void (*give)(void *ctx, const struct query_rules *rules), void *ctx)
{
	struct query_rule_shown shown[QUERY_RULES_MAX];
	struct query_rules rules;

	pthread_mutex_lock(&log->spread_lock);
	rules.n = query_log_show(log, shown);
	for (unsigned i = 0; i < rules.n; i++)
		rules.rules[i] = shown[i].rule;
	give(ctx, &rules);
	pthread_mutex_unlock(&log->spread_lock);
}

void query_log_stats(struct query_log *log, struct query_log_stats *out)
{
	/* Without the lock: rules that end are told of under it, and a script may ask on a worker. */
	*out = (struct query_log_stats) {
		.lines = atomic_load(&log->n_lines),
		.held_back = atomic_load(&log->n_held_back),
		.rules = atomic_load(&log->n_rules),
		.most_rules = atomic_load(&log->most_rules),
	};
	for (unsigned i = 0; i < log->n_workers; i++) {
		uint64_t most = atomic_load_explicit(&log->queues[i].most, memory_order_relaxed);

		out->most_queued = most > out->most_queued ? most : out->most_queued;
	}
}

int query_log_configure(struct query_log *log, uint32_t rate, bool all)
{
	int err = E_OK;

	atomic_store(&log->rate, rate);
	pthread_mutex_lock(&log->lock);
	log->all = all;
	if (all)
		err = start_thread(log);
	pthread_mutex_unlock(&log->lock);
	return err;
}

/* ---- life ---- */

int query_log_new(struct query_log **out, unsigned n_workers)
{
	struct query_log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return E_NOMEM;
	log->n_workers = n_workers;
	/* A multiple of 64, as its type is aligned. */
	log->queues = aligned_alloc(alignof(struct query_queue), n_workers * sizeof(*log->queues));
	if (log->queues == NULL) {
		free(log);
		return E_NOMEM;
	}
	for (unsigned i = 0; i < n_workers; i++) {
		struct query_queue *q = &log->queues[i];

		atomic_init(&q->written, 0);
		atomic_init(&q->read, 0);
		atomic_init(&q->most, 0);
		q->worker = i;
	}
	pthread_mutex_init(&log->lock, NULL);
	pthread_mutex_init(&log->spread_lock, NULL);
	pthread_cond_init(&log->changed, NULL);
	*out = log;
	return E_OK;
}

void query_log_free(struct query_log *log)
{
	if (log == NULL)
		return;
	pthread_mutex_lock(&log->lock);
	log->stop = true;
	pthread_cond_signal(&log->changed);
	pthread_mutex_unlock(&log->lock);
	if (log->started)
		pthread_join(log->thread, NULL);
	pthread_cond_destroy(&log->changed);
	pthread_mutex_destroy(&log->spread_lock);
	pthread_mutex_destroy(&log->lock);
	free(log->queues);
	free(log);
}
