/*
 * sim: plays .rpl scenarios against the resolver on a simulated network.
 *
 * The last line of its output is `TOTAL passed=N failed=N skipped=N`; the exit status is 0 when
 * nothing failed, 1 when something did, 2 when it was called wrongly.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/check.h"
#include "tests/sim/generate.h"
#include "tests/sim/play.h"

enum { SKIPS_MAX = 1000 };

struct run {
	struct play_options play;
	bool list;
	int only_minimise; /* -1: both ways */
	unsigned seeds;
	struct {
		char name[64], why[160];
	} skip[SKIPS_MAX];
	size_t n_skip;
	unsigned passed, failed, skipped, unforeseen;
};

static const char usage[] =
	"usage: sim [options] FILE|DIRECTORY...\n"
	"Plays .rpl scenarios against the resolver on a simulated network.\n"
	"\n"
	"  -v, --trace        print each packet and the resolver's own account of each question\n"
	"  -l, --list         read the scenarios and list them; play none\n"
	"  -m, --minimise M   on or off: only with or without query name minimisation\n"
	"  -s, --skip-file F  lines of `name reason`: scenarios not to play\n"
	"  -a, --all          play what needs DNSSEC, DNS64, forwarding or policies, too\n"
	"  -f, --foreign      special names as `test.` are names like others\n"
	"  -S, --strict       a question that the scenario did not foresee fails it\n"
	"      --seed N       start of the random numbers (default 1)\n"
	"      --seeds N      play each with N seeds, counting up\n"
	"  -h, --help         this text\n";

static int read_skips(struct run *r, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");

	if (f == NULL) {
		fprintf(stderr, "sim: %s: %s\n", path, strerror(errno));
		return -1;
	}
	while (r->n_skip < SKIPS_MAX && fgets(line, sizeof(line), f) != NULL) {
		r->skip[r->n_skip].why[0] = '\0';
		if (line[0] != '#' && sscanf(line, "%63s %159[^\n]", r->skip[r->n_skip].name,
					     r->skip[r->n_skip].why) >= 1)
			r->n_skip++;
	}
	fclose(f);
	return 0;
}

static const char *reason_to_skip(const struct run *r, const struct scenario *s)
{
	for (size_t i = 0; i < r->n_skip; i++)
		if (strcmp(r->skip[i].name, s->name) == 0)
			return r->skip[i].why;
	return r->play.all ? NULL : play_reason_to_skip(s);
}

static bool goes_with(const struct run *r, const struct scenario *s, bool minimise)
{
	const char *fixed = scenario_option(s, "query-minimization");

	if (r->only_minimise >= 0 && r->only_minimise != minimise)
		return false;
	return fixed == NULL || (strcmp(fixed, "on") == 0 || strcmp(fixed, "yes") == 0) == minimise;
}

static void play_ways(struct run *r, struct scenario *s)
{
	for (int minimise = 1; minimise >= 0; minimise--) {
		struct play_options o = r->play;

		if (!goes_with(r, s, minimise))
			continue;
		o.minimise = minimise;
		for (unsigned i = 0; i < r->seeds; i++, o.seed++) {
			struct play_result result;

			play(s, &o, &result);
			r->unforeseen += result.unforeseen;
			if (result.passed) {
				r->passed++;
				continue;
			}
			r->failed++;
			if (r->seeds > 1)
				fprintf(o.out, "  with --seed %llu\n", (unsigned long long)o.seed);
		}
	}
}

static bool generators_exist(const struct scenario *s, char *why)
{
	for (size_t i = 0; i < s->n_ranges; i++)
		if (s->ranges[i].generate != NULL && !generate_knows(s->ranges[i].generate)) {
			snprintf(why, SCENARIO_WHY_MAX, "%s:%u: unknown: GENERATE %s", s->path,
				 s->ranges[i].line, s->ranges[i].generate);
			return false;
		}
	return true;
}

static void play_file(struct run *r, const char *path)
{
	struct scenario *s = NULL;
	char why[SCENARIO_WHY_MAX];
	const char *skip;

	if (scenario_read(&s, path, why) != E_OK || !generators_exist(s, why)) {
		fprintf(r->play.out, "FAIL %s\n", why);
		r->failed++;
		scenario_free(s);
		return;
	}
	skip = reason_to_skip(r, s);
	if (r->list) {
		fprintf(r->play.out, "%-44s %3zu steps  %s%s%s\n", s->name, s->n_steps, s->title,
			skip != NULL ? "  SKIP: " : "", skip != NULL ? skip : "");
	} else if (skip != NULL) {
		fprintf(r->play.out, "skip %s: %s\n", s->name, skip);
		r->skipped++;
	} else {
		play_ways(r, s);
	}
	scenario_free(s);
}

static int is_scenario(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot != NULL && strcmp(dot, ".rpl") == 0;
}

static void play_path(struct run *r, const char *path)
{
	struct dirent **list = NULL;
	struct stat st;
	int n;

	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		play_file(r, path);
		return;
	}
	n = scandir(path, &list, is_scenario, alphasort);
	for (int i = 0; i < n; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, list[i]->d_name);
		play_file(r, file);
		free(list[i]);
	}
	free(list);
	if (n <= 0) {
		fprintf(r->play.out, "FAIL %s: no scenarios there\n", path);
		r->failed++;
	}
}

/* 0: go on; otherwise 1 + the exit status. */
static int parse_options(struct run *r, int argc, char **argv)
{
	enum { SEED = 256, SEEDS };
	static const struct option options[] = {
		{ "trace", no_argument, NULL, 'v' },
		{ "list", no_argument, NULL, 'l' },
		{ "minimise", required_argument, NULL, 'm' },
		{ "skip-file", required_argument, NULL, 's' },
		{ "all", no_argument, NULL, 'a' },
		{ "foreign", no_argument, NULL, 'f' },
		{ "strict", no_argument, NULL, 'S' },
		{ "seed", required_argument, NULL, SEED },
		{ "seeds", required_argument, NULL, SEEDS },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "vlm:s:afSh", options, NULL)) >= 0) {
		switch (c) {
		case 'v':
			r->play.verbose = true;
			break;
		case 'l':
			r->list = true;
			break;
		case 'm':
			r->only_minimise = strcmp(optarg, "on") == 0;
			break;
		case 's':
			if (read_skips(r, optarg) != 0)
				return 1 + 2;
			break;
		case 'a':
			r->play.all = true;
			break;
		case 'f':
			r->play.foreign = true;
			break;
		case 'S':
			r->play.strict = true;
			break;
		case SEED:
			r->play.seed = strtoull(optarg, NULL, 0);
			break;
		case SEEDS:
			r->seeds = (unsigned)strtoul(optarg, NULL, 0);
			break;
		default:
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? 1 : 1 + 2;
		}
	}
	if (optind < argc)
		return 0;
	fputs(usage, stderr);
	return 1 + 2;
}

int main(int argc, char **argv)
{
	static struct run r = {
		.play = { .seed = 1 },
		.only_minimise = -1,
		.seeds = 1,
	};
	int end;

	r.play.out = stdout;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if ((end = parse_options(&r, argc, argv)) != 0)
		return end - 1;
	for (int i = optind; i < argc; i++)
		play_path(&r, argv[i]);
	if (r.list)
		return r.failed > 0;
	if (r.unforeseen > 0)
		printf("%u questions to servers were not foreseen\n", r.unforeseen);
	printf("TOTAL passed=%u failed=%u skipped=%u\n", r.passed, r.failed, r.skipped);
	return r.failed > 0;
}
