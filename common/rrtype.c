#include "common/rrtype.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/ascii.h"
#include "common/check.h"

static const struct {
	const char *text;
	uint16_t type;
} mnemonics[] = {
#define RRTYPE_ROW(name, number, layout) { #name, (number) },
	RRTYPE_TABLE(RRTYPE_ROW)
#undef RRTYPE_ROW
};

const char *rrtype_to_text(uint16_t type, char buf[RRTYPE_TEXT_MAX])
{
	switch (type) {
#define RRTYPE_CASE(name, number, layout)                                                          \
	case (number):                                                                             \
		return #name;
		RRTYPE_TABLE(RRTYPE_CASE)
#undef RRTYPE_CASE
	default:
		(void)snprintf(buf, RRTYPE_TEXT_MAX, "TYPE%u", (unsigned)type);
		return buf;
	}
}

int rrtype_from_text(const char *text, uint16_t *type)
{
	unsigned number = 0;

	for (size_t i = 0; i < ARRAY_LEN(mnemonics); i++) {
		if (strcasecmp(text, mnemonics[i].text) == 0) {
			*type = mnemonics[i].type;
			return E_OK;
		}
	}
	if (strncasecmp(text, "TYPE", 4) != 0 || text[4] == '\0')
		return E_MALFORMED;
	for (text += 4; *text != '\0'; text++) {
		if (!ascii_is_digit(*text))
			return E_MALFORMED;
		number = number * 10 + (unsigned)(*text - '0');
		if (number > UINT16_MAX)
			return E_MALFORMED;
	}
	*type = (uint16_t)number;
	return E_OK;
}

const char *rrtype_layout(uint16_t type)
{
	switch (type) {
#define LAYOUT_CASE(name, number, layout)                                                          \
	case (number):                                                                             \
		return layout;
		RRTYPE_TABLE(LAYOUT_CASE)
#undef LAYOUT_CASE
	default:
		return "*";
	}
}

bool rrtype_is_meta(uint16_t type)
{
	return type == TYPE_OPT || (type >= 128 && type <= 255);
}

const char *rcode_to_text(unsigned rcode, char buf[RRTYPE_TEXT_MAX])
{
	switch (rcode) {
#define RCODE_CASE(name, number)                                                                   \
	case (number):                                                                             \
		return #name;
		RCODE_TABLE(RCODE_CASE)
#undef RCODE_CASE
	default:
		(void)snprintf(buf, RRTYPE_TEXT_MAX, "RCODE%u", rcode & 0xffff);
		return buf;
	}
}

const char *ede_to_text(int code)
{
	switch (code) {
#define EDE_CASE(name, number, text)                                                               \
	case (number):                                                                             \
		return text;
		EDE_TABLE(EDE_CASE)
#undef EDE_CASE
	default:
		return "unknown";
	}
}
