/*
 * The endpoints that take names out of the caches.
 */
#include <string.h>

#include "common/rrtype.h"
#include "recursor/watch/web/api_impl.h"
#include "recursor/watch/web/endpoint_table.h"
#include "recursor/watch/wipe.h"

enum { TYPE_EVERY = 255 };

static int read_name(struct endpoint_call *c, uint8_t name[NAME_MAX_LEN], bool with_dot)
{
	const char *text = endpoint_parameter(c, "domain");
	size_t len = text == NULL ? 0 : strlen(text);

	if (len == 0)
		return endpoint_fail(c, 422, "'domain' is missing");
	if (with_dot && text[len - 1] != '.')
		return endpoint_fail(c, 422, "DNS Name '%s' is not canonical", text);
	if (name_from_text(name, text) != E_OK)
		return endpoint_fail(c, 422, "'%s' is no domain name", text);
	name_lower(name, name);
	return 0;
}

static int read_type(struct endpoint_call *c, uint16_t *type)
{
	const char *text = endpoint_parameter(c, "type");

	*type = 0;
	if (text != NULL && rrtype_from_text(text, type) != E_OK)
		return endpoint_fail(c, 422, "Unknown qtype '%s'", text);
	if (*type == TYPE_EVERY)
		*type = 0;
	return 0;
}

static size_t wipe(const struct endpoint_call *c, const uint8_t *name, bool subtree, uint16_t type)
{
	struct wiped sum = { 0 };

	wipe_name(c->env, name, subtree, type, &sum);
	return sum.records + sum.negative + sum.packets;
}

/* As 3.7 has it: the name alone, and the count is a string. */
int api_flush_cache(struct endpoint_call *c)
{
	uint8_t name[NAME_MAX_LEN];

	if (read_name(c, name, false) != 0)
		return -1;
	return endpoint_reply_json(c, json_pack("{s:o, s:s}", "count",
						json_sprintf("%zu", wipe(c, name, false, 0)),
						"result", "Flushed cache."));
}

int api_cache_flush(struct endpoint_call *c)
{
	const char *subtree = endpoint_parameter(c, "subtree");
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	size_t n;

	if (read_name(c, name, true) != 0 || read_type(c, &type) != 0)
		return -1;
	n = wipe(c, name, subtree != NULL && strcmp(subtree, "true") == 0, type);
	return endpoint_reply_json(
		c, json_pack("{s:I, s:s}", "count", (json_int_t)n, "result", "Flushed cache."));
}
