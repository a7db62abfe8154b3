#include "recursor/watch/dnstap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/conf.h"

/* Of one worker. */
struct dnstap_tap {
	struct dnstap *dnstap;
	unsigned worker;
};

struct dnstap {
	struct dnstap_head head;
	bool wants[DNSTAP_FORWARDER_RESPONSE + 1];
	unsigned n_servers, n_workers;
	struct dnstap_tap *taps;
	struct dnstap_queue *queues; /* those of a server follow each other */
	struct dnstap_sender *senders[DNSTAP_SERVERS_MAX];
};

/* ---- what is configured ---- */

struct reading {
	struct dnstap_server *servers;
	unsigned n;
	char *why;
};

static int read_server(struct dnstap_server *out, const char *text, char *why)
{
	memset(out, 0, sizeof(*out));
	if (text[0] == '/') {
		if (strlen(text) < sizeof(out->path)) {
			memcpy(out->path, text, strlen(text));
			return E_OK;
		}
		(void)snprintf(why, DNSTAP_WHY_MAX, "'%s': too long for a socket's path", text);
		return E_TOO_LONG;
	}
	if (addr_from_text(&out->addr, text, 0) == E_OK && out->addr.port != 0)
		return E_OK;
	(void)snprintf(why, DNSTAP_WHY_MAX,
		       "'%s': neither the path of a socket nor an address with a port", text);
	return E_MALFORMED;
}

static bool is_same(const struct dnstap_server *a, const struct dnstap_server *b)
{
	return strcmp(a->path, b->path) == 0 && addr_equal(&a->addr, &b->addr);
}

/* One that stood there twice would be sent everything twice, and its metrics be told twice. */
static int add_server(void *ctx, const char *word, size_t len)
{
	struct reading *r = ctx;
	char text[256];
	int err;

	if (r->n == DNSTAP_SERVERS_MAX) {
		(void)snprintf(r->why, DNSTAP_WHY_MAX, "more than %d servers", DNSTAP_SERVERS_MAX);
		return E_LIMIT;
	}
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, word);
	err = read_server(&r->servers[r->n], text, r->why);
	for (unsigned i = 0; err == E_OK && i < r->n; i++)
		if (is_same(&r->servers[i], &r->servers[r->n]))
			err = E_EXISTS;
	if (err == E_EXISTS)
		(void)snprintf(r->why, DNSTAP_WHY_MAX, "'%s' is there twice", text);
	r->n += err == E_OK;
	return err;
}

int dnstap_read_servers(struct dnstap_server *servers, unsigned *n, const char *list, char *why)
{
	struct reading r = { .servers = servers, .why = why };
	int err = conf_each_word(list, add_server, &r);

	if (err == E_OK)
		*n = r.n;
	return err;
}

static int want(void *ctx, const char *word, size_t len)
{
	static const struct {
		const char *word;
		enum dnstap_type type, also;
	} kinds[] = {
		{ "client-queries", DNSTAP_CLIENT_QUERY, DNSTAP_CLIENT_QUERY },
		{ "client-responses", DNSTAP_CLIENT_RESPONSE, DNSTAP_CLIENT_RESPONSE },
		{ "resolver-queries", DNSTAP_RESOLVER_QUERY, DNSTAP_FORWARDER_QUERY },
		{ "resolver-responses", DNSTAP_RESOLVER_RESPONSE, DNSTAP_FORWARDER_RESPONSE },
	};
	struct dnstap *d = ctx;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strlen(kinds[i].word) == len && memcmp(kinds[i].word, word, len) == 0)
			d->wants[kinds[i].type] = d->wants[kinds[i].also] = true;
	return E_OK;
}

/* ---- its life ---- */

static int make_queues(struct dnstap *d, uint64_t size)
{
	unsigned n = d->n_servers * d->n_workers;
	int err = E_OK;

	d->queues = aligned_alloc(alignof(struct dnstap_queue), n * sizeof(*d->queues));
	d->taps = calloc(d->n_workers, sizeof(*d->taps));
	if (d->queues != NULL)
		memset(d->queues, 0, n * sizeof(*d->queues));
	if (d->queues == NULL || d->taps == NULL)
		return E_NOMEM;
	for (unsigned i = 0; i < n && err == E_OK; i++)
		err = dnstap_queue_init(&d->queues[i], size);
	for (unsigned i = 0; i < d->n_workers; i++)
		d->taps[i] = (struct dnstap_tap) { .dnstap = d, .worker = i };
	return err;
}

static struct dnstap_queue *queue_of(const struct dnstap *d, unsigned server, unsigned worker)
{
	return &d->queues[server * d->n_workers + worker];
}

