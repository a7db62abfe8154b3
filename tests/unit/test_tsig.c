/* A server that signs as RFC 8945 5.3 says, by OpenSSL's HMAC alone, and one that does not. */
#include "recursor/resolve/dnssec/tsig.h"

#include <check.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/unit/wire_name.h"

enum { NOW = 1700000000, CAP = 2048, MAC_LEN = 32, FUDGE = 300 };

static struct tsig_key key;
static struct tsig *t;
static char words[TSIG_WHY_MAX];
static uint8_t mac[64]; /* the last one */
static size_t mac_len;
static uint8_t text[4 * CAP]; /* what the next one is of */
static size_t text_len;

static void put(const void *data, size_t len)
{
	ck_assert_uint_le(text_len + len, sizeof(text));
	memcpy(text + text_len, data, len);
	text_len += len;
}

static void put_mac(void)
{
	uint8_t len[2];

	wire_put_u16(len, (uint16_t)mac_len);
	put(len, 2);
	put(mac, mac_len);
}

/* A question, not signed yet. */
static size_t question(uint8_t packet[CAP])
{
	static const uint8_t head[WIRE_HEADER_LEN] = { 0, 7, 0, 0, 0, 1 };
	size_t len = WIRE_HEADER_LEN;

	memcpy(packet, head, sizeof(head));
	len += name_copy(packet + len, wire("example"));
	wire_put_u16(packet + len, TYPE_AXFR);
	wire_put_u16(packet + len + 2, CLASS_IN);
	return len + 4;
}

static void setup(void)
{
	uint8_t packet[CAP];
	size_t len = question(packet);

	ck_assert_int_eq(tsig_key_read(&key, "K.example", "hmac-sha256", "c2VjcmV0", words), E_OK);
	ck_assert_int_eq(tsig_new(&t, &key), E_OK);
	ck_assert_int_eq(tsig_sign(t, packet, &len, CAP, NOW), E_OK);
	/* Its MAC stands before the id, the error and the length of other data. */
	mac_len = MAC_LEN;
	memcpy(mac, packet + len - 6 - MAC_LEN, MAC_LEN);
	text_len = 0;
	put_mac();
}

static void teardown(void)
{
	tsig_free(t);
}

static const uint8_t class_ttl[] = { 0, CLASS_ANY, 0, 0, 0, 0 };

/* What is wrong with a message. */
enum fault { NONE, UNSIGNED, CHANGED, LATE, EARLY, CUT_SHORT, OTHER_KEY, REFUSED };

static size_t message(uint8_t packet[CAP], uint8_t number)
{
	static const uint8_t head[WIRE_HEADER_LEN] = { 0, 7, 0x84 };

	memcpy(packet, head, sizeof(head));
	packet[4] = 0;
	packet[7] = 1;
	packet[WIRE_HEADER_LEN] = 0; /* . TXT "<number>" */
	wire_put_u16(packet + 13, TYPE_TXT);
	wire_put_u16(packet + 15, CLASS_IN);
	wire_put_u32(packet + 17, 60);
	wire_put_u16(packet + 21, 2);
	packet[23] = 1;
	packet[24] = number;
	return 25;
}

