/*
 * rec_control: says a command to a running recursor and shows the answer; see rec_control(1).
 *
 * The daemon knows the commands; here the table (recursor/watch/command_table.h) only tells
 * which of them write a file, and how long an answer may take.  A command that is not in the
 * table is sent all the same: the daemon may be newer.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/conf.h"
#include "common/ctl.h"
#include "config.h"
#include "recursor/watch/command_table.h"
#include "tools/rec_control/carry.h"
#include "tools/rec_control/hash_password.h"
#include "tools/rec_control/talk.h"
#include "tools/rec_control/watch.h"

enum { EXIT_REFUSED = 1, EXIT_NO_COMMAND = 99 };
enum { DEFAULT_TIMEOUT_S = 5, PATH_TEXT_MAX = 4096 };
enum { DRAIN_PATIENCE_S = 60, DRAIN_TELL_MS = 2000 };

static const struct {
	const char *word, *alias, *arguments, *help;
	enum command_file takes_file;
	int wait_s;
} commands[] = {
#define COMMAND_ROW(word, alias, arguments, least, most, file, wait_s, function, help)             \
	{ word, alias, arguments, help, file, wait_s },
	COMMANDS(COMMAND_ROW)
#undef COMMAND_ROW
};
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

/* ---- options ---- */

struct options {
	char config_dir[PATH_TEXT_MAX], config_name[PATH_TEXT_MAX];
	char socket_dir[PATH_TEXT_MAX], chroot[PATH_TEXT_MAX];
	long long timeout_s; /* -1: the command's own */
	bool json, help, version, mdoc;
	/* what is no option of ours may be the command's: words, a blank before each */
	char passed[512];
	enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;
};

static const struct {
	const char *name, *value, *help;
} option_help[] = {
	{ "chroot", "DIR", "where the daemon's chroot is; it is only used to find the socket" },
	{ "color", "WHEN", "always, never, or auto: on a terminal" },
	{ "config-dir", "DIR", "where recursor.conf is, to learn socket-dir (" SYSCONFDIR ")" },
	{ "config-name", "NAME", "read recursor-NAME.conf and ask that daemon" },
	{ "help", "", "show this text" },
	{ "json", "", "have the answer in JSON" },
	{ "socket-dir", "DIR",
	  "where the control socket is (recursor.conf, or " RUNSTATEDIR "/pdns-recursor)" },
	{ "timeout", "SECONDS",
	  "how long to wait for the answer; 0: for ever (5, or more where "
	  "it takes long)" },
	{ "version", "", "show rec_control's version" },
};
enum { N_OPTIONS = sizeof(option_help) / sizeof(option_help[0]) };

static int set_text(char *out, const struct conf_item *item)
{
	if (strlen(item->value) >= PATH_TEXT_MAX)
		return E_TOO_LONG;
	strcpy(out, item->value);
	return E_OK;
}

static int set_color(struct options *o, const char *value)
{
	if (strcmp(value, "always") == 0 || value[0] == '\0')
		o->color = COLOR_ALWAYS;
	else if (strcmp(value, "never") == 0)
		o->color = COLOR_NEVER;
	else if (strcmp(value, "auto") == 0)
		o->color = COLOR_AUTO;
	else
		return E_RANGE;
	return E_OK;
}

/* Do the arguments of a command name the option, "[--past]" or "[--limit=N]"? */
static bool names_option(const char *arguments, const struct conf_item *item)
{
	size_t len = strlen(item->name);
	const char *at = arguments;

	while ((at = strstr(at, "[--")) != NULL) {
		at += 3;
		if (strncmp(at, item->name, len) == 0)
			return item->value[0] == '\0' ? strchr(" ]", at[len]) != NULL
						      : at[len] == '=';
	}
	return false;
}

/* What some command knows is handed on with the command. */
static int pass_on(struct options *o, const struct conf_item *item)
{
	size_t len = strlen(o->passed);
	bool is_known = false;

	for (unsigned i = 0; i < N_COMMANDS && !is_known; i++)
		is_known = names_option(commands[i].arguments, item);
	if (!is_known)
		return E_NOT_FOUND;
	len += (size_t)snprintf(o->passed + len, sizeof(o->passed) - len, " --%s%s%s", item->name,
				item->value[0] == '\0' ? "" : "=", item->value);
	return len < sizeof(o->passed) ? E_OK : E_TOO_LONG;
}

