/*
 * options: the one table of what graphs can be told; --help, a configuration file's names and the
 * manual's list come from it.
 */
#ifndef GRAPHS_OPTIONS_H
#define GRAPHS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/addr.h"
#include "common/netset.h"

enum { OPTIONS_LISTEN_MAX = 16, OPTIONS_PATH_MAX = 4096, OPTIONS_WHY_MAX = 512 };

struct options {
	struct addr listen[OPTIONS_LISTEN_MAX], web[1];
	size_t n_listen, n_web;
	struct netset *allow, *web_allow;
	char directory[OPTIONS_PATH_MAX];
	long long step_s, heartbeat_s, write_every_s, max_files, max_metrics, max_connections;
	bool help, version, mdoc;
};

/* Defaults, then what the file named by --config says, then the command line.  On failure `why` has
 * the line to show. */
int options_read(struct options *o, int argc, char **argv, char why[OPTIONS_WHY_MAX]) MUST_USE;
void options_free(struct options *o);

void options_print_help(FILE *f);
void options_print_mdoc(FILE *f);

#endif
