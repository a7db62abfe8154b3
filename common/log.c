/* log: see log.h.  How lines look: log_form.c; how they get there: log_sink.c. */
#include "common/log.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log_form.h"
#include "common/log_sink.h"

#define SYSLOG_SOCKET "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

enum { RATE_AT_FIRST = 100 };

static_assert((int)LOG_RECORD_MAX <= PIPE_BUF, "a pipe takes a line whole or not at all");

static atomic_int level_max = LOG_LEVEL_NOTICE, facility = LOG_DAEMON, form = LOG_FORM_TEXT;
static atomic_uint rate_max = RATE_AT_FIRST;
static atomic_bool timestamps, to_stderr = true, to_syslog, to_journal;
static struct log_sink syslog_sink = LOG_SINK_CLOSED, journal_sink = LOG_SINK_CLOSED;
static char ident[64] = "recursor";

static _Atomic uint64_t n_lines, n_held_back, n_lost;
static _Atomic(struct log_site *) listed; /* sites that ever held a line back */

static _Thread_local unsigned thread_id;

/* ---- what is set ---- */

static void use_sink(struct log_sink *sink, atomic_bool *use, bool wanted, const char *path)
{
	if (wanted && !atomic_load(use))
		(void)log_sink_open(sink, path);
	*use = wanted;
	if (!wanted)
		log_sink_close(sink);
}

/* Of a check that failed (check.h): neither memory nor a lock nor the time of day, which has one in
 * localtime_r(3), and nobody waits.  That it stands on stderr is no matter of ours. */
static void tell_of_check(char *line, size_t len)
{
	char head[160];
	struct iovec parts[] = { { head, 0 }, { line, len } };

	parts[0].iov_len = (size_t)snprintf(
		head, sizeof(head),
		"PRIORITY=%d\nSYSLOG_IDENTIFIER=%.63s\nSYSLOG_FACILITY=%d\nMESSAGE=",
		LOG_LEVEL_CRIT, ident, facility >> 3);
	if (to_journal && log_sink_send(&journal_sink, parts, 2, 0))
		return;
	parts[0].iov_len = (size_t)snprintf(head, sizeof(head),
					    "<%d>%.63s[%d]: ", facility | LOG_LEVEL_CRIT, ident,
					    (int)getpid());
	parts[1].iov_len--; /* without its newline */
	if (to_syslog)
		(void)log_sink_send(&syslog_sink, parts, 2, 0);
}

void log_configure(const struct log_options *o)
{
	const char *name = o->ident != NULL ? o->ident : "recursor";

	/* The clock's zone is read now, as the sockets are opened: a chroot may hide them. */
	tzset();
	/* Called again for the same daemon: threads read it. */
	if (strcmp(ident, name) != 0)
		(void)snprintf(ident, sizeof(ident), "%s", name);
	use_sink(&syslog_sink, &to_syslog, o->use_syslog,
		 o->syslog_path != NULL ? o->syslog_path : SYSLOG_SOCKET);
	use_sink(&journal_sink, &to_journal, o->use_journal,
		 o->journal_path != NULL ? o->journal_path : JOURNAL_SOCKET);
	facility = o->facility;
	form = (int)o->form;
	to_stderr = o->use_stderr;
	timestamps = o->timestamps;
	log_set_rate(o->rate);
	log_set_level(o->level);
	check_set_teller(tell_of_check);
}

void log_set_level(int level)
{
	level_max = level;
}

int log_level(void)
{
	return level_max;
}

void log_set_rate(unsigned rate)
{
	rate_max = rate;
}

void log_thread_is_worker(unsigned id)
{
	thread_id = id;
}

void log_stats(struct log_stats *out)
{
	*out = (struct log_stats) { n_lines, n_held_back, n_lost };
}

/* ---- a record's way out ---- */

static int patience_ms(void)
{
	return thread_id == 0 ? LOG_PATIENCE_MS : 0;
}

static bool send_journal(const struct log_record *r)
{
	char out[LOG_RECORD_MAX];
	struct iovec part = { out, log_form_journal(out, sizeof(out), r, ident, facility) };

	return log_sink_send(&journal_sink, &part, 1, patience_ms());
}

static bool send_syslog(const struct log_record *r, char *line, size_t len)
{
	char head[160];
	struct iovec parts[] = {
		{ head, log_form_syslog_head(head, sizeof(head), r, ident, facility, getpid()) },
		{ line, len - 1 }, /* without its newline */
	};

	return log_sink_send(&syslog_sink, parts, 2, patience_ms());
}

