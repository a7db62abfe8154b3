/*
 * The daemon: from the command line to serving, and back.
 *
 * The order is what matters here: settings and log; the background (before there are threads);
 * what needs root (descriptors, control socket, listening sockets, pid file); privileges away;
 * threads; readiness told.  The main thread then waits for signals and operators, and the end
 * goes the same way back.
 */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/check.h"
#include "common/ctl.h"
#include "common/hash.h"
#include "common/log.h"
#include "common/log_terminal.h"
#include "config.h"
#include "recursor/errands.h"
#include "recursor/host/background.h"
#include "recursor/host/descriptors.h"
#include "recursor/host/notify.h"
#include "recursor/host/pidfile.h"
#include "recursor/host/privileges.h"
#include "recursor/keeper.h"
#include "recursor/policy/defender_rules.h"
#include "recursor/policy/script.h"
#include "recursor/quiet_switch.h"
#include "recursor/readiness.h"
#include "recursor/reconfigure.h"
#include "recursor/scripts.h"
#include "recursor/server_state.h"
#include "recursor/settings/settings.h"
#include "recursor/summary.h"
#include "recursor/watch/control.h"
#include "recursor/watch/health.h"
#include "recursor/watch/metrics.h"
#include "recursor/watch/web/endpoint.h"
#include "recursor/webserver.h"
#include "recursor/worker.h"

enum { END_STEP_MS = 10, END_SPARE_MS = 30000, LOG_TICK_MS = 1000, EXIT_BROKEN_SCRIPT = 99 };

struct process {
	int argc;
	char *const *argv;
	struct settings *settings; /* as at the start */
	struct loop *loop;
	struct loop_timer *summary_timer, *log_timer;
	struct summary summary;
	struct server *server;
	struct watch_env env;
	struct control *control;
	struct web *web; /* NULL: none is configured */
	struct pidfile pidfile;
	struct readiness *readiness;
	struct quiet_switch *quiet_switch; /* NULL: nothing serves yet */
	struct loop_timer *grace_timer;    /* when not NULL: the end begins when it goes off */
	struct loop_timer *end_timer;      /* when not NULL: the end has begun */
	uint64_t end_at_ms;
	char why[SETTINGS_WHY_MAX];
	bool is_script_broken;
};

/* What settings_load() has to say before it is known where the log goes. */
struct lines {
	char **text;
	size_t n;
};

static void keep_line(void *ctx, const char *line)
{
	struct lines *lines = ctx;
	char **more = realloc(lines->text, (lines->n + 1) * sizeof(*more));

	if (more == NULL)
		return;
	lines->text = more;
	lines->text[lines->n] = strdup(line);
	lines->n += lines->text[lines->n] != NULL;
}

static void say_lines(struct lines *lines)
{
	for (size_t i = 0; i < lines->n; i++) {
		log_line(LOG_LEVEL_WARNING, "settings", NULL, "%s", lines->text[i]);
		free(lines->text[i]);
	}
	free(lines->text);
	*lines = (struct lines) { 0 };
}

static int say_why(struct process *p, int err, const char *what)
{
	(void)snprintf(p->why, sizeof(p->why), "%s: %s", what, err_why(err));
	return err;
}

/* ---- the log ---- */

static bool is_backend(const struct settings *s, const char *backend)
{
	return s->structured_logging && strcmp(s->structured_logging_backend, backend) == 0;
}

static void open_log(const struct settings *s, bool on_stderr)
{
	static const int facilities[] = {
		LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
		LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7,
	};
	struct log_options o = {
		.use_syslog = !s->disable_syslog,
		.use_stderr = on_stderr,
		.use_journal = is_backend(s, "systemd-journal"),
		.form = is_backend(s, "json")     ? LOG_FORM_JSON
			: is_backend(s, "logfmt") ? LOG_FORM_PAIRS
						  : LOG_FORM_TEXT,
		.timestamps = s->log_timestamp,
		.level = (int)s->loglevel,
		.facility = LOG_DAEMON,
		.rate = s->log_rate,
		.ident = PACKAGE_NAME,
	};

	/* The table of settings has let one digit pass, or nothing. */
	if (*s->logging_facility != '\0')
		o.facility = facilities[(s->logging_facility[0] - '0') & 7];
	log_configure(&o);
}

/* ---- signals, operators, time ---- */

static void end_now(void *ctx)
{
	struct process *p = ctx;

	loop_stop(p->loop);
}

