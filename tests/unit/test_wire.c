#include "common/wire.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

static uint8_t buf[WIRE_MSG_MAX];

static struct wire_writer writer_of(size_t cap)
{
	struct wire_writer w;

	memset(buf, 0xee, sizeof(buf));
	wire_writer_init(&w, buf, cap);
	return w;
}

/* A writer that has a message's header behind it. */
static struct wire_writer message_of(size_t cap)
{
	static const uint8_t header[WIRE_HEADER_LEN];
	struct wire_writer w = writer_of(cap);

	ck_assert_int_eq(wire_write_bytes(&w, header, sizeof(header)), E_OK);
	return w;
}

static int write_text(struct wire_writer *w, const char *text)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, text), E_OK);
	return wire_write_name(w, name);
}

static int read_at(const uint8_t *msg, size_t len, size_t pos, uint8_t out[NAME_MAX_LEN],
		   size_t *after)
{
	struct wire_reader r = { .msg = msg, .len = len, .pos = pos };
	size_t n = 0;
	int err = wire_read_name(&r, out, &n);

	if (err != E_OK) {
		ck_assert_uint_eq(r.pos, pos);
		return err;
	}
	ck_assert_uint_eq(n, name_len(out));
	*after = r.pos;
	/* Skipping ends at the same place. */
	r.pos = pos;
	ck_assert_int_eq(wire_skip_name(&r), E_OK);
	ck_assert_uint_eq(r.pos, *after);
	return E_OK;
}

static void expect_name(size_t len, size_t pos, const char *text, size_t after)
{
	uint8_t got[NAME_MAX_LEN], want[NAME_MAX_LEN];
	size_t end = 0;

	ck_assert_int_eq(name_from_text(want, text), E_OK);
	ck_assert_int_eq(read_at(buf, len, pos, got, &end), E_OK);
	ck_assert_msg(name_equal_case(got, want), "%s", text);
	ck_assert_uint_eq(end, after);
}

START_TEST(numbers_go_round)
{
	struct wire_writer w = writer_of(16);
	struct wire_reader r;
	uint8_t a = 0;
	uint16_t b = 0;
	uint32_t c = 0;

	ck_assert_int_eq(wire_write_u8(&w, 0x12), E_OK);
	ck_assert_int_eq(wire_write_u16(&w, 0xfedc), E_OK);
	ck_assert_int_eq(wire_write_u32(&w, 0x89abcdef), E_OK);
	ck_assert_mem_eq(buf, "\x12\xfe\xdc\x89\xab\xcd\xef", 7);
	r = (struct wire_reader) { .msg = buf, .len = w.len };
	ck_assert_int_eq(wire_read_u8(&r, &a), E_OK);
	ck_assert_int_eq(wire_read_u16(&r, &b), E_OK);
	ck_assert_int_eq(wire_read_u32(&r, &c), E_OK);
	ck_assert_uint_eq(a, 0x12);
	ck_assert_uint_eq(b, 0xfedc);
	ck_assert_uint_eq(c, 0x89abcdef);
	ck_assert_uint_eq(r.pos, 7);
}
END_TEST

START_TEST(reads_stop_at_the_end)
{
	static const uint8_t data[4] = { 1, 2, 3, 4 };
	struct wire_reader r = { .msg = data, .len = 3 };
	uint8_t a = 77;
	uint16_t b = 77;
	uint32_t c = 77;

	ck_assert_int_eq(wire_read_u32(&r, &c), E_TRUNCATED);
	ck_assert_int_eq(wire_skip(&r, 4), E_TRUNCATED);
	ck_assert_uint_eq(r.pos, 0);
	ck_assert_int_eq(wire_skip(&r, 2), E_OK);
	ck_assert_int_eq(wire_read_u16(&r, &b), E_TRUNCATED);
	ck_assert_uint_eq(r.pos, 2);
	ck_assert_int_eq(wire_skip(&r, 1), E_OK);
	ck_assert_int_eq(wire_read_u8(&r, &a), E_TRUNCATED);
	ck_assert_int_eq(wire_skip(&r, SIZE_MAX), E_TRUNCATED);
	ck_assert_int_eq(wire_skip(&r, 0), E_OK);
	ck_assert_uint_eq(r.pos, 3);
	ck_assert_uint_eq(a, 77);
	ck_assert_uint_eq(b, 77);
	ck_assert_uint_eq(c, 77);
}
END_TEST

