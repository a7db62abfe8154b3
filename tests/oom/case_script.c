/* The case of a script: it loads or says why not; a hook's answer is whole or not there; and what a
 * followup takes back is what there was before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/custom_metrics.h"
#include "common/rrtype.h"
#include "recursor/policy/script.h"
#include "tests/oom/alloc.h"
#include "tests/oom/oom.h"

enum { FOUND = 2, ADDED = 2 }; /* records */

static uint64_t no_time(void *ctx)
{
	(void)ctx;
	return 0;
}

static void wall(void *ctx, int64_t *s, int32_t *us)
{
	(void)ctx;
	*s = *us = 0;
}

static void random_bytes(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 7, len);
}

static void be_silent(void *ctx, int level, const char *text)
{
	(void)ctx;
	(void)level;
	(void)text;
}

static int load_found(void *ctx, struct hook_records *to)
{
	static const uint8_t name[] = "\1a", ip[] = { 192, 0, 2, 1 };
	const struct hook_record row = {
		.name = name,
		.rdata = ip,
		.ttl = 60,
		.type = TYPE_A,
		.class = CLASS_IN,
		.rdlen = sizeof(ip),
		.place = PLACE_ANSWER,
	};
	int err = E_OK;

	(void)ctx;
	for (unsigned i = 0; i < FOUND && err == E_OK; i++)
		err = hookrecords_add(to, &row);
	return err;
}

static int open_script(struct script **out, struct script_code **code,
		       struct custom_metrics *metrics, const char *text)
{
	const struct script_limits limits = { .instructions = 1000000, .heap_bytes = 8 << 20 };
	const struct script_host host = {
		.metrics = metrics,
		.now_ns = no_time,
		.wall = wall,
		.random = random_bytes,
		.log = be_silent,
	};
	char path[] = "/tmp/oom_script_XXXXXX", why[SCRIPT_WHY_MAX];
	struct script_files files = { .path = path };
	int fd, err;

	alloc_pause(true);
	fd = mkstemp(path);
	ASSERT(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
	alloc_pause(false);
	err = script_code_load(code, &files, why);
	(void)unlink(path);
	return err == E_OK ? script_new(out, *code, &limits, &host, why) : err;
}

/* NULL, or what went wrong. */
static const char *ask(struct script *s, bool nothing_fails)
{
	static const uint8_t name[] = "\1a", header[WIRE_HEADER_LEN];
	static const struct addr client = { .family = 4, .port = 53, .ip = { 192, 0, 2, 7 } };
	struct hook_query q = { .remote = client,
				.local = client,
				.qname = name,
				.qtype = TYPE_A,
				.qclass = CLASS_IN,
				.load = load_found };
	enum script_verdict verdict;
	const char *wrong = NULL;

	(void)script_ipfilter(s, &client, &client, header, false);
	hookquery_init(&q);
	script_gettag(s, &q);
	q.answer.rcode = RCODE_NXDOMAIN;
	verdict = script_call(s, HOOK_POSTRESOLVE, &q);
	if (verdict == SCRIPT_TAKEN) {
		if (q.answer.records.n != FOUND + ADDED || q.answer.rcode != RCODE_REFUSED)
			wrong = "a part of an answer";
		(void)script_callback(s, &q);
		hookquery_take_back(&q);
	}
	if (nothing_fails && verdict != SCRIPT_TAKEN)
		wrong = "the hook was not called";
	if (q.answer.rcode != RCODE_NXDOMAIN ||
	    (q.answer.has_records && q.answer.records.n != FOUND))
		wrong = "the answer is not what it was";
	script_query_end(&q);
	hookquery_deinit(&q);
	return wrong;
}

const char *oom_script_case(const char *text, bool nothing_fails)
{
	struct custom_metrics *metrics = NULL;
	struct script_code *code = NULL;
	struct script *s = NULL;
	const char *wrong = NULL;
	int err = custom_metrics_new(&metrics);

	if (err == E_OK)
		err = open_script(&s, &code, metrics, text);
	if (err == E_OK)
		wrong = ask(s, nothing_fails);
	else if (nothing_fails)
		wrong = "the script does not load";
	script_put(s);
	script_code_free(code);
	custom_metrics_free(metrics);
	return wrong;
}
