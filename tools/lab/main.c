/* main: options, signals, and the client `lab ctl`; see lab.h. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/check.h"
#include "common/conf.h"
#include "tools/lab/lab.h"

static const char usage[] =
	"usage: lab [options]\n"
	"       lab ctl SOCKET COMMAND [ARGUMENT...]\n"
	"\n"
	"A small Internet of name servers on loopback addresses, for demonstrations and tests.\n"
	"\n"
	"Options:\n"
	"  -c, --config PATH    a directory with lab.conf, or such a file (tools/lab/world)\n"
	"  -p, --port N         the port of all servers (53; an ordinary user takes one above 1023,\n"
	"                       and sets the resolver's outgoing-port to it)\n"
	"  -s, --control PATH   a control socket for `lab ctl`\n"
	"  -l, --lua FILE       a script whose function answer(query) is asked before the zones\n"
	"  -f, --fault FAULT    'ADDRESS KIND [N]' from the start; may be repeated\n"
	"  -n, --hints          print the root's servers as a hint file, and end\n"
	"  -t, --check          read configuration and zones, and end\n"
	"  -h, --help           this text\n"
	"\n"
	"lab.conf has lines of `ADDRESS ZONE FILE`; `optional` before an address lets the lab start\n"
	"without it.  The script's query has name, type, server, client, transport, edns, dnssec_ok,\n"
	"size; it returns nil, or a table with rcode, flags, answer, authority, additional (lists of\n"
	"records as text), delay (ms), silent, raw.\n"
	"\n"
	"`lab ctl` prints the reply and ends with 0, with 1 when the command was refused, with 2 when\n"
	"there is no lab to talk to.  The lab ends with 0 on SIGTERM, SIGINT and `stop`.\n"
	"\n";

struct options {
	const char *config, *control, *lua;
	uint16_t port;
	bool hints, check;
	char *faults[64];
	unsigned n_faults;
};

static struct lab lab;

static void on_signal(int sig)
{
	(void)sig;
	lab.stop = true;
}

/* ---- lab ctl ---- */

static int talk(int fd, int argc, char **argv)
{
	char buf[4096] = "", status = '1';
	bool first = true;
	size_t len = 0;
	ssize_t n;

	for (int i = 0; i < argc && len + strlen(argv[i]) + 2 < sizeof(buf); i++)
		len += (size_t)sprintf(buf + len, "%s ", argv[i]);
	buf[len - 1] = '\n';
	if (write(fd, buf, len) != (ssize_t)len)
		return 2;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		size_t skip = first && n >= 2 ? 2 : 0;

		if (first)
			status = buf[0];
		first = false;
		fwrite(buf + skip, 1, (size_t)n - skip, status == '0' ? stdout : stderr);
	}
	if (first)
		fputs("lab: no reply\n", stderr);
	return first ? 2 : status - '0';
}

static int ctl(int argc, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, status = 2;

	if (argc < 2 || strlen(argv[0]) >= sizeof(sa.sun_path)) {
		fputs("usage: lab ctl SOCKET COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	strcpy(sa.sun_path, argv[0]);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		fprintf(stderr, "lab: %s: %s\n", argv[0], strerror(errno));
	else
		status = talk(fd, argc - 1, argv + 1);
	if (fd >= 0)
		close(fd);
	return status;
}

/* ---- the lab ---- */

static void print_help(FILE *f)
{
	fputs(usage, f);
	control_print_help(f);
}

/* 0: go on; otherwise 1 + the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "port", required_argument, NULL, 'p' },
		{ "control", required_argument, NULL, 's' },
		{ "lua", required_argument, NULL, 'l' },
		{ "fault", required_argument, NULL, 'f' },
		{ "hints", no_argument, NULL, 'n' },
		{ "check", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	long long port;
	int c;

	while ((c = getopt_long(argc, argv, "c:p:s:l:f:nth", options, NULL)) >= 0) {
		if (c == 'c') {
			o->config = optarg;
		} else if (c == 'p' && conf_int(optarg, 1, 65535, &port) == E_OK) {
			o->port = (uint16_t)port;
		} else if (c == 's') {
			o->control = optarg;
		} else if (c == 'l') {
			o->lua = optarg;
		} else if (c == 'f' && o->n_faults < ARRAY_LEN(o->faults)) {
			o->faults[o->n_faults++] = optarg;
		} else if (c == 'n') {
			o->hints = true;
		} else if (c == 't') {
			o->check = true;
		} else {
			if (c == 'p')
				fprintf(stderr, "lab: not a port: %s\n", optarg);
			print_help(c == 'h' ? stdout : stderr);
			return c == 'h' ? 1 : 1 + 2;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "lab: what is that: %s\n", argv[optind]);
	return 1 + 2;
}

static int start(const struct options *o, char *why)
{
	int err = config_read(&lab, o->config, o->port, why);

	if (err == E_OK && o->lua != NULL)
		err = hook_load(&lab.hook, o->lua, why);
	if (err != E_OK || o->hints || o->check)
		return err;
	err = net_new(&lab, o->control, why);
	for (unsigned i = 0; i < o->n_faults && err == E_OK; i++) {
		char command[256];
		FILE *f = fmemopen(why, LAB_WHY_MAX, "w");

		ASSERT(f != NULL);
		snprintf(command, sizeof(command), "fault %s", o->faults[i]);
		err = control_run(&lab, command, f) == 0 ? E_OK : E_MALFORMED;
		fclose(f);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct options o = { .config = "tools/lab/world", .port = 53 };
	struct sigaction act = { .sa_handler = on_signal };
	char why[LAB_WHY_MAX] = "";
	int end, err;

	if (argc > 1 && strcmp(argv[1], "ctl") == 0)
		return ctl(argc - 2, argv + 2);
	if ((end = parse_options(&o, argc, argv)) != 0)
		return end - 1;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	lab.began_ms = lab_now_ms();
	lab.random = lab.began_ms | 1;
	err = start(&o, why);
	if (err != E_OK)
		fprintf(stderr, "lab: %s\n", why);
	else if (o.hints)
		config_print_hints(&lab, stdout);
	else if (!o.check) {
		printf("lab: %u servers, port %u\n", lab.n_servers, o.port);
		fflush(stdout);
		net_run(&lab);
	}
	net_free(&lab);
	hook_free(lab.hook);
	config_free(&lab);
	return err == E_OK ? 0 : 1;
}
