/*
 * soak: the resolver among random small Internets with random faults, a seed each.
 *
 * The last line of its output is `TOTAL passed=N failed=N skipped=0`; the exit status is 0 when
 * nothing failed, 1 when something did, 2 when it was called wrongly.
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/oom/alloc.h"
#include "tests/soak/course.h"
#include "tests/soak/soak.h"

static const char usage[] =
	"usage: soak [options]\n"
	"Runs the resolver in random small Internets with random faults, a seed each.\n"
	"\n" COURSE_USAGE
	"  -v, --trace      tell each seed's story: its Internet, each packet, and the resolver's own\n"
	"                   account of each question\n"
	"  -h, --help       this text\n";

/* NULL, or why it failed. */
static const char *run_counted(struct soak *s, uint64_t seed, FILE *out)
{
	const char *leaked;
	bool passed;

	alloc_begin(0, ALLOC_ONE);
	passed = soak_run(s, seed, out);
	leaked = alloc_end();
	return passed ? leaked : s->failure;
}

static const char *run_one(void *ctx, uint64_t seed, uint64_t sums[COURSE_TOTALS])
{
	static struct soak s;
	const struct course *c = ctx;
	const char *why = run_counted(&s, seed, c->tells ? stdout : NULL);

	/* What is made once and kept as long as the process lives is not made again: what is leaked
	 * is so each time. */
	if (why != NULL && s.failure[0] == '\0')
		why = run_counted(&s, seed, NULL);
	sums[0] += s.questions;
	sums[1] += s.musts;
	sums[2] += s.failures;
	sums[3] += s.out_queries;
	sums[4] += s.hits;
	return why;
}

int main(int argc, char **argv)
{
	struct course c = { .first = 1, .n = 1, .jobs = 1 };
	struct course_totals t;
	int end = course_options(&c, usage, argc, argv);

	if (end != 0)
		return end - 1;
	/* A story is read as far as it came, should it end early. */
	setvbuf(stdout, NULL, c.tells ? _IOLBF : _IOFBF, 0);
	course_run(&c, run_one, &c, &t);
	printf("%" PRIu64 " questions (%" PRIu64 " that must be resolved; %" PRIu64
	       " could not; %" PRIu64 " from packet caches), %" PRIu64 " to servers; "
	       "%.0f seeds a second\n",
	       t.sums[0], t.sums[1], t.sums[2], t.sums[4], t.sums[3],
	       (double)(t.passed + t.failed) / t.seconds);
	printf("TOTAL passed=%" PRIu64 " failed=%" PRIu64 " skipped=0\n", t.passed, t.failed);
	return t.failed > 0;
}
