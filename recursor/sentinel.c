#include "recursor/sentinel.h"

#include <string.h>
#include <strings.h>

#include "common/ascii.h"
#include "common/rrtype.h"
#include "common/wire.h"

enum { TAG_DIGITS = 5 };

static const char is_ta[] = "root-key-sentinel-is-ta-", not_ta[] = "root-key-sentinel-not-ta-";

/* The label is `begin` and five digits, leading zeros included (2.1). */
static bool read_tag(const uint8_t *name, const char *begin, uint16_t *tag)
{
	size_t len = strlen(begin);
	uint32_t value = 0;

	if (name[0] != len + TAG_DIGITS || strncasecmp((const char *)name + 1, begin, len) != 0)
		return false;
	for (size_t i = 0; i < TAG_DIGITS; i++) {
		uint8_t c = name[1 + len + i];

		if (!ascii_is_digit((char)c))
			return false;
		value = value * 10 + (uint32_t)(c - '0');
	}
	*tag = (uint16_t)value;
	return value <= UINT16_MAX;
}

static bool is_trusted(const struct anchors *anchors, uint16_t tag)
{
	const struct anchor *root = anchors_exact(anchors, name_root);
	struct rdata rr;

	if (root == NULL || root->ds == NULL)
		return false;
	for (size_t at = 0; rrset_next(root->ds, &at, &rr);)
		if (wire_get_u16(rr.data) == tag)
			return true;
	return false;
}

bool sentinel_denies(const struct anchors *anchors, const uint8_t *name, uint16_t type)
{
	uint16_t tag;

	if (type != TYPE_A && type != TYPE_AAAA)
		return false;
	if (read_tag(name, is_ta, &tag))
		return !is_trusted(anchors, tag);
	return read_tag(name, not_ta, &tag) && is_trusted(anchors, tag);
}
