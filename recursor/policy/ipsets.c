/* ipsets: the sets by name, their readers, and the tables that are freed later; see ipset.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/lock.h"
#include "recursor/policy/ipset_impl.h"

/* Slots looked at in one call of ipsets_tidy(): some 50 us. */
enum { TIDY_SLOTS = 65536 };

/* ---- what is freed later ---- */

static bool is_read(const struct ipsets *r, const struct ipset_table *t)
{
	for (unsigned i = 0; i < r->n_readers; i++)
		if (atomic_load(&r->readers[i].table) == t)
			return true;
	return false;
}

/* The caller has retired_lock. */
static void free_unread(struct ipsets *r)
{
	struct ipset_table **at = &r->retired;

	while (*at != NULL) {
		struct ipset_table *t = *at;

		if (is_read(r, t)) {
			at = &t->next_retired;
			continue;
		}
		*at = t->next_retired;
		ipset_table_free(t);
	}
}

void ipsets_free_retired(struct ipsets *r)
{
	pthread_mutex_lock(&r->retired_lock);
	free_unread(r);
	pthread_mutex_unlock(&r->retired_lock);
}

void ipsets_retire(struct ipsets *r, struct ipset_table *t)
{
	pthread_mutex_lock(&r->retired_lock);
	t->next_retired = r->retired;
	r->retired = t;
	free_unread(r);
	pthread_mutex_unlock(&r->retired_lock);
}

/* ---- life ---- */

static int registry_new(struct ipsets **out, unsigned n_readers)
{
	struct ipsets *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return E_NOMEM;
	if (n_readers > 0) {
		r->readers = aligned_alloc(alignof(struct ipset_reader),
					   n_readers * sizeof(*r->readers));
		if (r->readers == NULL) {
			free(r);
			return E_NOMEM;
		}
	}
	r->n_readers = n_readers;
	for (unsigned i = 0; i < n_readers; i++)
		atomic_init(&r->readers[i].table, NULL);
	lock_init(&r->lock);
	lock_init(&r->retired_lock);
	*out = r;
	return E_OK;
}

int ipsets_new(struct ipsets **out, const struct ipsets_config *cfg)
{
	struct ipsets *r = NULL;
	int err = registry_new(&r, cfg->n_readers);

	if (err != E_OK)
		return err;
	ipsets_configure(r, cfg->max_sets, cfg->max_entries);
	*out = r;
	return E_OK;
}

int ipsets_new_overlay(struct ipsets **out, struct ipsets *below)
{
	struct ipsets *r = NULL;
	int err = registry_new(&r, 1);

	if (err != E_OK)
		return err;
	r->below = below;
	pthread_mutex_lock(&below->lock);
	r->max_sets = below->max_sets;
	pthread_mutex_unlock(&below->lock);
	atomic_store(&r->max_entries, atomic_load(&below->max_entries));
	*out = r;
	return E_OK;
}

void ipsets_configure(struct ipsets *r, uint32_t max_sets, uint64_t max_entries)
{
	pthread_mutex_lock(&r->lock);
	r->max_sets = max_sets;
	pthread_mutex_unlock(&r->lock);
	atomic_store_explicit(&r->max_entries, max_entries, memory_order_relaxed);
}

/* It is in no list any more; what it counted is kept. */
static void set_end(struct ipsets *r, struct ipset *s)
{
	struct ipset_stats last;

	ipset_stats(s, &last);
	r->ended.adds += last.adds;
	r->ended.removals += last.removals;
	r->ended.refusals += last.refusals;
	r->ended.expirations += last.expirations;
	ipset_put(s->below);
	ipset_free(s);
}

void ipsets_free(struct ipsets *r)
{
	if (r == NULL)
		return;
	while (r->first != NULL) {
		struct ipset *s = r->first;

		r->first = s->next;
		EXPECT(s->references == 0);
		set_end(r, s);
	}
	ipsets_free_retired(r);
	EXPECT(r->retired == NULL);
	pthread_mutex_destroy(&r->retired_lock);
	pthread_mutex_destroy(&r->lock);
	free(r->readers);
	free(r);
}

struct ipset_reader *ipsets_reader(struct ipsets *r, unsigned i)
{
	ASSERT(i < r->n_readers);
	return &r->readers[i];
}

/* ---- names ---- */

bool ipset_name_is_good(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IPSET_NAME_MAX)
		return false;
	for (const char *p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && strchr("-_.", *p) == NULL)
			return false;
	return true;
}

/* Where the set of that name is in the list, or would be. */
static struct ipset **find_place(struct ipsets *r, const char *name)
{
	struct ipset **at = &r->first;

	while (*at != NULL && strcmp((*at)->name, name) < 0)
		at = &(*at)->next;
	return at;
}

static bool is_named(const struct ipset *s, const char *name)
{
	return s != NULL && strcmp(s->name, name) == 0;
}

struct ipset *ipsets_find(struct ipsets *r, const char *name)
{
	struct ipset *s;

	pthread_mutex_lock(&r->lock);
	s = *find_place(r, name);
	if (is_named(s, name))
		s->references++;
	else
		s = NULL;
	pthread_mutex_unlock(&r->lock);
	return s;
}

/* One that nobody holds and that has nothing in it gives way. */
static bool drop_unused(struct ipsets *r)
{
	for (struct ipset **at = &r->first; *at != NULL; at = &(*at)->next) {
		struct ipset *s = *at;

		if (s->references > 0 || ipset_count(s) > 0)
			continue;
		*at = s->next;
		r->n_sets--;
		set_end(r, s);
		return true;
	}
	return false;
}

