#include "recursor/watch/copy_commands.h"

#include <stdlib.h>

#include "recursor/watch/clock.h"

static const char *state_of(const struct watch_copy *c)
{
	if (!c->has_copy)
		return c->errors > 0 ? "failed" : "loading";
	return c->is_expired ? "expired" : "in use";
}

static void show_text(FILE *out, const struct watch_copy *c, const char *zone)
{
	char loaded[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX];

	fprintf(out, "%s\t%s", zone, state_of(c));
	if (c->has_copy)
		fprintf(out, "\tserial %u\t%zu records\t%s, %s\tloaded %s\texpires %s", c->serial,
			c->records, c->is_digested ? "ZONEMD verified" : "no ZONEMD verified",
			c->is_signed ? "signed" : "not known to be signed",
			clock_text(loaded, c->loaded_s), clock_text(expires, c->expires_s));
	fprintf(out, "\t%s %s", c->is_file ? "file" : "axfr", c->source);
	if (c->error[0] != '\0')
		fprintf(out, "\tlast error: %s", c->error);
	fputc('\n', out);
}

static json_t *show_json(const struct watch_copy *c, const char *zone)
{
	char loaded[CLOCK_TEXT_MAX], expires[CLOCK_TEXT_MAX];
	json_t *o = json_object();

	json_object_set_new(o, "zone", command_json_text(zone));
	json_object_set_new(o, "state", command_json_text(state_of(c)));
	json_object_set_new(o, "method", command_json_text(c->is_file ? "file" : "axfr"));
	json_object_set_new(o, "source", command_json_text(c->source));
	json_object_set_new(o, "loads", json_integer((json_int_t)c->loads));
	json_object_set_new(o, "errors", json_integer((json_int_t)c->errors));
	json_object_set_new(o, "last-error", command_json_text(c->error));
	if (!c->has_copy)
		return o;
	json_object_set_new(o, "serial", json_integer((json_int_t)c->serial));
	json_object_set_new(o, "records", json_integer((json_int_t)c->records));
	json_object_set_new(o, "bytes", json_integer((json_int_t)c->bytes));
	json_object_set_new(o, "zonemd-verified", json_boolean(c->is_digested));
	json_object_set_new(o, "signed", json_boolean(c->is_signed));
	json_object_set_new(o, "loaded", command_json_text(clock_text(loaded, c->loaded_s)));
	json_object_set_new(o, "expires", command_json_text(clock_text(expires, c->expires_s)));
	return o;
}

int get_zone_copies(struct command_call *call)
{
	json_t *list = call->json != NULL ? json_array() : NULL;
	struct watch_copy *copies = NULL;
	size_t n = 0;
	int err = call->env->copies(call->env->ctx, &copies, &n);

	if (err != E_OK) {
		json_decref(list);
		fprintf(call->out, "%s\n", err_text(err));
		return 1;
	}
	if (n == 0)
		fprintf(call->out, "No copies of zones are configured\n");
	for (size_t i = 0; i < n; i++) {
		char zone[NAME_TEXT_MAX];

		(void)name_to_text(zone, copies[i].zone);
		show_text(call->out, &copies[i], zone);
		if (list != NULL)
			json_array_append_new(list, show_json(&copies[i], zone));
	}
	json_object_set_new(call->json, "zone-copies", list);
	free(copies);
	return 0;
}
