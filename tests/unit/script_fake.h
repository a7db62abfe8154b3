/*
 * script_fake: a script from a string, with a host that remembers what it was told.
 */
#ifndef TESTS_SCRIPT_FAKE_H
#define TESTS_SCRIPT_FAKE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/custom_metrics.h"
#include "common/rrtype.h"
#include "recursor/policy/script.h"

struct script_fake {
	struct script *script;
	struct script_code *code;
	struct counters counters;
	_Atomic uint64_t most_heap;
	struct custom_metrics *metrics;
	struct script_limits limits;
	uint64_t ns;
	unsigned retired, said;
	char log[SCRIPT_WHY_MAX + 256]; /* the last line */
	char why[SCRIPT_WHY_MAX];
	char path[64];
};

static inline uint64_t fake_now_ns(void *ctx)
{
	struct script_fake *f = ctx;

	return f->ns += 1000;
}

static inline void fake_wall(void *ctx, int64_t *s, int32_t *us)
{
	(void)ctx;
	*s = 1000000000;
	*us = 0;
}

static inline void fake_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 7, len);
}

static inline void fake_log(void *ctx, int level, const char *text)
{
	struct script_fake *f = ctx;

	(void)level;
	f->said++;
	(void)snprintf(f->log, sizeof(f->log), "%s", text);
}

static inline void fake_retired(void *ctx, struct script *s)
{
	struct script_fake *f = ctx;

	f->retired++;
	script_free(s);
}

static inline int fake_file(struct script_fake *f, const void *text, size_t len)
{
	int fd;

	(void)snprintf(f->path, sizeof(f->path), "/tmp/test-script-XXXXXX");
	fd = mkstemp(f->path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, len), (ssize_t)len);
	return close(fd);
}

/* What script_code_load() and script_new() make of it; `why` is theirs. */
static inline int script_fake_open_bytes(struct script_fake *f, const void *text, size_t len)
{
	struct script_files files = { .path = f->path };
	struct script_host host = {
		.ctx = f,
		.thread = 1,
		.counters = &f->counters,
		.most_heap = &f->most_heap,
		.now_ns = fake_now_ns,
		.wall = fake_wall,
		.random = fake_random,
		.log = fake_log,
		.retired = fake_retired,
	};
	int err;

	ck_assert_int_eq(custom_metrics_new(&f->metrics), E_OK);
	host.metrics = f->metrics;
	(void)fake_file(f, text, len);
	err = script_code_load(&f->code, &files, f->why);
	(void)unlink(f->path);
	if (err == E_OK)
		err = script_new(&f->script, f->code, &f->limits, &host, f->why);
	return err;
}

static inline int script_fake_try(struct script_fake *f, const char *text)
{
	*f = (struct script_fake) {
		.limits = { .instructions = 100000, .call_bytes = 1 << 20, .heap_bytes = 8 << 20 },
	};
	return script_fake_open_bytes(f, text, strlen(text));
}

static inline void script_fake_open(struct script_fake *f, const char *text)
{
	int err = script_fake_try(f, text);

	ck_assert_msg(err == E_OK, "%s", f->why);
}

static inline void script_fake_close(struct script_fake *f)
{
	script_put(f->script);
	script_code_free(f->code);
	custom_metrics_free(f->metrics);
}

/* A query for www.example.com A, from 192.0.2.7 to 127.0.0.1. */
static inline void script_fake_query(struct hook_query *q)
{
	static const uint8_t name[] = "\3www\7Example\3com";

	*q = (struct hook_query) {
		.remote = { .family = 4, .port = 5353, .ip = { 192, 0, 2, 7 } },
		.local = { .family = 4, .port = 53, .ip = { 127, 0, 0, 1 } },
		.qname = name,
		.qtype = TYPE_A,
		.qclass = CLASS_IN,
		.header = { 0x12, 0x34, 1, 0x20 },
	};
	hookquery_init(q);
}

static inline void script_fake_query_end(struct hook_query *q)
{
	script_query_end(q);
	hookquery_deinit(q);
}

#endif