static void set_options(struct ipset *s, const struct ipset_options *o)
{
	if (o->has_ttl)
		atomic_store_explicit(&s->ttl_s, o->ttl_s, memory_order_relaxed);
	if (o->has_max)
		atomic_store_explicit(&s->max, o->max, memory_order_relaxed);
}

/* What an overlay's set begins as. */
static void lay_over(struct ipset *s, struct ipset *below)
{
	s->below = below;
	if (below == NULL)
		return;
	atomic_store(&s->ttl_s, atomic_load(&below->ttl_s));
	atomic_store(&s->max, atomic_load(&below->max));
}

/* The caller has the lock. */
static int open_named(struct ipsets *r, struct ipset **out, const char *name)
{
	struct ipset **at = find_place(r, name), *s = *at;
	int err;

	if (is_named(s, name)) {
		s->references++;
		*out = s;
		return E_OK;
	}
	if (r->n_sets >= r->max_sets && !drop_unused(r)) {
		r->sets_refused++;
		return E_LIMIT;
	}
	err = ipset_new(&s, r);
	if (err != E_OK)
		return err;
	strcpy(s->name, name);
	if (r->below != NULL)
		lay_over(s, ipsets_find(r->below, name));
	at = find_place(r, name);
	s->next = *at;
	*at = s;
	r->n_sets++;
	if (r->n_sets > r->most_sets)
		r->most_sets = r->n_sets;
	*out = s;
	return E_OK;
}

int ipsets_open(struct ipsets *r, struct ipset **out, const struct ipset_options *o)
{
	struct ipset *s = NULL;
	int err;

	if (o->name == NULL || o->name[0] == '\0') {
		err = ipset_new(&s, r);
	} else if (!ipset_name_is_good(o->name)) {
		return E_MALFORMED;
	} else {
		pthread_mutex_lock(&r->lock);
		err = open_named(r, &s, o->name);
		pthread_mutex_unlock(&r->lock);
	}
	if (err != E_OK)
		return err;
	set_options(s, o);
	*out = s;
	return E_OK;
}

void ipset_put(struct ipset *s)
{
	struct ipsets *r;

	if (s == NULL)
		return;
	r = s->all;
	pthread_mutex_lock(&r->lock);
	ASSERT(s->references > 0);
	s->references--;
	if (s->references == 0 && s->name[0] == '\0')
		set_end(r, s);
	pthread_mutex_unlock(&r->lock);
}

/* ---- all of them ---- */

/* The set whose turn it is: the next by name after the one of the last call; a reference. */
static struct ipset *next_to_tidy(struct ipsets *r)
{
	struct ipset *s;

	pthread_mutex_lock(&r->lock);
	s = *find_place(r, r->tidied);
	if (is_named(s, r->tidied))
		s = s->next;
	if (s == NULL)
		s = r->first;
	if (s != NULL) {
		s->references++;
		strcpy(r->tidied, s->name);
	}
	pthread_mutex_unlock(&r->lock);
	return s;
}

static size_t count_sets(struct ipsets *r)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = r->n_sets;
	pthread_mutex_unlock(&r->lock);
	return n;
}

/* One round at most, counted: any set may be gone before the round is over, the first as well. */
void ipsets_tidy(struct ipsets *r, uint32_t now_s)
{
	size_t left = TIDY_SLOTS;

	ipsets_free_retired(r);
	for (size_t n = count_sets(r); n > 0 && left > 0; n--) {
		struct ipset *s = next_to_tidy(r);
		size_t seen;

		if (s == NULL)
			return;
		seen = ipset_sweep(s, now_s, left);
		left -= seen < left ? seen : left;
		ipset_put(s);
	}
}

int ipsets_list(struct ipsets *r, struct ipset_stats **out, size_t *n)
{
	struct ipset_stats *list;
	size_t i = 0;

	pthread_mutex_lock(&r->lock);
	list = calloc(r->n_sets + 1, sizeof(*list));
	for (const struct ipset *s = r->first; list != NULL && s != NULL; s = s->next)
		ipset_stats(s, &list[i++]);
	pthread_mutex_unlock(&r->lock);
	if (list == NULL)
		return E_NOMEM;
	*out = list;
	*n = i;
	return E_OK;
}

uint64_t ipsets_entries(const struct ipsets *r)
{
	return atomic_load_explicit(&r->entries, memory_order_relaxed);
}

void ipsets_stats(struct ipsets *r, struct ipsets_stats *out)
{
	pthread_mutex_lock(&r->lock);
	*out = (struct ipsets_stats) {
		.sets = r->n_sets,
		.entries = atomic_load_explicit(&r->entries, memory_order_relaxed),
		.bytes = atomic_load_explicit(&r->bytes, memory_order_relaxed),
		.adds = r->ended.adds,
		.removals = r->ended.removals,
		.refusals = r->ended.refusals,
		.expirations = r->ended.expirations,
		.sets_refused = r->sets_refused,
		.most_sets = r->most_sets,
	};
	for (const struct ipset *s = r->first; s != NULL; s = s->next) {
		struct ipset_stats one;

		ipset_stats(s, &one);
		out->adds += one.adds;
		out->removals += one.removals;
		out->refusals += one.refusals;
		out->expirations += one.expirations;
	}
	pthread_mutex_unlock(&r->lock);
}
