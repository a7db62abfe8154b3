#include "common/namelist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "common/name.h"

/* A slot: 32 bits of the hash above the place of the name in `names`, plus one.  0: free. */
struct namelist {
	uint8_t *names; /* in lower case, one after the other */
	size_t len, cap;
	size_t n; /* of them */
	uint64_t *slots;
	uint32_t n_slots;
	uint8_t has_labels[NAME_MAX_LABELS + 1]; /* is there any name of so many? */
	unsigned most_labels;
};

void namelist_free(struct namelist *l)
{
	if (l == NULL)
		return;
	free(l->names);
	free(l->slots);
	free(l);
}

/* The slot of the name, or the free one where it would be; there is always one that is free. */
static uint64_t *find_slot(const struct namelist *l, const uint8_t *name, uint64_t hash)
{
	uint32_t i = (uint32_t)((hash & UINT32_MAX) * l->n_slots >> 32);

	for (;; i = i + 1 == l->n_slots ? 0 : i + 1) {
		uint64_t slot = l->slots[i];

		if (slot == 0 ||
		    (slot >> 32 == hash >> 32 && name_equal(l->names + (uint32_t)slot - 1, name)))
			return &l->slots[i];
	}
}

/* ---- reading ---- */

struct reading {
	struct namelist *list;
	const char *file;
	unsigned long line;
	char *why;
};

static int refuse(const struct reading *r, int err, const char *what, const char *word)
{
	(void)snprintf(r->why, NAMELIST_WHY_MAX, "%s:%lu: '%.200s': %s", r->file, r->line, word,
		       what);
	return err;
}

static int make_room(struct namelist *l)
{
	size_t cap = l->cap == 0 ? 4096 : 2 * l->cap;
	uint8_t *more;

	if (l->len + NAME_MAX_LEN <= l->cap)
		return E_OK;
	more = realloc(l->names, cap);
	if (more == NULL)
		return E_NOMEM;
	l->names = more;
	l->cap = cap;
	return E_OK;
}

static int add_word(struct reading *r, const char *word)
{
	struct namelist *l = r->list;
	uint8_t name[NAME_MAX_LEN];
	int err;

	if (strncmp(word, "*.", 2) == 0)
		return refuse(r, E_MALFORMED,
			      "a name stands for all below it, too; leave out the asterisk", word);
	err = strlen(word) < NAME_TEXT_MAX ? name_from_text(name, word) : E_TOO_LONG;
	if (err != E_OK)
		return refuse(r, err, "not a name", word);
	if (l->n == NAMELIST_MAX)
		return refuse(r, E_LIMIT, "more names than a list may have", word);
	err = make_room(l);
	if (err != E_OK)
		return refuse(r, err, err_text(err), word);
	l->len += name_lower(l->names + l->len, name);
	l->n++;
	return E_OK;
}

static int read_line(struct reading *r, char *line)
{
	static const char blanks[] = " \t\r";
	char *word, *more, *save = NULL;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, blanks, &save);
	if (word == NULL)
		return E_OK;
	more = strtok_r(NULL, blanks, &save);
	return more == NULL ? add_word(r, word)
			    : refuse(r, E_MALFORMED, "more than a name in the line", more);
}

static int read_lines(struct reading *r, char *text, const char *end)
{
	int err = E_OK;

	while (text < end && err == E_OK) {
		char *stop = memchr(text, '\n', (size_t)(end - text)), *after;

		after = stop == NULL ? text + (end - text) : stop;
		*after = '\0';
		r->line++;
		err = strlen(text) == (size_t)(after - text)
			      ? read_line(r, text)
			      : refuse(r, E_MALFORMED, "a zero byte", text);
		text = after + 1;
	}
	return err;
}

/* Names that are there twice keep the memory of both. */
static int build(struct namelist *l)
{
	size_t named = l->n;
	uint8_t *fit = l->len == 0 ? NULL : realloc(l->names, l->len);

	if (fit != NULL)
		l->names = fit;
	if (l->len >= UINT32_MAX)
		return E_LIMIT;
	l->n_slots = (uint32_t)(named + named / 2 + 2);
	l->slots = calloc(l->n_slots, sizeof(*l->slots));
	if (l->slots == NULL)
		return E_NOMEM;
	l->n = 0;
	for (size_t at = 0; at < l->len; at += name_len(l->names + at)) {
		const uint8_t *name = l->names + at;
		uint64_t hash = name_hash(name), *slot = find_slot(l, name, hash);
		unsigned labels = name_labels(name);

		if (*slot != 0)
			continue;
		*slot = (hash >> 32) << 32 | (at + 1);
		l->has_labels[labels] = 1;
		if (labels > l->most_labels)
			l->most_labels = labels;
		l->n++;
	}
	return E_OK;
}

int namelist_read(struct namelist **out, char *text, size_t len, const char *file, char *why)
{
	struct reading r = { .list = calloc(1, sizeof(*r.list)), .file = file, .why = why };
	int err = r.list == NULL ? E_NOMEM : read_lines(&r, text, text + len);
	bool is_read = r.list != NULL && err == E_OK;

	if (is_read)
		err = build(r.list);
	if (err == E_OK) {
		*out = r.list;
		return E_OK;
	}
	if (is_read || r.list == NULL)
		(void)snprintf(why, NAMELIST_WHY_MAX, "%s: %s", file, err_text(err));
	namelist_free(r.list);
	return err;
}

int namelist_load(struct namelist **out, const char *path, char *why)
{
	char *text = NULL;
	size_t len = 0;
	int err = conf_load_file(path, &text, &len);

	if (err != E_OK) {
		(void)snprintf(why, NAMELIST_WHY_MAX, "%s: %s", path, err_why(err));
		return err;
	}
	err = namelist_read(out, text, len, path, why);
	free(text);
	return err;
}

/* ---- asking ---- */

bool namelist_encloses(const struct namelist *l, const uint8_t *name)
{
	unsigned labels = name_labels(name);

	while (labels > l->most_labels) {
		name = name_parent(name);
		labels--;
	}
	for (;; name = name_parent(name)) {
		if (l->has_labels[labels] && *find_slot(l, name, name_hash(name)) != 0)
			return true;
		if (labels-- == 0)
			return false;
	}
}

size_t namelist_count(const struct namelist *l)
{
	return l->n;
}

size_t namelist_bytes(const struct namelist *l)
{
	return sizeof(*l) + l->len + l->n_slots * sizeof(*l->slots);
}