/* A step of the end. */
static void end_when_idle(void *ctx)
{
	struct process *p = ctx;
	uint64_t now_ms = loop_now_ms(p->loop);

	if (!server_is_busy(p->server) || now_ms >= p->end_at_ms)
		loop_stop(p->loop);
	else
		loop_timer_at(p->end_timer, now_ms + END_STEP_MS);
}

/* Nothing new is read from now on. */
static void begin_end(void *ctx)
{
	struct process *p = ctx;

	if (p->end_timer != NULL || p->server == NULL ||
	    loop_timer_new(&p->end_timer, p->loop, end_when_idle, p) != E_OK) {
		loop_stop(p->loop);
		return;
	}
	readiness_stopping(p->readiness);
	server_stop_listening(p->server);
	p->end_at_ms = loop_now_ms(p->loop) + server_patience_ms(p->settings);
	loop_timer_at(p->end_timer, loop_now_ms(p->loop) + END_STEP_MS);
}

/* What is left of drain-grace, in milliseconds; an operator may have begun it. */
static uint64_t begin_grace(struct process *p)
{
	uint64_t grace_ms = p->settings->drain_grace_s * 1000ULL, until_ms, now_ms;

	if (grace_ms == 0)
		return 0;
	(void)server_set_draining(p->server, true);
	until_ms = server_draining_since_ms(p->server) + grace_ms;
	now_ms = loop_now_us() / 1000;
	return until_ms > now_ms ? until_ms - now_ms : 0;
}

/* First nobody new should come, for drain-grace; whoever says it twice is in a hurry. */
static void end_nicely(void *ctx)
{
	struct process *p = ctx;
	uint64_t left_ms = 0;

	if (p->server != NULL && p->grace_timer == NULL)
		left_ms = begin_grace(p);
	else if (p->grace_timer != NULL) /* or the questions in flight would end with it */
		loop_timer_at(p->grace_timer, UINT64_MAX);
	if (left_ms == 0 || loop_timer_new(&p->grace_timer, p->loop, begin_end, p) != E_OK) {
		begin_end(p);
		return;
	}
	log_notice("draining for %llu milliseconds, then it ends", (unsigned long long)left_ms);
	notify_extend(left_ms + server_patience_ms(p->settings) + END_SPARE_MS);
	loop_timer_at(p->grace_timer, loop_now_ms(p->loop) + left_ms);
}

/* From the control socket's threads. */
static void on_quit(void *ctx, bool nicely)
{
	struct process *p = ctx;

	if (loop_post(p->loop, nicely ? end_nicely : end_now, p) != E_OK)
		log_error("cannot end: too many messages wait");
}

static void on_term(void *ctx, int signo)
{
	log_notice("ending on signal %d", signo);
	end_nicely(ctx);
}

static void on_interrupt(void *ctx, int signo)
{
	log_notice("ending at once, on signal %d", signo);
	end_now(ctx);
}

static void on_hangup(void *ctx, int signo)
{
	(void)ctx;
	(void)signo;
	log_notice("SIGHUP is ignored: settings are read at the start only");
}

static void on_summary_signal(void *ctx, int signo)
{
	struct process *p = ctx;

	(void)signo;
	summary_log(&p->summary, &p->env, false);
}

static void on_quiet_signal(void *ctx, int signo)
{
	struct process *p = ctx;

	(void)signo;
	if (p->quiet_switch != NULL)
		quiet_switch_turn(p->quiet_switch);
}

static void on_summary_time(void *ctx)
{
	struct process *p = ctx;

	summary_log(&p->summary, &p->env, true);
	loop_timer_at(p->summary_timer,
		      loop_now_ms(p->loop) + (uint64_t)p->settings->statistics_interval_s * 1000);
}

static void on_log_time(void *ctx)
{
	struct process *p = ctx;

	log_tick();
	loop_timer_at(p->log_timer, loop_now_ms(p->loop) + LOG_TICK_MS);
}

static int watch_signals(struct process *p)
{
	static const struct {
		int signo;
		void (*cb)(void *ctx, int signo);
	} signals[] = {
		{ SIGTERM, on_term },           { SIGINT, on_interrupt },     { SIGHUP, on_hangup },
		{ SIGUSR1, on_summary_signal }, { SIGUSR2, on_quiet_signal },
	};
	int err = loop_new(&p->loop);

	for (size_t i = 0; i < ARRAY_LEN(signals) && err == E_OK; i++)
		err = loop_on_signal(p->loop, signals[i].signo, signals[i].cb, p);
	if (err != E_OK)
		return say_why(p, err, "cannot watch signals");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file too large is an error like others */
	return E_OK;
}

