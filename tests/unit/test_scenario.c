/* What is wrong in a scenario is said in one line, with the file and the line that it is about. */
#include "tests/sim/scenario.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"

#define HEAD                                                                                       \
	"stub-addr: 192.0.2.1\nCONFIG_END\n" /* lines 1, 2 */                                      \
	"SCENARIO_BEGIN title\n"                                                                   \
	"RANGE_BEGIN 0 100\n"                                                                      \
	"\tADDRESS 192.0.2.1\n"                                                                    \
	"ENTRY_BEGIN\n" /* line 6 */
#define QUESTION "SECTION QUESTION\nwww.example. IN A\n"
#define TAIL "ENTRY_END\nRANGE_END\nSTEP 1 TIME_PASSES ELAPSE 1\nSCENARIO_END\n"

static char path[64];

static void make_file(void)
{
	int fd;

	strcpy(path, "/tmp/unit_scenario_XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

static void remove_file(void)
{
	(void)unlink(path);
}

static int read_text(struct scenario **out, const char *text, char why[SCENARIO_WHY_MAX])
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	return scenario_read(out, path, why);
}

static const struct {
	const char *text;
	unsigned line;
	const char *what;
} wrong[] = {
	{ HEAD "ADJUST frob\n" QUESTION TAIL, 7, "unknown word in ADJUST: frob" },
	{ HEAD "MATCH frob\n" QUESTION TAIL, 7, "unknown word in MATCH: frob" },
	{ HEAD "REPLY QR FROB\n" QUESTION TAIL, 7, "unknown word in REPLY: FROB" },
	{ HEAD "SECTION FROB\n" TAIL, 7, "unknown section: FROB" },
	{ HEAD "www.example. IN A\n" TAIL, 7,
	  "a record outside of any section: www.example. IN A" },
	{ HEAD "MATCH qname\nADJUST ttl=5\n" QUESTION TAIL, 8, "ttl= in ADJUST without zone" },
	{ HEAD "ADJUST copy_id delay=5 ttl=0\n" QUESTION TAIL, 7, "ttl= in ADJUST without zone" },
	{ HEAD QUESTION, 8, "ENTRY_END is missing" },
};

START_TEST(what_is_wrong_is_said)
{
	char why[SCENARIO_WHY_MAX] = "", expected[SCENARIO_WHY_MAX];
	struct scenario *s = NULL;

	ck_assert_int_eq(read_text(&s, wrong[_i].text, why), E_MALFORMED);
	ck_assert_ptr_null(s);
	(void)snprintf(expected, sizeof(expected), "%s:%u: %s", path, wrong[_i].line,
		       wrong[_i].what);
	ck_assert_str_eq(why, expected);
}
END_TEST

static const char *const right[] = {
	HEAD "ADJUST zone ttl=5\n" QUESTION TAIL,
	HEAD "ADJUST ttl=5 zone\n" QUESTION TAIL,
	HEAD "ADJUST ttl=5\nADJUST zone\n" QUESTION TAIL,
};

START_TEST(a_zone_has_a_ttl)
{
	char why[SCENARIO_WHY_MAX] = "";
	struct scenario *s = NULL;

	ck_assert_msg(read_text(&s, right[_i], why) == E_OK, "%s", why);
	ck_assert_uint_eq(s->n_ranges, 1);
	ck_assert_uint_eq(s->ranges[0].n_entries, 1);
	ck_assert_uint_eq(s->ranges[0].entries[0]->ttl, 5);
	ck_assert_uint_eq(s->ranges[0].entries[0]->adjust, ADJUST_ZONE);
	scenario_free(s);
}
END_TEST

Suite *suite_scenario(void);

Suite *suite_scenario(void)
{
	Suite *s = suite_create("scenario");
	TCase *t = tcase_create("scenario");

	tcase_add_checked_fixture(t, make_file, remove_file);
	tcase_add_loop_test(t, what_is_wrong_is_said, 0, ARRAY_LEN(wrong));
	tcase_add_loop_test(t, a_zone_has_a_ttl, 0, ARRAY_LEN(right));
	suite_add_tcase(s, t);
	return s;
}
