/*
 * The unit tests: runs every suite, or those named as arguments.
 *
 * tests/unit/test_<module>.c defines `Suite *suite_<module>(void)`; build/gen/suites.h, made
 * by the Makefile from the names of the files, lists them.  The last line is for tests/run.
 *
 * Tests of a case with the tag "process" look at what the kernel gives the process, of which memcheck
 * has a part for itself, and those with the tag "time" at what takes too long, which under memcheck all
 * does: CK_EXCLUDE_TAGS='process time' leaves them out.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gen/suites.h"

#define SUITE_DECLARE(name) Suite *suite_##name(void);
SUITES(SUITE_DECLARE)
#undef SUITE_DECLARE

static const struct {
	const char *name;
	Suite *(*make)(void);
} suites[] = {
#define SUITE_ROW(name) { #name, suite_##name },
	SUITES(SUITE_ROW)
#undef SUITE_ROW
};

static bool is_wanted(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc == 1;
}

int main(int argc, char **argv)
{
	SRunner *runner;
	int run, failed;

	/* A test that hangs is to end; one on a busy machine is to have its time (check's own four
	 * seconds are not enough there). */
	(void)setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	runner = srunner_create(NULL);
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (is_wanted(suites[i].name, argc, argv))
			srunner_add_suite(runner, suites[i].make());
	srunner_run_all(runner, CK_ENV);
	run = srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);

	printf("TOTAL passed=%d failed=%d skipped=0\n", run - failed, failed);
	/* Nothing run where something was named is a mistyped name, not a success, unless all of it was to
	 * be left out. */
	return failed == 0 && (run > 0 || argc == 1 || getenv("CK_EXCLUDE_TAGS") != NULL)
		       ? EXIT_SUCCESS
		       : EXIT_FAILURE;
}
