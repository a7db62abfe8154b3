/* Rows of the table of settings: found by name, and what follows from one.  See settings_table.h. */
#include <string.h>
#include <unistd.h>

#include "recursor/settings/settings_table.h"

const struct setting *setting_find(const char *name)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (strcmp(settings_table[i].name, name) == 0)
			return &settings_table[i];
	}
	return NULL;
}

const struct setting *setting_of_alias(const struct setting *row)
{
	return row->status == SETTING_ALIAS ? setting_find(row->initial) : row;
}

bool setting_is_list(const struct setting *row)
{
	switch (row->type) {
	case SET_LIST:
	case SET_NETS:
	case SET_NAMES:
	case SET_ADDRS:
	case SET_AVOID:
	case SET_ZONES:
	case SET_FORWARDS:
	case SET_FORWARD_GROUPS:
	case SET_WORDS:
	case SET_TAPS:
	case SET_ALGORITHMS:
		return true;
	default:
		return false;
	}
}

bool setting_is_for_command_line(const struct setting *row)
{
	return strcmp(row->name, "config-dir") == 0 || strcmp(row->name, "config-name") == 0;
}

const char *setting_initial(const struct setting *row, char host[SETTINGS_HOST_MAX])
{
	if (strcmp(row->initial, SETTING_HOSTNAME) != 0)
		return row->initial;
	if (gethostname(host, SETTINGS_HOST_MAX - 1) != 0)
		host[0] = '\0';
	host[SETTINGS_HOST_MAX - 1] = '\0';
	return host;
}