START_TEST(writes_stop_at_the_end)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, "example.com"), E_OK);
	for (size_t cap = 0; cap < 13; cap++) {
		struct wire_writer w = writer_of(cap);

		ck_assert_int_eq(wire_write_name(&w, name), E_TOO_LONG);
		ck_assert_int_eq(wire_write_name_plain(&w, name), E_TOO_LONG);
		ck_assert_int_eq(wire_write_bytes(&w, name, 13), E_TOO_LONG);
		ck_assert_uint_eq(w.len, 0);
		ck_assert_uint_eq(w.n_slots, 0);
		if (cap < 4)
			ck_assert_int_eq(wire_write_u32(&w, 1), E_TOO_LONG);
		if (cap < 2)
			ck_assert_int_eq(wire_write_u16(&w, 1), E_TOO_LONG);
		if (cap < 1)
			ck_assert_int_eq(wire_write_u8(&w, 1), E_TOO_LONG);
		for (size_t i = 0; i < 16; i++)
			ck_assert_uint_eq(buf[i], 0xee);
	}
}
END_TEST

START_TEST(names_are_compressed)
{
	struct wire_writer w = message_of(512);

	ck_assert_int_eq(write_text(&w, "www.Example.com"), E_OK);
	ck_assert_uint_eq(w.len, 12 + 17);
	ck_assert_int_eq(write_text(&w, "WWW.example.COM"), E_OK);
	ck_assert_uint_eq(w.len, 29 + 2);
	ck_assert_uint_eq(wire_get_u16(buf + 29), 0xc00c);
	ck_assert_int_eq(write_text(&w, "mail.example.com"), E_OK);
	ck_assert_uint_eq(w.len, 31 + 7);
	ck_assert_uint_eq(wire_get_u16(buf + 36), 0xc010);
	/* Onto a name that itself ends in a pointer. */
	ck_assert_int_eq(write_text(&w, "a.mail.example.com"), E_OK);
	ck_assert_uint_eq(w.len, 38 + 4);
	ck_assert_int_eq(write_text(&w, "."), E_OK);
	ck_assert_uint_eq(w.len, 42 + 1);
	ck_assert_int_eq(write_text(&w, "com"), E_OK);
	ck_assert_uint_eq(w.len, 43 + 2);
	/* The same letters, other labels. */
	ck_assert_int_eq(write_text(&w, "example\\.com"), E_OK);
	ck_assert_uint_eq(w.len, 45 + 13);

	expect_name(w.len, 12, "www.Example.com", 29);
	expect_name(w.len, 29, "www.Example.com", 31);
	expect_name(w.len, 31, "mail.Example.com", 38);
	expect_name(w.len, 38, "a.mail.Example.com", 42);
	expect_name(w.len, 42, ".", 43);
	expect_name(w.len, 43, "com", 45);
	expect_name(w.len, 45, "example\\.com", 58);
}
END_TEST

START_TEST(plain_names_are_not_shared)
{
	struct wire_writer w = message_of(512);
	const uint8_t *name = (const uint8_t *)"\1a\1b";

	ck_assert_int_eq(wire_write_name_plain(&w, name), E_OK);
	ck_assert_int_eq(wire_write_name(&w, name), E_OK);
	ck_assert_int_eq(wire_write_name_plain(&w, name), E_OK);
	ck_assert_uint_eq(w.len, 12 + 15);
}
END_TEST

START_TEST(a_pointer_that_does_not_fit_leaves_all_as_it_was)
{
	struct wire_writer w;

	for (size_t room = 0; room < 5; room++) {
		w = message_of(12 + 17 + room);
		ck_assert_int_eq(write_text(&w, "www.example.com"), E_OK);
		ck_assert_int_eq(write_text(&w, "ab.example.com"), E_TOO_LONG);
		ck_assert_uint_eq(w.len, 29);
		ck_assert_uint_eq(w.n_slots, 3);
		ck_assert_uint_eq(buf[29], 0xee);
	}
	w = message_of(12 + 17 + 3);
	ck_assert_int_eq(write_text(&w, "www.example.com"), E_OK);
	ck_assert_int_eq(write_text(&w, "ab.example.com"), E_TOO_LONG);
	ck_assert_uint_eq(w.len, 29);
	ck_assert_uint_eq(buf[29], 0xee);
	ck_assert_uint_eq(w.n_slots, 3);
	ck_assert_int_eq(write_text(&w, "example.com"), E_OK);
	ck_assert_int_eq(write_text(&w, "example.com"), E_TOO_LONG);
	ck_assert_int_eq(write_text(&w, "."), E_OK);
	ck_assert_uint_eq(w.len, w.cap);
}
END_TEST