/* The next message, the first of which is signed with all variables and the others with the time alone. */
static size_t answer(uint8_t packet[CAP], uint8_t number, enum fault fault)
{
	const uint8_t *algorithm = wire("hmac-sha256");
	uint8_t timers[8], error[4] = { 0 };
	size_t len = message(packet, number), sent_mac = fault == CUT_SHORT ? 16 : MAC_LEN;
	uint64_t at = fault == LATE ? NOW + FUDGE + 1 : fault == EARLY ? NOW - FUDGE - 1 : NOW;
	uint8_t *p = packet + len;
	unsigned n = 0;

	put(packet, len);
	if (fault == UNSIGNED)
		return len;
	wire_put_u16(timers, (uint16_t)(at >> 32));
	wire_put_u32(timers + 2, (uint32_t)at);
	wire_put_u16(timers + 6, FUDGE);
	if (fault == REFUSED)
		error[1] = 17;
	if (number == 1) {
		put(key.name, name_len(key.name));
		put(class_ttl, sizeof(class_ttl));
		put(algorithm, name_len(algorithm));
	}
	put(timers, sizeof(timers));
	if (number == 1)
		put(error, sizeof(error));
	ck_assert_ptr_nonnull(
		HMAC(EVP_sha256(), key.secret, key.secret_len, text, text_len, mac, &n));
	text_len = 0;
	put_mac();
	p += name_copy(p, fault == OTHER_KEY ? wire("l.example") : key.name);
	wire_put_u16(p, TYPE_TSIG);
	wire_put_u16(p + 2, CLASS_ANY);
	wire_put_u32(p + 4, 0);
	algorithm = wire("hmac-sha256");
	wire_put_u16(p + 8, (uint16_t)(name_len(algorithm) + 10 + sent_mac + 6));
	p += 10;
	p += name_copy(p, algorithm);
	memcpy(p, timers, 8);
	wire_put_u16(p + 8, (uint16_t)sent_mac);
	memcpy(p + 10, mac, sent_mac);
	p += 10 + sent_mac;
	memcpy(p, packet, 2);
	memcpy(p + 2, error, 2);
	wire_put_u16(p + 4, 0);
	wire_put_u16(packet + 10, 1);
	if (fault == CHANGED)
		packet[24] ^= 1;
	return (size_t)(p + 6 - packet);
}

static int take(uint8_t number, enum fault fault)
{
	uint8_t packet[CAP];
	size_t len = answer(packet, number, fault);
	int err;

	words[0] = '\0';
	err = tsig_verify(t, packet, &len, NOW, words);
	if (err == E_OK) { /* what is left is the message without it */
		ck_assert_uint_eq(len, 25);
		ck_assert_uint_eq(wire_get_u16(packet + 10), 0);
	}
	return err;
}

/* Each name, in any case; its name on the wire; OpenSSL's name. */
static const struct {
	const char *word, *wire, *hash;
} algorithms[] = {
	{ "hmac-md5", "hmac-md5.sig-alg.reg.int", "MD5" },
	{ "hmac-sha1", "hmac-sha1", "SHA1" },
	{ "hmac-sha224", "hmac-sha224", "SHA224" },
	{ "HMAC-SHA256", "hmac-sha256", "SHA256" },
	{ "hmac-sha384", "hmac-sha384", "SHA384" },
	{ "hmac-sha512", "hmac-sha512", "SHA512" },
};

/* RFC 8945 4.3.3: the message, and of its TSIG all that is not the MAC. */
START_TEST(a_question_is_signed)
{
	static const uint8_t timers[] = { 0, 0, 0x65, 0x53, 0xf1, 0, FUDGE >> 8, FUDGE & 255 };
	const uint8_t *name = wire(algorithms[_i].wire);
	const EVP_MD *hash = EVP_get_digestbyname(algorithms[_i].hash);
	uint8_t packet[CAP], expected[TSIG_MAC_MAX];
	size_t len = question(packet), begins = len;
	struct tsig_key its;
	struct tsig *signer = NULL;
	unsigned n = 0;

	ck_assert_int_eq(tsig_key_read(&its, "K.example", algorithms[_i].word, "c2VjcmV0", words),
			 E_OK);
	ck_assert_uint_eq(its.secret_len, 6);
	ck_assert_mem_eq(its.secret, "secret", 6);
	text_len = 0;
	put(packet, len);
	put(wire("k.example"), name_len(wire("k.example")));
	put(class_ttl, sizeof(class_ttl));
	put(name, name_len(name));
	put(timers, sizeof(timers));
	put("\0\0\0\0", 4); /* error, no other data */
	ck_assert_ptr_nonnull(HMAC(hash, "secret", 6, text, text_len, expected, &n));

	ck_assert_int_eq(tsig_new(&signer, &its), E_OK);
	ck_assert_int_eq(tsig_sign(signer, packet, &len, CAP, NOW), E_OK);
	ck_assert_uint_eq(wire_get_u16(packet + 10), 1);
	ck_assert_uint_eq(len,
			  begins + name_len(wire("k.example")) + 10 + name_len(name) + 10 + n + 6);
	ck_assert_mem_eq(packet + len - 6 - n, expected, n);
	tsig_free(signer);
}
END_TEST

