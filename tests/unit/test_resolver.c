/* The resolver's edges: requests that join, go away, ask from within a callback; tickets; memory.
 * What it makes of the Internet's answers is tests/sim's business. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/resolver.h"
#include "recursor/resolve/zones.h"

enum { SENT_MAX = 256 };

static const uint8_t www[] = "\3www\7example";
static const uint8_t ftp[] = "\3ftp\7example";

/* A world in which nothing happens by itself. */
struct sent {
	struct outquery q;
	uint8_t wire[512];
	bool cancelled;
};

static struct fixture {
	struct resolver *r;
	struct cache *cache;
	struct servers *servers;
	struct counters counters;
	struct resolver_config cfg;
	uint64_t now_us;
	uint32_t wall_s;
	uint64_t wake_at_ms;
	uint64_t random;
	struct sent sent[SENT_MAX];
	unsigned n_sent;
	enum send_result send_result;
	/* what done() saw */
	unsigned n_done;
	uint16_t rcode;
	int ede;
	size_t n_sets;
	uint32_t out_queries;
	bool ask_again;
	bool ask_and_cancel;
	struct request *cancel[2]; /* by the first callback that may */
} f;

static uint64_t now_ms(void *ctx)
{
	(void)ctx;
	return f.now_us / 1000;
}

static uint64_t now_us(void *ctx)
{
	(void)ctx;
	return f.now_us;
}

static uint32_t wall_s(void *ctx)
{
	(void)ctx;
	return f.wall_s;
}

static void fill_random(void *ctx, void *buf, size_t len)
{
	uint8_t *p = buf;

	(void)ctx;
	for (size_t i = 0; i < len; i++) {
		f.random = f.random * 6364136223846793005u + 1442695040888963407u;
		p[i] = (uint8_t)(f.random >> 56);
	}
}

static enum send_result send_note(void *ctx, const struct outquery *q)
{
	struct sent *s = &f.sent[f.n_sent];

	(void)ctx;
	if (f.send_result != SEND_OK)
		return f.send_result;
	ck_assert_uint_lt(f.n_sent, SENT_MAX);
	ck_assert_uint_le(q->len, sizeof(s->wire));
	*s = (struct sent) { .q = *q };
	memcpy(s->wire, q->wire, q->len);
	f.n_sent++;
	return SEND_OK;
}

static void cancel_note(void *ctx, uint64_t ticket)
{
	(void)ctx;
	for (unsigned i = 0; i < f.n_sent; i++)
		if (f.sent[i].q.ticket == ticket)
			f.sent[i].cancelled = true;
}

static void wake_note(void *ctx, uint64_t due_ms)
{
	(void)ctx;
	f.wake_at_ms = due_ms;
}

static void done(void *ctx, const struct answer *a)
{
	f.n_done++;
	f.rcode = a->rcode;
	f.ede = a->ede;
	f.n_sets = a->n_sets;
	f.out_queries = a->out_queries;
	if (f.ask_again) {
		struct question q = { .name = ftp, .type = TYPE_A };

		f.ask_again = false;
		resolver_ask(f.r, &q, done, NULL);
	}
	if (f.ask_and_cancel) {
		struct question q = { .name = www, .type = TYPE_A };

		f.ask_and_cancel = false;
		resolver_cancel(f.r, resolver_ask(f.r, &q, done, NULL));
	}
	for (int i = 0; i < 2; i++)
		if (f.cancel[i] != NULL && ctx != &f.cancel[i]) {
			resolver_cancel(f.r, f.cancel[i]);
			f.cancel[i] = NULL;
		}
}

static void resolver_make(void)
{
	static const struct world world = {
		.now_ms = now_ms,
		.now_us = now_us,
		.wall_s = wall_s,
		.random = fill_random,
		.send = send_note,
		.cancel = cancel_note,
		.wake_at = wake_note,
	};
	ck_assert_int_eq(resolver_new(&f.r, &f.cfg, f.cache, f.servers, &f.counters, &world), E_OK);
}

