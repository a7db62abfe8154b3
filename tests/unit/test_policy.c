/* The operator's policy before each question to a server (preoutquery): whom it speaks for, and what
 * each verdict does. */
#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "still_world.h"

enum { CLIENTS_MAX = 8, POLLS_MAX = 128 };

static const uint8_t www[] = "\3www\7example";

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
	struct client clients[CLIENTS_MAX];
	/* whom the policy was asked for */
	struct client *polled[POLLS_MAX];
	struct outquery_plan plans[POLLS_MAX]; /* as it got them */
	unsigned n_polled;
	void (*change)(struct outquery_plan *plan);
	struct client *joins; /* asks when it is told, once */
} f;

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
	memset(&f, 0, sizeof(f));
	still_open();
	still.cfg.prime = false;
	still_resolver(policy);
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

	c->request = resolver_ask(still.r, &q, done, c);
}

static bool answers(const uint8_t *name, uint32_t stale_s)
{
	return cache_answers(still.cache, name, TYPE_A, still.wall_s, stale_s);
}

static bool remembers(const uint8_t *name)
{
	return cache_remembers(still.cache, name_hash(name), TYPE_A);
}

static struct sent *last(void)
{
	ck_assert_uint_gt(still.n_sent, 0);
	return &still.sent[still.n_sent - 1];
}

START_TEST(a_question_may_pass)
{
	ask(&f.clients[0], www);
	ck_assert_uint_eq(f.n_polled, 1);
	ck_assert_ptr_eq(f.polled[0], &f.clients[0]);
	ck_assert(name_equal(f.plans[0].name, www));
	ck_assert_uint_eq(f.plans[0].type, TYPE_A);
	ck_assert_uint_eq(still.n_sent, 1);
	ck_assert(addr_equal(&f.plans[0].server, &last()->q.server));
	(void)still_reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[0].n_sets, 1);
	still_expect_idle();
}
END_TEST

START_TEST(a_killed_query_ends)
{
	f.clients[0].verdict = OUTQUERY_KILL;
	ask(&f.clients[0], www);
	ck_assert_uint_eq(still.n_sent, 0);
	ck_assert_uint_eq(f.clients[0].n_done, 1);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_SERVFAIL);
	ck_assert_int_eq(f.clients[0].ede, EDE_BLOCKED);
	ck_assert_uint_eq(counter_get(&still.counters.policy_kills), 1);
	still_expect_idle();
	/* It is no failure of the name's. */
	ask(&f.clients[1], www);
	ck_assert_uint_eq(still.n_sent, 1);
	(void)still_reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[1].rcode, RCODE_NOERROR);
	still_expect_idle();
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
	(void)still_reply(last(), MSG_TC, false);
	ck_assert_uint_eq(f.n_polled, 5);
	for (unsigned i = 0; i < 4; i++) {
		ck_assert_ptr_eq(f.polled[i + 1], &f.clients[i]);
		ck_assert_int_eq(f.plans[i + 1].transport, TRANSPORT_TCP);
		ck_assert(addr_equal(&f.plans[i + 1].server, &f.plans[0].server));
	}
	ck_assert_uint_eq(still.n_sent, 2);
	ck_assert_int_eq(last()->q.transport, TRANSPORT_TCP);
	(void)still_reply(last(), RCODE_NOERROR, true);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(f.clients[i].n_done, 1);
		ck_assert_uint_eq(f.clients[i].rcode, i < 3 ? RCODE_SERVFAIL : RCODE_NOERROR);
	}
	still_expect_idle();
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
	(void)still_reply(last(), MSG_TC, false);
	ck_assert_uint_ge(f.n_polled, 3);
	ck_assert(addr_equal(&f.plans[2].server, &f.plans[0].server));
	/* No server could be asked. */
	ck_assert_uint_eq(f.clients[1].n_done, 1);
	ck_assert_uint_eq(f.clients[1].rcode, RCODE_SERVFAIL);
	still_expect_idle();
}
END_TEST

