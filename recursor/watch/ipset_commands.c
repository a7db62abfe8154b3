#include "recursor/watch/ipset_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "recursor/watch/passed_file.h"

enum { TTL_MOST = 1000000000 };

static uint32_t now_s(const struct command_call *call)
{
	return (uint32_t)(call->env->now_ms(call->env->ctx) / 1000);
}

static void put_number(struct command_call *call, const char *name, uint64_t n)
{
	json_object_set_new(call->json, name, json_integer((json_int_t)n));
}

static int fail(struct command_call *call, const char *why)
{
	fprintf(call->out, "%s\n", why);
	return 1;
}

int list_ipsets(struct command_call *call)
{
	const struct watch_ipset_ops *ops = &call->env->ipsets;
	json_t *rows = json_array();
	struct watch_ipset *list = NULL;
	size_t n = 0;
	int err = ops->list(ops->ctx, &list, &n);

	if (err == E_OK && n > 0)
		fprintf(call->out, "%-24s %10s %10s %8s %10s %10s %10s\n", "name", "entries", "max",
			"ttl", "adds", "refused", "expired");
	for (size_t i = 0; err == E_OK && i < n; i++) {
		const struct watch_ipset *s = &list[i];

		fprintf(call->out, "%-24s %10llu %10llu %8u %10llu %10llu %10llu\n", s->name,
			(unsigned long long)s->entries, (unsigned long long)s->max, s->ttl_s,
			(unsigned long long)s->adds, (unsigned long long)s->refusals,
			(unsigned long long)s->expirations);
		json_array_append_new(
			rows,
			json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "name", s->name,
				  "entries", (json_int_t)s->entries, "max", (json_int_t)s->max,
				  "ttl", (json_int_t)s->ttl_s, "bytes", (json_int_t)s->bytes,
				  "adds", (json_int_t)s->adds, "removals", (json_int_t)s->removals,
				  "refusals", (json_int_t)s->refusals, "expirations",
				  (json_int_t)s->expirations));
	}
	free(list);
	json_object_set_new(call->json, "ipsets", rows);
	return err == E_OK ? 0 : fail(call, err_text(err));
}

/* ---- addresses on the command line ---- */

/* argv from `first` on; NULL: the reply says why not. */
static struct addr *read_addresses(struct command_call *call, int first, size_t *n)
{
	struct addr *list = calloc((size_t)(call->argc - first) + 1, sizeof(*list));

	if (list == NULL) {
		(void)fail(call, err_text(E_NOMEM));
		return NULL;
	}
	for (int i = first; i < call->argc; i++) {
		struct addr *a = &list[i - first];

		if (addr_from_text(a, call->argv[i], 0) != E_OK || a->port != 0) {
			fprintf(call->out, "'%.100s' is not an address; nothing was changed\n",
				call->argv[i]);
			free(list);
			return NULL;
		}
	}
	*n = (size_t)(call->argc - first);
	return list;
}

int add_to_ipset(struct command_call *call)
{
	const struct watch_ipset_ops *ops = &call->env->ipsets;
	char why[ENV_WHY_MAX] = "";
	long long ttl_s = UINT32_MAX;
	struct addr *list;
	int first = 1, err;
	size_t n;

	if (strncmp(call->argv[1], "ttl=", 4) == 0) {
		if (conf_int(call->argv[1] + 4, 0, TTL_MOST, &ttl_s) != E_OK)
			return fail(call, "ttl= wants a number of seconds");
		first = 2;
	}
	if (first == call->argc)
		return fail(call, "usage: add-to-ipset NAME [ttl=SECONDS] ADDRESS...");
	list = read_addresses(call, first, &n);
	if (list == NULL)
		return 1;
	err = ops->add(ops->ctx, call->argv[0], list, &n, (uint32_t)ttl_s, now_s(call), why);
	free(list);
	if (err != E_OK)
		return fail(call, why);
	fprintf(call->out, "added %zu to ipset %s\n", n, call->argv[0]);
	put_number(call, "added", n);
	return 0;
}

int remove_from_ipset(struct command_call *call)
{
	const struct watch_ipset_ops *ops = &call->env->ipsets;
	char why[ENV_WHY_MAX] = "";
	struct addr *list;
	size_t n;
	int err;

	list = read_addresses(call, 1, &n);
	if (list == NULL)
		return 1;
	err = ops->remove(ops->ctx, call->argv[0], list, &n, now_s(call), why);
	free(list);
	if (err != E_OK)
		return fail(call, why);
	fprintf(call->out, "removed %zu from ipset %s\n", n, call->argv[0]);
	put_number(call, "removed", n);
	return 0;
}

int clear_ipset(struct command_call *call)
{
	const struct watch_ipset_ops *ops = &call->env->ipsets;
	char why[ENV_WHY_MAX] = "";
	size_t n = 0;

	if (ops->clear(ops->ctx, call->argv[0], &n, why) != E_OK)
		return fail(call, why);
	fprintf(call->out, "removed %zu from ipset %s\n", n, call->argv[0]);
	put_number(call, "removed", n);
	return 0;
}

/* ---- files ---- */

int dump_ipset(struct command_call *call)
{
	const struct watch_ipset_ops *ops = &call->env->ipsets;
	char why[ENV_WHY_MAX] = "";
	struct passed_file file;
	size_t n = 0;
	int err;

	if (!passed_file_write(&file, call))
		return 1;
	err = ops->dump(ops->ctx, call->argv[0], file.stream, now_s(call), &n, why);
	if (err == E_OK || file.error != 0)
		return passed_file_end(&file, call, "dump-ipset: ", n);
	/* What was not written because of this has a reason already. */
	(void)fclose(file.stream);
	return fail(call, why);
}

int load_ipset(struct command_call *call)
{
	const struct watch_ipset_ops *ops = &call->env->ipsets;
	char why[ENV_WHY_MAX] = "";
	struct passed_file file;
	size_t n = 0;
	int err;

	if (!passed_file_read(&file, call))
		return 1;
	err = ops->load(ops->ctx, call->argv[0], file.stream, call->argv[1], now_s(call), &n, why);
	(void)fclose(file.stream);
	if (err != E_OK)
		return fail(call, why);
	fprintf(call->out, "loaded %zu into ipset %s\n", n, call->argv[0]);
	put_number(call, "loaded", n);
	return 0;
}
