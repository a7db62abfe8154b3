/*
 * The table of settings as text: --help, --config, the list in recursor.conf(5).
 */
#include <string.h>

#include "common/conf.h"
#include "common/mdoc.h"
#include "recursor/settings/settings_table.h"
#include "recursor/watch/marks.h"

enum { WIDTH = 78 };

static const char *const type_names[] = {
	[SET_NONE] = "",
	[SET_BOOL] = "yes or no",
	[SET_INT] = "number",
	[SET_BIG] = "number",
	[SET_PORT] = "port",
	[SET_TEXT] = "text",
	[SET_WORD] = "word",
	[SET_WORDS] = "words",
	[SET_NAME] = "domain name",
	[SET_TAPS] = "sockets",
	[SET_USER] = "user",
	[SET_GROUP] = "group",
	[SET_MODE] = "octal mode",
	[SET_LIST] = "list",
	[SET_NETS] = "netmasks",
	[SET_NAMES] = "names",
	[SET_ADDRS] = "addresses",
	[SET_ALGORITHMS] = "list of numbers",
	[SET_AVOID] = "list of ports",
	[SET_REAL] = "number",
	[SET_ZONES] = "zones",
	[SET_FORWARDS] = "zones",
	[SET_FORWARD_GROUPS] = "groups",
	[SET_SIZE] = "bytes",
};

/* Words with a line break where they would pass WIDTH. */
static void print_wrapped(FILE *f, const char *indent, const char *text)
{
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > WIDTH) {
			fputc('\n', f);
			column = 0;
		}
		column += (size_t)fprintf(f, "%s%.*s", column == 0 ? indent : " ", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

static bool is_for_people(const struct setting *row)
{
	return row->status == SETTING_OURS || row->status == SETTING_COMMAND;
}

void settings_print_help(FILE *f, const char *prefix)
{
	char host[SETTINGS_HOST_MAX];

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];

		if (!is_for_people(row) || strncmp(row->name, prefix, strlen(prefix)) != 0)
			continue;
		if (row->status == SETTING_COMMAND)
			fprintf(f, "  --%s\n", row->name);
		else
			fprintf(f, "  --%s=%s\n", row->name, setting_initial(row, host));
		print_wrapped(f, "\t", row->help);
	}
}

void settings_print_config(FILE *f, const struct settings *s, const char *which)
{
	bool only_diff = strcmp(which, "diff") == 0, only_default = strcmp(which, "default") == 0;
	char host[SETTINGS_HOST_MAX];

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];
		/* A template is for every host. */
		const char *initial = only_default ? row->initial : setting_initial(row, host);
		bool differs;

		if (row->status != SETTING_OURS)
			continue;
		differs = !only_default && !setting_is_for_command_line(row) &&
			  strcmp(initial, s->texts[i]) != 0;
		if (!only_diff) {
			fprintf(f, "#################################\n# %s\t%s", row->name,
				type_names[row->type]);
			if (row->unit != NULL)
				fprintf(f, " (%s)", row->unit);
			fprintf(f, "\n#\n");
			print_wrapped(f, "# ", row->help);
			fprintf(f, "#\n# %s=%s\n", row->name, initial);
		}
		if (differs)
			fprintf(f, "%s=%s\n", row->name, s->texts[i]);
		if (!only_diff)
			fputc('\n', f);
	}
}

/* Where the operator sees how near it came. */
static void print_marks_mdoc(FILE *f, const char *setting)
{
	for (const struct mark *m = NULL; (m = mark_of(setting, m)) != NULL;) {
		if (m->metric == NULL)
			continue;
		fprintf(f, "High-water mark: ");
		mdoc_print(f, m->metric);
		fprintf(f, ".\n");
	}
}

static void print_row_mdoc(FILE *f, const struct setting *row)
{
	fprintf(f, ".It Cm ");
	mdoc_print(f, row->name);
	fprintf(f, "\n%s", type_names[row->type]);
	if (row->unit != NULL)
		fprintf(f, row->type == SET_WORD || row->type == SET_WORDS ? ": %s" : ", %s",
			row->unit);
	if (row->max >= SETTING_MANY)
		fprintf(f, ", %lld or more", row->min);
	else if (row->max > row->min && row->type != SET_AVOID)
		fprintf(f, ", %lld to %lld", row->min, row->max);
	fprintf(f, "; default: ");
	if (*row->initial == '\0')
		fprintf(f, "empty");
	else
		mdoc_print(f, row->initial);
	if (strcmp(row->since, "own") == 0)
		fprintf(f, "; not a setting of PowerDNS");
	else
		fprintf(f, "; since %s", row->since);
	fprintf(f, ".\n.Pp\n");
	/* A sentence a line, as mdoc wants it. */
	for (const char *at = row->help; *at != '\0';) {
		const char *stop = strstr(at, ".  ");
		size_t len = stop != NULL ? (size_t)(stop - at) + 1 : strlen(at);
		char sentence[512];

		(void)snprintf(sentence, sizeof(sentence), "%.*s", (int)len, at);
		mdoc_print(f, sentence);
		fputc('\n', f);
		at += len;
		at += strspn(at, " ");
	}
	print_marks_mdoc(f, row->name);
}

void settings_print_mdoc(FILE *f)
{
	fprintf(f, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < settings_count; i++) {
		if (settings_table[i].status == SETTING_OURS)
			print_row_mdoc(f, &settings_table[i]);
	}
	fprintf(f, ".El\n.Ss Older names of settings\n"
		   "They give a warning with the name of today.\n.Bl -tag -width Ds\n");
	for (size_t i = 0; i < settings_count; i++) {
		if (settings_table[i].status != SETTING_ALIAS)
			continue;
		fprintf(f, ".It Cm ");
		mdoc_print(f, settings_table[i].name);
		fprintf(f, "\n.Cm ");
		mdoc_print(f, settings_table[i].initial);
		fprintf(f, "\n");
	}
	fprintf(f, ".El\n.Ss Settings of PowerDNS that are not supported yet\n"
		   "They may stand in the file; each gives a warning.\n.Pp\n");
	for (size_t i = 0, n = 0; i < settings_count; i++) {
		if (settings_table[i].status != SETTING_LATER)
			continue;
		fprintf(f, "%s.Cm ", n++ > 0 ? " ,\n" : "");
		mdoc_print(f, settings_table[i].name);
	}
	fprintf(f, "\n.Ss Settings of PowerDNS that have no use here\n"
		   "They give a warning too.\n.Bl -tag -width Ds\n");
	for (size_t i = 0; i < settings_count; i++) {
		if (settings_table[i].status != SETTING_NO_USE)
			continue;
		fprintf(f, ".It Cm ");
		mdoc_print(f, settings_table[i].name);
		fprintf(f, "\n%s.\n", settings_table[i].help);
	}
	fprintf(f, ".El\n");
}

/* ---- what to do instead of serving ---- */

enum settings_command settings_command(int argc, char *const argv[], const char **argument)
{
	static const struct {
		const char *name;
		enum settings_command command;
	} commands[] = {
		{ "help", SETTINGS_HELP },
		{ "config", SETTINGS_CONFIG },
		{ "version", SETTINGS_VERSION },
	};

	*argument = "";
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + strspn(argv[i], "-");
		size_t len = strcspn(name, "=");

		for (size_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++) {
			if (name - argv[i] < 1 || name - argv[i] > 2 ||
			    len != strlen(commands[k].name) ||
			    strncmp(name, commands[k].name, len) != 0)
				continue;
			if (name[len] == '=')
				*argument = name + len + 1;
			return commands[k].command;
		}
	}
	return SETTINGS_RUN;
}
