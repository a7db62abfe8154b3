/* The resolver's edges: requests that join, go away, ask from within a callback; tickets; memory.
 * What it makes of the Internet's answers is tests/sim's business. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/zones.h"
#include "still_world.h"

static const uint8_t www[] = "\3www\7example";
static const uint8_t ftp[] = "\3ftp\7example";

static struct fixture {
	/* what done() saw */
	unsigned n_done;
	uint16_t rcode;
	int ede;
	unsigned cause;
	bool is_remembered;
	size_t n_sets;
	uint32_t out_queries;
	bool from_cache;
	bool ask_again;
	bool ask_and_cancel;
	struct request *cancel[2]; /* by the first callback that may */
} f;

static void done(void *ctx, const struct answer *a)
{
	f.n_done++;
	f.rcode = a->rcode;
	f.ede = a->ede;
	f.cause = a->cause;
	f.is_remembered = a->is_remembered;
	f.n_sets = a->n_sets;
	f.out_queries = a->out_queries;
	f.from_cache = a->from_cache;
	if (f.ask_again) {
		struct question q = { .name = ftp, .type = TYPE_A };

		f.ask_again = false;
		resolver_ask(still.r, &q, done, NULL);
	}
	if (f.ask_and_cancel) {
		struct question q = { .name = www, .type = TYPE_A };

		f.ask_and_cancel = false;
		resolver_cancel(still.r, resolver_ask(still.r, &q, done, NULL));
	}
	for (int i = 0; i < 2; i++)
		if (f.cancel[i] != NULL && ctx != &f.cancel[i]) {
			resolver_cancel(still.r, f.cancel[i]);
			f.cancel[i] = NULL;
		}
}

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	still_open();
	still_resolver(NULL);
}

static struct request *ask(const uint8_t *name)
{
	struct question q = { .name = name, .type = TYPE_A };

	return resolver_ask(still.r, &q, done, NULL);
}

static bool was_sent(const uint8_t *name, unsigned *at)
{
	for (*at = still.n_sent; (*at)-- > 0;)
		if (name_equal(still.sent[*at].wire + WIRE_HEADER_LEN, name))
			return true;
	return false;
}

/* The question for `name` that was sent last. */
static struct sent *sent_for(const uint8_t *name)
{
	unsigned at;

	if (!was_sent(name, &at))
		ck_abort_msg("nobody was asked");
	return &still.sent[at];
}

/* The root answers everything itself; priming is let go unanswered, then dropped. */
static void priming_end(void)
{
	unsigned at;

	if (was_sent(name_root, &at))
		ck_assert(still_reply(&still.sent[at], RCODE_NOERROR, false));
}

START_TEST(one_question_one_answer)
{
	struct request *req = ask(www);

	ck_assert_ptr_nonnull(req);
	ck_assert_uint_eq(f.n_done, 0);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(f.n_sets, 1);
	ck_assert_uint_eq(f.out_queries, 1);
	priming_end();
	still_expect_idle();
	/* Now the cache has it: the answer comes before resolver_ask() returns. */
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.n_done, 2);
	ck_assert_uint_eq(f.out_queries, 0);
	still_expect_idle();
}
END_TEST

START_TEST(equal_questions_share_the_work)
{
	unsigned sent;

	ask(www);
	sent = still.n_sent;
	ask((const uint8_t *)"\3WWW\7Example");
	ck_assert_uint_eq(still.n_sent, sent);
	ck_assert_uint_eq(counter_get(&still.counters.chain_resends), 1);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 2);
	priming_end();
	still_expect_idle();
}
END_TEST

static void put_alias(const uint8_t *name, const uint8_t *target)
{
	const struct rdata rr = { target, (uint16_t)name_len(target) };
	struct rrset *s = NULL;

	ck_assert_int_eq(rrset_new(&s, name, TYPE_CNAME, 300, still.wall_s, RANK_AUTH_ANSWER, &rr,
				   1, NULL, 0),
			 E_OK);
	(void)cache_put(still.cache, s, CACHE_REFRESHES, still.wall_s);
	rrset_put(s);
}

