/*
 * graphs-feed: tells a graph service (tools/graphs, or any carbon) the host's network and CPU
 * figures, each interval; see recursor-graphs(1).
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/mdoc.h"
#include "config.h"
#include "tools/graphs/feed_host.h"

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };
enum { SERVERS_MAX = 16, CARBON_PORT = 2003, NAME_TEXT_MAX = 128, PATIENCE_MS = 5000 };

static struct options {
	struct addr servers[SERVERS_MAX];
	size_t n_servers;
	char namespace[NAME_TEXT_MAX], name[NAME_TEXT_MAX], instance[NAME_TEXT_MAX];
	char interfaces[1024];
	long long interval_s;
	bool once, print, help, version, mdoc;
} o = { .namespace = "pdns", .instance = "host", .interval_s = 30 };

static const struct {
	const char *name, *value, *help;
} option_help[] = {
	{ "help", NULL, "show this text" },
	{ "instance", "NAME", "the third part of the names; boards want it to be host (host)" },
	{ "interfaces", "LIST", "interfaces that count (those with a device behind them)" },
	{ "interval", "SECONDS", "how often (30)" },
	{ "name", "NAME", "the host's part of the names (its name, with _ for dots)" },
	{ "namespace", "NAME", "the first part (pdns)" },
	{ "once", NULL, "send once; the status says whether all servers took it" },
	{ "print", NULL, "print the lines once instead of sending them" },
	{ "server", "ADDRESSES", "where to send, port 2003 unless one is given (127.0.0.1)" },
	{ "version", NULL, "show the version" },
};

/* ---- options ---- */

static int add_server(void *ctx, const char *word, size_t len)
{
	char text[ADDR_TEXT_MAX];

	(void)ctx;
	if (len >= sizeof(text))
		return E_MALFORMED;
	if (o.n_servers == SERVERS_MAX)
		return E_LIMIT;
	memcpy(text, word, len);
	text[len] = '\0';
	return addr_from_text(&o.servers[o.n_servers++], text, CARBON_PORT);
}

/* What carbon can have in a name; a host's own name may have dots. */
static int set_name(char out[NAME_TEXT_MAX], const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len >= NAME_TEXT_MAX || value[0] == '.' || value[len - 1] == '.' ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") !=
		    len)
		return E_MALFORMED;
	strcpy(out, value);
	return E_OK;
}

static int set_option(const struct conf_item *item)
{
	if (strcmp(item->name, "server") == 0)
		return conf_each_word(item->value, add_server, NULL);
	if (strcmp(item->name, "interval") == 0)
		return conf_int(item->value, 1, 86400, &o.interval_s);
	if (strcmp(item->name, "name") == 0)
		return set_name(o.name, item->value);
	if (strcmp(item->name, "namespace") == 0)
		return set_name(o.namespace, item->value);
	if (strcmp(item->name, "instance") == 0)
		return set_name(o.instance, item->value);
	if (strcmp(item->name, "interfaces") == 0) {
		if (strlen(item->value) >= sizeof(o.interfaces))
			return E_TOO_LONG;
		strcpy(o.interfaces, item->value);
	} else if (strcmp(item->name, "once") == 0) {
		o.once = conf_bool(item->value);
	} else if (strcmp(item->name, "print") == 0) {
		o.print = conf_bool(item->value);
	} else if (strcmp(item->name, "help") == 0) {
		o.help = true;
	} else if (strcmp(item->name, "version") == 0) {
		o.version = true;
	} else if (strcmp(item->name, "mdoc") == 0) {
		o.mdoc = true;
	} else {
		return E_NOT_FOUND;
	}
	return E_OK;
}

static int on_argument(void *ctx, const struct conf_item *item)
{
	int err = set_option(item);

	(void)ctx;
	if (err == E_NOT_FOUND)
		fprintf(stderr, "graphs-feed: there is no option %s\n", item->name);
	else if (err != E_OK)
		fprintf(stderr, "graphs-feed: --%s=%s: %s\n", item->name, item->value,
			err_text(err));
	return err;
}

static void print_help(void)
{
	puts("usage: graphs-feed [--option=value ...]\n\n"
	     "Sends the host's network, CPU and memory figures as carbon lines, each interval.\n");
	for (size_t i = 0; i < ARRAY_LEN(option_help); i++) {
		char text[64];

		snprintf(text, sizeof(text), "--%s%s%s", option_help[i].name,
			 option_help[i].value == NULL ? "" : "=",
			 option_help[i].value == NULL ? "" : option_help[i].value);
		printf("  %-21s %s\n", text, option_help[i].help);
	}
	puts("\nIt ends with 0 on SIGTERM and SIGINT, with 1 when --once could not be sent, with 2 for an\n"
	     "option that is wrong.");
}

