/* course: see course.h. */
#include "tests/soak/course.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"

enum { BLOCK = 32, TELL_SELDOM_S = 60, NAP_MS = 100 };

/* One runner's account, written by it alone. */
struct lane {
	pid_t pid;
	uint64_t next, end; /* of its block: the seed in work is next - 1 */
	struct course_totals totals;
};

struct shared {
	atomic_uint_fast64_t taken; /* seeds given out */
	atomic_bool is_over;
	struct lane lanes[COURSE_JOBS_MAX];
};

struct running {
	const struct course *c;
	course_run_one run_one;
	void *ctx;
	struct shared *shared;
	struct course_totals lost; /* seeds that took their runner with them */
	double began_s, told_s;
	bool is_watched, has_told;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One write: runners share the output. */
static void failure_print(const struct running *r, uint64_t seed, const char *why)
{
	printf("%sFAIL seed %" PRIu64 ": %s\n     replay: %s --seed %" PRIu64 " --trace\n",
	       r->has_told && r->is_watched ? "\n" : "", seed, why, r->c->program, seed);
	fflush(stdout);
}

static void add(struct course_totals *to, const struct course_totals *from)
{
	to->passed += from->passed;
	to->failed += from->failed;
	for (unsigned i = 0; i < COURSE_TOTALS; i++)
		to->sums[i] += from->sums[i];
}

static void totals_add_up(const struct running *r, struct course_totals *out)
{
	*out = r->lost;
	for (unsigned i = 0; i < COURSE_JOBS_MAX; i++)
		add(out, &r->shared->lanes[i].totals);
	out->seconds = now_s() - r->began_s;
}

/* ---- a runner ---- */

static bool block_take(struct running *r, struct lane *l)
{
	uint64_t at;

	if (atomic_load(&r->shared->is_over))
		return false;
	at = atomic_fetch_add(&r->shared->taken, BLOCK);
	if (at >= r->c->n)
		return false;
	l->next = r->c->first + at;
	l->end = l->next + (r->c->n - at < BLOCK ? r->c->n - at : BLOCK);
	return true;
}

static void lane_run(struct running *r, struct lane *l)
{
	do {
		while (l->next < l->end && !atomic_load(&r->shared->is_over)) {
			uint64_t seed = l->next++;
			const char *why = r->run_one(r->ctx, seed, l->totals.sums);

			l->totals.passed += why == NULL;
			l->totals.failed += why != NULL;
			if (why != NULL)
				failure_print(r, seed, why);
			if (r->c->jobs == 0 && l->totals.failed >= COURSE_FAILURES_MAX)
				return;
		}
	} while (block_take(r, l));
}

static void lane_start(struct running *r, struct lane *l)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0);
	if (pid != 0) {
		l->pid = pid;
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpgid(0, 0); /* ^C is the first process's, who tells how far it came */
	lane_run(r, l);
	fflush(stdout);
	_exit(0);
}

/* ---- who watches them ---- */

static void tell(struct running *r)
{
	double now = now_s();
	double pause_s = r->is_watched ? 1 : TELL_SELDOM_S;
	struct course_totals t;

	if (now - r->began_s < COURSE_TELL_S || (r->has_told && now - r->told_s < pause_s))
		return;
	r->told_s = now;
	r->has_told = true;
	totals_add_up(r, &t);
	fprintf(stderr, "%s%" PRIu64 " of %" PRIu64 " seeds, %.0f a second, %" PRIu64 " failed%s",
		r->is_watched ? "\r" : "", t.passed + t.failed, r->c->n,
		(double)(t.passed + t.failed) / t.seconds, t.failed, r->is_watched ? "  " : "\n");
}

/* A runner has ended: because there is nothing left, or with the seed it had in work. */
static bool lane_bury(struct running *r, struct lane *l, int status)
{
	char why[64];

	l->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return false;
	if (WIFSIGNALED(status))
		snprintf(why, sizeof(why), "killed by signal %d", WTERMSIG(status));
	else
		snprintf(why, sizeof(why), "ended with status %d", WEXITSTATUS(status));
	r->lost.failed++;
	failure_print(r, l->next - 1, why);
	return true;
}

static unsigned lanes_reap(struct running *r)
{
	unsigned alive = 0;

	for (unsigned i = 0; i < r->c->jobs; i++) {
		struct lane *l = &r->shared->lanes[i];
		int status = 0;

		if (l->pid != 0 && waitpid(l->pid, &status, WNOHANG) == l->pid &&
		    lane_bury(r, l, status) && !atomic_load(&r->shared->is_over))
			lane_start(r, l);
		alive += l->pid != 0;
	}
	return alive;
}

static volatile sig_atomic_t is_interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	is_interrupted = 1;
}

static void lanes_run(struct running *r)
{
	unsigned alive = r->c->jobs;
	struct course_totals t;

	for (unsigned i = 0; i < r->c->jobs; i++)
		lane_start(r, &r->shared->lanes[i]);
	signal(SIGINT, on_interrupt);
	while (alive > 0) {
		poll(NULL, 0, NAP_MS);
		tell(r);
		totals_add_up(r, &t);
		if (is_interrupted || t.failed >= COURSE_FAILURES_MAX ||
		    (r->c->time_s != 0 && t.seconds >= (double)r->c->time_s))
			atomic_store(&r->shared->is_over, true);
		alive = lanes_reap(r);
	}
	if (r->has_told && r->is_watched)
		fputc('\n', stderr);
}

bool course_option(struct course *c, int letter, const char *value)
{
	switch (letter) {
	case 'n':
		c->n = strtoull(value, NULL, 0);
		return true;
	case 's':
		c->first = strtoull(value, NULL, 0);
		return true;
	case 'j':
		c->jobs = (unsigned)strtoul(value, NULL, 0);
		return true;
	case 't':
		c->time_s = strtoull(value, NULL, 0);
		return true;
	default:
		return false;
	}
}

int course_options(struct course *c, const char *usage, int argc, char **argv)
{
	static const struct option options[] = {
		COURSE_OPTIONS,
		{ "trace", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int letter;

	c->program = argv[0];
	while ((letter = getopt_long(argc, argv, COURSE_LETTERS "vh", options, NULL)) >= 0) {
		if (course_option(c, letter, optarg))
			continue;
		if (letter != 'v') {
			fputs(usage, letter == 'h' ? stdout : stderr);
			return letter == 'h' ? 1 : 1 + 2;
		}
		c->tells = true;
	}
	if (c->tells)
		c->jobs = 0;
	if (optind == argc && c->jobs <= COURSE_JOBS_MAX)
		return 0;
	fputs(usage, stderr);
	return 1 + 2;
}

void course_run(const struct course *c, course_run_one run_one, void *ctx,
		struct course_totals *totals)
{
	struct running r = {
		.c = c,
		.run_one = run_one,
		.ctx = ctx,
		.began_s = now_s(),
		.is_watched = isatty(STDERR_FILENO) != 0,
	};

	r.shared = mmap(NULL, sizeof(*r.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	ASSERT(r.shared != MAP_FAILED);
	if (c->jobs == 0)
		lane_run(&r, &r.shared->lanes[0]);
	else
		lanes_run(&r);
	totals_add_up(&r, totals);
	munmap(r.shared, sizeof(*r.shared));
}
