#include "recursor/ipset_env.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"

static_assert((int)ENV_WHY_MAX == (int)IPSET_WHY_MAX, "one line has the same room in both");
static_assert((int)ENV_IPSET_NAME_MAX == (int)IPSET_NAME_MAX, "as has a name");

static void sums(void *ctx, struct watch_ipsets *out)
{
	struct ipsets_stats s;

	ipsets_stats(ctx, &s);
	*out = (struct watch_ipsets) {
		.sets = s.sets,
		.entries = s.entries,
		.bytes = s.bytes,
		.adds = s.adds,
		.removals = s.removals,
		.refusals = s.refusals,
		.expirations = s.expirations,
		.sets_refused = s.sets_refused,
		.most_sets = s.most_sets,
	};
}

static int list(void *ctx, struct watch_ipset **out, size_t *n)
{
	struct ipset_stats *stats = NULL;
	struct watch_ipset *rows;
	size_t count = 0;
	int err = ipsets_list(ctx, &stats, &count);

	if (err != E_OK)
		return err;
	rows = calloc(count + 1, sizeof(*rows));
	for (size_t i = 0; rows != NULL && i < count; i++) {
		const struct ipset_stats *s = &stats[i];

		rows[i] = (struct watch_ipset) {
			.ttl_s = s->ttl_s,
			.max = s->max,
			.entries = s->entries,
			.bytes = s->bytes,
			.adds = s->adds,
			.removals = s->removals,
			.refusals = s->refusals,
			.expirations = s->expirations,
		};
		memcpy(rows[i].name, s->name, sizeof(rows[i].name));
	}
	free(stats);
	if (rows == NULL)
		return E_NOMEM;
	*out = rows;
	*n = count;
	return E_OK;
}

/* A reference, or NULL with the reason. */
static struct ipset *find(void *ctx, const char *name, char *why)
{
	struct ipset *s = ipsets_find(ctx, name);

	if (s == NULL)
		(void)snprintf(why, ENV_WHY_MAX,
			       "there is no ipset '%.80s'; list-ipsets shows them", name);
	return s;
}

static int add(void *ctx, const char *name, const struct addr *addresses, size_t *n, uint32_t ttl_s,
	       uint32_t now_s, char *why)
{
	struct ipset *s = find(ctx, name, why);
	char text[ADDR_TEXT_MAX];
	size_t done = 0;
	int err = E_OK;

	if (s == NULL)
		return E_NOT_FOUND;
	while (done < *n && err == E_OK) {
		err = ipset_add(s, &addresses[done], ttl_s, now_s);
		done += err == E_OK;
	}
	ipset_put(s);
	if (err != E_OK)
		(void)snprintf(why, ENV_WHY_MAX, "%s: %s; %zu of %zu added",
			       addr_ip_text(text, &addresses[done]),
			       err == E_LIMIT ? "the set is full" : err_text(err), done, *n);
	*n = done;
	return err;
}

static int take_out(void *ctx, const char *name, const struct addr *addresses, size_t *n,
		    uint32_t now_s, char *why)
{
	struct ipset *s = find(ctx, name, why);
	size_t found = 0;

	if (s == NULL)
		return E_NOT_FOUND;
	for (size_t i = 0; i < *n; i++)
		found += ipset_remove(s, &addresses[i], now_s);
	ipset_put(s);
	*n = found;
	return E_OK;
}

static int clear(void *ctx, const char *name, size_t *n, char *why)
{
	struct ipset *s = find(ctx, name, why);

	if (s == NULL)
		return E_NOT_FOUND;
	*n = (size_t)ipset_count(s);
	ipset_clear(s);
	ipset_put(s);
	return E_OK;
}

static int dump(void *ctx, const char *name, FILE *f, uint32_t now_s, size_t *n, char *why)
{
	struct ipset *s = find(ctx, name, why);
	int err;

	if (s == NULL)
		return E_NOT_FOUND;
	err = ipset_write(s, f, now_s, n);
	if (err != E_OK)
		(void)snprintf(why, ENV_WHY_MAX, "%s", err_why(err));
	ipset_put(s);
	return err;
}

static int load(void *ctx, const char *name, FILE *f, const char *file, uint32_t now_s, size_t *n,
		char *why)
{
	struct ipset *s = find(ctx, name, why);
	int err;

	if (s == NULL)
		return E_NOT_FOUND;
	err = ipset_read(s, f, file, now_s, n, why);
	ipset_put(s);
	return err;
}

void ipset_env_fill(struct watch_ipset_ops *out, struct ipsets *sets)
{
	*out = (struct watch_ipset_ops) {
		.ctx = sets,
		.sums = sums,
		.list = list,
		.add = add,
		.remove = take_out,
		.clear = clear,
		.dump = dump,
		.load = load,
	};
}
