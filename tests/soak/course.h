/*
 * course: many seeds, one after another or side by side.
 *
 * Each runner is a process of its own that takes the next few seeds when it is done with the last
 * ones; so a seed that crashes is known by its number, costs one failed test and nothing else, and
 * another runner goes on.
 *
 *     course_run(&course, run_one, ctx, &totals);
 *
 * Progress goes to standard error once the run has lasted COURSE_TELL_S seconds: a line that is
 * rewritten, or one a minute when nobody looks.
 *
 * Memory:  a page shared with the runners.
 */
#ifndef SOAK_COURSE_H
#define SOAK_COURSE_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	COURSE_JOBS_MAX = 64,
	COURSE_FAILURES_MAX = 20, /* then the run ends */
	COURSE_TELL_S = 2,
	COURSE_TOTALS = 8,
};

struct course {
	uint64_t first, n;
	uint64_t time_s;     /* 0: as long as it takes */
	unsigned jobs;       /* 0: in this process, for debuggers */
	bool tells;          /* each seed's story is told, in this process */
	const char *program; /* that repeats a seed, with its options */
};

/* The options of every program that runs a course, and their letters. */
// clang-format off
#define COURSE_OPTIONS                                                                             \
	{ "seeds", required_argument, NULL, 'n' }, { "seed", required_argument, NULL, 's' },       \
	{ "jobs", required_argument, NULL, 'j' }, { "time", required_argument, NULL, 't' }
// clang-format on
#define COURSE_LETTERS "n:s:j:t:"

/* Takes one of them, as getopt_long() gave it.  False: it is none of these. */
bool course_option(struct course *c, int letter, const char *value);

/* A whole command line of them, with -v (tells) and -h: `c` as it was, but for what is said there.
 * 0: go on; otherwise 1 + the exit status, and `usage` has been printed. */
int course_options(struct course *c, const char *usage, int argc, char **argv);
#define COURSE_USAGE                                                                               \
	"  -n, --seeds N    so many seeds (default 1)\n"                                           \
	"  -s, --seed N     the first (default 1)\n"                                               \
	"  -j, --jobs N     so many side by side, each in a process of its own (default 1);\n"     \
	"                   0: in this process, for debuggers\n"                                   \
	"  -t, --time S     end after so many seconds, wherever it is\n"

struct course_totals {
	uint64_t passed, failed;
	uint64_t sums[COURSE_TOTALS]; /* whatever run_one() adds up */
	double seconds;
};

/* Runs a seed; adds to `sums`.  NULL, or why it failed: a string that lasts until the next call. */
typedef const char *(*course_run_one)(void *ctx, uint64_t seed, uint64_t sums[COURSE_TOTALS]);

void course_run(const struct course *c, course_run_one run_one, void *ctx,
		struct course_totals *totals);

#endif
