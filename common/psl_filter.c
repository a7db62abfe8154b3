/* psl_filter: see psl_filter.h. */
#include "common/psl_filter.h"

#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/check.h"
#include "common/hash.h"
#include "common/name.h"

enum {
	WORDS = 4096,
	PREFIX_LEN = 4,
	LINE_MAX_LEN = 254, /* libpsl takes what is longer for two lines, perhaps for two rules */
};

struct psl_filter {
	uint64_t words[WORDS];
};

static uint64_t *word_of(struct psl_filter *f, uint64_t hash)
{
	return &f->words[hash >> 32 & (WORDS - 1)];
}

static uint64_t bits_of(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 44 & 63) | UINT64_C(1) << (hash >> 50 & 63);
}

static bool has(const struct psl_filter *f, uint64_t hash)
{
	uint64_t bits = bits_of(hash);

	return (*word_of((struct psl_filter *)f, hash) & bits) == bits;
}

/* A rule `*.name` is about all names right below that one. */
static uint64_t below(uint64_t hash)
{
	return hash_mix(hash, '*');
}

/* Letters of which an ACE label is made (xn--), whatever the mapping (RFC 5895, UTS 46) makes of them and
 * of what stands beside them: none of these becomes a letter of ASCII, or nothing.  In UTF-8 they are in
 * order as bytes, too. */
static const struct {
	const char *first, *last;
} foreign[] = {
	{ u8"\u00c0", u8"\u00de" }, { u8"\u00e0", u8"\u0131" }, /* Latin; sharp s may become ss, */
	{ u8"\u0134", u8"\u017e" }, /* and the ligature ij two letters */
	{ u8"\u0391", u8"\u0587" }, /* Greek, Cyrillic, Armenian */
	{ u8"\u05d0", u8"\u05ea" }, { u8"\u0620", u8"\u06ff" }, /* Hebrew, Arabic */
	{ u8"\u0901", u8"\u0eff" },                             /* India's, Thai, Lao */
	{ u8"\u10d0", u8"\u10ff" },                             /* Georgian */
	{ u8"\u3041", u8"\u30ff" }, { u8"\u4e00", u8"\u9fff" }, /* Kana, Han */
	{ u8"\uac00", u8"\ud7a3" },                             /* Hangul */
};

static bool is_foreign(const char *at)
{
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		size_t len = strlen(foreign[i].first);

		if (strncmp(at, foreign[i].first, len) >= 0 &&
		    strncmp(at, foreign[i].last, len) <= 0)
			return true;
	}
	return false;
}

static bool has_foreign(const char *s)
{
	for (; *s != '\0'; s++)
		if (is_foreign(s))
			return true;
	return false;
}

static bool is_ascii(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

static void add(struct psl_filter *f, uint64_t hash)
{
	*word_of(f, hash) |= bits_of(hash);
}

/* What is no name is no rule to libpsl either, or one that no name matches.  False: it may be about names
 * that cannot be told from here. */
static bool add_rule(struct psl_filter *f, const char *rule)
{
	bool is_wild = rule[0] == '*' && rule[1] == '.';
	uint8_t name[NAME_MAX_LEN];

	if (is_wild)
		rule += 2;
	else if (rule[0] == '!')
		rule++;
	if (!is_ascii(rule))
		return has_foreign(rule);
	if (name_from_text(name, rule) != E_OK)
		return true;
	add(f, name_hash(name)); /* `*.name` makes a suffix of the name, too (libpsl) */
	if (is_wild)
		add(f, below(name_hash(name)));
	return true;
}

static bool has_long_line(const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len > LINE_MAX_LEN)
			return true;
	}
	return false;
}

int psl_filter_new(struct psl_filter **out, char *text)
{
	struct psl_filter *f = calloc(1, sizeof(*f));
	char *rest = text, *line;
	bool all = !has_long_line(text);

	if (f == NULL)
		return E_NOMEM;
	while ((line = strsep(&rest, "\r\n")) != NULL) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t")] = '\0';
		if (*line != '\0' && strncmp(line, "//", 2) != 0)
			all &= add_rule(f, line);
	}
	if (!all) {
		free(f);
		f = NULL;
	}
	*out = f;
	return E_OK;
}

void psl_filter_free(struct psl_filter *f)
{
	free(f);
}

bool psl_filter_may_be_suffix(const struct psl_filter *f, uint64_t hash, uint64_t parent_hash)
{
	return has(f, hash) || has(f, below(parent_hash));
}

bool psl_filter_knows(const uint8_t *name)
{
	for (; *name != 0; name += 1 + *name)
		if (*name >= PREFIX_LEN && ascii_lower(name[1]) == 'x' &&
		    ascii_lower(name[2]) == 'n' && name[3] == '-' && name[4] == '-')
			return false;
	return true;
}
