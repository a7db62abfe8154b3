/*
 * commands: what an operator can say over the control socket (the table: command_table.h).
 *
 * A request's text is `[flags] word [arguments]`, split at blanks.  Flags are words that begin
 * with `--`: --json (answer in JSON), --unicode and --color (how explain may draw).
 *
 *     command_parse(&rq, text, len);           never fails: what is wrong is told by
 *     rq.file = ...                            command_run(), as the reply
 *     command_run(env, &rq, &reply);
 *     ... send reply.text; if (reply.quit) env->quit() ...
 *     command_reply_free(&reply);
 *
 * A command's function writes its text to call->out and adds the same as members of call->json,
 * which is NULL when text is wanted (jansson then drops what it is given).  It returns the
 * status: 0, or 1 when it refused or failed; the text then says why.
 *
 * Threads: several control threads at once.  A visit to a worker stays well below 1 ms.
 */
#ifndef WATCH_COMMANDS_H
#define WATCH_COMMANDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "recursor/watch/command_table.h"
#include "recursor/watch/env.h"

enum command_quit { COMMAND_STAY, COMMAND_QUIT, COMMAND_QUIT_NICELY };

/* What a command's function gets. */
struct command_call {
	const struct watch_env *env;
	int argc;
	char **argv; /* the arguments, without the word */
	int file;    /* to write to, or -1 */
	int stop_fd; /* readable when the daemon ends: who waits for long, waits for it too; or -1 */
	int client_fd; /* the connection of whoever waits for the reply; or -1 */
	bool unicode;  /* whoever reads it can show more than ASCII */
	bool colour;
	FILE *out;
	json_t *json;
	enum command_quit quit; /* after the reply is sent */
};

struct command {
	const char *word, *alias, *arguments, *help;
	int min_args, max_args;
	enum command_file takes_file;
	int (*run)(struct command_call *call);
};

size_t commands_count(void);
const struct command *commands_at(size_t i);

/* Changes nothing, and writes nothing but what it is given a file for.  Any other leaves a line in
 * the log, as does one that is new. */
bool command_only_looks(const struct command *c);

struct command_request {
	const struct command *command; /* NULL: refused */
	bool json, unicode, colour;
	int argc;
	char *words[COMMAND_WORDS_MAX]; /* into the text */
	char **argv;
	int file;      /* -1, until the caller sets it */
	int stop_fd;   /* the same */
	int client_fd; /* the same */
	char why[256]; /* when refused: the reply */
};

/* A descriptor follows the request. */
bool command_brings_file(const struct command_request *rq);

/* Reads a request; `text` has a closing zero at text[len] and is written to. */
void command_parse(struct command_request *rq, char *text, size_t len);

struct command_reply {
	int status;
	char *text; /* NULL when there was no memory for it */
	size_t len;
	enum command_quit quit;
};

/* Runs the command, or writes the refusal. */
void command_run(const struct watch_env *env, const struct command_request *rq,
		 struct command_reply *reply);
void command_reply_free(struct command_reply *reply);

/* A JSON string; bytes that are no UTF-8 become '?'. */
json_t *command_json_text(const char *text);

#endif