/* ---- from start to serving ---- */

static int take_as(struct process *p, const struct descriptors *have, const char *setting,
		   uint32_t asked, uint32_t value)
{
	struct settings *fewer = NULL;
	char text[16];
	int err;

	if (value == asked)
		return E_OK;
	log_warning("the limit of %llu open files is too low for %s=%lu: it is taken as %lu",
		    (unsigned long long)have->limit, setting, (unsigned long)asked,
		    (unsigned long)value);
	(void)snprintf(text, sizeof(text), "%lu", (unsigned long)value);
	err = settings_change(&fewer, p->settings, setting, text, p->why);
	if (err != E_OK)
		return err;
	settings_free(p->settings);
	p->settings = fewer;
	return E_OK;
}

static int raise_descriptors(struct process *p)
{
	struct descriptors have;
	int err;

	descriptors_raise(p->settings, &have);
	if (have.asking < p->settings->max_mthreads)
		log_warning("the limit of %llu open files is low for max-mthreads=%lu: beyond %lu "
			    "questions in flight a thread has them share sockets",
			    (unsigned long long)have.limit,
			    (unsigned long)p->settings->max_mthreads, (unsigned long)have.asking);
	err = take_as(p, &have, "max-tcp-clients", p->settings->max_tcp_clients, have.tcp_clients);
	if (err == E_OK && p->settings->webserver)
		err = take_as(p, &have, "webserver-max-connections",
			      p->settings->webserver_max_connections, have.web_connections);
	return err;
}

static int open_control(struct process *p)
{
	const struct settings *s = p->settings;
	char path[256];
	const struct control_options o = {
		.path = path,
		.owner = s->socket_owner,
		.group = s->socket_group,
		.mode = s->socket_mode,
	};
	int err = ctl_socket_path(path, sizeof(path), s->socket_dir, s->config_name);

	if (err != E_OK)
		return say_why(p, err, "the control socket's path");
	return control_open(&p->control, &o, p->why, sizeof(p->why));
}

/* An operator can do without the file, and clients too. */
static void write_pid(struct process *p)
{
	const struct settings *s = p->settings;
	int err;

	if (!s->write_pid)
		return;
	err = pidfile_write(&p->pidfile, s->socket_dir, s->config_name);
	if (err != E_OK)
		log_warning("no pid file in '%s': %s", s->socket_dir, err_why(err));
}