START_TEST(rewind_forgets)
{
	struct wire_writer w = message_of(512);
	size_t mark;

	ck_assert_int_eq(write_text(&w, "www.example.com"), E_OK);
	mark = w.len;
	ck_assert_int_eq(write_text(&w, "mail.example.net"), E_OK);
	wire_rewind(&w, mark);
	ck_assert_uint_eq(w.len, mark);
	ck_assert_int_eq(wire_write_u16(&w, 0xffff), E_OK);
	/* What stood there is overwritten: only a name written in full is right. */
	ck_assert_int_eq(write_text(&w, "mail.example.net"), E_OK);
	ck_assert_uint_eq(w.len, mark + 2 + 18);
	expect_name(w.len, mark + 2, "mail.example.net", w.len);
	/* What still lies there behind the end must not be found: a pointer to itself. */
	wire_rewind(&w, mark);
	ck_assert_int_eq(write_text(&w, "mail.example.net"), E_OK);
	wire_rewind(&w, mark);
	ck_assert_int_eq(write_text(&w, "mail.example.net"), E_OK);
	ck_assert_uint_eq(w.len, mark + 18);
	expect_name(w.len, mark, "mail.example.net", w.len);
	wire_rewind(&w, 0);
	ck_assert_uint_eq(w.n_slots, 0);
}
END_TEST

START_TEST(no_pointer_beyond_its_reach)
{
	struct wire_writer w = message_of(WIRE_MSG_MAX);
	size_t at = 0x4000 - 4;

	w.len = at;
	/* "www" at 0x3ffc can be pointed at, "example" at 0x4000 cannot. */
	ck_assert_int_eq(write_text(&w, "www.example.com"), E_OK);
	ck_assert_int_eq(write_text(&w, "example.com"), E_OK);
	ck_assert_uint_eq(w.len, at + 17 + 13);
	ck_assert_int_eq(write_text(&w, "www.example.com"), E_OK);
	ck_assert_uint_eq(w.len, at + 17 + 13 + 2);
	expect_name(w.len, at + 30, "www.example.com", w.len);
}
END_TEST

START_TEST(more_names_than_slots)
{
	struct wire_writer w = message_of(WIRE_MSG_MAX);
	size_t at[WIRE_COMPRESS_SLOTS * 3];
	char text[64];

	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		at[i] = w.len;
		(void)snprintf(text, sizeof(text), "n%u.m%u.example.com", i, i % 40);
		ck_assert_int_eq(write_text(&w, text), E_OK);
		ck_assert_uint_le(w.n_slots, WIRE_COMPRESS_SLOTS);
	}
	for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
		(void)snprintf(text, sizeof(text), "n%u.m%u.example.com", i, i % 40);
		expect_name(w.len, at[i], text, i + 1 < ARRAY_LEN(at) ? at[i + 1] : w.len);
	}
}
END_TEST

START_TEST(longest_names)
{
	struct wire_writer w = message_of(WIRE_MSG_MAX);
	uint8_t name[NAME_MAX_LEN], got[NAME_MAX_LEN];
	size_t after = 0;

	/* 127 labels of one letter, then the same below another first letter. */
	for (size_t i = 0; i < sizeof(name); i++)
		name[i] = i % 2 == 0 ? 1 : 'x';
	name[254] = 0;
	for (unsigned i = 0; i < 26; i++) {
		size_t at = w.len;

		name[1] = (uint8_t)('a' + i);
		ck_assert_int_eq(wire_write_name(&w, name), E_OK);
		ck_assert_int_eq(read_at(buf, w.len, at, got, &after), E_OK);
		ck_assert_mem_eq(got, name, sizeof(name));
		ck_assert_uint_eq(after, w.len);
	}
	ck_assert_uint_eq(w.len, 12 + 255 + 25 * 4);
}
END_TEST

START_TEST(names_too_long_by_pointers)
{
	uint8_t msg[600], out[NAME_MAX_LEN];
	size_t after = 0;

	/* 4 labels of 62 letters: 252 bytes and the root. */
	memset(msg, 'x', sizeof(msg));
	for (size_t i = 0; i < 4; i++)
		msg[i * 63] = 62;
	msg[252] = 0;
	memcpy(msg + 253, "\1a\xc0\0", 4);
	ck_assert_int_eq(read_at(msg, sizeof(msg), 253, out, &after), E_OK);
	ck_assert_uint_eq(name_len(out), NAME_MAX_LEN);
	memcpy(msg + 253, "\2ab\xc0\0", 5);
	ck_assert_int_eq(read_at(msg, sizeof(msg), 253, out, &after), E_TOO_LONG);
	memcpy(msg + 253, "\1a\1b\xc0\0", 6);
	ck_assert_int_eq(read_at(msg, sizeof(msg), 253, out, &after), E_TOO_LONG);
}
END_TEST

