/*
 * Reading settings: which files, in which order, and what each item does to the texts.
 */
#include "recursor/settings/settings.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/conf.h"
#include "recursor/settings/settings_table.h"

/* An item whose name is in no row: ignore-unknown-settings may come after it. */
struct unknown {
	struct unknown *next;
	char *name;
	char *place_and_item;
};

struct loading {
	char **texts;
	char **places; /* where each row was set; NULL: nowhere */
	struct unknown *unknown, **unknown_end;
	bool in_included, has_file;
	bool must_have_file; /* it was there before: that it is gone is an accident */
	struct settings_warn warn;
	char *why;
};

static void __attribute__((format(printf, 2, 3)))
warn(const struct loading *l, const char *format, ...)
{
	char line[SETTINGS_WHY_MAX];
	va_list args;

	if (l->warn.line == NULL)
		return;
	va_start(args, format);
	(void)vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	l->warn.line(l->warn.ctx, line);
}

static int no_memory(const struct loading *l)
{
	(void)snprintf(l->why, SETTINGS_WHY_MAX, "%s", err_text(E_NOMEM));
	return E_NOMEM;
}

/* "recursor.conf:12", "command line". */
static char *place_of(const struct conf_item *item)
{
	char *place = NULL;

	if (item->line == 0)
		return strdup(item->file);
	return asprintf(&place, "%s:%u", item->file, item->line) < 0 ? NULL : place;
}

static int refuse(const struct loading *l, const struct conf_item *item, int err,
		  const char *reason)
{
	char *place = place_of(item);

	(void)snprintf(l->why, SETTINGS_WHY_MAX, "%.160s: %.80s%s=%.100s: %.140s",
		       place != NULL ? place : item->file, item->name, item->append ? "+" : "",
		       item->value, reason);
	free(place);
	return err;
}

static int note_unknown(struct loading *l, const struct conf_item *item)
{
	struct unknown *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return no_memory(l);
	*l->unknown_end = u;
	l->unknown_end = &u->next;
	u->name = strdup(item->name);
	/* `why` serves as the line's buffer until it is known whether it is an error. */
	(void)refuse(l, item, E_NOT_FOUND, "unknown setting");
	u->place_and_item = strdup(l->why);
	return u->name != NULL && u->place_and_item != NULL ? E_OK : no_memory(l);
}

/* The new text of a row after `name=value` or `name+=value`. */
static int set_text(struct loading *l, const struct setting *row, const struct conf_item *item)
{
	size_t i = (size_t)(row - settings_table);
	char *text = NULL, *place = NULL;

	if (item->append && !setting_is_list(row))
		return refuse(l, item, E_MALFORMED, "only a list can be added to");
	if (item->append && *l->texts[i] == '\0' && l->places[i] == NULL)
		return refuse(l, item, E_MALFORMED, "there is nothing to add to");
	if (item->append && *l->texts[i] != '\0') {
		if (asprintf(&text, "%s, %s", l->texts[i], item->value) < 0)
			text = NULL;
	} else {
		text = strdup(item->value);
	}
	place = place_of(item);
	if (text == NULL || place == NULL) {
		free(text);
		free(place);
		return no_memory(l);
	}
	free(l->texts[i]);
	free(l->places[i]);
	l->texts[i] = text;
	l->places[i] = place;
	return E_OK;
}

static int take_ours(struct loading *l, const struct setting *row, const struct conf_item *item)
{
	char reason[SETTINGS_WHY_MAX];
	int err;

	if (item->line != 0 && setting_is_for_command_line(row)) {
		warn(l, "%s:%u: setting '%s' has a meaning on the command line only, ignored",
		     item->file, item->line, row->name);
		return E_OK;
	}
	if (l->in_included && strcmp(row->name, "include-dir") == 0) {
		warn(l, "%s:%u: an included file cannot include, '%s' is ignored", item->file,
		     item->line, row->name);
		return E_OK;
	}
	err = setting_check(row, item->value, reason);
	return err == E_OK ? set_text(l, row, item) : refuse(l, item, err, reason);
}

/* An older name: the same as the one that it has now. */
static const struct setting *follow_alias(const struct loading *l, const struct setting *row,
					  const struct conf_item *item)
{
	const struct setting *now = setting_of_alias(row);
	char *place = now != row ? place_of(item) : NULL;

	if (place != NULL)
		warn(l, "%s: setting '%s' is called '%s' now", place, row->name, now->name);
	free(place);
	return now;
}

