/*
 * Names: the input is read as text, and as two names in wire form one behind the other.
 * Whatever is accepted must go round, and the ways of comparing must agree.
 */
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/name.h"

static void check_round(const uint8_t *name)
{
	uint8_t back[NAME_MAX_LEN], lower[NAME_MAX_LEN];
	char text[NAME_TEXT_MAX];
	size_t len = name_len(name), checked = 0;

	ASSERT(name_check(name, len, &checked) == E_OK && checked == len);
	ASSERT(strlen(name_to_text(text, name)) < NAME_TEXT_MAX);
	ASSERT(name_from_text(back, text) == E_OK);
	ASSERT(name_equal_case(back, name));
	ASSERT(name_lower(lower, name) == len);
	ASSERT(name_equal(lower, name));
	ASSERT(name_hash(lower) == name_hash(name));
	ASSERT(name_compare(lower, name) == 0);
	ASSERT(name_labels(name) <= NAME_MAX_LABELS);
	ASSERT(name_suffix(name, name_labels(name)) == name);
	ASSERT(name_is_root(name_suffix(name, 0)));
	ASSERT(name_is_within(name, name_parent(name)));
	ASSERT(name_is_below(name, name_parent(name)) == !name_is_root(name));
}

static void check_pair(const uint8_t *a, const uint8_t *b)
{
	unsigned common = name_common_labels(a, b);
	int order = name_compare(a, b), reverse = name_compare(b, a);
	bool is_equal = name_equal(a, b);

	ASSERT((order == 0) == is_equal && (reverse == 0) == is_equal);
	ASSERT((order < 0) == (reverse > 0));
	ASSERT(!name_equal_case(a, b) || is_equal);
	ASSERT(!is_equal || name_hash(a) == name_hash(b));
	ASSERT(common == name_common_labels(b, a));
	ASSERT(name_is_within(a, b) == (common == name_labels(b)));
	ASSERT(name_is_below(a, b) == (name_is_within(a, b) && !is_equal));
	ASSERT(name_equal(name_suffix(a, common), name_suffix(b, common)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t name[NAME_MAX_LEN];
	char text[2048];
	size_t first = 0, second = 0;

	hash_key_set(1, 2);
	if (len < sizeof(text)) {
		memcpy(text, data, len);
		text[len] = '\0';
		if (name_from_text(name, text) == E_OK)
			check_round(name);
	}
	if (name_check(data, len, &first) != E_OK)
		return 0;
	ASSERT(first <= len);
	check_round(data);
	if (name_check(data + first, len - first, &second) != E_OK)
		return 0;
	ASSERT(second <= len - first);
	check_round(data + first);
	check_pair(data, data + first);
	return 0;
}