static void setup(void)
{
	struct cache_config cc = { .max_entries = 1000, .max_set_bytes = 8192, .shards = 4 };
	struct servers_config sc = { .max_servers = 1000,
				     .max_throttles = 1000,
				     .down_max_fails = 64,
				     .down_time_s = 60,
				     .network_timeout_ms = 1500 };

	memset(&f, 0, sizeof(f));
	hash_key_set(1, 2);
	f.now_us = 1000000;
	f.wall_s = 1700000000;
	f.random = 1;
	resolver_config_defaults(&f.cfg);
	f.cfg.use_ipv6 = false;
	f.cfg.qname_minimisation = false;
	ck_assert_int_eq(cache_new(&f.cache, &cc), E_OK);
	ck_assert_int_eq(servers_new(&f.servers, &sc), E_OK);
	resolver_make();
}

static void teardown(void)
{
	resolver_free(f.r);
	servers_free(f.servers);
	cache_free(f.cache);
}

static struct request *ask(const uint8_t *name)
{
	struct question q = { .name = name, .type = TYPE_A };

	return resolver_ask(f.r, &q, done, NULL);
}

static bool was_sent(const uint8_t *name, unsigned *at)
{
	for (*at = f.n_sent; (*at)-- > 0;)
		if (name_equal(f.sent[*at].wire + WIRE_HEADER_LEN, name))
			return true;
	return false;
}

/* The question for `name` that was sent last. */
static struct sent *sent_for(const uint8_t *name)
{
	unsigned at;

	if (!was_sent(name, &at))
		ck_abort_msg("nobody was asked");
	return &f.sent[at];
}

/* An answer to a question sent: one A record, or none with an rcode. */
static size_t answer_build(const struct sent *s, uint8_t *out, unsigned rcode, bool with_data)
{
	struct wire_writer w;
	size_t question = WIRE_HEADER_LEN + name_len(s->wire + WIRE_HEADER_LEN) + 4;

	wire_writer_init(&w, out, 512);
	ck_assert_int_eq(wire_write_bytes(&w, s->wire, question), E_OK);
	wire_put_u16(out + 2, (uint16_t)(MSG_QR | MSG_AA | rcode));
	memset(out + 6, 0, 6);
	if (with_data) {
		static const uint8_t rr[] = "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1";

		ck_assert_int_eq(wire_write_bytes(&w, rr, sizeof(rr) - 1), E_OK);
		wire_put_u16(out + 6, 1);
	}
	return w.len;
}

static bool reply(const struct sent *s, unsigned rcode, bool with_data)
{
	uint8_t wire[512];
	size_t len = answer_build(s, wire, rcode, with_data);

	return resolver_reply(f.r, s->q.ticket, wire, len);
}

static void expect_idle(void)
{
	struct resolver_stats st;

	resolver_stats(f.r, &st);
	ck_assert_uint_eq(st.requests, 0);
	ck_assert_uint_eq(st.goals, 0);
	ck_assert_uint_eq(st.edges, 0);
	ck_assert_uint_eq(st.timers, 0);
}

/* The root answers everything itself; priming is let go unanswered, then dropped. */
static void priming_end(void)
{
	unsigned at;

	if (was_sent(name_root, &at))
		ck_assert(reply(&f.sent[at], RCODE_NOERROR, false));
}

START_TEST(one_question_one_answer)
{
	struct request *req = ask(www);

	ck_assert_ptr_nonnull(req);
	ck_assert_uint_eq(f.n_done, 0);
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(f.n_sets, 1);
	ck_assert_uint_eq(f.out_queries, 1);
	priming_end();
	expect_idle();
	/* Now the cache has it: the answer comes before resolver_ask() returns. */
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.n_done, 2);
	ck_assert_uint_eq(f.out_queries, 0);
	expect_idle();
}
END_TEST

START_TEST(equal_questions_share_the_work)
{
	unsigned sent;

	ask(www);
	sent = f.n_sent;
	ask((const uint8_t *)"\3WWW\7Example");
	ck_assert_uint_eq(f.n_sent, sent);
	ck_assert_uint_eq(counter_get(&f.counters.chain_resends), 1);
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 2);
	priming_end();
	expect_idle();
}
END_TEST