static int set_option(struct options *o, const struct conf_item *item)
{
	if (strcmp(item->name, "config-dir") == 0)
		return set_text(o->config_dir, item);
	if (strcmp(item->name, "config-name") == 0)
		return set_text(o->config_name, item);
	if (strcmp(item->name, "socket-dir") == 0)
		return set_text(o->socket_dir, item);
	if (strcmp(item->name, "chroot") == 0)
		return set_text(o->chroot, item);
	if (strcmp(item->name, "timeout") == 0)
		return conf_int(item->value, 0, 1000000, &o->timeout_s);
	if (strcmp(item->name, "color") == 0)
		return set_color(o, item->value);
	if (strcmp(item->name, "json") == 0)
		o->json = conf_bool(item->value);
	else if (strcmp(item->name, "help") == 0)
		o->help = true;
	else if (strcmp(item->name, "version") == 0)
		o->version = true;
	else if (strcmp(item->name, "mdoc") == 0)
		o->mdoc = true;
	else
		return pass_on(o, item);
	return E_OK;
}

static int on_argument(void *ctx, const struct conf_item *item)
{
	int err = set_option(ctx, item);

	if (err == E_NOT_FOUND)
		fprintf(stderr, "rec_control: unknown option --%s\n", item->name);
	else if (err != E_OK)
		fprintf(stderr, "rec_control: --%s=%s: %s\n", item->name, item->value,
			err_text(err));
	return err;
}

/* Of recursor.conf only the place of the socket matters. */
static int on_setting(void *ctx, const struct conf_item *item)
{
	if (strcmp(item->name, "socket-dir") != 0 && strcmp(item->name, "chroot") != 0)
		return E_OK;
	return set_option(ctx, item);
}

static void read_config(struct options *o)
{
	char path[2 * PATH_TEXT_MAX + 32], why[512];

	snprintf(path, sizeof(path), "%s/recursor%s%s.conf", o->config_dir,
		 o->config_name[0] == '\0' ? "" : "-", o->config_name);
	if (conf_read_file(path, on_setting, o, why, sizeof(why)) != E_OK)
		fprintf(stderr, "Warning: unable to parse configuration file '%s'\n", path);
}

/* Done here, without a daemon. */
static bool is_local(const char *word)
{
	return strcasecmp(word, "hash-password") == 0;
}

/* The command line, the file that it names, and the command line again, so that it wins. */
static int read_options(struct options *o, int argc, char *const argv[], const char **words,
			int *n_words)
{
	int err;

	*o = (struct options) { .config_dir = SYSCONFDIR, .timeout_s = -1 };
	err = conf_read_args(argc, argv, on_argument, o, words, n_words);
	if (err != E_OK || o->help || o->version || o->mdoc || *n_words == 0 || is_local(words[0]))
		return err;
	if (o->socket_dir[0] == '\0') {
		read_config(o);
		o->passed[0] = '\0';
		err = conf_read_args(argc, argv, on_argument, o, words, n_words);
	}
	return err;
}

/* ---- texts ---- */

/* The one command that the daemon knows nothing of stands before this one. */
static bool is_after_watch(unsigned i)
{
	return strcmp(commands[i].word, "watch") > 0 &&
	       (i == 0 || strcmp(commands[i - 1].word, "watch") < 0);
}

static void print_usage(FILE *f)
{
	fprintf(f, "Usage: rec_control [options] command [arguments]\n\nOptions:\n");
	for (unsigned i = 0; i < N_OPTIONS; i++)
		fprintf(f, "  --%s%s%s\n        %s\n", option_help[i].name,
			option_help[i].value[0] == '\0' ? "" : "=", option_help[i].value,
			option_help[i].help);
	fprintf(f, "\nCommands:\n");
	for (unsigned i = 0; i < N_COMMANDS; i++) {
		if (is_after_watch(i))
			fprintf(f, "  watch %s\n        %s\n", WATCH_ARGUMENTS, WATCH_HELP);
		fprintf(f, "  %s%s%s\n        %s\n", commands[i].word,
			commands[i].arguments[0] == '\0' ? "" : " ", commands[i].arguments,
			commands[i].help);
	}
}

static void print_mdoc_arguments(const char *arguments)
{
	char copy[128], *rest = copy;

	snprintf(copy, sizeof(copy), "%s", arguments);
	for (char *word = strsep(&rest, " "); word != NULL; word = strsep(&rest, " ")) {
		size_t len = strlen(word);
		bool many = len > 3 && strcmp(word + len - 3, "...") == 0;

		if (len == 0)
			continue;
		if (many)
			word[len - 3] = '\0';
		if (word[0] == '[')
			printf(" Oo Ar %.*s Oc", (int)strcspn(word + 1, "]"), word + 1);
		else
			printf(" Ar %s", word);
		if (many)
			printf(" ...");
	}
}