START_TEST(bad_pointers)
{
	static const struct {
		const char *what;
		const char *msg;
		size_t len, pos;
		int err;
	} rows[] = {
		{ "to itself", "\xc0\x00", 2, 0, E_MALFORMED },
		{ "to itself behind a label", "\1a\xc0\x02", 4, 0, E_MALFORMED },
		{ "to its own label", "\1a\xc0\x00", 4, 0, E_MALFORMED },
		{ "forward", "\xc0\x02\1a\0", 5, 0, E_MALFORMED },
		{ "two at each other", "\xc0\x02\xc0\x00", 4, 2, E_MALFORMED },
		{ "into the labels before itself", "\1a\1b\xc0\x00", 6, 2, E_MALFORMED },
		{ "behind the end", "\xc3\xff", 2, 0, E_MALFORMED },
		{ "cut in two", "\1a\xc0", 3, 0, E_TRUNCATED },
		{ "a length of 64", "\x40zzz", 4, 0, E_MALFORMED },
		{ "a length of 128", "\x80zzz", 4, 0, E_MALFORMED },
		{ "no end", "\1a\1b", 4, 0, E_TRUNCATED },
		{ "a label past the end", "\5abc", 4, 0, E_TRUNCATED },
		{ "nothing", "", 0, 0, E_TRUNCATED },
		{ "behind everything", "\0", 1, 9, E_TRUNCATED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[NAME_MAX_LEN];
		size_t after = 0;
		/* Of its true size, so that a sanitizer sees a step too far. */
		uint8_t *msg = malloc(rows[i].len > 0 ? rows[i].len : 1);
		int err;

		ck_assert_ptr_nonnull(msg);
		memcpy(msg, rows[i].msg, rows[i].len);
		err = read_at(msg, rows[i].len, rows[i].pos, out, &after);
		ck_assert_msg(err == rows[i].err, "%s: %s", rows[i].what, err_text(err));
		free(msg);
	}
}
END_TEST

START_TEST(chain_of_pointers)
{
	uint8_t msg[2 * (WIRE_MAX_POINTERS + 2)], out[NAME_MAX_LEN];
	size_t after = 0, last = 2 * WIRE_MAX_POINTERS;

	/* The root at the start, then pointers each to the one before. */
	memset(msg, 0, sizeof(msg));
	msg[0] = 0;
	wire_put_u16(msg + 2, 0xc000);
	for (size_t i = 2; i < WIRE_MAX_POINTERS + 2; i++)
		wire_put_u16(msg + 2 * i, (uint16_t)(0xc000 | 2 * (i - 1)));
	ck_assert_int_eq(read_at(msg, sizeof(msg), last, out, &after), E_OK);
	ck_assert_uint_eq(after, last + 2);
	ck_assert(name_is_root(out));
	ck_assert_int_eq(read_at(msg, sizeof(msg), last + 2, out, &after), E_MALFORMED);
}
END_TEST

START_TEST(skipping)
{
	static const uint8_t fine[] = "\3www\xc1\x23";
	uint8_t longest[NAME_MAX_LEN + 1];
	struct wire_reader r = { .msg = fine, .len = 6 };

	/* The pointer is not followed: that it leads nowhere is not seen here. */
	ck_assert_int_eq(wire_skip_name(&r), E_OK);
	ck_assert_uint_eq(r.pos, 6);
	for (size_t len = 0; len < 6; len++) {
		r = (struct wire_reader) { .msg = fine, .len = len };
		ck_assert_int_eq(wire_skip_name(&r), E_TRUNCATED);
		ck_assert_uint_eq(r.pos, 0);
	}
	r = (struct wire_reader) { .msg = (const uint8_t *)"\x40", .len = 1 };
	ck_assert_int_eq(wire_skip_name(&r), E_MALFORMED);

	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 == 0 ? 1 : 'x';
	longest[254] = 0;
	r = (struct wire_reader) { .msg = longest, .len = sizeof(longest) };
	ck_assert_int_eq(wire_skip_name(&r), E_OK);
	ck_assert_uint_eq(r.pos, NAME_MAX_LEN);
	memset(longest + 252, 'x', 4);
	longest[252] = 2;
	longest[255] = 0;
	r.pos = 0;
	ck_assert_int_eq(wire_skip_name(&r), E_TOO_LONG);
	ck_assert_uint_eq(r.pos, 0);
}
END_TEST

Suite *suite_wire(void)
{
	Suite *s = suite_create("wire");
	TCase *t = tcase_create("wire");

	tcase_add_test(t, numbers_go_round);
	tcase_add_test(t, reads_stop_at_the_end);
	tcase_add_test(t, writes_stop_at_the_end);
	tcase_add_test(t, names_are_compressed);
	tcase_add_test(t, plain_names_are_not_shared);
	tcase_add_test(t, a_pointer_that_does_not_fit_leaves_all_as_it_was);
	tcase_add_test(t, rewind_forgets);
	tcase_add_test(t, no_pointer_beyond_its_reach);
	tcase_add_test(t, more_names_than_slots);
	tcase_add_test(t, longest_names);
	tcase_add_test(t, names_too_long_by_pointers);
	tcase_add_test(t, bad_pointers);
	tcase_add_test(t, chain_of_pointers);
	tcase_add_test(t, skipping);
	suite_add_tcase(s, t);
	return s;
}
