#include "recursor/net/tally.h"

#include <stdlib.h>

#include "common/check.h"
#include "common/lock.h"

/* Links are numbers of entries; 0: none, so that memory fresh from calloc() is right as it is. */
struct entry {
	struct addr ip;
	uint32_t n; /* connections; 0: the entry is free */
	uint32_t next;
};

struct tally {
	pthread_mutex_t lock;
	uint32_t max, max_each;
	uint32_t n;
	/* Where there is a limit for each client: */
	struct entry *entries; /* 1 to max */
	uint32_t free, n_used; /* those after n_used were never in use */
	uint32_t *buckets;
	size_t n_buckets;
};

/* The link to the client's entry, or the one where its chain ends. */
static uint32_t *find(const struct tally *t, const struct addr *ip)
{
	uint32_t *link = &t->buckets[addr_hash(ip) & (t->n_buckets - 1)];

	while (*link != 0 && !addr_equal(&t->entries[*link].ip, ip))
		link = &t->entries[*link].next;
	return link;
}

/* The caller has seen that there are fewer than `max` connections, so an entry is free. */
static uint32_t take_entry(struct tally *t)
{
	uint32_t at = t->free;

	if (at == 0)
		return ++t->n_used;
	t->free = t->entries[at].next;
	return at;
}

/* How many it has then; 0: it may have no more. */
static uint32_t enter_client(struct tally *t, const struct addr *ip)
{
	uint32_t *link = find(t, ip);

	if (*link == 0) {
		*link = take_entry(t);
		t->entries[*link] = (struct entry) { .ip = *ip };
	}
	if (t->entries[*link].n >= t->max_each)
		return 0;
	return ++t->entries[*link].n;
}

static void leave_client(struct tally *t, const struct addr *ip)
{
	uint32_t *link = find(t, ip), at = *link;

	if (!EXPECT(at != 0) || --t->entries[at].n > 0)
		return;
	*link = t->entries[at].next;
	t->entries[at].next = t->free;
	t->free = at;
}

static struct addr without_port(const struct addr *client)
{
	struct addr ip = *client;

	ip.port = 0;
	return ip;
}

enum tally_verdict tally_enter(struct tally *t, const struct addr *client, struct tally_count *now)
{
	struct addr ip = without_port(client);
	enum tally_verdict verdict = TALLY_ENTERED;
	uint32_t n = 0;

	pthread_mutex_lock(&t->lock);
	if (t->n >= t->max)
		verdict = TALLY_FULL;
	else if (t->max_each != 0 && (n = enter_client(t, &ip)) == 0)
		verdict = TALLY_CLIENT_FULL;
	else
		*now = (struct tally_count) { .all = ++t->n, .client = n };
	pthread_mutex_unlock(&t->lock);
	return verdict;
}

void tally_leave(struct tally *t, const struct addr *client)
{
	struct addr ip = without_port(client);

	pthread_mutex_lock(&t->lock);
	if (EXPECT(t->n > 0)) {
		t->n--;
		if (t->max_each != 0)
			leave_client(t, &ip);
	}
	pthread_mutex_unlock(&t->lock);
}

int tally_new(struct tally **out, uint32_t max, uint32_t max_each)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return E_NOMEM;
	lock_init(&t->lock);
	t->max = max;
	t->max_each = max_each;
	if (max_each != 0) {
		for (t->n_buckets = 1; t->n_buckets < max;)
			t->n_buckets *= 2;
		t->entries = calloc((size_t)max + 1, sizeof(t->entries[0]));
		t->buckets = calloc(t->n_buckets, sizeof(t->buckets[0]));
		if (t->entries == NULL || t->buckets == NULL) {
			tally_free(t);
			return E_NOMEM;
		}
	}
	*out = t;
	return E_OK;
}

void tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t->entries);
	free(t->buckets);
	free(t);
}
