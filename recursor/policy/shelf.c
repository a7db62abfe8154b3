#include "recursor/policy/shelf.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/check.h"

/* Which file it was. */
struct file_id {
	uint64_t device, inode, size;
	int64_t changed_s, changed_ns;
};

struct shelf_item {
	struct shelf *shelf;
	struct shelf_item *next;
	unsigned references;
	char *key; /* the path or the name */
	struct namelist *names;
	struct file_id file;
	struct ratelimit *limit; /* or this */
	struct ratelimit_config cfg;
};

struct shelf {
	pthread_mutex_t lock;
	struct shelf_item *items;
	uint64_t refused, forgotten; /* of limits that are no more */
};

int shelf_new(struct shelf **out)
{
	struct shelf *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return E_NOMEM;
	pthread_mutex_init(&s->lock, NULL);
	*out = s;
	return E_OK;
}

void shelf_free(struct shelf *s)
{
	if (s == NULL)
		return;
	EXPECT(s->items == NULL);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static void item_free(struct shelf_item *item)
{
	ratelimit_free(item->limit);
	namelist_free(item->names);
	free(item->key);
	free(item);
}

/* On the shelf from now on, with one reference.  NULL: no memory. */
static struct shelf_item *item_add(struct shelf *s, const char *key)
{
	struct shelf_item *item = calloc(1, sizeof(*item));

	if (item != NULL)
		item->key = strdup(key);
	if (item == NULL || item->key == NULL) {
		free(item);
		return NULL;
	}
	item->shelf = s;
	item->references = 1;
	item->next = s->items;
	s->items = item;
	return item;
}

static void item_remove(struct shelf_item *item)
{
	struct shelf_item **at = &item->shelf->items;

	while (*at != item)
		at = &(*at)->next;
	*at = item->next;
	if (item->limit != NULL) {
		struct ratelimit_stats last;

		ratelimit_stats(item->limit, &last);
		item->shelf->refused += last.refused;
		item->shelf->forgotten += last.forgotten;
	}
}

void shelf_put(struct shelf_item *item)
{
	struct shelf *s;
	bool is_last;

	if (item == NULL)
		return;
	s = item->shelf;
	pthread_mutex_lock(&s->lock);
	ASSERT(item->references > 0);
	is_last = --item->references == 0;
	if (is_last)
		item_remove(item);
	pthread_mutex_unlock(&s->lock);
	/* A long list takes its time. */
	if (is_last)
		item_free(item);
}

/* ---- lists of names ---- */

static bool identify(const char *path, struct file_id *out)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	*out = (struct file_id) {
		.device = st.st_dev,
		.inode = st.st_ino,
		.size = (uint64_t)st.st_size,
		.changed_s = st.st_ctim.tv_sec,
		.changed_ns = st.st_ctim.tv_nsec,
	};
	return true;
}

