#include "recursor/trial_questions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "common/hash.h"
#include "common/psl.h"

enum { ROOM_FIRST = 1024 };

/* ---- reading ---- */

static bool keep(void *ctx, const struct ring_entry *e)
{
	struct trial_questions *t = ctx;
	size_t len = e->has_name ? name_len(e->name) : 0;

	/* The rest is read to be counted. */
	if (t->n == TRY_QUESTIONS_MAX)
		return true;
	if (!grow(&t->list, &t->cap, t->n + 1, sizeof(*t->list), ROOM_FIRST) ||
	    !grow(&t->names, &t->names_cap, t->names_len + len, 1, ROOM_FIRST)) {
		t->failed = true;
		return false;
	}
	t->list[t->n++] = (struct trial_question) {
		.remote = e->remote,
		.type = e->type,
		.tcp = e->tcp,
		.has_name = e->has_name,
		.name = (uint32_t)t->names_len,
	};
	if (len > 0)
		memcpy(t->names + t->names_len, e->name, len);
	t->names_len += len;
	return true;
}

int trial_questions_read(struct trial_questions *to, struct ringset *rings, enum ring_kind ring,
			 uint64_t *entries)
{
	*entries = ringset_read(rings, ring, keep, to);
	if (to->failed)
		return E_NOMEM;
	for (size_t i = 0; i < to->n / 2; i++) {
		struct trial_question q = to->list[i];

		to->list[i] = to->list[to->n - 1 - i];
		to->list[to->n - 1 - i] = q;
	}
	for (to->seen_cap = 16; to->seen_cap < 2 * to->n;)
		to->seen_cap *= 2;
	to->seen = calloc(to->seen_cap, sizeof(*to->seen));
	return to->seen != NULL ? E_OK : E_NOMEM;
}

void trial_questions_free(struct trial_questions *t)
{
	free(t->list);
	free(t->names);
	free(t->seen);
	*t = (struct trial_questions) { 0 };
}

const uint8_t *trial_question_name(const struct trial_questions *t, const struct trial_question *q)
{
	return q->has_name ? t->names + q->name : NULL;
}

bool trial_question_is_new(struct trial_questions *t, const struct trial_question *q)
{
	uint64_t hash;
	size_t i;

	if (!q->has_name)
		return false;
	hash = hash_mix(name_hash(t->names + q->name), q->type) | 1;
	for (i = (hash >> 1) & (t->seen_cap - 1); t->seen[i] != 0; i = (i + 1) & (t->seen_cap - 1))
		if (t->seen[i] == hash)
			return false;
	t->seen[i] = hash;
	return true;
}

/* ---- counting ---- */

struct affected {
	const uint8_t *domain; /* NULL: none */
	const struct addr *client;
};

static int by_domain(const void *a, const void *b)
{
	const struct affected *x = a, *y = b;

	return name_compare(x->domain, y->domain);
}

static int by_client(const void *a, const void *b)
{
	const struct affected *x = a, *y = b;

	return memcmp(x->client, y->client, sizeof(*x->client));
}

/* Puts it in its place among the first TRY_TOP. */
static void place(struct try_count *top, size_t *n, const char *text, uint64_t count)
{
	size_t at = *n;

	while (at > 0 && top[at - 1].n < count)
		at--;
	if (at == TRY_TOP)
		return;
	if (*n < TRY_TOP)
		(*n)++;
	memmove(&top[at + 1], &top[at], (*n - 1 - at) * sizeof(*top));
	top[at].n = count;
	(void)snprintf(top[at].text, sizeof(top[at].text), "%s", text);
}

/* The list is in order of what is counted. */
static void count_runs(const struct affected *list, size_t n,
		       int (*compare)(const void *a, const void *b), struct try_count *top,
		       size_t *n_top)
{
	char name[NAME_TEXT_MAX], ip[ADDR_TEXT_MAX];

	for (size_t i = 0, next; i < n; i = next) {
		for (next = i + 1; next < n && compare(&list[i], &list[next]) == 0;)
			next++;
		place(top, n_top,
		      compare == by_domain ? name_to_text(name, list[i].domain)
					   : addr_ip_text(ip, list[i].client),
		      next - i);
	}
}

int trial_questions_count(const struct trial_questions *t, const struct psl *psl,
			  struct try_report *out)
{
	struct affected *list = malloc((t->n + 1) * sizeof(*list));
	size_t n = 0, named = 0;

	if (list == NULL)
		return E_NOMEM;
	for (size_t i = 0; i < t->n; i++) {
		const struct trial_question *q = &t->list[i];
		const uint8_t *name = trial_question_name(t, q);

		if (!q->is_affected)
			continue;
		list[n].client = &q->remote;
		list[n].domain = name != NULL ? name_suffix(name, psl_registrable(psl, name))
					      : NULL;
		named += name != NULL;
		n++;
	}
	/* Of one ring either all have a name or none. */
	if (named == n && n > 0) {
		qsort(list, n, sizeof(*list), by_domain);
		count_runs(list, n, by_domain, out->domains, &out->n_domains);
	}
	if (n > 0) {
		qsort(list, n, sizeof(*list), by_client);
		count_runs(list, n, by_client, out->clients, &out->n_clients);
	}
	free(list);
	return E_OK;
}
