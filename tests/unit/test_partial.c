#include <check.h>
#include <string.h>

#include "recursor/net/partial.h"

static uint8_t shared[PARTIAL_BUFFER];

static void expect_kept(const struct partial *p, const char *text)
{
	ck_assert_uint_eq(p->len, strlen(text));
	ck_assert_mem_eq(p->buf, text, p->len);
}

START_TEST(what_is_left_is_kept_and_read_on)
{
	struct partial p = { 0 };
	uint8_t *buf = partial_buffer(&p, shared);

	ck_assert_ptr_eq(buf, shared);
	memcpy(buf, "wholepart", 9);
	ck_assert(partial_keep(&p, buf, 5, 9));
	expect_kept(&p, "part");
	/* The next bytes come behind them, in the buffer of our own. */
	buf = partial_buffer(&p, shared);
	ck_assert_ptr_ne(buf, shared);
	memcpy(buf + p.len, "ialmore", 7);
	ck_assert(partial_keep(&p, buf, 0, 11));
	expect_kept(&p, "partialmore");
	ck_assert(partial_keep(&p, buf, 7, 11));
	expect_kept(&p, "more");
	ck_assert(partial_keep(&p, buf, 4, 4));
	ck_assert_ptr_null(p.buf);
	ck_assert_uint_eq(p.len, 0);
}
END_TEST

START_TEST(nothing_left_costs_nothing)
{
	struct partial p = { 0 };

	ck_assert(partial_keep(&p, shared, sizeof(shared), sizeof(shared)));
	ck_assert_ptr_null(p.buf);
	ck_assert(partial_keep(&p, shared, 0, sizeof(shared)));
	ck_assert_uint_eq(p.len, PARTIAL_BUFFER);
	partial_free(&p);
	ck_assert_ptr_null(p.buf);
	partial_free(&p);
}
END_TEST

Suite *suite_partial(void)
{
	Suite *s = suite_create("partial");
	TCase *t = tcase_create("partial");

	tcase_add_test(t, what_is_left_is_kept_and_read_on);
	tcase_add_test(t, nothing_left_costs_nothing);
	suite_add_tcase(s, t);
	return s;
}
