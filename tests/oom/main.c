/*
 * oom: see oom.h.
 *
 * The last line of its output is `TOTAL passed=N failed=N skipped=0`, a case or seed each; the exit
 * status is 0 when nothing failed, 1 when something did, 2 when it was called wrongly.
 */
#include "tests/oom/oom.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/oom/alloc.h"
#include "tests/soak/course.h"
#include "tests/soak/soak.h"

static const char usage[] =
	"usage: oom [options]\n"
	"Has each allocation fail in turn: in cases of its own, then in runs of the soak.\n"
	"\n"
	"  -n, --seeds N    so many cases and seeds (default: all cases)\n"
	"  -s, --seed N     the first: the cases have numbers from 1 on, seeds of the soak from 1001 on\n"
	"  -a, --at N       only the N-th allocation\n"
	"  -m, --most N     so many allocations of each, evenly spread (default: every one)\n"
	"  -j, --jobs N     so many side by side (default 1); 0: in this process, for debuggers\n"
	"  -t, --time S     end after so many seconds, wherever it is\n"
	"  -v, --trace      tell what is going on; with --at also a seed's story\n"
	"  -h, --help       this text\n";

enum { SEEDS_FROM = 1000 };

struct options {
	struct course course;
	uint64_t at, most;
};

/* 0: go on; otherwise 1 + the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		COURSE_OPTIONS,
		{ "at", required_argument, NULL, 'a' },
		{ "most", required_argument, NULL, 'm' },
		{ "trace", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, COURSE_LETTERS "a:m:vh", options, NULL)) >= 0) {
		if (course_option(&o->course, c, optarg))
			continue;
		switch (c) {
		case 'a':
			o->at = strtoull(optarg, NULL, 0);
			break;
		case 'm':
			o->most = strtoull(optarg, NULL, 0);
			break;
		case 'v':
			o->course.tells = true;
			o->course.jobs = 0;
			break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 1 : 1 + 2;
		}
	}
	if (optind == argc && o->course.jobs <= COURSE_JOBS_MAX)
		return 0;
	fputs(usage, stderr);
	return 1 + 2;
}

/* ---- one run ---- */

static struct soak soak;

static const char *seed_run(uint64_t seed, uint64_t n, FILE *out)
{
	soak.starved = n > 0;
	return soak_run(&soak, seed, out) ? NULL : soak.failure;
}

static const char *run_once(const struct options *o, uint64_t number, uint64_t n,
			    enum alloc_failure how)
{
	static char text[512];
	const char *why, *leaked;

	if (o->course.tells)
		printf("%" PRIu64 ": allocation %" PRIu64 "%s\n", number, n,
		       how == ALLOC_FROM_ON ? " and all after it" : "");
	alloc_begin(n, how);
	if (number > SEEDS_FROM) {
		why = seed_run(number - SEEDS_FROM, n,
			       o->course.tells && o->at != 0 ? stdout : NULL);
	} else {
		const struct oom_case *c = oom_cases_at(number - 1);

		why = c->run(c->argument, n == 0);
	}
	leaked = alloc_end();
	if (why == NULL && leaked == NULL)
		return NULL;
	snprintf(text, sizeof(text), "allocation %" PRIu64 "%s: %.400s", n,
		 how == ALLOC_FROM_ON ? " and all after it" : "", why != NULL ? why : leaked);
	return text;
}

/* With nothing failing first: that tells how many there are. */
static const char *run_one(void *ctx, uint64_t number, uint64_t sums[COURSE_TOTALS])
{
	const struct options *o = ctx;
	const char *why = run_once(o, number, 0, ALLOC_ONE);
	uint64_t total = alloc_count(), n = 1, last = total, step = 1;

	if (o->most > 0 && total > o->most)
		step = total / o->most;
	if (o->at != 0)
		n = last = o->at;
	for (; why == NULL && n <= last; n += step) {
		why = run_once(o, number, n, ALLOC_ONE);
		if (why == NULL)
			why = run_once(o, number, n, ALLOC_FROM_ON);
		sums[0] += 2;
	}
	return why;
}

int main(int argc, char **argv)
{
	struct options o = {
		.course = { .first = 1, .n = oom_cases_count(), .jobs = 1, .program = argv[0] },
	};
	struct course_totals t;
	int end = parse_options(&o, argc, argv);

	if (end != 0)
		return end - 1;
	if (o.course.first == 0 ||
	    (o.course.first <= SEEDS_FROM && o.course.first - 1 + o.course.n > oom_cases_count())) {
		fprintf(stderr, "oom: cases have the numbers 1 to %zu\n", oom_cases_count());
		return 2;
	}
	setvbuf(stdout, NULL, o.course.tells ? _IOLBF : _IOFBF, 0);
	json_set_alloc_funcs(oom_malloc, oom_free);
	soak.harness = alloc_pause;
	soak.relent = alloc_relent;
	course_run(&o.course, run_one, &o, &t);
	printf("%" PRIu64 " runs with an allocation failing\n", t.sums[0]);
	printf("TOTAL passed=%" PRIu64 " failed=%" PRIu64 " skipped=0\n", t.passed, t.failed);
	return t.failed > 0;
}