static int take_item(void *ctx, const struct conf_item *item)
{
	struct loading *l = ctx;
	const struct setting *row = setting_find(item->name);
	char *place;

	if (row == NULL)
		return note_unknown(l, item);
	row = follow_alias(l, row, item);
	if (row->status == SETTING_OURS)
		return take_ours(l, row, item);
	place = place_of(item);
	if (place == NULL)
		return no_memory(l);
	if (row->status == SETTING_LATER)
		warn(l, "%s: setting '%s' is known but not supported yet, ignored", place,
		     row->name);
	else if (row->status == SETTING_NO_USE)
		warn(l, "%s: setting '%s' is known but has no use here (%s), ignored", place,
		     row->name, row->help);
	else if (item->line != 0)
		warn(l, "%s: '%s' is an option for the command line, ignored", place, row->name);
	free(place);
	return row->status == SETTING_LATER ? set_text(l, row, item) : E_OK;
}

/* ---- files ---- */

/* A callback's error has its line in `why` already; so has conf's own. */
static int read_file(struct loading *l, const char *path)
{
	return conf_read_file(path, take_item, l, l->why, SETTINGS_WHY_MAX);
}

static int read_main_file(struct loading *l, const char *dir, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/recursor%s%s.conf", dir, *name != '\0' ? "-" : "",
			 name);
	int err;

	if (n < 0 || (size_t)n >= sizeof(path)) {
		(void)snprintf(l->why, SETTINGS_WHY_MAX, "config-dir is too long");
		return E_TOO_LONG;
	}
	errno = 0;
	err = read_file(l, path);
	/* A file that is there and cannot be read may hold what keeps strangers out. */
	l->has_file = err == E_OK;
	if (err == E_SYSTEM && (errno == ENOENT || errno == ENOTDIR) && !l->must_have_file) {
		warn(l, "Unable to read configuration file '%s': %s", path, strerror(errno));
		err = E_OK;
	}
	return err;
}

static int is_conf_name(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".conf") == 0;
}

static int order_of_names(const struct dirent **a, const struct dirent **b)
{
	int order = strcasecmp((*a)->d_name, (*b)->d_name);

	return order != 0 ? order : strcmp((*a)->d_name, (*b)->d_name);
}

static int read_included(struct loading *l, const char *place, const char *dir)
{
	struct dirent **entries = NULL;
	int n, err = E_OK;

	if (*dir == '\0')
		return E_OK;
	n = scandir(dir, &entries, is_conf_name, order_of_names);
	if (n < 0) {
		(void)snprintf(l->why, SETTINGS_WHY_MAX, "%.160s: include-dir=%.200s: %s", place,
			       dir, strerror(errno));
		return E_SYSTEM;
	}
	l->in_included = true;
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];

		(void)snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
		if (err == E_OK)
			err = read_file(l, path);
		free(entries[i]);
	}
	l->in_included = false;
	free(entries);
	return err;
}

/* ---- command line ---- */

struct early {
	char *config_dir, *config_name, *include_dir;
};

/* The lax pass: only what says where the files are; what is wrong is said later. */
static int take_early(void *ctx, const struct conf_item *item)
{
	struct early *early = ctx;
	char **place;

	if (strcmp(item->name, "config-dir") == 0)
		place = &early->config_dir;
	else if (strcmp(item->name, "config-name") == 0)
		place = &early->config_name;
	else if (strcmp(item->name, "include-dir") == 0)
		place = &early->include_dir;
	else
		return E_OK;
	free(*place);
	*place = strdup(item->value);
	return *place != NULL ? E_OK : E_NOMEM;
}

static int read_args(struct loading *l, int argc, char *const argv[], conf_item_cb cb, void *ctx,
		     bool tell_of_words)
{
	const char **words = calloc((size_t)argc + 1, sizeof(*words));
	int n_words = 0, err;

	if (words == NULL)
		return no_memory(l);
	err = conf_read_args(argc, argv, cb, ctx, words, &n_words);
	for (int i = 0; i < n_words && tell_of_words; i++)
		warn(l, "command line: '%s' is not an option, ignored", words[i]);
	free(words);
	return err == E_NOMEM ? no_memory(l) : err;
}