static size_t write_line(char out[LOG_RECORD_MAX], const struct log_record *r, bool timestamp)
{
	switch ((enum log_form)form) {
	case LOG_FORM_PAIRS:
		return log_form_pairs(out, LOG_RECORD_MAX, r);
	case LOG_FORM_JSON:
		return log_form_json(out, LOG_RECORD_MAX, r);
	default:
		return log_form_text(out, LOG_RECORD_MAX, r, timestamp);
	}
}

/* Both get the same line, but for the time, which syslog has before it. */
static bool send_lines(const struct log_record *r)
{
	char line[LOG_RECORD_MAX];
	bool taken = false;

	if (to_syslog)
		taken = send_syslog(r, line, write_line(line, r, false));
	if (to_stderr)
		taken |= log_sink_stderr(line, write_line(line, r, timestamps), patience_ms());
	return taken;
}

static void send_record(struct log_record *r)
{
	r->thread = thread_id;
	(void)clock_gettime(CLOCK_REALTIME, &r->when);
	if ((to_journal && send_journal(r)) || send_lines(r))
		atomic_fetch_add(&n_lines, 1);
	else
		atomic_fetch_add(&n_lost, 1);
}

/* ---- who may speak ---- */

static uint64_t now_s(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec + 1; /* 0 in a site: it never spoke */
}

/* Takes one of the lines that the site has in this second. */
static bool may_speak(struct log_site *site)
{
	unsigned most = site->is_limited ? 1 : rate_max;
	uint64_t second = now_s(), window = atomic_load(&site->window), next;

	do {
		next = window >> 32 == second ? window + 1 : second << 32 | 1;
		if (most != 0 && (uint32_t)next > most)
			return false;
	} while (!atomic_compare_exchange_weak(&site->window, &window, next));
	return true;
}

static void hold_back(struct log_site *site, int level, const char *format)
{
	atomic_fetch_add(&n_held_back, 1);
	atomic_store(&site->level, level);
	atomic_store(&site->format, format);
	atomic_fetch_add(&site->held_back, 1);
	if (atomic_exchange(&site->is_listed, true))
		return;
	site->next = atomic_load(&listed);
	while (!atomic_compare_exchange_weak(&listed, &site->next, site))
		;
}

/* "recursor/policy/defender.c": defender. */
static const char *subsystem_of(char out[64], const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash != NULL ? slash + 1 : file;

	(void)snprintf(out, 64, "%.*s", (int)strcspn(name, "."), name);
	return out;
}

void log_say(struct log_site *site, int level, const struct log_fields *fields, const char *format,
	     ...)
{
	char message[LOG_LINE_MAX], subsystem[64];
	struct log_record r = { .level = level, .message = message };
	va_list args;

	if (level > level_max)
		return;
	if (!may_speak(site)) {
		hold_back(site, level, format);
		return;
	}
	r.held_back = atomic_exchange(&site->held_back, 0);
	r.subsystem = subsystem_of(subsystem, site->file);
	if (fields != NULL) {
		r.fields = fields->list;
		r.n_fields = fields->n;
	}
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	send_record(&r);
}

void log_tick(void)
{
	uint64_t second = now_s();

	for (struct log_site *s = atomic_load(&listed); s != NULL; s = s->next) {
		char message[LOG_LINE_MAX], subsystem[64];
		struct log_record r = { .level = s->level, .message = message };
		uint64_t n;

		if (atomic_load(&s->window) >> 32 == second)
			continue;
		n = atomic_exchange(&s->held_back, 0);
		if (n == 0 || r.level > level_max)
			continue;
		(void)snprintf(message, sizeof(message),
			       "%" PRIu64 " more lines like \"%s\" were "
			       "held back",
			       n, atomic_load(&s->format));
		r.subsystem = subsystem_of(subsystem, s->file);
		send_record(&r);
	}
}

/* ---- without a site ---- */

void log_asked_for(const char *subsystem, const struct log_fields *fields, const char *format, ...)
{
	char message[LOG_LINE_MAX];
	struct log_record r = {
		.level = LOG_LEVEL_INFO,
		.subsystem = subsystem,
		.message = message,
		.fields = fields->list,
		.n_fields = fields->n,
	};
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	send_record(&r);
}

void log_line(int level, const char *subsystem, const struct log_fields *fields, const char *format,
	      ...)
{
	char message[LOG_LINE_MAX];
	struct log_record r = { .level = level, .subsystem = subsystem, .message = message };
	va_list args;

	if (level > level_max)
		return;
	if (fields != NULL) {
		r.fields = fields->list;
		r.n_fields = fields->n;
	}
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	send_record(&r);
}