static void print_mdoc(void)
{
	for (size_t i = 0; i < ARRAY_LEN(option_help); i++) {
		printf(".It Fl Fl %s", option_help[i].name);
		if (option_help[i].value != NULL)
			printf(" Ns = Ns Ar %s", option_help[i].value);
		putchar('\n');
		mdoc_print(stdout, option_help[i].help);
		puts(".");
	}
}

static int take_hostname(void)
{
	char host[NAME_TEXT_MAX] = "";

	if (o.name[0] != '\0')
		return E_OK;
	if (gethostname(host, sizeof(host) - 1) != 0)
		return E_SYSTEM;
	for (char *p = host; *p != '\0'; p++)
		if (*p == '.')
			*p = '_';
	return set_name(o.name, host);
}

/* ---- lines ---- */

static void add_line(void *ctx, const char *metric, double value)
{
	FILE *f = ctx;
	bool is_whole = value == floor(value);

	fprintf(f, "%s.%s.%s.%s %.*f %lld\r\n", o.namespace, o.name, o.instance, metric,
		is_whole ? 0 : 2, value, (long long)time(NULL));
}

static int collect(char **text, size_t *len)
{
	struct feed_sink sink = { add_line, NULL };
	FILE *f = open_memstream(text, len);

	if (f == NULL)
		return E_NOMEM;
	sink.ctx = f;
	feed_read_host(o.interfaces[0] == '\0' ? NULL : o.interfaces, &sink);
	return fclose(f) == 0 ? E_OK : E_NOMEM;
}

/* ---- sending ---- */

static int wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int n = poll(&p, 1, PATIENCE_MS);

	if (n == 0)
		errno = ETIMEDOUT;
	return n == 1 ? E_OK : E_SYSTEM;
}

static int connect_to(int fd, const struct addr *a)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(a, &sa);
	int failed = 0;

	if (connect(fd, (struct sockaddr *)&sa, len) == 0)
		return E_OK;
	if (errno != EINPROGRESS || wait_writable(fd) != E_OK)
		return E_SYSTEM;
	len = sizeof(failed);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0)
		return E_SYSTEM;
	errno = failed;
	return failed == 0 ? E_OK : E_SYSTEM;
}

static int send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN) {
			if (wait_writable(fd) != E_OK)
				return E_SYSTEM;
			continue;
		}
		if (n < 0)
			return E_SYSTEM;
		text += n;
		len -= (size_t)n;
	}
	return E_OK;
}

static int send_to(const struct addr *a, const char *text, size_t len)
{
	int fd = socket(a->family == 4 ? AF_INET : AF_INET6,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char name[ADDR_TEXT_MAX];
	int err = E_SYSTEM;

	if (fd >= 0)
		err = connect_to(fd, a);
	if (err == E_OK)
		err = send_all(fd, text, len);
	if (err != E_OK)
		log_limited(LOG_LEVEL_WARNING, "%s takes no lines: %s", addr_text(name, a),
			    strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

/* Once to all servers; who takes nothing hinders nobody else. */
static int push(void)
{
	char *text = NULL;
	size_t len = 0;
	int err = collect(&text, &len);

	if (err == E_OK && o.print)
		fwrite(text, 1, len, stdout);
	else if (err == E_OK)
		for (size_t i = 0; i < o.n_servers; i++)
			if (send_to(&o.servers[i], text, len) != E_OK)
				err = E_SYSTEM;
	free(text);
	return err;
}

static int wait_for_signal(int fd, long long ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, (int)ms);
}

static int feed(void)
{
	sigset_t set;
	int fd;

	if (o.once || o.print)
		return push() == E_OK ? EXIT_SUCCESS : STATUS_FAILED;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		return STATUS_FAILED;
	do
		(void)push(); /* it has said why; the next one may be taken */
	while (wait_for_signal(fd, o.interval_s * 1000) == 0);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct log_options log = { .use_stderr = true,
				   .level = LOG_LEVEL_NOTICE,
				   .ident = "graphs-feed" };
	const char *words[64];
	int n_words = 0;

	log_configure(&log);
	if ((size_t)argc > ARRAY_LEN(words) ||
	    conf_read_args(argc, argv, on_argument, NULL, words, &n_words) != E_OK)
		return STATUS_USAGE;
	if (n_words > 0) {
		fprintf(stderr, "graphs-feed: what is %s? --help tells\n", words[0]);
		return STATUS_USAGE;
	}
	if (o.help) {
		print_help();
		return EXIT_SUCCESS;
	}
	if (o.mdoc) {
		print_mdoc();
		return EXIT_SUCCESS;
	}
	if (o.version) {
		printf("graphs-feed %s\n", PACKAGE_VERSION);
		return EXIT_SUCCESS;
	}
	if (o.n_servers == 0 &&
	    addr_from_text(&o.servers[o.n_servers++], "127.0.0.1", CARBON_PORT) != E_OK)
		return STATUS_FAILED;
	if (take_hostname() != E_OK) {
		fputs("graphs-feed: the host has no name that can be used; --name gives it one\n",
		      stderr);
		return STATUS_USAGE;
	}
	return feed();
}