START_TEST(the_last_to_go_ends_the_work)
{
	struct request *a = ask(www), *b = ask(www);
	struct sent *s = sent_for(www);

	resolver_cancel(f.r, a);
	ck_assert(!s->cancelled);
	resolver_cancel(f.r, b);
	ck_assert(s->cancelled);
	ck_assert_uint_eq(f.n_done, 0);
	/* A late answer finds nobody. */
	ck_assert(reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(counter_get(&f.counters.unexpected_packets), 1);
	priming_end();
	expect_idle();
}
END_TEST

START_TEST(a_callback_may_ask)
{
	ask(www);
	f.ask_again = true;
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert(reply(sent_for(ftp), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 2);
	priming_end();
	expect_idle();
}
END_TEST

/* Both are over the budget by the same packet; the first to hear of it takes the other back. */
START_TEST(a_callback_may_cancel)
{
	f.cfg.max_qperq = 1;
	resolver_configure(f.r, &f.cfg);
	for (int i = 0; i < 2; i++) {
		struct question q = { .name = www, .type = TYPE_A };

		f.cancel[i] = resolver_ask(f.r, &q, done, &f.cancel[i]);
	}
	ck_assert(reply(sent_for(www), RCODE_REFUSED, false));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	f.cancel[0] = f.cancel[1] = NULL;
	priming_end();
	expect_idle();
}
END_TEST

START_TEST(a_callback_may_ask_and_cancel)
{
	f.cfg.max_bytesperq = 1;
	resolver_configure(f.r, &f.cfg);
	ask(www);
	f.ask_and_cancel = true;
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	priming_end();
	expect_idle();
}
END_TEST

/* Zone n is served by a name in zone n + 1: each client's question joins what the one before has
 * begun.  The last client's end is the end of all, on a stack that is not deep. */
START_TEST(a_long_chain_ends_on_a_short_stack)
{
	enum { ZONES = 4000, STRIDE = 10 };
	struct rlimit stack = { 256 * 1024, 256 * 1024 };
	struct request *all[ZONES / STRIDE + 1];
	struct resolver_stats st;
	unsigned n = 0;

	f.cfg.max_total_msec = 0;
	resolver_configure(f.r, &f.cfg);
	cache_set_limits(f.cache, 0, 0);
	for (unsigned i = 0; i < ZONES; i++) {
		uint8_t owner[NAME_MAX_LEN], server[NAME_MAX_LEN];
		struct rdata rr = { .data = server };
		struct rrset *ns = NULL;
		char text[32];

		snprintf(text, sizeof(text), "z%u.", i);
		ck_assert_int_eq(name_from_text(owner, text), E_OK);
		snprintf(text, sizeof(text), "ns.z%u.", i + 1);
		ck_assert_int_eq(name_from_text(server, text), E_OK);
		rr.len = (uint16_t)name_len(server);
		ck_assert_int_eq(rrset_new(&ns, owner, TYPE_NS, 3600, f.wall_s, RANK_REFERRAL, &rr,
					   1, NULL, 0),
				 E_OK);
		cache_put(f.cache, ns, true, f.wall_s);
		rrset_put(ns);
	}
	for (unsigned i = ZONES; i >= STRIDE; i -= STRIDE) {
		uint8_t name[NAME_MAX_LEN];
		char text[32];

		snprintf(text, sizeof(text), "ns.z%u.", i - STRIDE);
		ck_assert_int_eq(name_from_text(name, text), E_OK);
		all[n++] = ask(name);
		ck_assert_ptr_nonnull(all[n - 1]);
	}
	resolver_stats(f.r, &st);
	ck_assert_uint_ge(st.goals, ZONES);
	ck_assert_int_eq(setrlimit(RLIMIT_STACK, &stack), 0);
	for (unsigned i = 0; i < n; i++)
		resolver_cancel(f.r, all[i]);
	priming_end();
	expect_idle();
}
END_TEST

START_TEST(a_ticket_is_good_once)
{
	struct sent *s;

	ask(www);
	s = sent_for(www);
	ck_assert(reply(s, RCODE_NOERROR, true));
	ck_assert(reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(counter_get(&f.counters.unexpected_packets), 1);
	ck_assert_uint_eq(f.n_done, 1);
	resolver_failed(f.r, s->q.ticket, NET_REFUSED);
	resolver_near_miss(f.r, s->q.ticket);
	resolver_reply(f.r, 0, s->wire, s->q.len);
	resolver_reply(f.r, UINT64_MAX, s->wire, s->q.len);
	ck_assert_uint_eq(f.n_done, 1);
}
END_TEST

START_TEST(another_question_is_a_near_miss)
{
	struct sent *s, other;

	ask(www);
	s = sent_for(www);
	other = *s;
	memcpy(other.wire + WIRE_HEADER_LEN, ftp, sizeof(ftp));
	ck_assert(!reply(&other, RCODE_NOERROR, true));
	ck_assert_uint_eq(counter_get(&f.counters.spoof_nearmisses), 1);
	ck_assert(!s->cancelled);
	ck_assert(!reply(&other, RCODE_NOERROR, true));
	/* One was tolerated (spoof-nearmiss-max); now it is asked over TCP. */
	ck_assert(s->cancelled);
	ck_assert_int_eq(sent_for(www)->q.transport, TRANSPORT_TCP);
	ck_assert_uint_eq(counter_get(&f.counters.spoof_prevents), 1);
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
}
END_TEST

START_TEST(time_is_limited)
{
	ask(www);
	priming_end();
	for (unsigned i = 0; i < 100 && f.n_done == 0; i++) {
		f.now_us += 100000;
		resolver_tick(f.r);
	}
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(f.ede, EDE_NO_REACHABLE_AUTHORITY);
	ck_assert_uint_eq(counter_get(&f.counters.limit_time), 1);
	ck_assert_uint_eq(f.now_us / 1000 - 1000, f.cfg.max_total_msec);
	ck_assert_uint_le(f.out_queries, f.cfg.max_qperq);
	/* RFC 9520: the same question does not cost as much again at once. */
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(counter_get(&f.counters.failures_cached), 1);
}
END_TEST

static const uint8_t a_b[] = "\1a\1b\7example", c_b[] = "\1c\1b\7example",
		     d_b[] = "\1d\1b\7example", example[] = "\7example";

/* Three names with the first step in common; it is asked once. */
static void steps_share(struct request *req[3])
{
	unsigned sent;

	f.cfg.qname_minimisation = true;
	resolver_configure(f.r, &f.cfg);
	req[0] = ask(a_b);
	priming_end();
	sent = f.n_sent;
	ck_assert(name_equal(sent_for(example)->wire + WIRE_HEADER_LEN, example));
	req[1] = ask(c_b);
	req[2] = ask(d_b);
	ck_assert_uint_eq(f.n_sent, sent);
}

START_TEST(a_shared_step_that_is_denied_is_not_repeated)
{
	struct request *req[3];
	unsigned at;

	/* Without a SOA the cache does not know it. */
	f.cfg.root_nx_trust = false;
	steps_share(req);
	ck_assert(reply(sent_for(example), RCODE_NXDOMAIN, false));
	ck_assert(was_sent(a_b, &at) && was_sent(c_b, &at) && was_sent(d_b, &at));
	ck_assert(reply(sent_for(a_b), RCODE_NOERROR, true));
	ck_assert(reply(sent_for(c_b), RCODE_NOERROR, true));
	ck_assert(reply(sent_for(d_b), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 3);
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	ck_assert_uint_le(f.out_queries, 2);
	expect_idle();
}
END_TEST

START_TEST(a_shared_step_that_denies_all_below_is_not_repeated)
{
	struct request *req[3];
	unsigned at;

	steps_share(req);
	ck_assert(reply(sent_for(example), RCODE_NXDOMAIN, false));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NXDOMAIN);
	ck_assert(was_sent(c_b, &at) && was_sent(d_b, &at));
	resolver_cancel(f.r, req[1]);
	resolver_cancel(f.r, req[2]);
	expect_idle();
}
END_TEST

/* The one whose question it was has gone; the step's end is his goal's as well. */
START_TEST(a_shared_step_outlives_its_client)
{
	struct request *req[3];

	steps_share(req);
	resolver_cancel(f.r, req[0]);
	ck_assert(!sent_for(example)->cancelled);
	ck_assert(reply(sent_for(example), RCODE_NOERROR, false));
	resolver_cancel(f.r, req[1]);
	resolver_cancel(f.r, req[2]);
	expect_idle();
}
END_TEST

START_TEST(what_does_not_leave_costs_nothing)
{
	f.send_result = SEND_UNREACHABLE;
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(f.out_queries, 0);
	ck_assert_uint_eq(counter_get(&f.counters.all_outqueries), 0);
	ck_assert_uint_ge(counter_get(&f.counters.unreachables), 13);
	expect_idle();
}
END_TEST

START_TEST(waiters_are_limited)
{
	f.cfg.max_chain = 2;
	resolver_configure(f.r, &f.cfg);
	ask(www);
	ask(www);
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(counter_get(&f.counters.chain_limits), 1);
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 3);
}
END_TEST

START_TEST(goals_are_limited)
{
	f.cfg.max_goals = 2; /* the question and the priming it sets off */
	resolver_configure(f.r, &f.cfg);
	ck_assert_ptr_nonnull(ask(www));
	ck_assert_ptr_null(ask(ftp));
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(counter_get(&f.counters.limit_goals), 1);
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_ptr_nonnull(ask(ftp));
}
END_TEST

START_TEST(the_end_answers_everyone)
{
	ask(www);
	ask(www);
	ask(ftp);
	resolver_free(f.r);
	ck_assert_uint_eq(f.n_done, 3);
	ck_assert_int_eq(f.ede, EDE_NOT_READY);
	resolver_make(); /* for teardown() */
}
END_TEST

START_TEST(without_recursion_nobody_is_asked)
{
	struct question q = { .name = www, .type = TYPE_A, .cache_only = true, .no_stale = true };

	ck_assert_ptr_null(resolver_ask(f.r, &q, done, NULL));
	ck_assert_uint_eq(f.rcode, RCODE_REFUSED);
	ck_assert_int_eq(f.ede, EDE_NOT_AUTHORITATIVE);
	ck_assert_uint_eq(f.n_sent, 0);
	ask(www);
	ck_assert(reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_ptr_null(resolver_ask(f.r, &q, done, NULL));
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(f.n_sets, 1);
}
END_TEST

START_TEST(hints_need_name_servers)
{
	struct rrset *set = NULL;
	struct rdata rr = { .data = (const uint8_t *)"\x7f\0\0\1", .len = 4 };

	ck_assert_int_eq(rrset_new(&set, www, TYPE_A, 60, 0, RANK_LOCAL, &rr, 1, NULL, 0), E_OK);
	ck_assert_int_eq(resolver_set_hints(f.r, &set, 1), E_NOT_FOUND);
	rrset_put(set);
	/* The built-in ones still serve. */
	ck_assert_ptr_nonnull(ask(www));
}
END_TEST

struct walked {
	unsigned n, chained;
};

static bool walk_note(void *ctx, const struct request_view *v)
{
	struct walked *w = ctx;

	w->n++;
	w->chained += v->chained;
	ck_assert_uint_eq(v->spent_ms, 250);
	return w->n < 2;
}

START_TEST(what_is_waited_for_can_be_seen)
{
	struct walked w = { 0 };

	ask(www);
	ask(www);
	f.now_us += 250000;
	resolver_walk(f.r, walk_note, &w);
	ck_assert_uint_eq(w.n, 2);
}
END_TEST

/* Every byte of an answer flipped, every length: nothing but a count may come of it. */
START_TEST(garbage_is_survived)
{
	uint8_t wire[512], broken[512];
	size_t len;

	ask(www);
	len = answer_build(sent_for(www), wire, RCODE_NOERROR, true);
	for (size_t cut = 0; cut <= len; cut++)
		for (size_t flip = 2; flip < len; flip++) {
			struct sent *s = sent_for(www);

			if (f.n_done > 0 || s->cancelled) {
				f.n_done = 0;
				f.n_sent = 0;
				cache_wipe(f.cache, name_root, 0, true);
				servers_clear(f.servers, true);
				ask(www);
				s = sent_for(www);
			}
			memcpy(broken, wire, len);
			broken[flip] ^= (uint8_t)(1u << (cut % 8));
			resolver_reply(f.r, s->q.ticket, broken, cut);
		}
	ck_assert_uint_gt(counter_get(&f.counters.server_parse_errors), 0);
}
END_TEST

/* A snapshot with one forward: "example" or "other" to 192.0.2.53. */
static struct zones *forward_to(const uint8_t *zone, bool recurse)
{
	struct zones *z = NULL;
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, "192.0.2.53", 53), E_OK);
	ck_assert_int_eq(zones_new(&z), E_OK);
	ck_assert_int_eq(zones_add_forward(z, zone, &a, 1, recurse, false), E_OK);
	return z;
}

static void set_zones(struct zones *z)
{
	resolver_set_zones(f.r, z);
	zones_put(z);
}

static bool is_forwarder(const struct sent *s)
{
	return s->q.server.ip[3] == 53;
}

START_TEST(a_new_forward_is_for_what_is_in_flight_too)
{
	struct sent *s;

	ask(www);
	s = sent_for(www);
	ck_assert(!is_forwarder(s));
	set_zones(forward_to((const uint8_t *)"\7example", true));
	ck_assert(reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 0); /* the answer came from the wrong side */
	s = sent_for(www);
	ck_assert(is_forwarder(s));
	ck_assert_uint_eq(s->wire[2] & 1, 1);
	ck_assert(reply(s, RCODE_NXDOMAIN, false));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NXDOMAIN);
	priming_end();
	expect_idle();
}
END_TEST