START_TEST(no_keys)
{
	struct tsig_key its;

	ck_assert_int_eq(tsig_key_read(&its, "", "hmac-md5", "AAAA", words), E_MALFORMED);
	ck_assert_int_eq(tsig_key_read(&its, "k", "hmac-md4", "AAAA", words), E_MALFORMED);
	ck_assert_int_eq(tsig_key_read(&its, "k", "hmac-md5", "AAA", words), E_MALFORMED);
	ck_assert_int_eq(tsig_key_read(&its, "k", "hmac-md5", "", words), E_MALFORMED);
}
END_TEST

START_TEST(each_is_signed)
{
	for (uint8_t i = 1; i <= 5; i++) {
		ck_assert_int_eq(take(i, NONE), E_OK);
		ck_assert(tsig_is_complete(t));
	}
}
END_TEST

/* RFC 8945 5.3.1: up to 99 in a row go without, and not the last. */
START_TEST(some_are_signed)
{
	ck_assert_int_eq(take(1, NONE), E_OK);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < TSIG_UNSIGNED_MAX; i++) {
			ck_assert_int_eq(take(2, UNSIGNED), E_OK);
			ck_assert(!tsig_is_complete(t));
		}
		ck_assert_int_eq(take(2, NONE), E_OK);
		ck_assert(tsig_is_complete(t));
	}
	for (unsigned i = 0; i < TSIG_UNSIGNED_MAX; i++)
		ck_assert_int_eq(take(2, UNSIGNED), E_OK);
	ck_assert_int_eq(take(2, UNSIGNED), E_MALFORMED);
}
END_TEST

START_TEST(what_was_changed_without_a_signature_shows)
{
	uint8_t packet[CAP];
	size_t len;

	ck_assert_int_eq(take(1, NONE), E_OK);
	len = answer(packet, 2, UNSIGNED);
	packet[24] = 9;
	ck_assert_int_eq(tsig_verify(t, packet, &len, NOW, words), E_OK);
	ck_assert_int_eq(take(3, NONE), E_MALFORMED);
	ck_assert_str_eq(words, "a wrong signature (TSIG)");
}
END_TEST

static const struct {
	enum fault fault;
	const char *why;
} faults[] = {
	{ UNSIGNED, "a message without a signature (TSIG)" },
	{ CHANGED, "a wrong signature (TSIG)" },
	{ LATE, "a signature (TSIG) of another time" },
	{ EARLY, "a signature (TSIG) of another time" },
	{ CUT_SHORT, "a wrong signature (TSIG)" },
	{ OTHER_KEY, "a signature (TSIG) that is malformed, or by another key" },
	{ REFUSED, "the server does not know our key (TSIG)" },
};

START_TEST(the_first_is_wrong)
{
	ck_assert_int_eq(take(1, faults[_i].fault), E_MALFORMED);
	ck_assert_str_eq(words, faults[_i].why);
	ck_assert(!tsig_is_complete(t));
}
END_TEST

START_TEST(a_later_one_is_wrong)
{
	ck_assert_int_eq(take(1, NONE), E_OK);
	ck_assert_int_eq(take(2, faults[_i].fault), E_MALFORMED);
	ck_assert_str_eq(words, faults[_i].why);
}
END_TEST

/* The chain: a message that was signed for another place in it. */
START_TEST(none_is_left_out)
{
	uint8_t packet[CAP];

	ck_assert_int_eq(take(1, NONE), E_OK);
	(void)answer(packet, 2, NONE);
	ck_assert_int_eq(take(3, NONE), E_MALFORMED);
}
END_TEST

Suite *suite_tsig(void);
Suite *suite_tsig(void)
{
	int n = (int)(sizeof(faults) / sizeof(faults[0]));
	Suite *s = suite_create("tsig");
	TCase *tc = tcase_create("tsig");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_question_is_signed, 0,
			    (int)(sizeof(algorithms) / sizeof(algorithms[0])));
	tcase_add_test(tc, no_keys);
	tcase_add_test(tc, each_is_signed);
	tcase_add_test(tc, some_are_signed);
	tcase_add_test(tc, what_was_changed_without_a_signature_shows);
	tcase_add_loop_test(tc, the_first_is_wrong, 0, n);
	tcase_add_loop_test(tc, a_later_one_is_wrong, 1, n);
	tcase_add_test(tc, none_is_left_out);
	suite_add_tcase(s, tc);
	return s;
}
