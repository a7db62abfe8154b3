/*
 * Values of settings: recursor.conf's lines with any bytes, each value read as its row says.
 * What is taken lies within the row's limits; what is refused has a reason.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "recursor/settings/settings_table.h"

static void check_limits(const struct setting *row, const struct settings *s)
{
	const char *member;
	uint64_t big;
	uint32_t number;
	uint16_t port;

	ASSERT(s->n_udp_source_port_avoid <= SETTINGS_AVOID_MAX);
	if (row->offset == SETTING_NO_MEMBER)
		return;
	member = (const char *)s + row->offset;
	switch (row->type) {
	case SET_INT:
		memcpy(&number, member, sizeof(number));
		ASSERT(number >= row->min && number <= row->max);
		break;
	case SET_BIG:
	case SET_SIZE:
		memcpy(&big, member, sizeof(big));
		ASSERT((long long)big >= row->min && (long long)big <= row->max);
		break;
	case SET_PORT:
		memcpy(&port, member, sizeof(port));
		ASSERT(port >= row->min);
		break;
	default:
		break;
	}
}

static int read_value(void *ctx, const struct conf_item *item)
{
	const struct setting *row = setting_find(item->name);
	struct settings *s = ctx;
	char reason[SETTINGS_WHY_MAX] = "";

	/* Who is a user is the system's business. */
	if (row == NULL || row->status != SETTING_OURS || row->type == SET_USER ||
	    row->type == SET_GROUP)
		return E_OK;
	if (setting_read(row, item->value, s, reason) == E_OK)
		check_limits(row, s);
	else
		ASSERT(reason[0] != '\0');
	/* Members of texts point into the item. */
	netset_free(s->allow_from);
	netset_free(s->dont_query);
	memset(s, 0, sizeof(*s));
	return E_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct settings *s = calloc(1, sizeof(*s));
	char why[SETTINGS_WHY_MAX];
	int err;

	ASSERT(s != NULL);
	err = conf_read_text((const char *)data, size, "fuzz", read_value, s, why, sizeof(why));
	ASSERT(err == E_OK || err == E_MALFORMED || err == E_TOO_LONG);
	free(s);
	return 0;
}
