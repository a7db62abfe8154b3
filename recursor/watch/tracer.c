#include "recursor/watch/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/watch/passed_write.h"
#include "recursor/watch/trace_text.h"

enum { REGEX_FLAGS = REG_EXTENDED | REG_ICASE | REG_NOSUB };

/* Where the traces of equal rules go to. */
struct sink {
	atomic_uint refs;
	struct passed_writer writer; /* to a descriptor of our own, or fd -1: the log */
	/* Who keeps the descriptor open: the sink until it is dead, and who writes.  Readers see the end
	 * as soon as nothing more will come, whoever has the rule still. */
	atomic_uint holders;
	atomic_bool is_dead;
};

struct trace_rule {
	regex_t regex;
	struct sink *sink;
	/* Since it was compiled. */
	size_t matched; /* bytes of names */
	uint64_t used_ns;
	bool was_slow; /* before it was compiled last */
	char text[];   /* what it is compiled of */
};

struct traced {
	struct traced *next;
	struct sink *sink;
	struct traced_end end;
	uint8_t name[NAME_MAX_LEN];
	struct trace events;
};

struct tracer {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stop;
	struct traced *first, **last;
	atomic_uint n; /* begun, and not written yet */
};

static struct sink *sink_get(struct sink *s)
{
	if (s != NULL)
		atomic_fetch_add(&s->refs, 1);
	return s;
}

/* False: it is closed. */
static bool sink_hold(struct sink *s)
{
	unsigned n = atomic_load(&s->holders);

	while (n > 0)
		if (atomic_compare_exchange_weak(&s->holders, &n, n + 1))
			return true;
	return false;
}

static void sink_let_go(struct sink *s)
{
	if (atomic_fetch_sub(&s->holders, 1) > 1 || s->writer.fd < 0)
		return;
	passed_writer_close(&s->writer);
	close(s->writer.fd);
}

static void sink_put(struct sink *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	if (!atomic_load(&s->is_dead)) {
		passed_writer_end(&s->writer);
		sink_let_go(s);
	}
	free(s);
}

/* ---- rules ---- */

static int sink_new(struct sink **out, int fd)
{
	struct sink *s = calloc(1, sizeof(*s));
	int own = -1;

	if (s == NULL)
		return E_NOMEM;
	atomic_init(&s->refs, 1);
	atomic_init(&s->holders, 1);
	s->writer.fd = -1;
	if (fd >= 0)
		own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && (own < 0 || passed_writer_open(&s->writer, own) != E_OK)) {
		int error = errno;

		if (own >= 0)
			close(own);
		free(s);
		errno = error;
		return E_SYSTEM;
	}
	*out = s;
	return E_OK;
}

/* The largest number of an interval, "{m,n}". */
static unsigned long interval_most(const char *p)
{
	unsigned long most = 1;

	while (*p != '\0' && *p != '}') {
		char *end = NULL;
		unsigned long n = strtoul(p, &end, 10);

		if (n > most)
			most = n;
		p = end > p ? end : p + 1;
	}
	return most;
}

/* The library needs minutes for references to what was matched, and for repetitions within
 * repetitions, which it writes out; meanwhile a worker serves nobody, and the daemon cannot end. */
static const char *what_is_too_dear(const char *regex)
{
	unsigned long size = strlen(regex);

	if (size > TRACER_REGEX_MAX)
		return "it is too long";
	for (const char *p = regex; *p != '\0'; p++) {
		if (p[0] == '\\' && p[1] >= '1' && p[1] <= '9')
			return "references to what was matched take too long";
		if (p[0] == '\\' && p[1] != '\0')
			p++;
		else if (p[0] == '{' && interval_most(p + 1) > TRACER_SIZE_MAX / size)
			return "so many repetitions take too long";
		else if (p[0] == '{')
			size *= interval_most(p + 1);
	}
	return NULL;
}

