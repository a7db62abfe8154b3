/*
 * The lines of forward-zones-file, with any bytes.  What is taken is a zone with servers that can
 * be asked, and can be made one of the zones; what is refused has a reason.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/settings/settings.h"
#include "recursor/settings/zonelist.h"

static void check_item(struct zones *zones, const struct zonelist_item *item)
{
	uint8_t lower[NAME_MAX_LEN];
	size_t len;

	ASSERT(name_check(item->name, sizeof(item->name), &len) == E_OK);
	(void)name_lower(lower, item->name);
	ASSERT(name_equal_case(lower, item->name));
	ASSERT(item->n_servers > 0 && item->n_servers <= ZONES_SERVERS_MAX);
	for (size_t i = 0; i < item->n_servers; i++)
		ASSERT(item->servers[i].family != 0 && item->servers[i].port != 0);
	ASSERT(zones_add_forward(zones, item->name, item->servers, item->n_servers, item->recurse,
				 item->notify) == E_OK);
	ASSERT(zones_exact(zones, item->name) != NULL);
	ASSERT(zones_allow_notify(zones, item->name) || !item->notify);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text;
	struct zones *zones = NULL;

	ASSERT(text != NULL && zones_new(&zones) == E_OK);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
		char reason[SETTINGS_WHY_MAX] = "";
		struct zonelist_item item;
		bool found = true;

		if (zonelist_read_line(line, &item, &found, reason) != E_OK)
			ASSERT(reason[0] != '\0');
		else if (found)
			check_item(zones, &item);
	}
	zones_put(zones);
	free(text);
	return 0;
}