static int make(struct dnstap *d, const struct dnstap_server *servers,
		const struct dnstap_options *o)
{
	int err = conf_each_word(o->messages, want, d);

	dnstap_head_make(&d->head, o->identity, o->version);
	if (err == E_OK)
		err = make_queues(d, o->queue_size);
	for (unsigned i = 0; i < d->n_servers && err == E_OK; i++)
		err = dnstap_sender_new(&d->senders[i], &servers[i], queue_of(d, i, 0),
					d->n_workers, o->reopen_interval_s);
	return err;
}

int dnstap_new(struct dnstap **out, const struct dnstap_options *o)
{
	struct dnstap_server servers[DNSTAP_SERVERS_MAX];
	char why[DNSTAP_WHY_MAX];
	struct dnstap *d;
	unsigned n = 0;
	/* The list was read before, when it was set. */
	int err = dnstap_read_servers(servers, &n, o->servers, why);

	*out = NULL;
	if (err != E_OK || n == 0)
		return err;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return E_NOMEM;
	d->n_servers = n;
	d->n_workers = o->n_workers;
	err = make(d, servers, o);
	if (err == E_OK)
		*out = d;
	else
		dnstap_free(d);
	return err;
}

int dnstap_start(struct dnstap *d)
{
	int err = E_OK;

	for (unsigned i = 0; d != NULL && i < d->n_servers && err == E_OK; i++)
		err = dnstap_sender_start(d->senders[i]);
	return err;
}

void dnstap_stop(struct dnstap *d)
{
	for (unsigned i = 0; d != NULL && i < d->n_servers; i++)
		if (d->senders[i] != NULL)
			dnstap_sender_stop(d->senders[i]);
}

void dnstap_free(struct dnstap *d)
{
	if (d == NULL)
		return;
	for (unsigned i = 0; i < d->n_servers; i++)
		dnstap_sender_free(d->senders[i]);
	for (unsigned i = 0; d->queues != NULL && i < d->n_servers * d->n_workers; i++)
		dnstap_queue_deinit(&d->queues[i]);
	free(d->queues);
	free(d->taps);
	free(d);
}

/* ---- the workers' side ---- */

struct dnstap_tap *dnstap_tap_of(struct dnstap *d, unsigned worker)
{
	return d == NULL ? NULL : &d->taps[worker];
}

bool dnstap_wants(const struct dnstap_tap *t, enum dnstap_type type)
{
	return t->dnstap->wants[type];
}

void dnstap_see(struct dnstap_tap *t, const struct dnstap_message *m)
{
	struct dnstap *d = t->dnstap;

	if (!d->wants[m->type])
		return;
	for (unsigned i = 0; i < d->n_servers; i++) {
		struct dnstap_queue *q = queue_of(d, i, t->worker);
		uint8_t *place = dnstap_queue_reserve(q, dnstap_frame_room(&d->head, m));

		if (place != NULL)
			dnstap_queue_commit(q, dnstap_frame_write(place, &d->head, m));
	}
}

uint64_t dnstap_time_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- what became of it ---- */

size_t dnstap_n_servers(const struct dnstap *d)
{
	return d == NULL ? 0 : d->n_servers;
}

void dnstap_server_stats(const struct dnstap *d, size_t server, struct dnstap_server_stats *out)
{
	struct dnstap_sender_stats s;

	ASSERT(server < d->n_servers);
	dnstap_sender_stats(d->senders[server], &s);
	*out = (struct dnstap_server_stats) {
		.address = dnstap_sender_address(d->senders[server]),
		.frames = s.frames,
		.failures = s.failures,
		.is_connected = s.is_connected,
	};
	for (unsigned w = 0; w < d->n_workers; w++) {
		const struct dnstap_queue *q = queue_of(d, (unsigned)server, w);

		out->queued += atomic_load_explicit(&q->queued, memory_order_relaxed);
		out->pipe_full += atomic_load_explicit(&q->dropped, memory_order_relaxed);
		out->too_large += atomic_load_explicit(&q->too_large, memory_order_relaxed);
	}
}

void dnstap_stats(const struct dnstap *d, struct dnstap_stats *out)
{
	*out = (struct dnstap_stats) { 0 };
	for (size_t i = 0; i < dnstap_n_servers(d); i++) {
		struct dnstap_server_stats s;

		dnstap_server_stats(d, i, &s);
		out->frames += s.frames;
		out->drops += s.pipe_full + s.too_large;
		out->failures += s.failures;
		out->connected += s.is_connected;
		for (unsigned w = 0; w < d->n_workers; w++) {
			size_t most = dnstap_queue_most(queue_of(d, (unsigned)i, w));

			out->most_queued = most > out->most_queued ? most : out->most_queued;
		}
	}
}