static void term_set(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

static bool nobody_ends_it(void *ctx)
{
	sigset_t pending;

	(void)ctx;
	return sigpending(&pending) != 0 ||
	       (sigismember(&pending, SIGTERM) != 1 && sigismember(&pending, SIGINT) != 1);
}

/* While zones are read, which may take as long as their files say, no loop runs yet that a signal
 * could end. */
static int make_server(struct process *p)
{
	static const struct zonefile_leave leave = { .go_on = nobody_ends_it };
	sigset_t term, before;
	int err;

	term_set(&term);
	pthread_sigmask(SIG_BLOCK, &term, &before);
	err = server_new(&p->server, p->settings, &leave, p->why);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

/* Everything that may need root. */
static int open_outside(struct process *p)
{
	const struct settings *s = p->settings;
	struct identity who;
	int err = privileges_identity(&who, s, p->why);

	if (err != E_OK)
		return err;
	if (*settings_text(s, "socket-dir") == '\0' && *s->chroot == '\0' &&
	    pidfile_make_dir(s->socket_dir, who.uid, who.gid) != E_OK) {
		(void)snprintf(p->why, sizeof(p->why), "cannot make the directory '%s': %s",
			       s->socket_dir, strerror(errno));
		return E_SYSTEM;
	}
	/* The control socket shows whether another one runs: before sockets are shared with it. */
	err = open_control(p);
	if (err == E_OK)
		err = make_server(p);
	if (err == E_OK)
		err = webserver_open(&p->web, p->settings, &p->server->web, p->why);
	if (err != E_OK)
		return err;
	keeper_open(&p->server->keeper, s);
	p->server->argc = p->argc;
	p->server->argv = p->argv;
	write_pid(p);
	notify_open();
	return privileges_drop(&who, s->chroot, p->why);
}

static int start_web(struct process *p)
{
	int err = E_OK;

	if (p->web == NULL)
		return err;
	err = health_start(&p->env.health, &p->env, p->settings->ready_test_name);
	return err == E_OK ? web_start(p->web, &p->env) : err;
}

static int start_threads(struct process *p)
{
	int err = readiness_new(&p->readiness, p->loop, p->server);

	if (err != E_OK)
		return say_why(p, err, "cannot watch whether it is ready");
	err = scripts_load(p->server->scripts, p->settings, p->why);
	if (err == E_OK)
		err = errands_load(p->server->errands, p->settings, p->why);
	if (err != E_OK) {
		p->is_script_broken = true;
		return err;
	}
	err = server_start(p->server);
	if (err != E_OK)
		return say_why(p, err, "cannot start the threads");
	err = keeper_start(p->server->keeper, p->server);
	if (err != E_OK)
		return say_why(p, err, "cannot start the thread of cache-file");
	err = quiet_switch_new(&p->quiet_switch, p->server);
	if (err != E_OK)
		return say_why(p, err, "cannot start the threads");
	server_watch(p->server, &p->env, on_quit, p);
	errands_begin(p->server->errands);
	err = control_start(p->control, &p->env);
	if (err != E_OK)
		return say_why(p, err, "cannot start the control socket");
	err = loop_timer_new(&p->log_timer, p->loop, on_log_time, p);
	if (err != E_OK)
		return say_why(p, err, "cannot make a timer");
	on_log_time(p);
	err = start_web(p);
	if (err != E_OK)
		return say_why(p, err, "cannot start the web server");
	if (p->settings->statistics_interval_s == 0)
		return E_OK;
	err = loop_timer_new(&p->summary_timer, p->loop, on_summary_time, p);
	if (err != E_OK)
		return say_why(p, err, "cannot make a timer");
	loop_timer_at(p->summary_timer,
		      loop_now_ms(p->loop) + (uint64_t)p->settings->statistics_interval_s * 1000);
	return E_OK;
}

static void say_ready(struct process *p)
{
	const struct addr_list *list = &p->settings->local_address;
	char text[ADDR_TEXT_MAX];

	for (unsigned i = 0; i < list->n; i++)
		log_info("serving on %s", addr_text(text, &list->a[i]));
	log_notice("%s serves with %lu threads", PACKAGE_STRING,
		   (unsigned long)p->settings->threads);
	readiness_start(p->readiness);
	if (p->settings->daemon) {
		open_log(p->settings, false);
		log_terminal_end(LOG_PATIENCE_MS);
		background_ready();
	}
}

static int start(struct process *p)
{
	int err = E_OK;

	if (p->settings->daemon && background_begin() != E_OK)
		return say_why(p, E_SYSTEM, "cannot go to the background");
	err = watch_signals(p);
	if (err == E_OK)
		err = webserver_hash_secrets(&p->settings, p->why);
	if (err == E_OK)
		err = raise_descriptors(p);
	if (err == E_OK)
		err = open_outside(p);
	if (err == E_OK)
		log_terminal_begin();
	if (err == E_OK)
		err = start_threads(p);
	if (err == E_OK)
		say_ready(p);
	return err;
}

static void finish(struct process *p)
{
	bool is_alone = true;

	if (p->readiness != NULL)
		readiness_stopping(p->readiness);
	if (p->server != NULL)
		server_end_begins(p->server);
	web_stop(p->web);
	health_stop(p->env.health);
	control_stop(p->control);
	quiet_switch_free(p->quiet_switch);
	if (p->server != NULL) {
		is_alone = errands_end(p->server->errands);
		if (is_alone)
			server_stop(p->server);
		keeper_stop(p->server->keeper);
	}
	pidfile_remove(&p->pidfile);
	if (!is_alone) { /* a script looks at what would be freed */
		notify_close();
		log_terminal_end(LOG_PATIENCE_MS);
		_exit(EXIT_SUCCESS);
	}
	readiness_free(p->readiness);
	if (p->server != NULL)
		keeper_free(p->server->keeper);
	server_free(p->server);
	if (p->grace_timer != NULL)
		loop_timer_close(p->grace_timer);
	if (p->end_timer != NULL)
		loop_timer_close(p->end_timer);
	if (p->summary_timer != NULL)
		loop_timer_close(p->summary_timer);
	if (p->log_timer != NULL)
		loop_timer_close(p->log_timer);
	if (p->loop != NULL)
		loop_free(p->loop);
	notify_close();
	settings_free(p->settings);
}

static int serve(struct settings *s, struct lines *warnings, int argc, char *const argv[])
{
	struct process p = { .argc = argc, .argv = argv, .settings = s };
	int err;

	open_log(s, true);
	say_lines(warnings);
	err = start(&p);
	if (err == E_OK)
		loop_run(p.loop);
	else
		log_error("%s", p.why);
	finish(&p);
	if (err == E_OK)
		log_notice("%s has ended", PACKAGE_NAME);
	log_terminal_end(LOG_PATIENCE_MS);
	if (p.is_script_broken)
		return EXIT_BROKEN_SCRIPT;
	return err == E_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the command line ---- */

/* What is said of the table alone, whatever is configured; false if it is another thing. */
static bool print_table(const char *which)
{
	if (strcmp(which, "default") == 0)
		settings_print_config(stdout, NULL, which);
	else if (strcmp(which, "mdoc") == 0) /* recursor.conf(5) is made of it */
		settings_print_mdoc(stdout);
	else if (strcmp(which, "mdoc-api") == 0) /* recursor-api(5) of the endpoints */
		endpoints_print_mdoc(stdout);
	else if (strcmp(which, "mdoc-lua") == 0) /* recursor-lua(7) of that */
		script_print_mdoc(stdout);
	else if (strcmp(which, "mdoc-metrics") == 0) /* and a part of rec_control(1) of that */
		metrics_print_mdoc(stdout);
	else
		return false;
	return true;
}

static bool script_is_right(const char *setting, const struct script_files *files)
{
	struct script_code *code = NULL;
	char why[SCRIPT_WHY_MAX];
	int err = *files->path == '\0' ? E_OK : script_code_load(&code, files, why);

	if (err != E_OK)
		log_error("%s: %s", setting, why);
	script_code_free(code);
	return err == E_OK;
}

/* Rules and scripts without which the daemon would not start (zones, hints and anchors, too, are read at
 * the start alone).  A script is compiled and not run: that may do anything. */
static bool files_are_right(const struct settings *s)
{
	const struct script_files hooks = { s->lua_dns_script, s->lua_global_include_dir };
	const struct script_files start_stop = { .path = s->lua_start_stop_script };
	struct defender_rules *rules = NULL;
	char why[DEFENDER_WHY_MAX];
	bool are_right = script_is_right("lua-dns-script", &hooks);

	are_right = script_is_right("lua-start-stop-script", &start_stop) && are_right;
	if (*s->defender_config_file != '\0' &&
	    defender_rules_load(&rules, s->defender_config_file, NULL, why) != E_OK) {
		log_error("defender-config-file: %s", why);
		are_right = false;
	}
	defender_rules_put(rules);
	return are_right;
}

static int print_config(const struct settings *s, const char *which)
{
	if (strcmp(which, "check") == 0)
		return files_are_right(s) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (*which != '\0' && strcmp(which, "diff") != 0) {
		log_error("command line: config=%s: must be default, diff, check or empty", which);
		return EXIT_FAILURE;
	}
	settings_print_config(stdout, s, which);
	return EXIT_SUCCESS;
}

/* Caches take and give back millions of small blocks, in many threads.  Small blocks that were
 * given back are joined with their neighbours at once: glibc would collect them and do it for
 * hundreds of thousands at a time, for tens of milliseconds, in whoever asks next for a large one. */
static void tune_malloc(void)
{
	(void)mallopt(M_MXFAST, 0);
}

int main(int argc, char **argv)
{
	const char *argument;
	enum settings_command command = settings_command(argc, argv, &argument);
	char why[SETTINGS_WHY_MAX];
	struct lines warnings = { 0 };
	struct settings *s = NULL;
	int status;

	tune_malloc();
	hash_key_init(); /* before the settings: they come with tables */
	switch (command) {
	case SETTINGS_HELP:
		printf("usage: recursor [--setting=value ...]\n\n");
		settings_print_help(stdout, argument);
		return EXIT_SUCCESS;
	case SETTINGS_VERSION:
		printf("%s\n", PACKAGE_STRING);
		return EXIT_SUCCESS;
	case SETTINGS_CONFIG:
		if (print_table(argument))
			return EXIT_SUCCESS;
		break;
	default:
		break;
	}
	if (settings_load(&s, argc, argv, keep_line, &warnings, why) != E_OK) {
		say_lines(&warnings);
		log_error("%s", why);
		return EXIT_FAILURE;
	}
	if (command == SETTINGS_RUN)
		return serve(s, &warnings, argc, argv);
	say_lines(&warnings);
	status = print_config(s, argument);
	settings_free(s);
	return status;
}
