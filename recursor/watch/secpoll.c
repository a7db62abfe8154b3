#include "recursor/watch/secpoll.h"

#include <ctype.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/watch/lookup.h"
#include "recursor/watch/own_thread.h"

enum {
	LABEL_MAX = 63,   /* "recursor-" and the version */
	SOONER = 60,      /* after a failure the interval is shorter so many times */
	TEXT_MAX = 65535, /* of a TXT record */
	RELEASE_DOTS = 2,
	USUAL_INTERVAL_S = 3600,
};

struct secpoll {
	const char *version, *package;
	const struct watch_env *env;
	struct own_thread thread;
	char known[SECPOLL_MESSAGE_MAX]; /* what was said with the status */
	_Atomic uint64_t status, polls, failures;
};

/* ---- the question ---- */

bool secpoll_name(char out[SECPOLL_NAME_MAX], const char *version, const char *suffix)
{
	char first[LABEL_MAX + 1];
	int n;

	(void)snprintf(first, sizeof(first), "recursor-%s", version);
	n = snprintf(out, SECPOLL_NAME_MAX, "%s.security-status.%s", first, suffix);
	if (n < 0 || n >= SECPOLL_NAME_MAX - 1)
		return false;
	for (char *at = out; *at != '\0'; at++)
		if (*at == '+' || *at == '~')
			*at = '_';
	if (out[n - 1] != '.')
		(void)strcpy(out + n, ".");
	return true;
}

bool secpoll_is_release(const char *version)
{
	unsigned dots = 0;

	for (; *version != '\0'; version++)
		dots += *version == '.';
	return dots == RELEASE_DOTS;
}

/* ---- the answer ---- */

/* The strings of a TXT record, one after the other (RFC 1035 3.3.14). */
static int join_strings(char *out, size_t *out_len, const uint8_t *rdata, size_t len)
{
	size_t n = 0;

	for (size_t at = 0; at < len;) {
		size_t piece = rdata[at++];

		if (piece > len - at)
			return E_MALFORMED;
		memcpy(out + n, rdata + at, piece);
		n += piece;
		at += piece;
	}
	*out_len = n;
	return E_OK;
}

