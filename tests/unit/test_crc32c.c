#include <check.h>

#include "common/crc32c.h"

/* RFC 3720 B.4, and the customary check. */
START_TEST(known_sums)
{
	uint8_t bytes[32] = { 0 };

	ck_assert_uint_eq(crc32c(0, "123456789", 9), 0xe3069283);
	ck_assert_uint_eq(crc32c(0, bytes, sizeof(bytes)), 0x8a9136aa);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	ck_assert_uint_eq(crc32c(0, bytes, sizeof(bytes)), 0x46dd794e);
	ck_assert_uint_eq(crc32c(crc32c(0, bytes, 13), bytes + 13, 19), 0x46dd794e);
	ck_assert_uint_eq(crc32c(0, bytes, 0), 0);
}
END_TEST

Suite *suite_crc32c(void)
{
	Suite *s = suite_create("crc32c");
	TCase *tc = tcase_create("crc32c");

	tcase_add_test(tc, known_sums);
	suite_add_tcase(s, tc);
	return s;
}
