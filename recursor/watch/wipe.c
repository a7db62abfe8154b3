#include "recursor/watch/wipe.h"

#include <stdlib.h>
#include <string.h>

#include "common/rrtype.h"
#include "recursor/resolve/dnssec/aggressive.h"

struct target {
	uint8_t name[NAME_MAX_LEN]; /* lower case */
	bool subtree;
};

/* "name", or with a final `$` the name and all below it; "$" alone is everything. */
static int read_target(struct target *t, const char *word)
{
	char text[NAME_TEXT_MAX];
	size_t len = strlen(word);
	int err;

	t->subtree = len > 0 && word[len - 1] == '$';
	len -= t->subtree;
	if (len >= sizeof(text))
		return E_TOO_LONG;
	memcpy(text, word, len);
	text[len] = '\0';
	err = name_from_text(t->name, t->subtree && len == 0 ? "." : text);
	if (err == E_OK)
		name_lower(t->name, t->name);
	return err;
}

/* So many entries of a packet cache are looked at in one visit of a worker. */
enum { PACKETS_A_VISIT = 256 };

struct packet_visit {
	const uint8_t *name;
	bool subtree;
	uint16_t type;
	size_t cursor;
	bool more;
	size_t packets;
};

static void visit_packets(void *arg, const struct watch_worker *w)
{
	struct packet_visit *v = arg;

	v->more = packetcache_wipe_some(w->packetcache, &v->cursor, PACKETS_A_VISIT, v->name,
					v->type, v->subtree, &v->packets);
}

/* A worker that has stopped has no packet cache any more. */
static void wipe_packets(const struct watch_env *env, unsigned worker, struct packet_visit *v)
{
	v->cursor = SIZE_MAX;
	v->more = true;
	while (v->more && env->on_worker(env->ctx, worker, visit_packets, v) == E_OK)
		continue;
}

/* The record cache first: a packet cache emptied before it could be filled from it again. */
void wipe_name(const struct watch_env *env, const uint8_t *name, bool subtree, uint16_t type,
	       struct wiped *sum)
{
	struct packet_visit v = { .name = name, .subtree = subtree, .type = type };
	struct cache_wiped w = cache_wipe(env->cache, name, type, subtree);

	/* A proof denies all types but those it lists. */
	sum->proofs += aggressive_wipe(env->aggressive, name, subtree);
	for (unsigned i = 0; i < env->n_workers; i++)
		wipe_packets(env, i, &v);
	sum->records += w.records;
	sum->negative += w.negative;
	sum->packets += v.packets;
}

static int wipe_all(struct command_call *call, char *const *words, size_t n, uint16_t type)
{
	struct target *targets = calloc(n, sizeof(*targets));
	struct wiped sum = { 0 };
	int err = targets == NULL ? E_NOMEM : E_OK;

	if (err != E_OK)
		fprintf(call->out, "Error: %s, nothing wiped\n", err_text(err));
	for (size_t i = 0; i < n && err == E_OK; i++) {
		err = read_target(&targets[i], words[i]);
		if (err != E_OK)
			fprintf(call->out, "Error: '%s' is no domain name: %s, nothing wiped\n",
				words[i], err_text(err));
	}
	if (err != E_OK)
		goto out;

	for (size_t i = 0; i < n; i++)
		wipe_name(call->env, targets[i].name, targets[i].subtree, type, &sum);
	fprintf(call->out, "wiped %zu records, %zu negative records, %zu packets\n", sum.records,
		sum.negative, sum.packets);
	json_object_set_new(call->json, "records", json_integer((json_int_t)sum.records));
	json_object_set_new(call->json, "negative", json_integer((json_int_t)sum.negative));
	json_object_set_new(call->json, "packets", json_integer((json_int_t)sum.packets));
	json_object_set_new(call->json, "proofs", json_integer((json_int_t)sum.proofs));
out:
	free(targets);
	return err != E_OK;
}

int wipe_cache(struct command_call *call)
{
	return wipe_all(call, call->argv, (size_t)call->argc, 0);
}

int wipe_cache_typed(struct command_call *call)
{
	uint16_t type;

	if (call->argc == 0) {
		fprintf(call->out, "Need a qtype\n");
		return 1;
	}
	if (rrtype_from_text(call->argv[0], &type) != E_OK) {
		fprintf(call->out, "Unknown qtype %s\n", call->argv[0]);
		return 1;
	}
	if (call->argc == 1) {
		fprintf(call->out, "Need a name\n");
		return 1;
	}
	return wipe_all(call, call->argv + 1, (size_t)call->argc - 1, type);
}
