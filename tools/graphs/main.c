/*
 * graphs: takes carbon lines from resolvers, keeps them in round-robin files, and shows boards of
 * them in the browser; see recursor-graphs(1).
 *
 *     receiver.h -> line.h -> store.h -> archive.h (librrd) -> series.h, boards.h -> api.h -> web.h
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/log.h"
#include "config.h"
#include "tools/graphs/options.h"
#include "tools/graphs/receiver.h"
#include "tools/graphs/web.h"

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };

static int fail_at(const struct addr *a, const char *what)
{
	char text[ADDR_TEXT_MAX];

	fprintf(stderr, "graphs: %s %s: %s\n", what, addr_text(text, a), strerror(errno));
	return STATUS_FAILED;
}

static void say_hello(const struct options *o)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < o->n_listen; i++)
		printf("carbon lines are taken at %s\n", addr_text(text, &o->listen[i]));
	printf("the boards are at http://%s/\n", addr_text(text, &o->web[0]));
	fflush(stdout);
}

/* Before any thread is made, so that all of them inherit it. */
static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP); /* of a terminal that goes: what waits is to be written */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int serve(const struct options *o, struct store *store, int stop_fd)
{
	struct receiver *receiver = NULL;
	const struct addr *bad = NULL;
	struct web *web = NULL;
	int status = STATUS_FAILED;

	if (receiver_new(&receiver, store, o->allow, o->listen, o->n_listen,
			 (size_t)o->max_connections, &bad) != E_OK) {
		fail_at(bad, "cannot listen at");
		goto out;
	}
	if (web_start(&web, store, &o->web[0], o->web_allow) != E_OK) {
		fail_at(&o->web[0], "cannot serve at");
		goto out;
	}
	say_hello(o);
	if (receiver_run(receiver, stop_fd) == E_OK)
		status = EXIT_SUCCESS;
	else
		fprintf(stderr, "graphs: cannot go on: %s\n", strerror(errno));
out:
	web_stop(web);
	receiver_free(receiver);
	return status;
}

static int run(const struct options *o)
{
	struct store_options so = {
		.directory = o->directory,
		.step_s = (unsigned)o->step_s,
		.heartbeat_s = (unsigned)o->heartbeat_s,
		.write_every_s = (unsigned)o->write_every_s,
		.max_files = (size_t)o->max_files,
		.max_metrics = (size_t)o->max_metrics,
	};
	int stop_fd = block_signals(), status;
	struct store *store = NULL;
	char why[STORE_WHY_MAX];

	if (store_open(&store, &so, why) != E_OK) {
		fprintf(stderr, "graphs: %s\n", why);
		return STATUS_FAILED;
	}
	status = serve(o, store, stop_fd);
	store_close(store);
	return status;
}

int main(int argc, char **argv)
{
	struct log_options log = { .use_stderr = true,
				   .level = LOG_LEVEL_NOTICE,
				   .ident = "graphs" };
	struct options o = { 0 };
	char why[OPTIONS_WHY_MAX];
	int status = EXIT_SUCCESS;

	hash_key_init();
	log_configure(&log);
	if (options_read(&o, argc, argv, why) != E_OK) {
		fprintf(stderr, "%s\n", why);
		status = STATUS_USAGE;
	} else if (o.help) {
		options_print_help(stdout);
	} else if (o.mdoc) {
		options_print_mdoc(stdout);
	} else if (o.version) {
		printf("graphs %s\n", PACKAGE_VERSION);
	} else {
		status = run(&o);
	}
	options_free(&o);
	return status;
}
