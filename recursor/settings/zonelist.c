#include "recursor/settings/zonelist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/conf.h"
#include "recursor/settings/settings.h"

enum { FORWARD_PORT = 53 };

static int read_name(const char *text, uint8_t name[NAME_MAX_LEN], char *reason)
{
	int err = *text == '\0' ? E_MALFORMED : name_from_text(name, text);

	if (err != E_OK) {
		(void)snprintf(reason, SETTINGS_WHY_MAX, "'%.120s' is no name of a zone", text);
		return err;
	}
	name_lower(name, name);
	return E_OK;
}

/* Splits "zone=value" in place. */
static int split(char *text, char **value, const char *what, char *reason)
{
	char *equal = strchr(text, '=');

	if (equal == NULL) {
		(void)snprintf(reason, SETTINGS_WHY_MAX, "'%.120s': no '=' after the %s", text,
			       what);
		return E_MALFORMED;
	}
	*equal = '\0';
	*value = equal + 1;
	return E_OK;
}

/* The servers of a zone, in place; `between` are the signs that part them. */
static int read_servers(char *text, const char *between, const char *what,
			struct zonelist_item *item, char *reason)
{
	char *save = NULL;

	item->n_servers = 0;
	for (char *word = strtok_r(text, between, &save); word != NULL;
	     word = strtok_r(NULL, between, &save)) {
		struct addr *a = &item->servers[item->n_servers];

		if (item->n_servers == ZONES_SERVERS_MAX) {
			(void)snprintf(reason, SETTINGS_WHY_MAX, "more than %d servers",
				       ZONES_SERVERS_MAX);
			return E_LIMIT;
		}
		if (addr_from_text(a, word, FORWARD_PORT) != E_OK || a->port == 0) {
			(void)snprintf(reason, SETTINGS_WHY_MAX,
				       "'%.120s' is no address of a server", word);
			return E_MALFORMED;
		}
		item->n_servers++;
	}
	if (item->n_servers == 0) {
		(void)snprintf(reason, SETTINGS_WHY_MAX, "a %s without servers", what);
		return E_MALFORMED;
	}
	return E_OK;
}

/* A word, as it stands in the defender's file too. */
static int check_group(const char *name, char *reason)
{
	size_t len = strlen(name);

	if (len > 0 && len < ZONES_GROUP_NAME_MAX &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		    len)
		return E_OK;
	(void)snprintf(reason, SETTINGS_WHY_MAX, "'%.120s' is no name of a group", name);
	return E_MALFORMED;
}

enum list { LIST_FORWARDS, LIST_GROUPS, LIST_FILES };

struct reading {
	enum list list;
	zonelist_item_cb cb;
	void *ctx;
	char *reason;
	struct zonelist_item item;
};

static int read_item(struct reading *r, char *text)
{
	struct zonelist_item *item = &r->item;
	char *value = NULL;
	const char *what = r->list == LIST_GROUPS ? "group" : "zone";
	int err = split(text, &value, what, r->reason);

	if (err != E_OK)
		return err;
	*item = (struct zonelist_item) { .file = value, .group = text };
	if (r->list == LIST_FORWARDS && *text == '^') {
		item->notify = true;
		text++;
	}
	err = r->list == LIST_GROUPS ? check_group(text, r->reason)
				     : read_name(text, item->name, r->reason);
	if (err == E_OK && r->list != LIST_FILES)
		err = read_servers(value, ";", what, item, r->reason);
	if (err == E_OK && *value == '\0' && r->list == LIST_FILES) {
		(void)snprintf(r->reason, SETTINGS_WHY_MAX, "'%.120s': a zone without a file",
			       text);
		err = E_MALFORMED;
	}
	return err;
}

static int take_word(void *ctx, const char *word, size_t len)
{
	struct reading *r = ctx;
	char *text = strndup(word, len);
	int err;

	if (text == NULL) {
		(void)snprintf(r->reason, SETTINGS_WHY_MAX, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	err = read_item(r, text);
	if (err == E_OK && r->cb != NULL)
		err = r->cb(r->ctx, &r->item);
	free(text);
	return err;
}

static int read_list(const char *text, enum list list, zonelist_item_cb cb, void *ctx, char *reason)
{
	struct reading r = { .list = list, .cb = cb, .ctx = ctx, .reason = reason };

	return conf_each_word(text, take_word, &r);
}

int zonelist_read_forwards(const char *text, zonelist_item_cb cb, void *ctx, char *reason)
{
	return read_list(text, LIST_FORWARDS, cb, ctx, reason);
}

int zonelist_read_groups(const char *text, zonelist_item_cb cb, void *ctx, char *reason)
{
	return read_list(text, LIST_GROUPS, cb, ctx, reason);
}

int zonelist_read_files(const char *text, zonelist_item_cb cb, void *ctx, char *reason)
{
	return read_list(text, LIST_FILES, cb, ctx, reason);
}

static char *trim(char *text)
{
	static const char blanks[] = " \t\r";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		text[--len] = '\0';
	return text;
}

int zonelist_read_line(char *line, struct zonelist_item *item, bool *found, char *reason)
{
	struct zonelist_item made = { .n_servers = 0 };
	char *value, *name;
	int err;

	line[strcspn(line, "#")] = '\0';
	line = trim(line);
	if (*line == '\0') {
		*found = false;
		return E_OK;
	}
	err = split(line, &value, "zone", reason);
	if (err != E_OK)
		return err;
	name = trim(line);
	for (; *name == '+' || *name == '^'; name++) {
		made.recurse |= *name == '+';
		made.notify |= *name == '^';
	}
	err = read_name(trim(name), made.name, reason);
	if (err == E_OK)
		err = read_servers(value, ",; \t\r", "zone", &made, reason);
	if (err != E_OK)
		return err;
	*item = made;
	*found = true;
	return E_OK;
}