static int read_all(struct loading *l, int argc, char *const argv[])
{
	const struct setting *dir_row = setting_find("config-dir");
	const size_t include = (size_t)(setting_find("include-dir") - settings_table);
	struct early early = { 0 };
	int err = read_args(l, argc, argv, take_early, &early, false);

	if (err != E_OK)
		goto out;
	err = read_main_file(l, early.config_dir != NULL ? early.config_dir : dir_row->initial,
			     early.config_name != NULL ? early.config_name : "");
	if (err == E_OK && early.include_dir != NULL)
		err = read_included(l, "command line", early.include_dir);
	else if (err == E_OK && l->places[include] != NULL)
		err = read_included(l, l->places[include], l->texts[include]);
	if (err == E_OK)
		err = read_args(l, argc, argv, take_item, l, true);
out:
	free(early.config_dir);
	free(early.config_name);
	free(early.include_dir);
	return err;
}

/* ---- together ---- */

static int match_word(void *ctx, const char *word, size_t len)
{
	const char *name = ctx;

	return strlen(name) == len && memcmp(name, word, len) == 0 ? E_EXISTS : E_OK;
}

static int judge_unknown(const struct loading *l)
{
	const struct setting *row = setting_find("ignore-unknown-settings");
	const char *list;

	ASSERT(row != NULL);
	list = l->texts[row - settings_table];
	for (const struct unknown *u = l->unknown; u != NULL; u = u->next) {
		if (conf_each_word(list, match_word, u->name) != E_EXISTS) {
			(void)snprintf(l->why, SETTINGS_WHY_MAX, "%s", u->place_and_item);
			return E_NOT_FOUND;
		}
		warn(l, "%s, ignored", u->place_and_item);
	}
	return E_OK;
}

static void free_loading(struct loading *l)
{
	for (struct unknown *u = l->unknown, *next; u != NULL; u = next) {
		next = u->next;
		free(u->name);
		free(u->place_and_item);
		free(u);
	}
	for (size_t i = 0; l->places != NULL && i < settings_count; i++)
		free(l->places[i]);
	free(l->places);
	settings_texts_free(l->texts);
}

/* Reads everything into the texts. */
static int load(struct loading *l, int argc, char *const argv[])
{
	int err = settings_texts_new(&l->texts, NULL);

	l->unknown_end = &l->unknown;
	l->places = calloc(settings_count, sizeof(*l->places));
	if (err != E_OK || l->places == NULL)
		return no_memory(l);
	err = read_all(l, argc, argv);
	return err == E_OK ? judge_unknown(l) : err;
}

int settings_load(struct settings **out, int argc, char *const argv[],
		  void (*warn_line)(void *ctx, const char *line), void *ctx,
		  char why[SETTINGS_WHY_MAX])
{
	struct loading l = { .warn = { warn_line, ctx }, .why = why };
	int err = load(&l, argc, argv);
	struct settings_source from = { .texts = l.texts, .places = l.places, .warn = l.warn };

	if (err == E_OK)
		err = settings_build(out, &from, why);
	if (err == E_OK) {
		(*out)->has_file = l.has_file;
		l.texts = NULL;
	}
	free_loading(&l);
	return err;
}

int settings_reload(struct settings **out, const struct settings *s, int argc, char *const argv[],
		    const char *const *names, size_t n_names,
		    void (*warn_line)(void *ctx, const char *line), void *ctx,
		    char why[SETTINGS_WHY_MAX])
{
	/* What the files have that is not known, or not yet, was said when the daemon started. */
	struct loading l = { .why = why, .must_have_file = s->has_file };
	struct settings_source from = {
		.warn = { warn_line, ctx },
		.old = s,
		.names = names,
		.n_names = n_names,
	};
	int err = load(&l, argc, argv);

	if (err == E_OK && settings_texts_new(&from.texts, s->texts) != E_OK)
		err = no_memory(&l);
	for (size_t i = 0; i < n_names && err == E_OK; i++) {
		const struct setting *row = setting_find(names[i]);
		char *text;

		ASSERT(row != NULL);
		text = from.texts[row - settings_table];
		from.texts[row - settings_table] = l.texts[row - settings_table];
		l.texts[row - settings_table] = text;
	}
	from.places = l.places;
	if (err == E_OK)
		err = settings_build(out, &from, why);
	if (err == E_OK)
		(*out)->has_file = l.has_file;
	else
		settings_texts_free(from.texts);
	free_loading(&l);
	return err;
}