static void print_mdoc_not_here(void)
{
	static const char *const others[][2] = {
#define OTHER_ROW(word, why) { word, why },
		COMMANDS_NOT_HERE(OTHER_ROW)
#undef OTHER_ROW
	};

	printf(".Ss Commands of PowerDNS that are not here\n"
	       "They are refused, and the answer says why.\n.Bl -tag -width Ds\n");
	for (unsigned i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		printf(".It Cm %s\n%c%s.\n", others[i][0], toupper((unsigned char)others[i][1][0]),
		       others[i][1] + 1);
	printf(".El\n");
}

/* The lists of commands as rec_control(1) has them. */
static void print_mdoc(void)
{
	printf(".Bl -tag -width Ds\n");
	for (unsigned i = 0; i < N_COMMANDS; i++) {
		if (is_after_watch(i)) {
			printf(".It Cm watch");
			print_mdoc_arguments(WATCH_ARGUMENTS);
			printf("\n%c%s.\n", toupper((unsigned char)WATCH_HELP[0]), &WATCH_HELP[1]);
		}
		printf(".It Cm %s", commands[i].word);
		print_mdoc_arguments(commands[i].arguments);
		printf("\n%c%s.\n", toupper((unsigned char)commands[i].help[0]),
		       commands[i].help + 1);
		if (commands[i].alias[0] != '\0')
			printf("Also known as\n.Cm %s .\n", commands[i].alias);
	}
	printf(".El\n");
	print_mdoc_not_here();
}

/* ---- the conversation ---- */

static int fatal(const char *what, const char *detail)
{
	fprintf(stderr, "Fatal: %s%s%s\n", what, detail[0] == '\0' ? "" : ": ", detail);
	return EXIT_REFUSED;
}

static int find_socket(const struct options *o, char *out, size_t cap)
{
	char dir[2 * PATH_TEXT_MAX + 2];
	const char *socket_dir = o->socket_dir;

	if (socket_dir[0] == '\0')
		socket_dir = o->chroot[0] == '\0' ? RUNSTATEDIR "/pdns-recursor" : "";
	if (o->chroot[0] == '\0')
		snprintf(dir, sizeof(dir), "%s", socket_dir);
	else
		snprintf(dir, sizeof(dir), "%s/%s", o->chroot, socket_dir);
	return ctl_socket_path(out, cap, dir, o->config_name);
}

/* 0: as long as it takes. */
static int connect_to(const char *path, long long wait_s)
{
	int fd = talk_connect(path, (int)(wait_s * 1000));

	if (fd < 0)
		fprintf(stderr, "Fatal: Unable to connect to remote '%s': %s\n", path,
			strerror(errno));
	return fd;
}

/* ---- one command ---- */

struct command_line {
	const char **words;
	int n_words;
	int command;      /* index into commands, or -1 */
	const char *file; /* or NULL */
	bool reads_file;  /* and does not write it */
	char text[CTL_REQUEST_MAX];
	size_t len;
};

static int find_command(const char *word)
{
	for (int i = 0; i < N_COMMANDS; i++)
		if (strcasecmp(word, commands[i].word) == 0 ||
		    (commands[i].alias[0] != '\0' && strcasecmp(word, commands[i].alias) == 0))
			return i;
	return -1;
}

static bool add_word(struct command_line *c, const char *word)
{
	int n = snprintf(c->text + c->len, sizeof(c->text) - c->len, "%s%s", c->len == 0 ? "" : " ",
			 word);

	c->len += (size_t)n;
	return c->len < sizeof(c->text);
}

static bool is_utf8_terminal(void)
{
	return isatty(STDOUT_FILENO) && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool wants_colour(const struct options *o)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != COLOR_AUTO)
		return o->color == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
	       strcmp(term, "dumb") != 0;
}

/* Puts the request together; the name of the file stays here. */
static bool make_request(const struct options *o, struct command_line *c)
{
	enum command_file takes;
	bool fits = true;

	c->command = find_command(c->words[0]);
	takes = c->command < 0 ? COMMAND_TAKES_NONE : commands[c->command].takes_file;
	if (o->json)
		fits = add_word(c, "--json");
	if (is_utf8_terminal())
		fits = fits && add_word(c, "--unicode");
	if (wants_colour(o))
		fits = fits && add_word(c, "--color");
	for (int i = 0; i < c->n_words && fits; i++) {
		if (i == 1 && takes == COMMAND_TAKES_FILE) {
			c->file = c->words[i];
			continue;
		}
		if (i == 2 && (takes == COMMAND_MAY_TAKE_FILE || takes == COMMAND_READS_FILE)) {
			c->file = c->words[i];
			c->reads_file = takes == COMMAND_READS_FILE;
		}
		fits = add_word(c, c->words[i]);
	}
	if (o->passed[0] != '\0')
		fits = fits && add_word(c, o->passed + 1);
	return fits;
}

