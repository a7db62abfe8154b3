#include "recursor/resolve/dnssec/algorithm.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>

#include "common/check.h"
#include "recursor/resolve/dnssec/pubkey.h"

static const struct algorithm algorithms[] = {
#define ALGORITHM_ROW(symbol, n, mnemonic, k, h, name, len, us)                                    \
	{                                                                                          \
		.text = (mnemonic),                                                                \
		.openssl = (name),                                                                 \
		.number = (n),                                                                     \
		.kind = KEY_##k,                                                                   \
		.hash = HASH_##h,                                                                  \
		.signature_len = (len),                                                            \
		.check_us = (us),                                                                  \
	},
	ALGORITHMS(ALGORITHM_ROW)
#undef ALGORITHM_ROW
};

static const struct digest digests[] = {
#define DIGEST_ROW(symbol, n, mnemonic, h) { .text = (mnemonic), .number = (n), .hash = HASH_##h },
	DIGESTS(DIGEST_ROW)
#undef DIGEST_ROW
};

static const struct {
	const char *name;
	size_t len;
} hashes[HASH_N] = {
	[HASH_NONE] = { "none", 0 },      [HASH_SHA1] = { "SHA1", 20 },
	[HASH_SHA256] = { "SHA256", 32 }, [HASH_SHA384] = { "SHA384", 48 },
	[HASH_SHA512] = { "SHA512", 64 },
};

const struct algorithm *algorithm_find(unsigned number)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (algorithms[i].number == number)
			return &algorithms[i];
	return NULL;
}

const struct digest *digest_find(unsigned number)
{
	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (digests[i].number == number)
			return &digests[i];
	return NULL;
}

const char *algorithm_text(unsigned number)
{
	/* RFC 8624 3.1: must not be validated. */
	static const char *const dead[] = {
		[1] = "RSAMD5", [3] = "DSA", [6] = "DSA-NSEC3-SHA1", [12] = "ECC-GOST"
	};
	const struct algorithm *a = algorithm_find(number);

	if (a != NULL)
		return a->text;
	return number < ARRAY_LEN(dead) && dead[number] != NULL ? dead[number] : "unknown";
}

const char *hash_name(enum hash h)
{
	return hashes[h].name;
}

size_t hash_len(enum hash h)
{
	return hashes[h].len;
}

static bool hash_is_there(enum hash h)
{
	EVP_MD *md = h != HASH_NONE ? EVP_MD_fetch(NULL, hash_name(h), NULL) : NULL;
	bool there = md != NULL || h == HASH_NONE;

	EVP_MD_free(md);
	return there;
}

static bool signature_is_there(const struct algorithm *a)
{
	const char *name = a->kind == KEY_ECDSA ? "ECDSA" : a->openssl;
	EVP_SIGNATURE *s = EVP_SIGNATURE_fetch(NULL, name, NULL);
	bool there = s != NULL;

	EVP_SIGNATURE_free(s);
	return there;
}

/* There are systems whose policy has SHA-1 compute hashes and refuses it in signatures: only
 * a signature tells.  It is over "recursor", with RSA of 1024 bits. */
