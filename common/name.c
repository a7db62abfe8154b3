#include "common/name.h"

#include <string.h>

#include "common/ascii.h"
#include "common/hash.h"

const uint8_t name_root[1] = { 0 };

size_t name_len(const uint8_t *name)
{
	const uint8_t *p = name;

	while (*p != 0)
		p += 1 + *p;
	return (size_t)(p - name) + 1;
}

unsigned name_labels(const uint8_t *name)
{
	unsigned n = 0;

	for (; *name != 0; name += 1 + *name)
		n++;
	return n;
}

unsigned name_signed_labels(const uint8_t *name)
{
	return name_labels(name) - name_is_wildcard(name);
}

int name_check(const uint8_t *data, size_t avail, size_t *len)
{
	size_t pos = 0;

	for (;;) {
		if (pos >= NAME_MAX_LEN)
			return E_TOO_LONG;
		if (pos >= avail)
			return E_TRUNCATED;
		if (data[pos] > NAME_MAX_LABEL)
			return E_MALFORMED;
		if (data[pos] == 0)
			break;
		pos += 1 + (size_t)data[pos];
	}
	*len = pos + 1;
	return E_OK;
}

const uint8_t *name_parent(const uint8_t *name)
{
	return *name == 0 ? name : name + 1 + *name;
}

static const uint8_t *skip_labels(const uint8_t *name, unsigned n)
{
	for (; n > 0; n--)
		name += 1 + *name;
	return name;
}

const uint8_t *name_suffix(const uint8_t *name, unsigned labels)
{
	unsigned have = name_labels(name);

	return have <= labels ? name : skip_labels(name, have - labels);
}

size_t name_lower(uint8_t *dst, const uint8_t *src)
{
	size_t len = name_len(src), i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, src + i, sizeof(word));
		word = ascii_lower8(word);
		memcpy(dst + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		dst[i] = ascii_lower(src[i]);
	return len;
}

size_t name_copy(uint8_t *dst, const uint8_t *src)
{
	size_t len = name_len(src);

	memmove(dst, src, len);
	return len;
}

bool name_equal(const uint8_t *a, const uint8_t *b)
{
	size_t len = name_len(a);

	return len == name_len(b) && ascii_equal(a, b, len);
}

bool name_equal_case(const uint8_t *a, const uint8_t *b)
{
	size_t len = name_len(a);

	return len == name_len(b) && memcmp(a, b, len) == 0;
}

bool name_is_within(const uint8_t *name, const uint8_t *zone)
{
	size_t len = name_len(name), zone_len = name_len(zone);

	while (len > zone_len) {
		len -= 1 + (size_t)*name;
		name += 1 + *name;
	}
	return len == zone_len && ascii_equal(name, zone, len);
}

bool name_is_below(const uint8_t *name, const uint8_t *zone)
{
	return name_len(name) > name_len(zone) && name_is_within(name, zone);
}

unsigned name_common_labels(const uint8_t *a, const uint8_t *b)
{
	unsigned na = name_labels(a), nb = name_labels(b), common = 0;

	a = skip_labels(a, na > nb ? na - nb : 0);
	b = skip_labels(b, nb > na ? nb - na : 0);
	for (; *a != 0; a += 1 + *a, b += 1 + *b) {
		if (*a == *b && ascii_equal(a + 1, b + 1, *a))
			common++;
		else
			common = 0;
	}
	return common;
}

static int compare_label(const uint8_t *a, const uint8_t *b)
{
	unsigned shorter = *a < *b ? *a : *b;

	for (unsigned i = 1; i <= shorter; i++) {
		int diff = ascii_lower(a[i]) - ascii_lower(b[i]);

		if (diff != 0)
			return diff;
	}
	return *a - *b;
}

int name_compare(const uint8_t *a, const uint8_t *b)
{
	unsigned na = name_labels(a), nb = name_labels(b);
	int order = 0;

	/* RFC 4034 6.1 compares from the right: of the labels that differ, seen from the left,
	 * the last decides. */
	a = skip_labels(a, na > nb ? na - nb : 0);
	b = skip_labels(b, nb > na ? nb - na : 0);
	for (; *a != 0; a += 1 + *a, b += 1 + *b) {
		int diff = compare_label(a, b);

		if (diff != 0)
			order = diff;
	}
	return order != 0 ? order : (int)na - (int)nb;
}

uint64_t name_hash(const uint8_t *name)
{
	return hash_bytes_lower(name, name_len(name));
}

/* Reads one character of a label, escaped (RFC 1035 5.1) or not; moves *text past it. */
static int read_char(const char **text, uint8_t *out)
{
	const char *p = *text;

	if (*p != '\\') {
		*out = (uint8_t)*p;
		*text = p + 1;
		return E_OK;
	}
	p++;
	if (*p == '\0')
		return E_MALFORMED;
	if (ascii_is_digit(p[0])) {
		int value;

		if (!ascii_is_digit(p[1]) || !ascii_is_digit(p[2]))
			return E_MALFORMED;
		value = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
		if (value > 255)
			return E_MALFORMED;
		*out = (uint8_t)value;
		*text = p + 3;
		return E_OK;
	}
	*out = (uint8_t)*p;
	*text = p + 1;
	return E_OK;
}

int name_from_text(uint8_t out[NAME_MAX_LEN], const char *text)
{
	uint8_t name[NAME_MAX_LEN];
	size_t label = 0, pos = 1; /* the length byte of the label begun, and where we write */

	if (text[0] == '.' && text[1] == '\0') {
		out[0] = 0;
		return E_OK;
	}
	while (*text != '\0') {
		int err;

		if (*text == '.') {
			if (pos == label + 1)
				return E_MALFORMED;
			name[label] = (uint8_t)(pos - label - 1);
			label = pos++;
			text++;
			continue;
		}
		/* One byte must be left for the root. */
		if (pos > NAME_MAX_LEN - 2 || pos - label > NAME_MAX_LABEL)
			return E_TOO_LONG;
		err = read_char(&text, &name[pos]);
		if (err != E_OK)
			return err;
		pos++;
	}
	if (pos > label + 1) {
		name[label] = (uint8_t)(pos - label - 1);
		label = pos;
	} else if (label == 0) {
		return E_MALFORMED; /* nothing at all */
	}
	name[label] = 0;
	memcpy(out, name, label + 1);
	return E_OK;
}

static char *write_char(char *p, uint8_t c)
{
	if (c <= ' ' || c >= 0x7f) {
		*p++ = '\\';
		*p++ = (char)('0' + c / 100);
		*p++ = (char)('0' + c / 10 % 10);
		*p++ = (char)('0' + c % 10);
		return p;
	}
	/* What has a meaning in a zone file (RFC 1035 5.1). */
	if (strchr(".\\\"();@$", c) != NULL)
		*p++ = '\\';
	*p++ = (char)c;
	return p;
}

char *name_to_text(char out[NAME_TEXT_MAX], const uint8_t *name)
{
	char *p = out;

	if (*name == 0)
		*p++ = '.';
	for (; *name != 0; name += 1 + *name) {
		for (unsigned i = 1; i <= *name; i++)
			p = write_char(p, name[i]);
		*p++ = '.';
	}
	*p = '\0';
	return out;
}

char *name_to_text_undotted(char out[NAME_TEXT_MAX], const uint8_t *name)
{
	size_t len = strlen(name_to_text(out, name));

	if (len > 1)
		out[len - 1] = '\0';
	return out;
}
