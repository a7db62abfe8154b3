/* Transfers that are as they should be, and each way in which a server may go wrong. */
#include "recursor/resolve/axfr.h"

#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/unit/wire_name.h"

enum { ID = 0x1234, NOW = 1700000000, CAP = 4096 };

/* ns. h. 7 3600 900 604800 60 */
static const char soa[] = "\2ns\0\1h\0\0\0\0\7\0\0\16\20\0\0\3\204\0\11\72\200\0\0\0\74";
static const char soa8[] = "\2ns\0\1h\0\0\0\0\10\0\0\16\20\0\0\3\204\0\11\72\200\0\0\0\74";
static const char ns[] = "\2ns\0";
static const char a1[] = "\300\0\2\1";

static uint8_t wire_buf[CAP];
static size_t wire_len;
static struct zonecopy *copy;
static struct axfr x;
static char why[ZONECOPY_WHY_MAX];

static void begin(unsigned flags)
{
	memset(wire_buf, 0, WIRE_HEADER_LEN);
	wire_put_u16(wire_buf, ID);
	wire_put_u16(wire_buf + 2, (uint16_t)(MSG_QR | MSG_AA | flags));
	wire_len = WIRE_HEADER_LEN;
}

static void put(const char *owner, uint16_t type, uint16_t class, const char *rdata, size_t len)
{
	uint8_t *p = wire_buf + wire_len;

	p += name_copy(p, wire(owner));
	wire_put_u16(p, type);
	wire_put_u16(p + 2, class);
	wire_put_u32(p + 4, 600);
	wire_put_u16(p + 8, (uint16_t)len);
	memcpy(p + 10, rdata, len);
	wire_len = (size_t)(p - wire_buf) + 10 + len;
	wire_put_u16(wire_buf + 6, (uint16_t)(wire_get_u16(wire_buf + 6) + 1));
}

static void put_soa(void)
{
	put("example", TYPE_SOA, CLASS_IN, soa, sizeof(soa) - 1);
}

static void put_ns(void)
{
	put("example", TYPE_NS, CLASS_IN, ns, sizeof(ns) - 1);
}

static int take(void)
{
	why[0] = '\0';
	return axfr_take(&x, wire_buf, wire_len, why);
}

static void start(size_t max_bytes)
{
	zonecopy_put(copy);
	copy = NULL;
	ck_assert_int_eq(zonecopy_new(&copy, wire("example"), max_bytes), E_OK);
	axfr_init(&x, copy, ID);
}

static void setup(void)
{
	hash_key_set(1, 2);
	start(0);
}

static void teardown(void)
{
	zonecopy_put(copy);
	copy = NULL;
}

START_TEST(a_zone_in_two_messages)
{
	struct soa numbers;

	begin(0);
	put_soa();
	put_ns();
	ck_assert_int_eq(take(), E_OK);
	ck_assert(!x.is_done);
	begin(0);
	put("WWW.example", TYPE_A, CLASS_IN, a1, 4);
	put("WWW.example", TYPE_A, CLASS_IN, a1, 4);
	put("other", TYPE_A, CLASS_IN, a1, 4);
	put_soa();
	/* What comes behind the end is not of it. */
	put("late.example", TYPE_A, CLASS_IN, a1, 4);
	ck_assert_int_eq(take(), E_OK);
	ck_assert(x.is_done);
	ck_assert_int_eq(zonecopy_finish(copy, NULL, why), E_OK);
	ck_assert_uint_eq(zonecopy_records(copy), 3);
	ck_assert_uint_eq(zonecopy_strays(copy), 1);
	zonecopy_soa(copy, &numbers);
	ck_assert(numbers.serial == 7 && numbers.refresh_s == 3600 && numbers.retry_s == 900 &&
		  numbers.expire_s == 604800);
}
END_TEST

START_TEST(wrong_messages)
{
	begin(0);
	put_ns();
	ck_assert_int_eq(take(), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "does not begin with the SOA"));

	start(0);
	begin(5);
	ck_assert_int_eq(take(), E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(why, "REFUSED"));

	start(0);
	begin(0);
	wire_buf[0] ^= 1;
	ck_assert_int_eq(take(), E_MALFORMED);

	start(0);
	begin(0);
	put_soa();
	put("x.example", TYPE_A, CLASS_CH, a1, 4);
	ck_assert_int_eq(take(), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "another class"));

	start(0);
	begin(0);
	put_soa();
	put("x.example", TYPE_A, CLASS_IN, a1, 3);
	ck_assert_int_ne(take(), E_OK);

	start(0);
	begin(0);
	put_soa();
	put("x.example", TYPE_AXFR, CLASS_IN, a1, 4);
	ck_assert_int_eq(take(), E_MALFORMED);

	start(0);
	begin(0);
	put_soa();
	put("example", TYPE_SOA, CLASS_IN, soa8, sizeof(soa8) - 1);
	ck_assert_int_eq(take(), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "changed"));

	start(0);
	begin(0);
	wire_len--;
	ck_assert_int_ne(take(), E_OK);
}
END_TEST

START_TEST(too_large)
{
	start(80);
	begin(0);
	put_soa();
	put_ns();
	put("x.example", TYPE_A, CLASS_IN, a1, 4);
	ck_assert_int_eq(take(), E_LIMIT);
	ck_assert_ptr_nonnull(strstr(why, "larger"));
}
END_TEST

START_TEST(no_zone)
{
	begin(0);
	put_soa();
	put_soa();
	ck_assert_int_eq(take(), E_OK);
	ck_assert(x.is_done);
	ck_assert_int_eq(zonecopy_finish(copy, NULL, why), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "no NS"));
}
END_TEST

START_TEST(serials)
{
	uint32_t serial = 0;

	begin(0);
	put_soa();
	ck_assert_int_eq(axfr_read_serial(&serial, wire("example"), ID, wire_buf, wire_len, why),
			 E_OK);
	ck_assert_uint_eq(serial, 7);
	ck_assert_int_eq(axfr_read_serial(&serial, wire("other"), ID, wire_buf, wire_len, why),
			 E_NOT_FOUND);
	begin(0);
	ck_assert_int_eq(axfr_read_serial(&serial, wire("example"), ID, wire_buf, wire_len, why),
			 E_NOT_FOUND);
}
END_TEST

Suite *suite_axfr(void);
Suite *suite_axfr(void)
{
	Suite *s = suite_create("axfr");
	TCase *t = tcase_create("axfr");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_zone_in_two_messages);
	tcase_add_test(t, wrong_messages);
	tcase_add_test(t, too_large);
	tcase_add_test(t, no_zone);
	tcase_add_test(t, serials);
	suite_add_tcase(s, t);
	return s;
}