/* Who comes to wait while another is told is asked for as well. */
START_TEST(who_joins_meanwhile_is_asked_for)
{
	ask(&f.clients[0], www);
	f.clients[0].verdict = OUTQUERY_KILL;
	f.clients[1].verdict = OUTQUERY_KILL;
	f.joins = &f.clients[1];
	(void)still_reply(last(), MSG_TC, false);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_SERVFAIL);
	ck_assert_uint_eq(f.clients[1].n_done, 1);
	ck_assert_int_eq(f.clients[1].ede, EDE_BLOCKED);
	ck_assert_uint_eq(still.n_sent, 1);
	still_expect_idle();
}
END_TEST

static void answer_it(struct outquery_plan *plan)
{
	static const uint8_t ip[] = { 198, 51, 100, 7 };
	struct rdata rr = { ip, sizeof(ip) };
	struct rrset *set = NULL;

	ck_assert_int_eq(
		rrset_new(&set, plan->name, TYPE_A, 300, still.wall_s, RANK_LOCAL, &rr, 1, NULL, 0),
		E_OK);
	plan->sets[plan->n_sets++] = (struct outquery_set) { set, SECTION_ANSWER };
}

START_TEST(its_records_are_the_answer)
{
	f.change = answer_it;
	f.clients[0].verdict = OUTQUERY_ANSWERED;
	ask(&f.clients[0], www);
	ck_assert_uint_eq(still.n_sent, 0);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_NOERROR);
	ck_assert_uint_eq(f.clients[0].address, 0xc6336407);
	ck_assert(!f.clients[0].cacheable);
	ck_assert_uint_eq(f.clients[0].out_queries, 1);
	ck_assert(!answers(www, 3600));
	still_expect_idle();
}
END_TEST

/* Whatever comes with a verdict is given back. */
START_TEST(records_with_another_verdict)
{
	f.change = answer_it;
	ask(&f.clients[0], www);
	ck_assert_uint_eq(still.n_sent, 1);
	f.clients[1].verdict = OUTQUERY_KILL;
	ask(&f.clients[1], (const uint8_t *)"\3ftp\7example");
	ck_assert_uint_eq(f.clients[1].rcode, RCODE_SERVFAIL);
	(void)still_reply(last(), RCODE_NOERROR, true);
	still_expect_idle();
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
	still.now_us += 20000;
	(void)still_reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_NOERROR);
	servers_look(still.servers, &zones_own, still.now_us / 1000, &v);
	ck_assert(!v.measured);
	servers_look(still.servers, &last()->q.server, still.now_us / 1000, &v);
	ck_assert(v.measured);
	/* It is the zone's answer, and kept. */
	ck_assert(answers(www, 0));
	still_expect_idle();
}
END_TEST

START_TEST(what_is_known)
{
	static const uint8_t ftp[] = "\3ftp\7example";

	cache_set_stale(still.cache, 3600);
	ck_assert(!answers(www, 0) && !remembers(www));
	ask(&f.clients[0], www);
	(void)still_reply(last(), RCODE_NOERROR, true);
	ck_assert(answers(www, 0));
	ck_assert(!answers(ftp, 0) && !remembers(ftp));
	still.wall_s += 400; /* its TTL was 300 */
	ck_assert(!answers(www, 0) && remembers(www));
	ck_assert(answers(www, 3600));
	(void)cache_wipe(still.cache, name_root, 0, true);
	ck_assert(!answers(www, 3600) && remembers(www));
	still_expect_idle();
}
END_TEST

START_TEST(no_policy_any_more)
{
	f.clients[0].verdict = OUTQUERY_KILL;
	resolver_set_preoutquery(still.r, NULL);
	ask(&f.clients[0], www);
	ck_assert_uint_eq(f.n_polled, 0);
	(void)still_reply(last(), RCODE_NOERROR, true);
	ck_assert_uint_eq(f.clients[0].rcode, RCODE_NOERROR);
	still_expect_idle();
}
END_TEST

Suite *suite_policy(void);

Suite *suite_policy(void)
{
	Suite *s = suite_create("policy");
	TCase *tc = tcase_create("preoutquery");

	tcase_add_checked_fixture(tc, setup, still_close);
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