START_TEST(a_forward_that_goes_gives_way_to_the_internet)
{
	struct zones *none = NULL;
	struct sent *s;

	set_zones(forward_to((const uint8_t *)"\7example", false));
	ask(www);
	s = sent_for(www);
	ck_assert(is_forwarder(s));
	ck_assert_uint_eq(s->wire[2] & 1, 0);
	ck_assert_int_eq(zones_new(&none), E_OK);
	set_zones(none);
	/* The forwarder says nothing: the next question is not for it. */
	f.now_us += 2000000;
	resolver_tick(f.r);
	s = sent_for(www);
	ck_assert(!is_forwarder(s));
	ck_assert(reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	priming_end();
	expect_idle();
}
END_TEST

START_TEST(other_zones_do_not_disturb)
{
	struct sent *s;

	ask(www);
	s = sent_for(www);
	set_zones(forward_to((const uint8_t *)"\5other", true));
	ck_assert(reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.out_queries, 1);
	priming_end();
	expect_idle();
}
END_TEST

Suite *suite_resolver(void)
{
	Suite *s = suite_create("resolver");
	TCase *c = tcase_create("resolver");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, one_question_one_answer);
	tcase_add_test(c, equal_questions_share_the_work);
	tcase_add_test(c, the_last_to_go_ends_the_work);
	tcase_add_test(c, a_callback_may_ask);
	tcase_add_test(c, a_callback_may_cancel);
	tcase_add_test(c, a_callback_may_ask_and_cancel);
	tcase_add_test(c, a_long_chain_ends_on_a_short_stack);
	tcase_add_test(c, a_ticket_is_good_once);
	tcase_add_test(c, another_question_is_a_near_miss);
	tcase_add_test(c, time_is_limited);
	tcase_add_test(c, a_shared_step_that_is_denied_is_not_repeated);
	tcase_add_test(c, a_shared_step_that_denies_all_below_is_not_repeated);
	tcase_add_test(c, a_shared_step_outlives_its_client);
	tcase_add_test(c, what_does_not_leave_costs_nothing);
	tcase_add_test(c, waiters_are_limited);
	tcase_add_test(c, goals_are_limited);
	tcase_add_test(c, the_end_answers_everyone);
	tcase_add_test(c, without_recursion_nobody_is_asked);
	tcase_add_test(c, hints_need_name_servers);
	tcase_add_test(c, what_is_waited_for_can_be_seen);
	tcase_add_test(c, garbage_is_survived);
	tcase_add_test(c, a_new_forward_is_for_what_is_in_flight_too);
	tcase_add_test(c, a_forward_that_goes_gives_way_to_the_internet);
	tcase_add_test(c, other_zones_do_not_disturb);
	suite_add_tcase(s, c);
	return s;
}
