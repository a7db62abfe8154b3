/* The operator's policy before each question to a server (preoutquery): whom it speaks for, and what
 * each verdict does. */
#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/resolver.h"

enum { SENT_MAX = 128, CLIENTS_MAX = 8, POLLS_MAX = 128 };

static const uint8_t www[] = "\3www\7example";

struct sent {
	struct outquery q;
	uint8_t wire[512];
	bool cancelled;
};

/* Who asks, and what became of it. */
struct client {
	unsigned n_done;
	uint16_t rcode;
	int ede;
	size_t n_sets;
	uint32_t address; /* of the first record, if it is an A */
	bool cacheable, is_stale;
	uint32_t out_queries;
	struct request *request;
	enum outquery_verdict verdict; /* for it */
};

static struct fixture {
	struct resolver *r;
	struct cache *cache;
	struct servers *servers;
	struct counters counters;
	struct resolver_config cfg;
	uint64_t now_us;
	uint32_t wall_s;
	uint64_t random;
	struct sent sent[SENT_MAX];
	unsigned n_sent;
	struct client clients[CLIENTS_MAX];
	/* whom the policy was asked for */
	struct client *polled[POLLS_MAX];
	struct outquery_plan plans[POLLS_MAX]; /* as it got them */
	unsigned n_polled;
	void (*change)(struct outquery_plan *plan);
	struct client *joins; /* asks when it is told, once */
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
	(void)due_ms;
}

static enum outquery_verdict policy(void *ctx, void *client, struct outquery_plan *plan)
{
	struct client *c = client;

	(void)ctx;
	ck_assert_uint_lt(f.n_polled, POLLS_MAX);
	f.plans[f.n_polled] = *plan;
	f.polled[f.n_polled++] = c;
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(c->n_done, 0);
	if (f.change != NULL)
		f.change(plan);
	return c->verdict;
}

static void setup(void)
{
	static const struct world world = {
		.now_ms = now_ms,
		.now_us = now_us,
		.wall_s = wall_s,
		.random = fill_random,
		.send = send_note,
		.cancel = cancel_note,
		.wake_at = wake_note,
		.preoutquery = policy,
	};
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
	f.cfg.prime = false;
	ck_assert_int_eq(cache_new(&f.cache, &cc), E_OK);
	ck_assert_int_eq(servers_new(&f.servers, &sc), E_OK);
	ck_assert_int_eq(resolver_new(&f.r, &f.cfg, f.cache, f.servers, &f.counters, &world), E_OK);
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

static void teardown(void)
{
	resolver_free(f.r);
	servers_free(f.servers);
	cache_free(f.cache);
}

static void ask(struct client *c, const uint8_t *name);

static void done(void *ctx, const struct answer *a)
{
	struct client *c = ctx, *joins = f.joins;
	struct rdata rr;
	size_t at = 0;

	ck_assert_uint_eq(c->n_done++, 0);
	c->rcode = a->rcode;
	c->ede = a->ede;
	c->n_sets = a->n_sets;
	c->cacheable = a->cacheable;
	c->is_stale = a->is_stale;
	c->out_queries = a->out_queries;
	if (a->n_sets > 0 && a->sets[0]->type == TYPE_A && rrset_next(a->sets[0], &at, &rr))
		c->address = wire_get_u32(rr.data);
	f.joins = NULL;
	if (joins != NULL)
		ask(joins, www);
}

static void ask(struct client *c, const uint8_t *name)
{
	struct question q = { .name = name, .type = TYPE_A, .policed = true };

	c->request = resolver_ask(f.r, &q, done, c);
}

/* An answer to a question sent: one A record, or none with an rcode. */
static void reply(const struct sent *s, unsigned flags, bool with_data)
{
	uint8_t out[512];
	struct wire_writer w;
	size_t question = WIRE_HEADER_LEN + name_len(s->wire + WIRE_HEADER_LEN) + 4;

	wire_writer_init(&w, out, sizeof(out));
	ck_assert_int_eq(wire_write_bytes(&w, s->wire, question), E_OK);
	wire_put_u16(out + 2, (uint16_t)(MSG_QR | MSG_AA | flags));
	memset(out + 6, 0, 6);
	if (with_data) {
		static const uint8_t rr[] = "\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1";

		ck_assert_int_eq(wire_write_bytes(&w, rr, sizeof(rr) - 1), E_OK);
		wire_put_u16(out + 6, 1);
	}
	(void)resolver_reply(f.r, s->q.ticket, out, w.len);
}

static bool answers(const uint8_t *name, uint32_t stale_s)
{
	return cache_answers(f.cache, name, TYPE_A, f.wall_s, stale_s);
}

static bool remembers(const uint8_t *name)
{
	return cache_remembers(f.cache, name_hash(name), TYPE_A);
}

static struct sent *last(void)
{
	ck_assert_uint_gt(f.n_sent, 0);
	return &f.sent[f.n_sent - 1];
}

START_TEST(a_question_may_pass)
{
	ask(&f.clients[0], www);
	ck_assert_uint_eq(f.n_polled, 1);
	ck_assert_ptr_eq(f.polled[0], &f.clients[0]);
	ck_assert(name_equal(f.plans[0].name, www));
	ck_assert_uint_eq(f.plans[0].type, TYPE_A);
	ck_assert_uint_eq(f.n_sent, 1);
	ck_assert(addr_equal(&f.plans[0].server, &last()->q.server));
	reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[0].n_sets, 1);
	expect_idle();
}
END_TEST