static int open_to_read(const char *path)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fprintf(stderr, "Error opening %s: %s\n", path, strerror(errno));
	return fd;
}

/* The file for the dump; `-` is standard output.  -1: said why. */
static int open_file(const struct command_line *c)
{
	int fd;

	if (c->file == NULL) {
		fprintf(stderr, "rec_control: %s needs a file\n", c->words[0]);
		return -1;
	}
	if (c->reads_file)
		return open_to_read(c->file);
	if (strcmp(c->file, "-") == 0)
		return STDOUT_FILENO;
	fd = open(c->file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0660);
	if (fd < 0)
		fprintf(stderr, "Error opening dump file for writing: %s\n", strerror(errno));
	return fd;
}

static long long patience_s(const struct options *o, const struct command_line *c)
{
	if (o->timeout_s >= 0)
		return o->timeout_s;
	return c->command < 0 ? DEFAULT_TIMEOUT_S : commands[c->command].wait_s;
}

static const char *converse(const struct options *o, const struct command_line *c, int socket_fd,
			    int file, struct talk_reply *r)
{
	long long wait_s = patience_s(o, c);

	return talk(socket_fd, c->text, c->len, file,
		    wait_s == 0 ? UINT64_MAX : talk_now_ms() + (uint64_t)wait_s * 1000, r);
}

/* What a dump says of itself must not stand in the dump. */
static int show(const struct talk_reply *r, bool dumped_to_stdout)
{
	FILE *f = r->status != 0 || dumped_to_stdout ? stderr : stdout;

	fwrite(r->text, 1, r->len, f);
	if (r->len > 0 && r->text[r->len - 1] != '\n')
		fputc('\n', f);
	if (fflush(f) != 0 || ferror(f) != 0)
		return fatal("The reply cannot be written", strerror(errno));
	return r->status == 0 ? EXIT_SUCCESS : EXIT_REFUSED;
}

/* One request and its answer.  EXIT_SUCCESS: there is a reply, for the caller to free. */
static int ask_once(const struct options *o, const struct command_line *c, const char *path,
		    struct talk_reply *r)
{
	const char *wrong;
	int fd = connect_to(path, patience_s(o, c));

	if (fd < 0)
		return EXIT_REFUSED;
	*r = (struct talk_reply) { 0 };
	wrong = converse(o, c, fd, -1, r);
	close(fd);
	if (wrong == NULL && r->text != NULL)
		return EXIT_SUCCESS;
	free(r->text);
	return fatal(wrong != NULL ? wrong : err_text(E_NOMEM), "");
}

/* `drain` may last: asks again until it is done or --timeout is over, and tells how it goes. */
static int run_drain(const struct options *o, const struct command_line *c, const char *path)
{
	/* From the second time on: should somebody say `undrain` meanwhile, that holds. */
	const char *words[] = { c->words[0], "still", c->n_words > 1 ? c->words[1] : NULL };
	struct command_line again = { .words = words, .n_words = c->n_words + 1 };
	uint64_t began = talk_now_ms(), told = began;
	uint64_t patience = o->timeout_s < 0 ? DRAIN_PATIENCE_S : (uint64_t)o->timeout_s;

	if (c->n_words > 1 && strcmp(c->words[1], "still") == 0)
		again = *c;
	else if (c->n_words <= 2 && !make_request(o, &again))
		return fatal("The command is too long", "");
	for (;; c = &again) {
		struct talk_reply r;
		uint64_t now;
		bool done;

		if (ask_once(o, c, path, &r) != EXIT_SUCCESS || r.text == NULL)
			return EXIT_REFUSED;
		now = talk_now_ms();
		done = r.status != 0 || strncmp(r.text, "draining", 8) != 0;
		done = done && strstr(r.text, "\"drained\":false") == NULL;
		if (done || (patience != 0 && now >= began + patience * 1000)) {
			int status = show(&r, false);

			free(r.text);
			return done ? status : EXIT_REFUSED;
		}
		if (now >= told + DRAIN_TELL_MS) {
			fprintf(stderr, "%.*s\n", (int)strcspn(r.text, "\n"), r.text);
			told = now;
		}
		free(r.text);
	}
}

static int run_watch(const struct options *o, const struct command_line *c, const char *path)
{
	const struct watch_options w = {
		.path = path,
		.ring = c->n_words > 1 ? c->words[1] : NULL,
		.has_colour = wants_colour(o),
	};

	if (o->json || c->n_words > 2) {
		fprintf(stderr, "usage: rec_control watch [RING]\n");
		return EXIT_REFUSED;
	}
	return watch_run(&w);
}