/* While somebody else's question is waited for what it begins with may be wiped. */
START_TEST(what_waited_is_not_from_the_cache)
{
	static const uint8_t alias[] = "\5alias\7example";

	put_alias(alias, www);
	ask(www);
	ask(alias);
	ck_assert_uint_eq(f.n_done, 0);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 2);
	ck_assert_uint_eq(f.n_sets, 2); /* the alias's, which cost nothing */
	ck_assert_uint_eq(f.out_queries, 0);
	ck_assert(!f.from_cache);
	ck_assert_ptr_null(ask(alias));
	ck_assert_uint_eq(f.n_sets, 2);
	ck_assert(f.from_cache);
	/* Within a callback it is no other. */
	ask(ftp);
	ck_assert(still_reply(sent_for(ftp), RCODE_NOERROR, true));
	ck_assert(!f.from_cache);
	f.ask_again = true;
	ck_assert_ptr_null(ask(alias));
	ck_assert_uint_eq(f.n_done, 6);
	ck_assert_uint_eq(f.n_sets, 1);
	ck_assert(f.from_cache);
	priming_end();
	still_expect_idle();
}
END_TEST

START_TEST(the_last_to_go_ends_the_work)
{
	struct request *a = ask(www), *b = ask(www);
	struct sent *s = sent_for(www);

	resolver_cancel(still.r, a);
	ck_assert(!s->cancelled);
	resolver_cancel(still.r, b);
	ck_assert(s->cancelled);
	ck_assert_uint_eq(f.n_done, 0);
	/* A late answer finds nobody. */
	ck_assert(still_reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(counter_get(&still.counters.unexpected_packets), 1);
	priming_end();
	still_expect_idle();
}
END_TEST

START_TEST(a_callback_may_ask)
{
	ask(www);
	f.ask_again = true;
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert(still_reply(sent_for(ftp), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 2);
	priming_end();
	still_expect_idle();
}
END_TEST

/* Both are over the budget by the same packet; the first to hear of it takes the other back. */
START_TEST(a_callback_may_cancel)
{
	still.cfg.max_qperq = 1;
	resolver_configure(still.r, &still.cfg);
	for (int i = 0; i < 2; i++) {
		struct question q = { .name = www, .type = TYPE_A };

		f.cancel[i] = resolver_ask(still.r, &q, done, &f.cancel[i]);
	}
	ck_assert(still_reply(sent_for(www), RCODE_REFUSED, false));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	f.cancel[0] = f.cancel[1] = NULL;
	priming_end();
	still_expect_idle();
}
END_TEST

START_TEST(a_callback_may_ask_and_cancel)
{
	still.cfg.max_bytesperq = 1;
	resolver_configure(still.r, &still.cfg);
	ask(www);
	f.ask_and_cancel = true;
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	priming_end();
	still_expect_idle();
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

	still.cfg.max_total_msec = 0;
	resolver_configure(still.r, &still.cfg);
	cache_set_limits(still.cache, 0, 0);
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
		ck_assert_int_eq(rrset_new(&ns, owner, TYPE_NS, 3600, still.wall_s, RANK_REFERRAL,
					   &rr, 1, NULL, 0),
				 E_OK);
		cache_put(still.cache, ns, true, still.wall_s);
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
	resolver_stats(still.r, &st);
	ck_assert_uint_ge(st.goals, ZONES);
	ck_assert_int_eq(setrlimit(RLIMIT_STACK, &stack), 0);
	for (unsigned i = 0; i < n; i++)
		resolver_cancel(still.r, all[i]);
	priming_end();
	still_expect_idle();
}
END_TEST

START_TEST(a_ticket_is_good_once)
{
	struct sent *s;

	ask(www);
	s = sent_for(www);
	ck_assert(still_reply(s, RCODE_NOERROR, true));
	ck_assert(still_reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(counter_get(&still.counters.unexpected_packets), 1);
	ck_assert_uint_eq(f.n_done, 1);
	resolver_failed(still.r, s->q.ticket, NET_REFUSED);
	resolver_near_miss(still.r, s->q.ticket);
	resolver_reply(still.r, 0, s->wire, s->q.len);
	resolver_reply(still.r, UINT64_MAX, s->wire, s->q.len);
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
	ck_assert(!still_reply(&other, RCODE_NOERROR, true));
	ck_assert_uint_eq(counter_get(&still.counters.spoof_nearmisses), 1);
	ck_assert(!s->cancelled);
	ck_assert(!still_reply(&other, RCODE_NOERROR, true));
	/* One was tolerated (spoof-nearmiss-max); now it is asked over TCP. */
	ck_assert(s->cancelled);
	ck_assert_int_eq(sent_for(www)->q.transport, TRANSPORT_TCP);
	ck_assert_uint_eq(counter_get(&still.counters.spoof_prevents), 1);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
}
END_TEST

START_TEST(time_is_limited)
{
	ask(www);
	priming_end();
	for (unsigned i = 0; i < 100 && f.n_done == 0; i++) {
		still.now_us += 100000;
		resolver_tick(still.r);
	}
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(f.ede, EDE_NO_REACHABLE_AUTHORITY);
	ck_assert_uint_eq(f.cause, CAUSE_TIME);
	ck_assert(!f.is_remembered);
	ck_assert_uint_eq(counter_get(&still.counters.limit_time), 1);
	ck_assert_uint_eq(still.now_us / 1000 - 1000, still.cfg.max_total_msec);
	ck_assert_uint_le(f.out_queries, still.cfg.max_qperq);
	/* RFC 9520: the same question does not cost as much again at once. */
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(counter_get(&still.counters.failures_cached), 1);
	ck_assert_uint_eq(f.cause, CAUSE_TIME);
	ck_assert_int_eq(f.ede, EDE_NO_REACHABLE_AUTHORITY);
	ck_assert(f.is_remembered);
}
END_TEST

static const uint8_t a_b[] = "\1a\1b\7example", c_b[] = "\1c\1b\7example",
		     d_b[] = "\1d\1b\7example", example[] = "\7example";

/* Three names with the first step in common; it is asked once. */
static void steps_share(struct request *req[3])
{
	unsigned sent;

	still.cfg.qname_minimisation = true;
	resolver_configure(still.r, &still.cfg);
	req[0] = ask(a_b);
	priming_end();
	sent = still.n_sent;
	ck_assert(name_equal(sent_for(example)->wire + WIRE_HEADER_LEN, example));
	req[1] = ask(c_b);
	req[2] = ask(d_b);
	ck_assert_uint_eq(still.n_sent, sent);
}

START_TEST(a_shared_step_that_is_denied_is_not_repeated)
{
	struct request *req[3];
	unsigned at;

	/* Without a SOA the cache does not know it. */
	still.cfg.root_nx_trust = false;
	steps_share(req);
	ck_assert(still_reply(sent_for(example), RCODE_NXDOMAIN, false));
	ck_assert(was_sent(a_b, &at) && was_sent(c_b, &at) && was_sent(d_b, &at));
	ck_assert(still_reply(sent_for(a_b), RCODE_NOERROR, true));
	ck_assert(still_reply(sent_for(c_b), RCODE_NOERROR, true));
	ck_assert(still_reply(sent_for(d_b), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 3);
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	ck_assert_uint_le(f.out_queries, 2);
	still_expect_idle();
}
END_TEST

START_TEST(a_shared_step_that_denies_all_below_is_not_repeated)
{
	struct request *req[3];
	unsigned at;

	steps_share(req);
	ck_assert(still_reply(sent_for(example), RCODE_NXDOMAIN, false));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NXDOMAIN);
	ck_assert(was_sent(c_b, &at) && was_sent(d_b, &at));
	resolver_cancel(still.r, req[1]);
	resolver_cancel(still.r, req[2]);
	still_expect_idle();
}
END_TEST

/* The one whose question it was has gone; the step's end is his goal's as well. */
START_TEST(a_shared_step_outlives_its_client)
{
	struct request *req[3];

	steps_share(req);
	resolver_cancel(still.r, req[0]);
	ck_assert(!sent_for(example)->cancelled);
	ck_assert(still_reply(sent_for(example), RCODE_NOERROR, false));
	resolver_cancel(still.r, req[1]);
	resolver_cancel(still.r, req[2]);
	still_expect_idle();
}
END_TEST

START_TEST(what_does_not_leave_costs_nothing)
{
	still.send_result = SEND_UNREACHABLE;
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(f.out_queries, 0);
	ck_assert_uint_eq(counter_get(&still.counters.all_outqueries), 0);
	ck_assert_uint_ge(counter_get(&still.counters.unreachables), 13);
	still_expect_idle();
}
END_TEST

START_TEST(waiters_are_limited)
{
	still.cfg.max_chain = 2;
	resolver_configure(still.r, &still.cfg);
	ask(www);
	ask(www);
	ck_assert_ptr_null(ask(www));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(counter_get(&still.counters.chain_limits), 1);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 3);
}
END_TEST

START_TEST(goals_are_limited)
{
	still.cfg.max_goals = 2; /* the question and the priming it sets off */
	resolver_configure(still.r, &still.cfg);
	ck_assert_ptr_nonnull(ask(www));
	ck_assert_ptr_null(ask(ftp));
	ck_assert_uint_eq(f.rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(counter_get(&still.counters.limit_goals), 1);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_ptr_nonnull(ask(ftp));
}
END_TEST

START_TEST(the_end_answers_everyone)
{
	ask(www);
	ask(www);
	ask(ftp);
	resolver_free(still.r);
	ck_assert_uint_eq(f.n_done, 3);
	ck_assert_int_eq(f.ede, EDE_NOT_READY);
	still_resolver(NULL); /* for still_close() */
}
END_TEST

START_TEST(without_recursion_nobody_is_asked)
{
	struct question q = { .name = www, .type = TYPE_A, .cache_only = true, .no_stale = true };

	ck_assert_ptr_null(resolver_ask(still.r, &q, done, NULL));
	ck_assert_uint_eq(f.rcode, RCODE_REFUSED);
	ck_assert_int_eq(f.ede, EDE_NOT_AUTHORITATIVE);
	ck_assert_uint_eq(still.n_sent, 0);
	ask(www);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	ck_assert_ptr_null(resolver_ask(still.r, &q, done, NULL));
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	ck_assert_uint_eq(f.n_sets, 1);
}
END_TEST

START_TEST(hints_need_name_servers)
{
	struct rrset *set = NULL;
	struct rdata rr = { .data = (const uint8_t *)"\x7f\0\0\1", .len = 4 };

	ck_assert_int_eq(rrset_new(&set, www, TYPE_A, 60, 0, RANK_LOCAL, &rr, 1, NULL, 0), E_OK);
	ck_assert_int_eq(resolver_set_hints(still.r, &set, 1), E_NOT_FOUND);
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

/* The clock of a turn is behind that of what was sent in it. */
START_TEST(what_fails_at_once_took_no_time)
{
	still.late_us = 2000;
	still.waited_us = UINT64_MAX;
	ask(www);
	resolver_failed(still.r, sent_for(www)->q.ticket, NET_UNREACHABLE);
	ck_assert_uint_eq(still.waited_us, 0);
}
END_TEST

START_TEST(what_is_waited_for_can_be_seen)
{
	struct walked w = { 0 };

	ask(www);
	ask(www);
	still.now_us += 250000;
	resolver_walk(still.r, walk_note, &w);
	ck_assert_uint_eq(w.n, 2);
}
END_TEST

static bool walk_to_nobody(void *ctx, const struct request_view *v)
{
	unsigned *n = ctx;

	ck_assert(name_equal(v->name, www));
	ck_assert_ptr_null(v->done);
	ck_assert_ptr_null(v->ctx);
	(*n)++;
	return true;
}

/* RFC 8767 5: its client has an expired answer, and may be gone, while the resolution goes on. */
START_TEST(who_has_a_stale_answer_is_not_seen_to_wait)
{
	struct question q = { .name = www, .type = TYPE_A };
	unsigned n = 0;

	still.cfg.stale_s = 86400;
	still.cfg.stale_client_timeout_ms = 300;
	resolver_configure(still.r, &still.cfg);
	cache_set_stale(still.cache, still.cfg.stale_s);
	ask(www);
	ck_assert(still_reply(sent_for(www), RCODE_NOERROR, true));
	priming_end();
	still.wall_s += 301;
	ck_assert_ptr_nonnull(resolver_ask(still.r, &q, done, &n));
	still.now_us += 300000;
	resolver_tick(still.r);
	ck_assert_uint_eq(f.n_done, 2);
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	resolver_walk(still.r, walk_to_nobody, &n);
	ck_assert_uint_eq(n, 1);
}
END_TEST

/* Every byte of an answer flipped, every length: nothing but a count may come of it. */
START_TEST(garbage_is_survived)
{
	uint8_t wire[512], broken[512];
	size_t len;

	ask(www);
	len = still_answer(sent_for(www), wire, RCODE_NOERROR, true);
	for (size_t cut = 0; cut <= len; cut++)
		for (size_t flip = 2; flip < len; flip++) {
			struct sent *s = sent_for(www);

			if (f.n_done > 0 || s->cancelled) {
				f.n_done = 0;
				still.n_sent = 0;
				cache_wipe(still.cache, name_root, 0, true);
				servers_clear(still.servers, true, 0);
				ask(www);
				s = sent_for(www);
			}
			memcpy(broken, wire, len);
			broken[flip] ^= (uint8_t)(1u << (cut % 8));
			resolver_reply(still.r, s->q.ticket, broken, cut);
		}
	ck_assert_uint_gt(counter_get(&still.counters.server_parse_errors), 0);
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
	resolver_set_zones(still.r, z);
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
	ck_assert(still_reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 0); /* the answer came from the wrong side */
	s = sent_for(www);
	ck_assert(is_forwarder(s));
	ck_assert_uint_eq(s->wire[2] & 1, 1);
	ck_assert(still_reply(s, RCODE_NXDOMAIN, false));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NXDOMAIN);
	priming_end();
	still_expect_idle();
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
	still.now_us += 2000000;
	resolver_tick(still.r);
	s = sent_for(www);
	ck_assert(!is_forwarder(s));
	ck_assert(still_reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.rcode, RCODE_NOERROR);
	priming_end();
	still_expect_idle();
}
END_TEST

START_TEST(other_zones_do_not_disturb)
{
	struct sent *s;

	ask(www);
	s = sent_for(www);
	set_zones(forward_to((const uint8_t *)"\5other", true));
	ck_assert(still_reply(s, RCODE_NOERROR, true));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_uint_eq(f.out_queries, 1);
	priming_end();
	still_expect_idle();
}
END_TEST

static const uint8_t flood[][20] = { "\1a\6victim\2co\2uk", "\1b\6victim\2co\2uk",
				     "\1c\6victim\2co\2uk", "\1w\5other\2co\2uk" };

static unsigned three_labels(void *ctx, const uint8_t *name)
{
	(void)ctx, (void)name;
	return 3;
}

/* What becomes of a name of another domain below the same public suffix while a domain has all its zone
 * may hold, where everything is forwarded. */
static void flood_a_neighbour(unsigned (*domain_labels)(void *ctx, const uint8_t *name))
{
	resolver_free(still.r);
	still.domain_labels = domain_labels;
	still.cfg.max_inflight_zone = 2;
	still_resolver(NULL);
	set_zones(forward_to(name_root, true));
	for (unsigned i = 0; i < ARRAY_LEN(flood); i++)
		ask(flood[i]);
	ck_assert(is_forwarder(sent_for(flood[0])));
}

START_TEST(a_flood_by_a_forwarder_is_its_domains_own)
{
	const uint8_t *third = flood[2], *other = flood[3];
	unsigned at;

	flood_a_neighbour(three_labels);
	ck_assert(!was_sent(third, &at));
	ck_assert(is_forwarder(sent_for(other)));
	ck_assert_uint_eq(f.n_done, 1);
	ck_assert_int_eq(f.cause, CAUSE_ZONE);
}
END_TEST

/* Two labels, where nobody knows better. */
START_TEST(without_a_list_of_suffixes_two_labels_are_a_domain)
{
	const uint8_t *other = flood[3];
	unsigned at;

	flood_a_neighbour(NULL);
	ck_assert(!was_sent(other, &at));
	ck_assert_uint_eq(f.n_done, 2);
}
END_TEST

Suite *suite_resolver(void)
{
	Suite *s = suite_create("resolver");
	TCase *c = tcase_create("resolver");

	tcase_add_checked_fixture(c, setup, still_close);
	tcase_add_test(c, one_question_one_answer);
	tcase_add_test(c, a_flood_by_a_forwarder_is_its_domains_own);
	tcase_add_test(c, without_a_list_of_suffixes_two_labels_are_a_domain);
	tcase_add_test(c, equal_questions_share_the_work);
	tcase_add_test(c, what_waited_is_not_from_the_cache);
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
	tcase_add_test(c, who_has_a_stale_answer_is_not_seen_to_wait);
	tcase_add_test(c, what_fails_at_once_took_no_time);
	tcase_add_test(c, garbage_is_survived);
	tcase_add_test(c, a_new_forward_is_for_what_is_in_flight_too);
	tcase_add_test(c, a_forward_that_goes_gives_way_to_the_internet);
	tcase_add_test(c, other_zones_do_not_disturb);
	suite_add_tcase(s, c);
	return s;
}