START_TEST(a_killed_query_ends)
{
	f.clients[0].verdict = OUTQUERY_KILL;
	ask(&f.clients[0], www);
	ck_assert_uint_eq(f.n_sent, 0);
	ck_assert_uint_eq(f.clients[0].n_done, 1);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(f.clients[0].ede, EDE_BLOCKED);
	ck_assert_uint_eq(counter_get(&f.counters.policy_kills), 1);
	expect_idle();
	/* It is no failure of the name's. */
	ask(&f.clients[1], www);
	ck_assert_uint_eq(f.n_sent, 1);
	reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[1].rcode, RCODE_NOERROR);
	expect_idle();
}
END_TEST

START_TEST(the_oldest_is_asked_for_first)
{
	/* While the first question is on its way nobody else is asked about. */
	for (int i = 0; i < 5; i++)
		ask(&f.clients[i], www);
	ck_assert_uint_eq(f.n_polled, 1);
	f.clients[0].verdict = f.clients[1].verdict = f.clients[2].verdict = OUTQUERY_KILL;
	/* Too small for an answer: TCP, which is asked about anew. */
	reply(last(), MSG_TC, false);
	ck_assert_uint_eq(f.n_polled, 5);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_ptr_eq(f.polled[i + 1], &f.clients[i]);
		ck_assert_int_eq(f.plans[i + 1].transport, TRANSPORT_TCP);
		ck_assert(addr_equal(&f.plans[i + 1].server, &f.plans[0].server));
	}
	ck_assert_uint_eq(f.n_sent, 2);
	ck_assert_int_eq(last()->q.transport, TRANSPORT_TCP);
	reply(last(), RCODE_NOERROR, true);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(f.clients[i].n_done, 1);
		ck_assert_uint_eq(f.clients[i].rcode, i < 3 ? RCODE_SERVFAIL : RCODE_NOERROR);
	}
	expect_idle();
}
END_TEST

/* What one verdict changes in the plan is not there for the next. */
static void go_astray(struct outquery_plan *plan)
{
	plan->server.ip[3]++;
	plan->transport = TRANSPORT_TCP;
}

START_TEST(a_killed_ones_plan_is_forgotten)
{
	ask(&f.clients[0], www);
	ask(&f.clients[1], www);
	f.clients[0].verdict = OUTQUERY_KILL;
	f.clients[1].verdict = OUTQUERY_NO_RESOURCES;
	f.change = go_astray;
	reply(last(), MSG_TC, false);
	ck_assert_uint_ge(f.n_polled, 3);
	ck_assert(addr_equal(&f.plans[2].server, &f.plans[0].server));
	/* No server could be asked. */
	ck_assert_uint_eq(f.clients[1].n_done, 1);
	ck_assert_uint_eq(f.clients[1].rcode, RCODE_SERVFAIL);
	expect_idle();
}
END_TEST

/* Who comes to wait while another is told is asked for as well. */
START_TEST(who_joins_meanwhile_is_asked_for)
{
	ask(&f.clients[0], www);
	f.clients[0].verdict = OUTQUERY_KILL;
	f.clients[1].verdict = OUTQUERY_KILL;
	f.joins = &f.clients[1];
	reply(last(), MSG_TC, false);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(f.clients[1].n_done, 1);
	ck_assert_int_eq(f.clients[1].ede, EDE_BLOCKED);
	ck_assert_uint_eq(f.n_sent, 1);
	expect_idle();
}
END_TEST

