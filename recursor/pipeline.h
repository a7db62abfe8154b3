/*
 * pipeline: a client's query from packet to answer.
 *
 * The table of contents of the daemon: each stage is one line of pipeline.c, in the order in
 * which a query passes it.  Hit: ACL, question, packet cache, copy.  Miss: the whole message,
 * policy, a request to the resolver, packing, packet cache, answer, account.
 *
 * Threads: one pipeline, one worker.
 */
#ifndef RECURSOR_PIPELINE_H
#define RECURSOR_PIPELINE_H

#include "common/err.h"
#include "recursor/worker.h"

struct pipeline;

int pipeline_new(struct pipeline **out, struct worker *w) MUST_USE;
/* The worker ends, and its loop still runs: queries that wait for a script's followup are let go. */
void pipeline_close(struct pipeline *p);
void pipeline_free(struct pipeline *p);
/* A few times a second: what is done beside queries. */
void pipeline_tick(struct pipeline *p);
/* What was made of the settings is made anew. */
void pipeline_configure(struct pipeline *p, const struct settings *s);

struct script;
/* The script from now on, or NULL; takes the reference. */
void pipeline_set_script(struct pipeline *p, struct script *script);

struct trace_rule;
/* What trace-regex wants traced; returns the rule before.  Either may be NULL. */
struct trace_rule *pipeline_set_trace_rule(struct pipeline *p, struct trace_rule *rule);

struct query_rules;
/* Which questions are logged, beside quiet=no. */
void pipeline_set_query_rules(struct pipeline *p, const struct query_rules *rules);

struct rings;
/* Where what came last is noted; NULL: nowhere.  Borrowed. */
void pipeline_set_rings(struct pipeline *p, struct rings *rings);
/* A server did not answer in time. */
void pipeline_timed_out(const struct pipeline *p, const struct addr *server);

/* Questions by type, 65536 counters; any thread may read them. */
const counter *pipeline_qtypes(const struct pipeline *p);
/* Answers by size, METRICS_SIZES counters. */
const counter *pipeline_sizes(const struct pipeline *p);

/* The handlers to give to the listener. */
void pipeline_listen_handler(struct pipeline *p, struct listen_handler *h);

/* Queries being resolved now (max-mthreads is their limit). */
size_t pipeline_in_flight(const struct pipeline *p);

struct recorder;
/* The flight recorder's stories, or NULL; borrowed until the settings change. */
const struct recorder *pipeline_recorder(const struct pipeline *p);

/* Moving average of the time from question to answer (qa-latency). */
uint64_t pipeline_latency_us(struct pipeline *p);
/* ... and of that part which was spent here (x-our-latency). */
uint64_t pipeline_our_latency_us(struct pipeline *p);

/* The client a request belongs to, from the ctx that resolver_walk() shows; NULL when the request
 * is not a client's (explain, and the like). */
const struct client *pipeline_client_of(const struct request_view *v);

#endif
