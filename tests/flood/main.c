/*
 * flood: random floods against one domain among ordinary traffic, a seed each; see flood.h.
 *
 * The last line of its output is `TOTAL passed=N failed=N skipped=0`; the exit status is 0 when
 * nothing failed, 1 when something did, 2 when it was called wrongly.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/log.h"
#include "tests/flood/flood.h"
#include "tests/soak/course.h"

static const char usage[] =
	"usage: flood [options]\n"
	"Floods a domain with random names, among ordinary traffic, a seed each.\n"
	"\n" COURSE_USAGE "  -v, --trace      tell what became of each seed's queries\n"
	"  -h, --help       this text\n";

enum { SUM_LEGIT, SUM_FLOOD, SUM_VICTIM, SUM_TURNED };

static const char *run_one(void *ctx, uint64_t seed, uint64_t sums[COURSE_TOTALS])
{
	static struct flood f;
	const struct course *c = ctx;
	bool passed = flood_run(&f, seed, c->tells ? stdout : NULL);

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
	struct course c = { .first = 1, .n = 1, .jobs = 1 };
	struct course_totals t;
	int end = course_options(&c, usage, argc, argv);

	if (end != 0)
		return end - 1;
	if (!c.tells)
		log_set_level(LOG_LEVEL_ERROR);
	course_run(&c, run_one, &c, &t);
	printf("%" PRIu64 " queries of a flood, %" PRIu64 " of them turned away; %" PRIu64
	       " others answered; %" PRIu64 " questions to the victim; %.1f seeds a second\n",
	       t.sums[SUM_FLOOD], t.sums[SUM_TURNED], t.sums[SUM_LEGIT], t.sums[SUM_VICTIM],
	       (double)(t.passed + t.failed) / t.seconds);
	printf("TOTAL passed=%" PRIu64 " failed=%" PRIu64 " skipped=0\n", t.passed, t.failed);
	return t.failed > 0;
}