static void answer_it(struct outquery_plan *plan)
{
	static const uint8_t ip[] = { 198, 51, 100, 7 };
	struct rdata rr = { ip, sizeof(ip) };
	struct rrset *set = NULL;

	ck_assert_int_eq(
		rrset_new(&set, plan->name, TYPE_A, 300, f.wall_s, RANK_LOCAL, &rr, 1, NULL, 0),
		E_OK);
	plan->sets[plan->n_sets++] = (struct outquery_set) { set, SECTION_ANSWER };
}

START_TEST(its_records_are_the_answer)
{
	f.change = answer_it;
	f.clients[0].verdict = OUTQUERY_ANSWERED;
	ask(&f.clients[0], www);
	ck_assert_uint_eq(f.n_sent, 0);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_NOERROR);
	ck_assert_uint_eq(f.clients[0].address, 0xc6336407);
	ck_assert(!f.clients[0].cacheable);
	ck_assert_uint_eq(f.clients[0].out_queries, 1);
	ck_assert(!answers(www, 3600));
	expect_idle();
}
END_TEST

/* Whatever comes with a verdict is given back. */
START_TEST(records_with_another_verdict)
{
	f.change = answer_it;
	ask(&f.clients[0], www);
	ck_assert_uint_eq(f.n_sent, 1);
	f.clients[1].verdict = OUTQUERY_KILL;
	ask(&f.clients[1], (const uint8_t *)"\3ftp\7example");
	ck_assert_uint_eq(f.clients[1].rcode, RCODE_SERVFAIL);
	reply(last(), RCODE_NOERROR, true);
	expect_idle();
}
END_TEST

static void divert_it(struct outquery_plan *plan)
{
	ck_assert_int_eq(addr_from_text(&plan->server, "198.51.100.1", 0), E_OK);
}

/* RTT and all else that is learnt is of the server that was asked. */
START_TEST(elsewhere_is_somebody_else)
{
	struct server_view v;
	struct addr zones_own;

	f.change = divert_it;
	ask(&f.clients[0], www);
	zones_own = f.plans[0].server;
	ck_assert_uint_eq(last()->q.server.port, 53);
	ck_assert(!addr_equal_ip(&last()->q.server, &zones_own));
	f.now_us += 20000;
	reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_NOERROR);
	servers_look(f.servers, &zones_own, f.now_us / 1000, &v);
	ck_assert(!v.measured);
	servers_look(f.servers, &last()->q.server, f.now_us / 1000, &v);
	ck_assert(v.measured);
	/* It is the zone's answer, and kept. */
	ck_assert(answers(www, 0));
	expect_idle();
}
END_TEST

START_TEST(what_is_known)
{
	static const uint8_t ftp[] = "\3ftp\7example";

	cache_set_stale(f.cache, 3600);
	ck_assert(!answers(www, 0) && !remembers(www));
	ask(&f.clients[0], www);
	reply(last(), RCODE_NOERROR, true);
	ck_assert(answers(www, 0));
	ck_assert(!answers(ftp, 0) && !remembers(ftp));
	f.wall_s += 400; /* its TTL was 300 */
	ck_assert(!answers(www, 0) && remembers(www));
	ck_assert(answers(www, 3600));
	(void)cache_wipe(f.cache, name_root, 0, true);
	ck_assert(!answers(www, 3600) && remembers(www));
	expect_idle();
}
END_TEST

START_TEST(no_policy_any_more)
{
	f.clients[0].verdict = OUTQUERY_KILL;
	resolver_set_preoutquery(f.r, NULL);
	ask(&f.clients[0], www);
	ck_assert_uint_eq(f.n_polled, 0);
	reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_NOERROR);
	expect_idle();
}
END_TEST

Suite *suite_policy(void);

Suite *suite_policy(void)
{
	Suite *s = suite_create("policy");
	TCase *tc = tcase_create("preoutquery");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_question_may_pass);
	tcase_add_test(tc, a_killed_query_ends);
	tcase_add_test(tc, the_oldest_is_asked_for_first);
	tcase_add_test(tc, a_killed_ones_plan_is_forgotten);
	tcase_add_test(tc, who_joins_meanwhile_is_asked_for);
	tcase_add_test(tc, its_records_are_the_answer);
	tcase_add_test(tc, records_with_another_verdict);
	tcase_add_test(tc, elsewhere_is_somebody_else);
	tcase_add_test(tc, what_is_known);
	tcase_add_test(tc, no_policy_any_more);
	suite_add_tcase(s, tc);
	return s;
}