static int rule_new(struct trace_rule **out, const char *regex, struct sink *sink, char *why,
		    size_t cap)
{
	const char *too_dear = what_is_too_dear(regex);
	struct trace_rule *rule;
	int rc;

	if (too_dear != NULL) {
		snprintf(why, cap, "'%.200s' is not taken: %s", regex, too_dear);
		return E_LIMIT;
	}
	rule = calloc(1, sizeof(*rule) + strlen(regex) + 1);
	if (rule == NULL) {
		snprintf(why, cap, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	rc = regcomp(&rule->regex, regex, REGEX_FLAGS);
	if (rc != 0) {
		char reason[128];

		regerror(rc, &rule->regex, reason, sizeof(reason));
		snprintf(why, cap, "'%.200s' is no regular expression: %s", regex, reason);
		free(rule);
		return E_MALFORMED;
	}
	strcpy(rule->text, regex);
	rule->sink = sink_get(sink);
	*out = rule;
	return E_OK;
}

int trace_rules_new(struct trace_rule **rules, unsigned n, const char *regex, int fd, char *why,
		    size_t cap)
{
	struct sink *sink = NULL;
	unsigned made = 0;
	int err = sink_new(&sink, fd);

	if (err != E_OK)
		snprintf(why, cap, "%s", err_why(err));
	while (err == E_OK && made < n) {
		err = rule_new(&rules[made], regex, sink, why, cap);
		made += err == E_OK;
	}
	while (err != E_OK && made > 0)
		trace_rule_free(rules[--made]);
	sink_put(sink);
	return err;
}

void trace_rule_free(struct trace_rule *rule)
{
	if (rule == NULL)
		return;
	regfree(&rule->regex);
	sink_put(rule->sink);
	free(rule);
}

static void sink_die(struct sink *s, const char *why)
{
	if (atomic_exchange(&s->is_dead, true))
		return;
	log_notice("trace-regex: nothing more is written%s: %s",
		   s->writer.fd >= 0 ? " to its file" : "", why);
	sink_let_go(s);
}

static uint64_t cpu_ns(void)
{
	struct timespec ts = { .tv_sec = 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* The library keeps what it has found out about the expression until that is freed, and clients
 * choose the names. */
static void compile_again(struct trace_rule *rule)
{
	bool is_slow = rule->used_ns > (uint64_t)TRACER_TURN_USEC * 1000;
	uint64_t start_ns;
	regex_t fresh;

	/* Once may have been another's interrupt. */
	if (is_slow && rule->was_slow) {
		sink_die(rule->sink, "the expression takes too long for the names that come");
		return;
	}
	start_ns = cpu_ns();
	if (regcomp(&fresh, rule->text, REGEX_FLAGS) != 0) {
		sink_die(rule->sink, err_text(E_NOMEM));
		return;
	}
	regfree(&rule->regex);
	rule->regex = fresh;
	rule->matched = 0;
	rule->used_ns = cpu_ns() - start_ns;
	rule->was_slow = is_slow;
}

bool trace_rule_matches(struct trace_rule *rule, const uint8_t *name)
{
	char text[NAME_TEXT_MAX];
	uint64_t start_ns;
	bool found;

	if (atomic_load_explicit(&rule->sink->is_dead, memory_order_relaxed))
		return false;
	(void)name_to_text(text, name);
	start_ns = cpu_ns();
	found = regexec(&rule->regex, text, 0, NULL, 0) == 0;
	rule->used_ns += cpu_ns() - start_ns;
	rule->matched += strlen(text);
	if (rule->matched >= TRACER_TURN_BYTES || rule->used_ns > (uint64_t)TRACER_TURN_USEC * 1000)
		compile_again(rule);
	return found;
}

/* ---- writing ---- */

static void sink_write(struct sink *s, const char *text, size_t len)
{
	if (!sink_hold(s))
		return;
	while (len > 0 && !atomic_load(&s->is_dead)) {
		struct pollfd p = { .fd = s->writer.fd, .events = POLLOUT };
		int ready = poll(&p, 1, TRACER_STALL_MS);
		ssize_t n;

		if (ready == 0) {
			sink_die(s, "it takes nothing more");
			break;
		}
		n = ready < 0 ? -1 : passed_write(&s->writer, text, len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			sink_die(s, strerror(errno));
		if (n > 0) {
			text += n;
			len -= (size_t)n;
		}
	}
	sink_let_go(s);
}

static void log_lines(char *text)
{
	for (char *line; (line = strsep(&text, "\n")) != NULL;)
		if (*line != '\0')
			log_line(LOG_LEVEL_WARNING, "trace", NULL, "trace: %s", line);
}

static void print(FILE *out, const struct traced *t)
{
	static const struct trace_style plain = { 0 };
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX], rcode[RRTYPE_TEXT_MAX];
	char client[ADDR_TEXT_MAX];
	const struct traced_end *end = &t->end;

	fprintf(out, "%s %s from %s: %s after %llu.%llu ms and %u out-queries\n",
		name_to_text(name, t->name), rrtype_to_text(end->type, type),
		addr_ip_text(client, &end->client), rcode_to_text(end->rcode, rcode),
		(unsigned long long)end->us / 1000, (unsigned long long)end->us / 100 % 10,
		end->out_queries);
	trace_print(out, &t->events, &plain);
	if (t->events.lost > 0)
		fprintf(out, "%u more steps were not kept\n", t->events.lost);
}

static void write_traced(const struct traced *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (t->sink != NULL && atomic_load(&t->sink->is_dead))
		return;
	out = open_memstream(&text, &len);
	if (out == NULL)
		return;
	print(out, t);
	if (fclose(out) == 0 && text != NULL) {
		if (t->sink != NULL && t->sink->writer.fd >= 0)
			sink_write(t->sink, text, len);
		else
			log_lines(text);
	}
	free(text);
}

static void traced_free(struct tracer *t, struct traced *traced)
{
	sink_put(traced->sink);
	free(traced);
	atomic_fetch_sub(&t->n, 1);
}

static void *run(void *ctx)
{
	struct tracer *t = ctx;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		struct traced *traced = t->first;

		if (traced == NULL && t->stop)
			break;
		if (traced == NULL) {
			pthread_cond_wait(&t->changed, &t->lock);
			continue;
		}
		t->first = traced->next;
		if (t->first == NULL)
			t->last = &t->first;
		pthread_mutex_unlock(&t->lock);
		write_traced(traced);
		traced_free(t, traced);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* The thread is there from the first trace on; with the lock held. */
static bool start_thread(struct tracer *t)
{
	sigset_t all, before;

	if (t->started)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	t->started = pthread_create(&t->thread, NULL, run, t) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return t->started;
}

/* ---- the tracer ---- */

int tracer_new(struct tracer **out)
{
	struct tracer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return E_NOMEM;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	t->last = &t->first;
	*out = t;
	return E_OK;
}

void tracer_free(struct tracer *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
	if (t->started)
		pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct traced *tracer_begin(struct tracer *t, const struct trace_rule *rule)
{
	struct traced *traced = NULL;

	if (atomic_fetch_add(&t->n, 1) < TRACER_MAX)
		traced = malloc(sizeof(*traced));
	if (traced == NULL) {
		atomic_fetch_sub(&t->n, 1);
		return NULL;
	}
	/* The events are not cleared: that alone would cost some 10 us. */
	traced->next = NULL;
	traced->sink = rule != NULL ? sink_get(rule->sink) : NULL;
	trace_init(&traced->events);
	return traced;
}

struct trace *traced_events(struct traced *traced)
{
	return &traced->events;
}

void tracer_end(struct tracer *t, struct traced *traced, const struct traced_end *end)
{
	if (end != NULL) {
		traced->end = *end;
		name_copy(traced->name, end->name);
	}
	pthread_mutex_lock(&t->lock);
	if (end != NULL && start_thread(t)) {
		*t->last = traced;
		t->last = &traced->next;
		traced = NULL;
		pthread_cond_signal(&t->changed);
	}
	pthread_mutex_unlock(&t->lock);
	if (traced != NULL)
		traced_free(t, traced);
}
