#include "common/nameset.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/check.h"
#include "common/conf.h"

struct nameset {
	uint8_t **names; /* in canonical order once sealed */
	size_t n, cap;
	bool sealed;
};

int nameset_new(struct nameset **out)
{
	struct nameset *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return E_NOMEM;
	*out = s;
	return E_OK;
}

void nameset_free(struct nameset *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	free(s->names);
	free(s);
}

static int make_room(struct nameset *s)
{
	size_t cap = s->cap == 0 ? 16 : s->cap * 2;
	uint8_t **more;

	if (s->n == NAMESET_MAX)
		return E_LIMIT;
	if (s->n < s->cap)
		return E_OK;
	more = realloc(s->names, cap * sizeof(*more));
	if (more == NULL)
		return E_NOMEM;
	s->names = more;
	s->cap = cap;
	return E_OK;
}

struct adding {
	struct nameset *set;
	char *bad;
};

static int add_word(void *ctx, const char *word, size_t len)
{
	const struct adding *a = ctx;
	struct nameset *s = a->set;
	uint8_t name[NAME_MAX_LEN];
	uint8_t *copy;
	int err;

	(void)snprintf(a->bad, NAME_TEXT_MAX, "%.*s", (int)len, word);
	err = len < NAME_TEXT_MAX ? name_from_text(name, a->bad) : E_TOO_LONG;
	if (err == E_OK)
		err = make_room(s);
	if (err != E_OK)
		return err;
	copy = malloc(name_len(name));
	if (copy == NULL)
		return E_NOMEM;
	name_lower(copy, name);
	s->names[s->n++] = copy;
	return E_OK;
}

int nameset_add_list(struct nameset *s, const char *list, char bad[NAME_TEXT_MAX])
{
	struct adding a = { .set = s, .bad = bad };

	ASSERT(!s->sealed);
	return conf_each_word(list, add_word, &a);
}

static int compare(const void *a, const void *b)
{
	return name_compare(*(const uint8_t *const *)a, *(const uint8_t *const *)b);
}

void nameset_seal(struct nameset *s)
{
	if (s->n > 0)
		qsort(s->names, s->n, sizeof(*s->names), compare);
	s->sealed = true;
}

bool nameset_encloses(const struct nameset *s, const uint8_t *name)
{
	ASSERT(s->sealed);
	if (s->n == 0)
		return false;
	for (;; name = name_parent(name)) {
		if (bsearch(&name, s->names, s->n, sizeof(*s->names), compare) != NULL)
			return true;
		if (name_is_root(name))
			return false;
	}
}

size_t nameset_count(const struct nameset *s)
{
	return s->n;
}
