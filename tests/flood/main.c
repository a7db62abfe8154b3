/*
 * flood: random floods against one domain among ordinary traffic, a seed each; see flood.h.
 *
 * The last line of its output is `TOTAL passed=N failed=N skipped=0`; the exit status is 0 when
 * nothing failed, 1 when something did, 2 when it was called wrongly.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "tests/flood/flood.h"
#include "tests/soak/course.h"

static const char usage[] =
	"usage: flood [options]\n"
	"Floods a domain with random names, among ordinary traffic, a seed each.\n"
	"\n"
	"  -n, --seeds N    so many seeds (default 1)\n"
	"  -s, --seed N     the first (default 1)\n"
	"  -j, --jobs N     so many side by side, each in a process of its own (default 1);\n"
	"                   0: in this process, for debuggers\n"
	"  -t, --time S     end after so many seconds, wherever it is\n"
	"  -v, --trace      tell what became of each seed's queries\n"
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
		if (c != 'v') {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 1 : 1 + 2;
		}
		o->tells = true;
	}
	if (optind == argc && o->course.jobs <= COURSE_JOBS_MAX)
		return 0;
	fputs(usage, stderr);
	return 1 + 2;
}

enum { SUM_LEGIT, SUM_FLOOD, SUM_VICTIM, SUM_TURNED };

static const char *run_one(void *ctx, uint64_t seed, uint64_t sums[COURSE_TOTALS])
{
	static struct flood f;
	const struct options *o = ctx;
	bool passed = flood_run(&f, seed, o->tells ? stdout : NULL);

	for (unsigned i = PHASE_ONSET; i < PHASES; i++) {
		sums[SUM_LEGIT] += f.scores[i][KIND_LEGIT].right;
		sums[SUM_FLOOD] += f.scores[i][KIND_FLOOD].asked;
		sums[SUM_VICTIM] += f.victim_asked[i];
		sums[SUM_TURNED] += f.scores[i][KIND_FLOOD].turned;
	}
	return passed ? NULL : f.failure;
}

int main(int argc, char **argv)
{
	struct options o = { .course = { .first = 1, .n = 1, .jobs = 1 } };
	struct course_totals t;
	int end = parse_options(&o, argc, argv);

	if (end != 0)
		return end - 1;
	if (o.tells)
		o.course.jobs = 0;
	else
		log_set_level(LOG_LEVEL_ERROR);
	o.course.program = argv[0];
	course_run(&o.course, run_one, &o, &t);
	printf("%" PRIu64 " queries of a flood, %" PRIu64 " of them turned away; %" PRIu64
	       " others answered; %" PRIu64 " questions to the victim; %.1f seeds a second\n",
	       t.sums[SUM_FLOOD], t.sums[SUM_TURNED], t.sums[SUM_LEGIT], t.sums[SUM_VICTIM],
	       (double)(t.passed + t.failed) / t.seconds);
	printf("TOTAL passed=%" PRIu64 " failed=%" PRIu64 " skipped=0\n", t.passed, t.failed);
	return t.failed > 0;
}
