#include "tools/graphs/options.h"

#include <stddef.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/mdoc.h"

enum { CARBON_PORT = 2003, WEB_PORT = 8083 };
enum kind { ADDRESSES, ADDRESS, NETS, TEXT, NUMBER, FLAG };

#define AT(member) offsetof(struct options, member)

/* In order of name; least and most are of numbers. */
static const struct option {
	const char *name, *value, *standard;
	enum kind kind;
	size_t at;
	long long least, most;
	const char *help;
} table[] = {
	{ "allow", "NETS", "127.0.0.0/8, ::1", NETS, AT(allow), 0, 0,
	  "whose carbon lines are taken: addresses and networks" },
	{ "config", "FILE", NULL, TEXT, 0, 0, 0,
	  "a file of such options, name=value; the command line goes before it" },
	{ "directory", "DIR", "/var/lib/recursor-graphs", TEXT, AT(directory), 0, 0,
	  "where the round-robin files are; it is made" },
	{ "heartbeat", "SECONDS", "150", NUMBER, AT(heartbeat_s), 1, 86400,
	  "a metric that is silent for longer has a gap; of files that are made from now on" },
	{ "help", NULL, NULL, FLAG, AT(help), 0, 0, "show this text" },
	{ "listen", "ADDRESSES", "127.0.0.1:2003", ADDRESSES, 0, 0, 0,
	  "where carbon lines are taken, over TCP" },
	{ "max-connections", "N", "256", NUMBER, AT(max_connections), 4, 60000,
	  "connections that bring lines, at once; an address may have a quarter" },
	{ "max-files", "N", "50000", NUMBER, AT(max_files), 1, 10000000,
	  "metrics of all sources together; a file has some 300 KB" },
	{ "max-metrics", "N", "2000", NUMBER, AT(max_metrics), 1, 10000000,
	  "metrics of one source" },
	{ "step", "SECONDS", "10", NUMBER, AT(step_s), 1, 300,
	  "the finest step; archives scale with it; of files that are made from now on" },
	{ "version", NULL, NULL, FLAG, AT(version), 0, 0, "show the version" },
	{ "web", "ADDRESS", "127.0.0.1:8083", ADDRESS, 0, 0, 0,
	  "where the boards are shown, over HTTP" },
	{ "web-allow", "NETS", "127.0.0.0/8, ::1", NETS, AT(web_allow), 0, 0,
	  "who may look at them" },
	{ "write-every", "SECONDS", "300", NUMBER, AT(write_every_s), 1, 3600,
	  "values wait that long at most, and are written together" },
};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

/* ---- values ---- */

struct addresses {
	struct addr *out;
	size_t n, max;
	uint16_t port;
};

static int add_address(void *ctx, const char *word, size_t len)
{
	struct addresses *a = ctx;
	char text[ADDR_TEXT_MAX];

	if (len >= sizeof(text))
		return E_MALFORMED;
	if (a->n == a->max)
		return E_LIMIT;
	memcpy(text, word, len);
	text[len] = '\0';
	return addr_from_text(&a->out[a->n++], text, a->port);
}

static int set_addresses(struct addr *out, size_t *n, size_t max, uint16_t port, const char *value)
{
	struct addresses a = { out, 0, max, port };
	int err = conf_each_word(value, add_address, &a);

	if (err == E_OK && a.n == 0)
		err = E_MALFORMED;
	if (err == E_OK)
		*n = a.n;
	return err;
}

static int set_nets(struct netset **out, const char *value)
{
	struct netset *s = NULL;
	char bad[ADDR_TEXT_MAX];
	int err = netset_new(&s);

	if (err == E_OK)
		err = netset_add_list(s, value, bad);
	if (err != E_OK) {
		netset_free(s);
		return err;
	}
	netset_free(*out);
	*out = s;
	return E_OK;
}

static int set_text(char *out, const char *value)
{
	if (value[0] == '\0')
		return E_MALFORMED;
	if (strlen(value) >= OPTIONS_PATH_MAX)
		return E_TOO_LONG;
	strcpy(out, value);
	return E_OK;
}

static int set_option(struct options *o, const struct option *row, const char *value)
{
	void *at = (char *)o + row->at;

	switch (row->kind) {
	case ADDRESSES:
		return set_addresses(o->listen, &o->n_listen, OPTIONS_LISTEN_MAX, CARBON_PORT,
				     value);
	case ADDRESS:
		return set_addresses(o->web, &o->n_web, 1, WEB_PORT, value);
	case NETS:
		return set_nets(at, value);
	case TEXT:
		return strcmp(row->name, "config") == 0 ? E_OK : set_text(at, value);
	case NUMBER:
		return conf_int(value, row->least, row->most, at);
	case FLAG:
		*(bool *)at = conf_bool(value);
		return E_OK;
	}
	return E_UNSUPPORTED;
}

