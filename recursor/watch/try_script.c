/* try_script: see try_script.h. */
#include "recursor/watch/try_script.h"

#include <stdlib.h>
#include <string.h>

#include "recursor/watch/commands.h"
#include "recursor/watch/top.h"

/* ---- as text ---- */

static double percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

static void print_outcome(FILE *f, const char *what, uint64_t n, uint64_t of)
{
	fprintf(f, "  %-10s%10llu  %5.1f%%\n", what, (unsigned long long)n, percent(n, of));
}

static void print_hooks(FILE *f, const struct try_report *r)
{
	fprintf(f, "\n%-16s%10s%10s%10s%10s%10s%12s\n", "hook", "calls", "changed", "dropped",
		"killed", "errors", "us a call");
	for (size_t i = 0; i < r->n_hooks; i++) {
		const struct try_hook *h = &r->hooks[i];

		fprintf(f, "%-16s%10llu%10llu%10llu%10llu%10llu%12.2f\n", h->name,
			(unsigned long long)h->calls, (unsigned long long)h->changes,
			(unsigned long long)h->drops, (unsigned long long)h->kills,
			(unsigned long long)h->errors,
			h->calls == 0 ? 0 : (double)h->cpu_ns / 1000.0 / (double)h->calls);
	}
	if (r->n_hooks == 0)
		fprintf(f, "the script has no hooks\n");
}

static void print_counts(FILE *f, const char *head, const struct try_count *list, size_t n)
{
	if (n == 0)
		return;
	fprintf(f, "\n%s\n", head);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%10llu  %s\n", (unsigned long long)list[i].n, list[i].text);
}

static void print_report(FILE *f, const struct try_request *rq, const struct try_report *r)
{
	fprintf(f, "%s: tried on %llu of %llu entries of the ring %s%s\n", rq->path,
		(unsigned long long)r->tried, (unsigned long long)r->entries, ring_name(rq->ring),
		r->has_timed_out ? ", then the time was over" : "");
	print_outcome(f, "passed", r->passed, r->tried);
	print_outcome(f, "changed", r->changed, r->tried);
	print_outcome(f, "dropped", r->dropped, r->tried);
	print_outcome(f, "killed", r->killed, r->tried);
	print_outcome(f, "not known", r->unknown, r->tried);
	if (r->failed > 0)
		print_outcome(f, "errors in", r->failed, r->tried);
	print_hooks(f, r);
	fprintf(f, "\nCPU: %.1f us a question, %.1f ms to load; memory: %llu bytes\n",
		r->tried == 0 ? 0 : (double)r->cpu_us / (double)r->tried,
		(double)r->load_cpu_us / 1000.0, (unsigned long long)r->bytes);
	print_counts(f, "errors", r->errors, r->n_errors);
	if (r->more_errors > 0)
		fprintf(f, "%10llu  others\n", (unsigned long long)r->more_errors);
	print_counts(f, "domains affected most", r->domains, r->n_domains);
	print_counts(f, "clients affected most", r->clients, r->n_clients);
	if (r->n_lines > 0)
		fprintf(f, "\nwhat it said\n");
	for (size_t i = 0; i < r->n_lines; i++)
		fprintf(f, "  %s\n", r->lines[i]);
	if (r->more_lines > 0)
		fprintf(f, "  and %llu lines more\n", (unsigned long long)r->more_lines);
}

/* ---- as JSON; what is given to NULL jansson drops ---- */

static void add_number(json_t *to, const char *key, uint64_t n)
{
	json_object_set_new(to, key, json_integer((json_int_t)n));
}

/* Bytes that are no UTF-8, of a script, become '?'. */
static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);
	char *copy = json == NULL ? strdup(text) : NULL;

	for (char *p = copy; p != NULL && *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	if (copy != NULL)
		json = json_string(copy);
	free(copy);
	return json;
}

static void add_counts(json_t *to, const char *key, const struct try_count *list, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *row = json_object();

		json_object_set_new(row, "text", text_json(list[i].text));
		add_number(row, "count", list[i].n);
		json_array_append_new(array, row);
	}
	json_object_set_new(to, key, array);
}

static void add_hooks(json_t *to, const struct try_report *r)
{
	json_t *hooks = json_object();

	for (size_t i = 0; i < r->n_hooks; i++) {
		const struct try_hook *h = &r->hooks[i];
		json_t *row = json_object();

		add_number(row, "calls", h->calls);
		add_number(row, "changed", h->changes);
		add_number(row, "dropped", h->drops);
		add_number(row, "killed", h->kills);
		add_number(row, "errors", h->errors);
		add_number(row, "cpu-us", h->cpu_ns / 1000);
		json_object_set_new(hooks, h->name, row);
	}
	json_object_set_new(to, "hooks", hooks);
}

static void report_json(json_t *to, const struct try_request *rq, const struct try_report *r)
{
	json_t *lines = json_array();

	json_object_set_new(to, "file", text_json(rq->path));
	json_object_set_new(to, "ring", json_string(ring_name(rq->ring)));
	add_number(to, "entries", r->entries);
	add_number(to, "tried", r->tried);
	json_object_set_new(to, "timed-out", json_boolean(r->has_timed_out));
	add_number(to, "passed", r->passed);
	add_number(to, "changed", r->changed);
	add_number(to, "dropped", r->dropped);
	add_number(to, "killed", r->killed);
	add_number(to, "not-known", r->unknown);
	add_number(to, "errors-in", r->failed);
	add_number(to, "cpu-us", r->cpu_us);
	add_number(to, "load-cpu-us", r->load_cpu_us);
	add_number(to, "bytes", r->bytes);
	add_hooks(to, r);
	add_counts(to, "errors", r->errors, r->n_errors);
	add_number(to, "other-errors", r->more_errors);
	add_counts(to, "domains", r->domains, r->n_domains);
	add_counts(to, "clients", r->clients, r->n_clients);
	for (size_t i = 0; i < r->n_lines; i++)
		json_array_append_new(lines, text_json(r->lines[i]));
	json_object_set_new(to, "lines", lines);
	add_number(to, "other-lines", r->more_lines);
}

/* ---- the command ---- */

int try_lua_script(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct try_request rq = { .ring = RING_QUERIES, .stop_fd = call->stop_fd };
	struct try_report *report = NULL;
	char why[ENV_WHY_MAX];
	int status = 1;

	rq.path = call->argv[0];
	if (call->argc > 1 && !top_find_ring(call->argv[1], &rq.ring)) {
		fprintf(call->out, "try-lua-script: there is no ring '%s'\n", call->argv[1]);
		return 1;
	}
	if (rq.ring == RING_TIMEOUTS) {
		fprintf(call->out, "try-lua-script: the ring timeouts holds servers, no clients\n");
		return 1;
	}
	report = calloc(1, sizeof(*report));
	if (report == NULL) {
		fprintf(call->out, "try-lua-script: %s\n", err_text(E_NOMEM));
		return 1;
	}
	if (env->try_script(env->ctx, &rq, report, why) != E_OK) {
		fprintf(call->out, "try-lua-script: %s\n", why);
		goto out;
	}
	print_report(call->out, &rq, report);
	if (call->json != NULL)
		report_json(call->json, &rq, report);
	status = 0;
out:
	free(report);
	return status;
}