/* Whoever publishes it shall not write to our terminals. */
static void copy_printable(char out[SECPOLL_MESSAGE_MAX], const char *text, size_t len)
{
	size_t n = len < SECPOLL_MESSAGE_MAX ? len : SECPOLL_MESSAGE_MAX - 1;

	for (size_t i = 0; i < n; i++)
		out[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
	out[n] = '\0';
}

int secpoll_read(struct secpoll_said *out, const uint8_t *rdata, size_t len)
{
	char *text = malloc(len + 1);
	size_t n = 0, at;
	int err = E_NOMEM;

	if (text != NULL)
		err = join_strings(text, &n, rdata, len);
	if (err == E_OK && (n == 0 || text[0] < '1' || text[0] > '3' || (n > 1 && text[1] != ' ')))
		err = E_MALFORMED;
	if (err == E_OK) {
		at = n > 1 ? 2 : 1;
		out->status = (enum secpoll_status)(text[0] - '0');
		copy_printable(out->message, text + at, n - at);
	}
	free(text);
	return err;
}

enum secpoll_status secpoll_without_answer(enum secpoll_status before)
{
	return before == SECPOLL_OK ? SECPOLL_NO_DATA : before;
}

/* The first TXT record behind whatever aliases. */
static int find_said(struct secpoll_said *out, const struct answer *a)
{
	struct rdata rr;

	for (size_t i = 0; i < a->n_sets; i++) {
		size_t at = 0;

		if (a->sets[i]->type == TYPE_TXT && rrset_next(a->sets[i], &at, &rr))
			return secpoll_read(out, rr.data, rr.len);
	}
	return E_NOT_FOUND;
}

/* ---- a poll ---- */

/* What is asked for: our package's version, or our own. */
static const char *version_of(const struct secpoll *p)
{
	return *p->package != '\0' ? p->package : p->version;
}

static void tell_status(const struct secpoll *p, enum secpoll_status before)
{
	enum secpoll_status now = (enum secpoll_status)p->status;

	if (now == SECPOLL_MANDATORY)
		log_error("Security Update Mandatory: %s", p->known);
	else if (now == SECPOLL_RECOMMENDED)
		log_error("Security Update Recommended: %s", p->known);
	else if (now == SECPOLL_OK && before != SECPOLL_OK)
		log_notice("Polled security status of version %s, no known issues reported: %s",
			   version_of(p), p->known);
}

struct polled {
	int err;
	uint16_t rcode;
	bool is_answered;         /* by somebody who knows the zone */
	struct secpoll_said said; /* err is E_OK */
};

/* E_LIMIT, E_SYSTEM, E_STOPPED, E_NOMEM: there is no answer; E_NOT_FOUND, E_MALFORMED: it does not
 * say. */
static void ask(const struct secpoll *p, const uint8_t *name, struct polled *out)
{
	struct lookup *l = NULL;

	out->err = lookup_new(&l, false);
	if (out->err != E_OK)
		return;
	/* Old news are none, from the cache or beyond their TTL. */
	l->question = (struct question) {
		.name = name, .type = TYPE_TXT, .no_cache = true, .no_stale = true
	};
	out->err = lookup_run(l, p->env, p->thread.stop_fd, lookup_patience_ms(p->env));
	if (out->err == E_OK) {
		out->rcode = l->answer.rcode;
		out->is_answered = out->rcode == RCODE_NOERROR || out->rcode == RCODE_NXDOMAIN;
		out->err = find_said(&out->said, &l->answer);
	}
	lookup_free(l);
}

static void tell_failure(const struct secpoll *p, const char *name, const struct polled *polled)
{
	char rcode[RRTYPE_TEXT_MAX];
	const char *what = polled->err == E_LIMIT ? "no answer" : err_text(polled->err);

	if (polled->err == E_NOT_FOUND)
		log_warning(
			"Could not retrieve security status update for '%s' on '%s', RCODE = %s",
			version_of(p), name, rcode_to_text(polled->rcode, rcode));
	else if (polled->err == E_MALFORMED)
		log_warning(
			"Could not retrieve security status update for '%s' on '%s', the answer "
			"is no status",
			version_of(p), name);
	else
		log_warning("Could not retrieve security status update for '%s' on '%s': %s",
			    version_of(p), name, what);
}

static void adopt(struct secpoll *p, const char *name, const struct polled *polled)
{
	enum secpoll_status before = (enum secpoll_status)p->status;

	if (polled->err == E_OK) {
		(void)strcpy(p->known, polled->said.message);
		p->status = (uint64_t)polled->said.status;
	} else if (polled->err == E_NOT_FOUND && polled->rcode == RCODE_NXDOMAIN &&
		   !secpoll_is_release(p->version)) {
		log_warning("No security status for '%s' on '%s': it is not a release",
			    version_of(p), name);
	} else {
		p->failures++;
		tell_failure(p, name, polled);
		p->status = (uint64_t)secpoll_without_answer(before);
	}
	tell_status(p, before);
}

/* False: nobody answered, and it should be tried again soon. */
static bool poll_status(struct secpoll *p, const char *suffix)
{
	struct polled polled = { .err = E_TOO_LONG, .is_answered = true };
	char text[SECPOLL_NAME_MAX] = "";
	uint8_t name[NAME_MAX_LEN];

	if (secpoll_name(text, version_of(p), suffix) && name_from_text(name, text) == E_OK) {
		polled.is_answered = false;
		ask(p, name, &polled);
	}
	if (polled.err == E_STOPPED)
		return true;
	adopt(p, text, &polled);
	p->polls++;
	return polled.is_answered;
}

/* ---- its thread and life ---- */

static uint32_t interval_s(const struct watch_env *env)
{
	char *text = env->setting(env->ctx, "security-poll-interval");
	uint32_t s = text == NULL ? 0 : (uint32_t)strtoul(text, NULL, 0);

	free(text);
	return s == 0 ? USUAL_INTERVAL_S : s;
}

static void *run(void *ctx)
{
	struct secpoll *p = ctx;
	uint64_t wait_ms;

	do {
		char *suffix = p->env->setting(p->env->ctx, "security-poll-suffix");

		wait_ms = (uint64_t)interval_s(p->env) * 1000;
		if (suffix != NULL && *suffix != '\0' && !poll_status(p, suffix))
			wait_ms = wait_ms / SOONER < 1000 ? 1000 : wait_ms / SOONER;
		free(suffix);
	} while (own_thread_wait(&p->thread, wait_ms));
	return NULL;
}

int secpoll_new(struct secpoll **out, const char *version, const char *package)
{
	struct secpoll *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return E_NOMEM;
	p->version = version;
	p->package = package;
	if (own_thread_init(&p->thread) != E_OK) {
		free(p);
		return E_SYSTEM;
	}
	*out = p;
	return E_OK;
}

int secpoll_start(struct secpoll *p, const struct watch_env *env)
{
	p->env = env;
	return own_thread_start(&p->thread, run, p, "rec/secpoll");
}

void secpoll_stop(struct secpoll *p)
{
	own_thread_stop(&p->thread);
}

void secpoll_free(struct secpoll *p)
{
	if (p == NULL)
		return;
	secpoll_stop(p);
	own_thread_deinit(&p->thread);
	free(p);
}

void secpoll_stats(const struct secpoll *p, struct secpoll_stats *out)
{
	*out = (struct secpoll_stats) { 0 };
	if (p == NULL)
		return;
	out->status = p->status;
	out->polls = p->polls;
	out->failures = p->failures;
}