/* ---- reading ---- */

struct reading {
	struct options *o;
	char *why;
	char config_path[OPTIONS_PATH_MAX];
	bool only_config;
};

static int on_item(void *ctx, const struct conf_item *item)
{
	struct reading *r = ctx;
	const struct option *row = find_option(item->name);
	char place[OPTIONS_PATH_MAX + 16] = "graphs";
	int err = E_NOT_FOUND;

	if (item->line > 0)
		snprintf(place, sizeof(place), "%s:%u", item->file, item->line);
	if (row != NULL && r->only_config)
		return strcmp(row->name, "config") == 0 ? set_text(r->config_path, item->value)
							: E_OK;
	if (row != NULL)
		err = set_option(r->o, row, item->value);
	else if (strcmp(item->name, "mdoc") == 0) {
		r->o->mdoc = true;
		err = E_OK;
	}
	if (err == E_NOT_FOUND)
		snprintf(r->why, OPTIONS_WHY_MAX, "%.300s: there is no option %.100s", place,
			 item->name);
	else if (err != E_OK)
		snprintf(r->why, OPTIONS_WHY_MAX, "%.200s: %.50s=%.150s: %s", place, item->name,
			 item->value, err_text(err));
	return err;
}

int options_read(struct options *o, int argc, char **argv, char why[OPTIONS_WHY_MAX])
{
	struct reading r = { .o = o, .why = why, .only_config = true };
	const char *words[64];
	int n_words = 0, err = E_OK;

	why[0] = '\0';
	if ((size_t)argc > ARRAY_LEN(words)) {
		snprintf(why, OPTIONS_WHY_MAX, "graphs: too many arguments");
		return E_TOO_LONG;
	}
	for (size_t i = 0; i < ARRAY_LEN(table) && err == E_OK; i++)
		if (table[i].standard != NULL)
			err = set_option(o, &table[i], table[i].standard);
	if (err == E_OK)
		err = conf_read_args(argc, argv, on_item, &r, words, &n_words);
	r.only_config = false;
	if (err == E_OK && r.config_path[0] != '\0') {
		err = conf_read_file(r.config_path, on_item, &r, why, OPTIONS_WHY_MAX);
		if (err == E_SYSTEM && why[0] == '\0')
			snprintf(why, OPTIONS_WHY_MAX, "%.400s: cannot be read", r.config_path);
	}
	if (err == E_OK)
		err = conf_read_args(argc, argv, on_item, &r, words, &n_words);
	if (err == E_OK && n_words > 0) {
		snprintf(why, OPTIONS_WHY_MAX, "graphs: what is %.200s? --help tells", words[0]);
		err = E_MALFORMED;
	}
	if (err == E_OK && o->heartbeat_s < o->step_s) {
		snprintf(why, OPTIONS_WHY_MAX, "graphs: heartbeat=%lld is shorter than step=%lld",
			 o->heartbeat_s, o->step_s);
		err = E_RANGE;
	}
	if (err != E_OK && why[0] == '\0')
		snprintf(why, OPTIONS_WHY_MAX, "graphs: %s", err_text(err));
	return err;
}

void options_free(struct options *o)
{
	netset_free(o->allow);
	netset_free(o->web_allow);
}

/* ---- texts ---- */

void options_print_help(FILE *f)
{
	fputs("usage: graphs [--option=value ...]\n\n"
	      "Takes carbon lines from resolvers, keeps them in round-robin files, and shows boards\n"
	      "of them in the browser.\n\n",
	      f);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		char text[64];

		snprintf(text, sizeof(text), "--%s%s%s", table[i].name,
			 table[i].value == NULL ? "" : "=",
			 table[i].value == NULL ? "" : table[i].value);
		fprintf(f, "  %-25s %s", text, table[i].help);
		if (table[i].standard != NULL)
			fprintf(f, " (%s)", table[i].standard);
		fputc('\n', f);
	}
	fputs("\nIt ends with 0 on SIGTERM and SIGINT, with 1 when it cannot start or go on, with 2 for\n"
	      "an option that is wrong.\n",
	      f);
}

void options_print_mdoc(FILE *f)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		fprintf(f, ".It Fl Fl ");
		mdoc_print(f, table[i].name);
		if (table[i].value != NULL)
			fprintf(f, " Ns = Ns Ar %s", table[i].value);
		fputc('\n', f);
		mdoc_print(f, table[i].help);
		if (table[i].standard != NULL) {
			fputs(" (default: ", f);
			mdoc_print(f, table[i].standard);
			fputc(')', f);
		}
		fputs(".\n", f);
	}
}
