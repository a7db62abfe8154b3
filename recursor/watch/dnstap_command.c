#include "recursor/watch/dnstap_command.h"

#include <inttypes.h>

#include "recursor/watch/dnstap.h"

static json_t *server_json(const struct dnstap_server_stats *s)
{
	return json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:b}", "address",
			 command_json_text(s->address), "type", DNSTAP_LOGGER_TYPE, "queued",
			 (json_int_t)s->queued, "pipe-full", (json_int_t)s->pipe_full, "too-large",
			 (json_int_t)s->too_large, "other-error", (json_int_t)s->failures, "sent",
			 (json_int_t)s->frames, "is-connected", (int)s->is_connected);
}

/* The text is the field's, column by column. */
int get_remotelogger_stats(struct command_call *call)
{
	const struct dnstap *d = call->env->dnstap;
	json_t *list = json_array();

	fprintf(call->out, "Queued\tPipe-\tToo-\tOther-\tAddress\tType\n"
			   "\tFull\tLarge\terror\n");
	for (size_t i = 0; i < dnstap_n_servers(d); i++) {
		struct dnstap_server_stats s;

		dnstap_server_stats(d, i, &s);
		fprintf(call->out, "%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%s\n",
			s.queued, s.pipe_full, s.too_large, s.failures, s.address,
			DNSTAP_LOGGER_TYPE);
		json_array_append_new(list, server_json(&s));
	}
	json_object_set_new(call->json, "remote-loggers", list);
	return 0;
}
