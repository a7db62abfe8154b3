#include "common/generate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"

enum { WIDTH_MAX = 255, NUMBER_MAX = INT32_MAX };

/* A number without a sign, and what follows. */
static bool read_number(const char **at, uint32_t *out)
{
	uint64_t n = 0;

	if (!ascii_is_digit(**at))
		return false;
	for (; ascii_is_digit(**at); ++*at) {
		n = n * 10 + (uint64_t)(**at - '0');
		if (n > NUMBER_MAX)
			return false;
	}
	*out = (uint32_t)n;
	return true;
}

int generate_read_range(struct generate_range *out, const char *text)
{
	struct generate_range r = { .step = 1 };

	if (!read_number(&text, &r.first) || *text++ != '-' || !read_number(&text, &r.last))
		return E_MALFORMED;
	if (*text == '/') {
		text++;
		if (!read_number(&text, &r.step))
			return E_MALFORMED;
	}
	if (*text != '\0' || r.step == 0 || r.last < r.first)
		return E_MALFORMED;
	*out = r;
	return E_OK;
}

uint64_t generate_count(const struct generate_range *r)
{
	return ((uint64_t)r->last - r->first) / r->step + 1;
}

struct form {
	bool minus;
	uint32_t offset, width;
	char base;
};

/* What stands in the braces: "offset[,width[,base]]}". */
static bool read_form(const char **at, struct form *f)
{
	*f = (struct form) { .base = 'd' };
	f->minus = **at == '-';
	if (**at == '-' || **at == '+')
		++*at;
	if (!read_number(at, &f->offset))
		return false;
	if (**at == ',') {
		++*at;
		if (!read_number(at, &f->width) || f->width > WIDTH_MAX)
			return false;
	}
	if (**at == ',') {
		++*at;
		if (**at == '\0' || strchr("doxX", **at) == NULL)
			return false;
		f->base = *(*at)++;
	}
	return *(*at)++ == '}';
}

static int put_number(char *out, size_t cap, size_t *len, int64_t number, const struct form *f)
{
	char text[WIDTH_MAX + 32];
	int width = (int)f->width, n;
	unsigned long long value = (unsigned long long)number;

	if (number < 0)
		return E_MALFORMED;
	switch (f->base) {
	case 'o':
		n = snprintf(text, sizeof(text), "%0*llo", width, value);
		break;
	case 'x':
		n = snprintf(text, sizeof(text), "%0*llx", width, value);
		break;
	case 'X':
		n = snprintf(text, sizeof(text), "%0*llX", width, value);
		break;
	default:
		n = snprintf(text, sizeof(text), "%0*llu", width, value);
		break;
	}
	if (n < 0 || *len + (size_t)n >= cap)
		return E_TOO_LONG;
	memcpy(out + *len, text, (size_t)n);
	*len += (size_t)n;
	return E_OK;
}

int generate_expand(char *out, size_t cap, const char *template, uint32_t number)
{
	static const struct form plain = { .base = 'd' };
	size_t len = 0;

	for (const char *at = template; *at != '\0';) {
		struct form f = plain;
		int64_t value = number;
		int err;

		if (len + 2 >= cap)
			return E_TOO_LONG;
		if ((at[0] == '\\' || at[0] == '$') && at[1] == '$') {
			out[len++] = '$';
			at += 2;
			continue;
		}
		if (at[0] == '\\' && at[1] != '\0') {
			out[len++] = *at++;
			out[len++] = *at++;
			continue;
		}
		if (*at != '$') {
			out[len++] = *at++;
			continue;
		}
		at++;
		if (*at == '{') {
			at++;
			if (!read_form(&at, &f))
				return E_MALFORMED;
		}
		value += f.minus ? -(int64_t)f.offset : (int64_t)f.offset;
		err = put_number(out, cap, &len, value, &f);
		if (err != E_OK)
			return err;
	}
	if (len >= cap)
		return E_TOO_LONG;
	out[len] = '\0';
	return E_OK;
}
