/*
 * soak: the resolver among random small Internets with random faults, a seed each.
 *
 * The last line of its output is `TOTAL passed=N failed=N skipped=0`; the exit status is 0 when
 * nothing failed, 1 when something did, 2 when it was called wrongly.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/soak/course.h"
#include "tests/soak/soak.h"

static const char usage[] =
	"usage: soak [options]\n"
	"Runs the resolver in random small Internets with random faults, a seed each.\n"
	"\n"
	"  -n, --seeds N    so many seeds (default 1)\n"
	"  -s, --seed N     the first (default 1)\n"
	"  -j, --jobs N     so many side by side, each in a process of its own (default 1);\n"
	"                   0: in this process, for debuggers\n"
	"  -t, --time S     end after so many seconds, wherever it is\n"
	"  -v, --trace      tell each seed's story: its Internet, each packet, and the resolver's own\n"
	"                   account of each question\n"
	"  -h, --help       this text\n";

struct options {
	struct course course;
	bool tells;
};

/* 0: go on; otherwise 1 + the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		COURSE_OPTIONS,
		{ "trace", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, COURSE_LETTERS "vh", options, NULL)) >= 0) {
		if (course_option(&o->course, c, optarg))
			continue;
		switch (c) {
		case 'v':
			o->tells = true;
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

static const char *run_one(void *ctx, uint64_t seed, uint64_t sums[COURSE_TOTALS])
{
	static struct soak s;
	const struct options *o = ctx;
	bool passed = soak_run(&s, seed, o->tells ? stdout : NULL);

	sums[0] += s.questions;
	sums[1] += s.musts;
	sums[2] += s.failures;
	sums[3] += s.out_queries;
	sums[4] += s.hits;
	return passed ? NULL : s.failure;
}

int main(int argc, char **argv)
{
	struct options o = { .course = { .first = 1, .n = 1, .jobs = 1 } };
	struct course_totals t;
	int end = parse_options(&o, argc, argv);

	if (end != 0)
		return end - 1;
	/* A story is read as far as it came, should it end early. */
	if (o.tells)
		o.course.jobs = 0;
	setvbuf(stdout, NULL, o.tells ? _IOLBF : _IOFBF, 0);
	o.course.program = argv[0];
	course_run(&o.course, run_one, &o, &t);
	printf("%" PRIu64 " questions (%" PRIu64 " that must be resolved; %" PRIu64
	       " could not; %" PRIu64 " from packet caches), %" PRIu64 " to servers; "
	       "%.0f seeds a second\n",
	       t.sums[0], t.sums[1], t.sums[2], t.sums[4], t.sums[3],
	       (double)(t.passed + t.failed) / t.seconds);
	printf("TOTAL passed=%" PRIu64 " failed=%" PRIu64 " skipped=0\n", t.passed, t.failed);
	return t.failed > 0;
}
