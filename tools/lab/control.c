/* control: the commands of the control socket and of the standard input, one table. */
#include <inttypes.h>
#include <string.h>

#include "common/check.h"
#include "common/ctl.h"
#include "tools/lab/lab.h"

enum { WORDS_MAX = 8 };

typedef int (*command)(struct lab *lab, char **words, int n, FILE *f);

static int refuse(FILE *f, const char *what, const char *word)
{
	fprintf(f, "%s%s%s\n", what, *word == '\0' ? "" : ": ", word);
	return 1;
}

/* Calls for the server of an address, or for each with `*`; how many there were. */
static unsigned each_server(struct lab *lab, const char *text,
			    int (*cb)(struct server *s, char **words, char *why), char **words,
			    char *why)
{
	struct addr a = { 0 };
	unsigned n = 0;

	if (strcmp(text, "*") != 0 && addr_from_text(&a, text, 0) != E_OK)
		return 0;
	for (unsigned i = 0; i < lab->n_servers; i++)
		if (a.family == 0 || addr_equal_ip(&lab->servers[i]->addr, &a)) {
			if (cb(lab->servers[i], words, why) != E_OK)
				return n == 0 ? UINT32_MAX : n;
			n++;
		}
	return n;
}

static int set_one(struct server *s, char **words, char *why)
{
	return fault_set(s, words[2], words[3], why);
}

static int command_fault(struct lab *lab, char **words, int n, FILE *f)
{
	char why[LAB_WHY_MAX] = "";
	unsigned done;

	if (n < 3)
		return refuse(f, "usage: fault ADDRESS|* KIND [NUMBER]", "");
	done = each_server(lab, words[1], set_one, words, why);
	if (why[0] != '\0')
		return refuse(f, why, "");
	return done > 0 ? 0 : refuse(f, "no such server", words[1]);
}

static int command_faults(struct lab *lab, char **words, int n, FILE *f)
{
	(void)words;
	(void)n;
	for (unsigned i = 0; i < lab->n_servers; i++) {
		char text[ADDR_TEXT_MAX];

		fputs(addr_ip_text(text, &lab->servers[i]->addr), f);
		fault_print(lab->servers[i], f);
		fputc('\n', f);
	}
	return 0;
}

static int command_counters(struct lab *lab, char **words, int n, FILE *f)
{
	uint64_t udp = 0, tcp = 0;

	for (unsigned i = 0; i < lab->n_servers; i++) {
		struct server *s = lab->servers[i];
		char text[ADDR_TEXT_MAX];

		addr_ip_text(text, &s->addr);
		if (n > 1 && strcmp(words[1], "reset") == 0) {
			s->n_udp = s->n_tcp = s->n_answers = s->n_connections = 0;
			continue;
		}
		if (n > 1 && strcmp(words[1], text) != 0)
			continue;
		fprintf(f,
			"%-16s udp %" PRIu64 " tcp %" PRIu64 " connections %" PRIu64
			" answered %" PRIu64 "\n",
			text, s->n_udp, s->n_tcp, s->n_connections, s->n_answers);
		udp += s->n_udp;
		tcp += s->n_tcp;
	}
	if (n > 1 && strcmp(words[1], "reset") == 0)
		lab->n_queries = 0;
	else
		fprintf(f, "total udp %" PRIu64 " tcp %" PRIu64 " all %" PRIu64 "\n", udp, tcp,
			udp + tcp);
	return 0;
}

static int command_queries(struct lab *lab, char **words, int n, FILE *f)
{
	uint64_t first = lab->n_queries > LAB_QUERIES_KEPT ? lab->n_queries - LAB_QUERIES_KEPT : 0;

	(void)words;
	(void)n;
	for (uint64_t i = first; i < lab->n_queries; i++) {
		const struct kept_query *k = &lab->queries[i % LAB_QUERIES_KEPT];
		char text[ADDR_TEXT_MAX];

		fprintf(f, "%8" PRIu64 " %s %s %s port %u id %u\n", k->at_ms - lab->began_ms,
			addr_ip_text(text, &lab->servers[k->server]->addr),
			k->transport == LAB_UDP ? "udp" : "tcp", k->text == NULL ? "?" : k->text,
			k->port, k->id);
	}
	return 0;
}

static int command_hook(struct lab *lab, char **words, int n, FILE *f)
{
	struct hook *h = NULL;
	char why[LAB_WHY_MAX];

	if (n < 2)
		return refuse(f, "usage: hook FILE|none", "");
	if (strcmp(words[1], "none") != 0 && hook_load(&h, words[1], why) != E_OK)
		return refuse(f, why, "");
	hook_free(lab->hook);
	lab->hook = h;
	return 0;
}

static int command_servers(struct lab *lab, char **words, int n, FILE *f)
{
	(void)words;
	(void)n;
	for (unsigned i = 0; i < lab->n_servers; i++) {
		char text[ADDR_TEXT_MAX];

		fprintf(f, "%s%s", addr_text(text, &lab->servers[i]->addr),
			lab->servers[i]->udp < 0 ? " (not bound)" : "");
		for (unsigned k = 0; k < lab->servers[i]->n_zones; k++) {
			fputc(' ', f);
			ldns_rdf_print(f, lab->servers[i]->zones[k]->origin);
		}
		fputc('\n', f);
	}
	return 0;
}

static int command_stop(struct lab *lab, char **words, int n, FILE *f)
{
	(void)words;
	(void)n;
	(void)f;
	lab->stop = true;
	return 0;
}

static int command_hangup(struct lab *lab, char **words, int n, FILE *f)
{
	(void)words;
	(void)n;
	(void)f;
	net_hang_up(lab);
	return 0;
}

static int command_help(struct lab *lab, char **words, int n, FILE *f)
{
	(void)lab;
	(void)words;
	(void)n;
	control_print_help(f);
	return 0;
}

static const struct {
	const char *name, *arguments, *help;
	command run;
} commands[] = {
	{ "counters", "[ADDRESS|reset]", "questions received, by server", command_counters },
	{ "fault", "ADDRESS|* KIND [N]", "switch a fault on, see below", command_fault },
	{ "faults", "", "the faults that are on", command_faults },
	{ "hangup", "", "close every TCP connection", command_hangup },
	{ "help", "", "this text", command_help },
	{ "hook", "FILE|none", "another Lua hook, or none", command_hook },
	{ "queries", "", "the last questions received", command_queries },
	{ "servers", "", "addresses and their zones", command_servers },
	{ "stop", "", "end the lab", command_stop },
};

int control_run(struct lab *lab, char *text, FILE *f)
{
	char *words[WORDS_MAX + 1] = { NULL };
	int n = ctl_split(text, words, WORDS_MAX);

	if (n <= 0)
		return refuse(f, n == 0 ? "no command" : "too many words", "");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(commands[i].name, words[0]) == 0)
			return commands[i].run(lab, words, n, f);
	return refuse(f, "unknown command", words[0]);
}

void control_print_help(FILE *f)
{
	fputs("Commands:\n", f);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		fprintf(f, "  %-9s %-19s %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fputs("Faults:\n", f);
	fault_print_help(f);
}