static bool is_word(const struct command_line *c, const char *word)
{
	return c->command >= 0 && strcmp(commands[c->command].word, word) == 0;
}

/* Shows the reply, behind what the command wrote to the terminal; but trace-regex begins to write then. */
static int show_all(const struct command_line *c, const struct talk_reply *r, bool dumped_to_stdout,
		    struct carry *carry)
{
	bool shows_first = is_word(c, "trace-regex");
	int status = shows_first ? show(r, dumped_to_stdout) : EXIT_SUCCESS;
	int error = carry_end(carry, true);

	if (!shows_first)
		status = show(r, dumped_to_stdout);
	if (error == ECONNRESET)
		return status != EXIT_SUCCESS
			       ? status
			       : fatal("The daemon has given up the traces", "its log says why");
	return error == 0 ? status : fatal("The terminal", strerror(error));
}

/* The request with its file, and the reply. */
static int exchange(const struct options *o, const struct command_line *c, int socket_fd, int file)
{
	struct talk_reply reply = { 0 };
	const char *wrong;
	enum carry_kind kind = c->reads_file ? CARRY_READS : CARRY_WRITES;
	struct carry carry;
	int status, passed;

	if (is_word(c, "trace-regex"))
		kind = CARRY_STREAM;
	passed = carry_begin(&carry, file, kind);
	if (passed < 0 && file >= 0)
		return fatal("The terminal", strerror(errno));
	wrong = converse(o, c, socket_fd, passed, &reply);
	carry_let_go(&carry);
	/* One that is complete stays, whether or not its reply could be shown. */
	if ((wrong != NULL || reply.status != 0) && file > STDOUT_FILENO && !c->reads_file)
		unlink(c->file);
	if (wrong == NULL) {
		status = show_all(c, &reply, file == STDOUT_FILENO, &carry);
	} else {
		status = fatal(wrong, "");
		(void)carry_end(&carry, false);
	}
	free(reply.text);
	return status;
}

static int run(const struct options *o, struct command_line *c)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int socket_fd, file = -1, status = EXIT_REFUSED;

	if (!make_request(o, c))
		return fatal("The command is too long", "");
	if (find_socket(o, path, sizeof(path)) != E_OK)
		return fatal("The path of the control socket is too long", "");
	if (strcasecmp(c->words[0], "watch") == 0)
		return run_watch(o, c, path);
	if (is_word(c, "drain"))
		return run_drain(o, c, path);
	socket_fd = connect_to(path, patience_s(o, c));
	if (socket_fd < 0)
		return EXIT_REFUSED;
	if (c->file != NULL ||
	    (c->command >= 0 && commands[c->command].takes_file == COMMAND_TAKES_FILE)) {
		file = open_file(c);
		if (file < 0)
			goto out;
	}
	status = exchange(o, c, socket_fd, file);
out:
	if (file > STDOUT_FILENO)
		close(file);
	close(socket_fd);
	return status;
}

/* A descriptor that came closed would be given to the next that is opened, the control socket: what is
 * read from it or written to it is to be an error. */
static bool take_closed_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	return true;
}

/* What was said may yet lie in the buffer: nobody has it if it cannot be written. */
static int finish(int status)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return status;
	if (status != EXIT_SUCCESS && status != EXIT_NO_COMMAND)
		return status; /* and why has been said */
	return fatal("The standard output cannot be written", strerror(errno));
}

int main(int argc, char *argv[])
{
	struct command_line c = { .words = calloc((size_t)argc + 1, sizeof(char *)) };
	struct options o;
	int status = EXIT_SUCCESS;

	setlocale(LC_CTYPE, "");
	if (!take_closed_descriptors())
		return fatal("/dev/null", strerror(errno));
	if (c.words == NULL)
		return fatal(err_text(E_NOMEM), "");
	if (read_options(&o, argc, argv, c.words, &c.n_words) != E_OK) {
		status = EXIT_REFUSED;
	} else if (o.help) {
		print_usage(stdout);
	} else if (o.version) {
		printf("rec_control version %s\n", PACKAGE_VERSION);
	} else if (o.mdoc) {
		print_mdoc();
	} else if (c.n_words == 0) {
		print_usage(stdout);
		status = EXIT_NO_COMMAND;
	} else if (is_local(c.words[0])) {
		status = hash_password(c.n_words - 1, c.words + 1);
	} else {
		status = run(&o, &c);
	}
	free(c.words);
	return finish(status);
}
