/* psl_filter: see psl_filter.h. */
#include "common/psl_filter.h"

#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/hash.h"
#include "common/name.h"

enum { WORDS = 4096, PREFIX_LEN = 4 };

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

/* What is no name is no rule to libpsl either, or one that no name matches. */
static void add_rule(struct psl_filter *f, const char *rule)
{
	bool is_wild = rule[0] == '*' && rule[1] == '.';
	uint8_t name[NAME_MAX_LEN];

	if (is_wild)
		rule += 2;
	else if (rule[0] == '!')
		rule++;
	if (!is_ascii(rule) || name_from_text(name, rule) != E_OK)
		return;
	add(f, name_hash(name)); /* `*.name` makes a suffix of the name, too (libpsl) */
	if (is_wild)
		add(f, below(name_hash(name)));
}

int psl_filter_new(struct psl_filter **out, char *text)
{
	struct psl_filter *f = calloc(1, sizeof(*f));
	char *rest = text, *line;

	if (f == NULL)
		return E_NOMEM;
	while ((line = strsep(&rest, "\r\n")) != NULL) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t")] = '\0';
		if (*line != '\0' && strncmp(line, "//", 2) != 0)
			add_rule(f, line);
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