static bool sha1_signatures_verify(const struct algorithm *a)
{
	static const uint8_t key[] = {
		0x03, 0x01, 0x00, 0x01, 0xb8, 0x23, 0xdc, 0xa5, 0xf6, 0xf2, 0x0f, 0x39, 0xf1, 0x8f,
		0xef, 0x83, 0xb9, 0x42, 0x13, 0x72, 0x6c, 0x17, 0x65, 0xb3, 0x7a, 0xc6, 0x7c, 0x1a,
		0xa5, 0x98, 0xcb, 0x2e, 0x55, 0x7f, 0x3f, 0xfe, 0xea, 0x8c, 0x3c, 0xfa, 0xa9, 0x10,
		0x3b, 0x94, 0x9a, 0x69, 0xdf, 0xb4, 0x38, 0x9e, 0x56, 0xe9, 0x95, 0xc3, 0xf8, 0xcf,
		0xd7, 0x4a, 0x23, 0x0d, 0xa8, 0xe9, 0xcf, 0xc9, 0x8c, 0x86, 0x64, 0xa2, 0x1b, 0xee,
		0x47, 0x77, 0x3b, 0xa3, 0x94, 0xcd, 0x71, 0x8d, 0x67, 0x80, 0xc8, 0x7c, 0xe0, 0x20,
		0xee, 0xfd, 0x42, 0x7b, 0xef, 0x41, 0x6a, 0xb7, 0xd0, 0x66, 0xd1, 0xe0, 0x74, 0x84,
		0x53, 0x34, 0x04, 0xa7, 0x92, 0x81, 0x11, 0x98, 0x8d, 0x39, 0x38, 0xf3, 0xd9, 0xdf,
		0x0e, 0x42, 0x4d, 0x9f, 0x60, 0x5f, 0xe1, 0x59, 0x01, 0xc6, 0x9a, 0xd7, 0x3d, 0x75,
		0xba, 0x10, 0x8f, 0xcf, 0x6e, 0x4f,
	};
	static const uint8_t sig[] = {
		0x43, 0xd0, 0x8c, 0x64, 0xf1, 0x76, 0x42, 0x17, 0x5e, 0x54, 0x6b, 0x39, 0xe6,
		0x77, 0xda, 0xe3, 0x98, 0x09, 0xc2, 0x5c, 0x47, 0x84, 0xef, 0xc2, 0x1d, 0x27,
		0xd8, 0x86, 0xd2, 0x0e, 0x75, 0xf2, 0x7b, 0x7a, 0xf9, 0xe1, 0x68, 0x3a, 0x1b,
		0xae, 0x1a, 0xad, 0x5d, 0xaa, 0x05, 0x4d, 0xc8, 0x27, 0x26, 0x00, 0x04, 0x87,
		0x35, 0x02, 0x79, 0x47, 0xc1, 0x02, 0x99, 0xd9, 0x58, 0xff, 0x19, 0x0b, 0xd5,
		0x4a, 0x90, 0xa9, 0x0f, 0xf4, 0x38, 0xa3, 0x7e, 0xa3, 0x17, 0x38, 0xf9, 0x89,
		0x86, 0x70, 0x7b, 0xf8, 0x44, 0x3a, 0xed, 0x3c, 0xd9, 0x15, 0x47, 0xb5, 0x09,
		0x51, 0x2c, 0x89, 0x3f, 0x32, 0x1c, 0x5e, 0x74, 0x44, 0xde, 0x88, 0x73, 0x12,
		0xbd, 0x0a, 0x1d, 0x46, 0x1e, 0x6e, 0xd3, 0xbd, 0xf3, 0xcd, 0x90, 0xa1, 0xa0,
		0x32, 0x22, 0x54, 0x8f, 0xda, 0xde, 0xfe, 0xab, 0xf7, 0x94, 0x07,
	};
	struct pubkey *k = NULL;
	uint8_t hash[HASH_MAX_LEN];
	bool ok;

	if (pubkey_new(&k, a, key, sizeof(key)) != E_OK)
		return false;
	ok = EVP_Digest("recursor", strlen("recursor"), hash, NULL, EVP_sha1(), NULL) == 1 &&
	     pubkey_check(k, hash, hash_len(HASH_SHA1), sig, sizeof(sig));
	pubkey_free(k);
	return ok;
}

/* Bit 0 stands for "tried": there is no algorithm 0 (RFC 4034 A.1). */
static uint32_t try_algorithms(void)
{
	uint32_t set = 1;

	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		const struct algorithm *a = &algorithms[i];

		if (hash_is_there(a->hash) && signature_is_there(a) &&
		    (a->hash != HASH_SHA1 || sha1_signatures_verify(a)))
			set |= 1U << a->number;
	}
	ERR_clear_error();
	return set;
}

static uint32_t try_digests(void)
{
	uint32_t set = 1;

	for (size_t i = 0; i < ARRAY_LEN(digests); i++)
		if (hash_is_there(digests[i].hash))
			set |= 1U << digests[i].number;
	ERR_clear_error();
	return set;
}

/* Two threads that come first together find the same. */
static uint32_t once(atomic_uint *known, uint32_t (*try)(void))
{
	uint32_t set = atomic_load_explicit(known, memory_order_relaxed);

	if (set == 0) {
		set = try();
		atomic_store_explicit(known, set, memory_order_relaxed);
	}
	return set & ~1U;
}

uint32_t algorithms_usable(void)
{
	static atomic_uint known;

	return once(&known, try_algorithms);
}

uint32_t digests_usable(void)
{
	static atomic_uint known;

	return once(&known, try_digests);
}

bool algorithm_is_usable(unsigned number, const struct dnssec_limits *limits)
{
	return number < 32 && (algorithms_usable() >> number & 1) != 0 &&
	       !dnssec_is_disabled(limits, (uint8_t)number);
}

bool digest_is_usable(unsigned number)
{
	return number < 32 && (digests_usable() >> number & 1) != 0;
}