static bool is_same_file(const struct file_id *a, const struct file_id *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

/* With one more reference; NULL: it is not there. */
static struct shelf_item *find_names(const struct shelf *s, const char *path,
				     const struct file_id *id)
{
	for (struct shelf_item *i = s->items; i != NULL; i = i->next)
		if (i->names != NULL && strcmp(i->key, path) == 0 && is_same_file(&i->file, id)) {
			i->references++;
			return i;
		}
	return NULL;
}

/* Takes `names`, unless another thread has put them there meanwhile. */
static struct shelf_item *add_names(struct shelf *s, const char *path, const struct file_id *id,
				    struct namelist **names)
{
	struct shelf_item *item = find_names(s, path, id);

	if (item != NULL)
		return item;
	item = item_add(s, path);
	if (item == NULL)
		return NULL;
	item->names = *names;
	item->file = *id;
	*names = NULL;
	return item;
}

int shelf_get_names(struct shelf *s, struct shelf_item **out, const char *path, char *why)
{
	struct namelist *names = NULL;
	struct shelf_item *item = NULL;
	struct file_id id = { 0 };
	/* Before it is read: when it changes meanwhile, the next one reads it again.  What cannot be
	 * seen cannot be read either, and is told so there. */
	bool is_there = identify(path, &id);
	int err;

	pthread_mutex_lock(&s->lock);
	if (is_there)
		item = find_names(s, path, &id);
	pthread_mutex_unlock(&s->lock);
	if (item == NULL) {
		err = namelist_load(&names, path, why);
		if (err != E_OK)
			return err;
		pthread_mutex_lock(&s->lock);
		item = add_names(s, path, &id, &names);
		pthread_mutex_unlock(&s->lock);
		namelist_free(names);
	}
	if (item == NULL) {
		(void)snprintf(why, NAMELIST_WHY_MAX, "%s: %s", path, err_text(E_NOMEM));
		return E_NOMEM;
	}
	*out = item;
	return E_OK;
}

const struct namelist *shelf_names(const struct shelf_item *item)
{
	ASSERT(item->names != NULL);
	return item->names;
}

/* ---- rate limits ---- */

static bool is_same_limit(const struct ratelimit_config *a, const struct ratelimit_config *b)
{
	return a->qps >= b->qps && a->qps <= b->qps && a->burst == b->burst &&
	       a->ipv4_bits == b->ipv4_bits && a->ipv6_bits == b->ipv6_bits && a->max == b->max;
}

/* With one more reference; NULL: it is not there. */
static struct shelf_item *find_limit(const struct shelf *s, const char *name,
				     const struct ratelimit_config *cfg)
{
	for (struct shelf_item *i = s->items; i != NULL; i = i->next)
		if (i->limit != NULL && name[0] != '\0' && strcmp(i->key, name) == 0 &&
		    is_same_limit(&i->cfg, cfg)) {
			i->references++;
			return i;
		}
	return NULL;
}

/* Takes `limit`, unless another thread has put its like there meanwhile. */
static struct shelf_item *add_limit(struct shelf *s, const char *name,
				    const struct ratelimit_config *cfg, struct ratelimit **limit)
{
	struct shelf_item *item = find_limit(s, name, cfg);

	if (item != NULL)
		return item;
	item = item_add(s, name);
	if (item == NULL)
		return NULL;
	item->limit = *limit;
	item->cfg = *cfg;
	*limit = NULL;
	return item;
}

int shelf_get_ratelimit(struct shelf *s, struct shelf_item **out, const char *name,
			const struct ratelimit_config *cfg)
{
	const char *key = name == NULL ? "" : name;
	struct ratelimit *limit = NULL;
	struct shelf_item *item;
	int err;

	pthread_mutex_lock(&s->lock);
	item = find_limit(s, key, cfg);
	pthread_mutex_unlock(&s->lock);
	if (item == NULL) {
		err = ratelimit_new(&limit, cfg);
		if (err != E_OK)
			return err;
		pthread_mutex_lock(&s->lock);
		item = add_limit(s, key, cfg, &limit);
		pthread_mutex_unlock(&s->lock);
		ratelimit_free(limit);
	}
	if (item == NULL)
		return E_NOMEM;
	*out = item;
	return E_OK;
}

struct ratelimit *shelf_ratelimit(const struct shelf_item *item)
{
	ASSERT(item->limit != NULL);
	return item->limit;
}

void shelf_stats(struct shelf *s, struct shelf_stats *out)
{
	pthread_mutex_lock(&s->lock);
	*out = (struct shelf_stats) { .refused = s->refused, .forgotten = s->forgotten };
	for (const struct shelf_item *i = s->items; i != NULL; i = i->next) {
		out->bytes += sizeof(*i);
		if (i->names != NULL) {
			out->lists++;
			out->names += namelist_count(i->names);
			out->bytes += namelist_bytes(i->names);
		} else {
			struct ratelimit_stats one;

			ratelimit_stats(i->limit, &one);
			out->limits++;
			out->refused += one.refused;
			out->forgotten += one.forgotten;
			out->bytes += one.bytes;
		}
	}
	pthread_mutex_unlock(&s->lock);
}
