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
#include <time.h>

#include "tests/soak/soak.h"

enum { FAILURES_MAX = 20, TELL_EVERY_S = 60 };

struct course {
	uint64_t first, n;
	uint64_t time_s; /* 0: as long as it takes */
	bool verbose;
};

static const char usage[] =
	"usage: soak [options]\n"
	"Runs the resolver in random small Internets with random faults, a seed each.\n"
	"\n"
	"  -n, --seeds N    so many seeds (default 1)\n"
	"  -s, --seed N     the first (default 1)\n"
	"  -t, --time S     end after so many seconds, wherever it is\n"
	"  -v, --trace      tell each seed's story: its Internet, each packet, and the resolver's own\n"
	"                   account of each question\n"
	"  -h, --help       this text\n";

static uint64_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec;
}

/* 0: go on; otherwise 1 + the exit status. */
static int parse_options(struct course *c, int argc, char **argv)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 'n' }, { "seed", required_argument, NULL, 's' },
		{ "time", required_argument, NULL, 't' },  { "trace", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },        { 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "n:s:t:vh", options, NULL)) >= 0) {
		switch (o) {
		case 'n':
			c->n = strtoull(optarg, NULL, 0);
			break;
		case 's':
			c->first = strtoull(optarg, NULL, 0);
			break;
		case 't':
			c->time_s = strtoull(optarg, NULL, 0);
			break;
		case 'v':
			c->verbose = true;
			break;
		default:
			fputs(usage, o == 'h' ? stdout : stderr);
			return o == 'h' ? 1 : 1 + 2;
		}
	}
	if (optind == argc)
		return 0;
	fputs(usage, stderr);
	return 1 + 2;
}

int main(int argc, char **argv)
{
	static struct soak s;
	struct course c = { .first = 1, .n = 1 };
	uint64_t passed = 0, failed = 0, began_s = now_s(), told_s = began_s;
	int end = parse_options(&c, argc, argv);

	if (end != 0)
		return end - 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (uint64_t i = 0; i < c.n && failed < FAILURES_MAX; i++) {
		if (c.time_s != 0 && i % 64 == 0 && now_s() - began_s >= c.time_s)
			break;
		if (soak_run(&s, c.first + i, c.verbose ? stdout : NULL)) {
			passed++;
		} else {
			failed++;
			printf("FAIL seed %" PRIu64 ": %s\n", c.first + i, s.failure);
		}
		if (i % 1024 == 0 && now_s() - told_s >= TELL_EVERY_S) {
			told_s = now_s();
			printf("%" PRIu64 " seeds, %" PRIu64 " failed\n", i + 1, failed);
		}
	}
	printf("%" PRIu64 " questions (%" PRIu64 " that must be resolved; %" PRIu64
	       " could not), %" PRIu64 " to servers\n",
	       s.questions, s.musts, s.failures, s.out_queries);
	printf("TOTAL passed=%" PRIu64 " failed=%" PRIu64 " skipped=0\n", passed, failed);
	return failed > 0;
}
