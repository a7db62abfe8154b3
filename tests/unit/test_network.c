/* A resolver whose own network is cut, and comes back: on the simulated network, with a small
 * Internet of a root, eight top-level domains and 64 zones, each in networks of their own. */
#include <check.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/resolve/resolver.h"
#include "tests/sim/network.h"

enum {
	ROOTS = 3,
	TLDS = 8,
	ZONES = 64,
	QPS = 25,
	SECOND_US = 1000000,
	TTL = 300,
	EVIL = 32, /* zones below the last top-level domain are an attacker's */
};

enum cut { CUT_NONE, CUT_SILENT, CUT_UNREACHABLE, CUT_UNROUTED };

static struct {
	struct network net;
	struct resolver_config cfg;
	struct cache *cache;
	struct servers *servers;
	struct resolver *r;
	struct counters counters;
	enum cut cut;
	bool has_v6; /* servers have a second address */
	bool no_v6_route;
	bool evil_is_silent;
	unsigned sent; /* questions that left */
	unsigned unanswered, answered, failed, stale;
	unsigned serial;
} s;

/* ---- servers ---- */

/* "zNN.tX" */
static void zone_name(uint8_t *out, unsigned zone)
{
	const uint8_t name[] = { 3, 'z', (uint8_t)('a' + zone / 8),    (uint8_t)('a' + zone % 8),
				 2, 't', (uint8_t)('a' + zone % TLDS), 0 };

	memcpy(out, name, sizeof(name));
}

static void tld_name(uint8_t out[NAME_MAX_LEN], unsigned tld)
{
	const uint8_t name[] = { 2, 't', (uint8_t)('a' + tld), 0 };

	memcpy(out, name, sizeof(name));
}

static uint32_t addr_of_root(unsigned i)
{
	return (i + 1) << 24 | 1;
}

static uint32_t addr_of_tld(unsigned tld)
{
	return (tld + 20) << 24 | 1;
}

static uint32_t addr_of_zone(unsigned zone)
{
	return (zone + 60) << 24 | 1;
}

struct writer {
	uint8_t buf[1024];
	size_t len;
};

static void put(struct writer *w, const uint8_t *owner, uint16_t type, const void *data, size_t len)
{
	w->len += name_copy(w->buf + w->len, owner);
	wire_put_u16(w->buf + w->len, type);
	wire_put_u16(w->buf + w->len + 2, CLASS_IN);
	wire_put_u32(w->buf + w->len + 4, TTL);
	wire_put_u16(w->buf + w->len + 8, (uint16_t)len);
	memcpy(w->buf + w->len + 10, data, len);
	w->len += 10 + len;
}

static void put_addr(struct writer *w, const uint8_t *owner, uint32_t a)
{
	uint8_t data[4];

	wire_put_u32(data, a);
	put(w, owner, TYPE_A, data, sizeof(data));
}

static void put_addr6(struct writer *w, const uint8_t *owner, uint32_t a)
{
	uint8_t data[16] = { 0x20, (uint8_t)(a >> 24) };

	put(w, owner, TYPE_AAAA, data, sizeof(data));
}

/* "ns." before the zone. */
static void refer(struct writer *w, uint16_t count[4], const uint8_t *zone, uint32_t a)
{
	uint8_t ns[NAME_MAX_LEN] = "\2ns";

	name_copy(ns + 3, zone);
	put(w, zone, TYPE_NS, ns, name_len(ns));
	put_addr(w, ns, a);
	if (s.has_v6)
		put_addr6(w, ns, a);
	count[2] = 1;
	count[3] = s.has_v6 ? 2 : 1;
}

/* What the server at `a` (its first byte says which) says to the question. */
static unsigned serve(struct writer *w, uint16_t count[4], unsigned who, const struct msg *m)
{
	uint8_t zone[NAME_MAX_LEN];
	unsigned labels = name_labels(m->qname);

	if (who < 20 && labels == 0) {
		for (unsigned i = 0; i < ROOTS; i++) {
			const uint8_t ns[] = { 1, (uint8_t)('a' + i), 1, 'r', 0 };

			put(w, name_root, TYPE_NS, ns, sizeof(ns));
		}
		count[1] = ROOTS;
		return MSG_AA;
	}
	if (who < 20) {
		for (unsigned t = 0; t < TLDS; t++) {
			tld_name(zone, t);
			if (name_is_within(m->qname, zone)) {
				refer(w, count, zone, addr_of_tld(t));
				return 0;
			}
		}
		return MSG_AA | RCODE_NXDOMAIN;
	}
	for (unsigned z = 0; z < ZONES; z++) {
		zone_name(zone, z);
		if (!name_is_within(m->qname, zone))
			continue;
		if (who < 60 && who == z % TLDS + 20) {
			refer(w, count, zone, addr_of_zone(z));
			return 0;
		}
		if (who != z + 60)
			break;
		if (m->qtype == TYPE_A) {
			put_addr(w, m->qname, 0xc0000200 + z);
			count[1] = 1;
		}
		return MSG_AA;
	}
	return RCODE_REFUSED;
}

static enum send_result on_question(void *ctx, struct network *n, const struct outquery *q,
				    const uint8_t *wire, size_t len)
{
	uint16_t count[4] = { 1 };
	struct writer w = { 0 };
	unsigned who = q->server.ip[q->server.family == 4 ? 0 : 1];
	unsigned flags;
	struct msg m;

	(void)ctx;
	if (s.cut == CUT_UNROUTED || (s.no_v6_route && q->server.family == 6))
		return SEND_UNROUTED;
	s.sent++;
	if (s.cut == CUT_UNREACHABLE)
		network_fail(n, q->ticket, NET_UNREACHABLE, 5);
	if (s.cut != CUT_NONE || (s.evil_is_silent && who >= 60 + EVIL))
		return SEND_OK;
	ck_assert_int_eq(msg_open(&m, wire, len), E_OK);
	memcpy(w.buf, wire, WIRE_HEADER_LEN);
	w.len = WIRE_HEADER_LEN + name_copy(w.buf + WIRE_HEADER_LEN, m.qname);
	wire_put_u16(w.buf + w.len, m.qtype);
	wire_put_u16(w.buf + w.len + 2, CLASS_IN);
	w.len += 4;
	flags = serve(&w, count, who, &m);
	wire_put_u16(w.buf + 2, (uint16_t)(MSG_QR | flags));
	for (int i = 0; i < 4; i++)
		wire_put_u16(w.buf + 4 + 2 * i, count[i]);
	network_deliver(n, q->ticket, w.buf, w.len, 0);
	return SEND_OK;
}

/* ---- clients ---- */

struct asked {
	bool done;
	uint16_t rcode;
	int16_t ede;
	uint32_t out_queries;
};

static struct asked asked[70000];

static void on_answer(void *ctx, const struct answer *a)
{
	struct asked *x = ctx;

	ck_assert(!x->done);
	*x = (struct asked) { true, a->rcode, a->ede, a->out_queries };
	s.unanswered--;
	s.answered++;
	s.failed += a->rcode == RCODE_SERVFAIL;
	s.stale += a->is_stale;
	if (a->rcode == RCODE_NOERROR)
		ck_assert_uint_eq(a->n_sets, 1);
}

static struct asked *ask_name(const uint8_t *name)
{
	struct asked *x = &asked[s.serial++];

	ck_assert_uint_lt(s.serial, ARRAY_LEN(asked));
	*x = (struct asked) { .done = false };
	s.unanswered++;
	resolver_ask(s.r, &(struct question) { .name = name, .type = TYPE_A }, on_answer, x);
	return x;
}

/* "hNNN" in a zone: `host` the same: the same name. */
static struct asked *ask(unsigned zone, unsigned host)
{
	uint8_t name[NAME_MAX_LEN] = { 5,
				       'h',
				       (uint8_t)('a' + host / 17576 % 26),
				       (uint8_t)('a' + host / 676 % 26),
				       (uint8_t)('a' + host / 26 % 26),
				       (uint8_t)('a' + host % 26) };

	zone_name(name + 6, zone);
	return ask_name(name);
}

static void pass(uint64_t us)
{
	uint64_t until_us = s.net.now_us + us;

	while (network_step(&s.net, until_us))
		;
	ck_assert_str_eq(s.net.breach, "");
}

/* New names, QPS of them. */
static void ask_for(unsigned seconds)
{
	for (unsigned i = 0; i < seconds * QPS; i++) {
		ask(i * 7 % ZONES, s.serial);
		pass(SECOND_US / QPS);
	}
}

static void make_hints(void)
{
	struct rrset *sets[ROOTS + 1];
	struct rdata ns[ROOTS];
	uint8_t names[ROOTS][5], data[4];

	for (unsigned i = 0; i < ROOTS; i++) {
		memcpy(names[i], (uint8_t[]) { 1, (uint8_t)('a' + i), 1, 'r', 0 }, 5);
		ns[i] = (struct rdata) { names[i], 5 };
		wire_put_u32(data, addr_of_root(i));
		ck_assert_int_eq(rrset_new(&sets[i], names[i], TYPE_A, 3600, 0, RANK_LOCAL,
					   &(struct rdata) { data, 4 }, 1, NULL, 0),
				 E_OK);
	}
	ck_assert_int_eq(rrset_new(&sets[ROOTS], name_root, TYPE_NS, 3600, 0, RANK_LOCAL, ns, ROOTS,
				   NULL, 0),
			 E_OK);
	ck_assert_int_eq(resolver_set_hints(s.r, sets, ROOTS + 1), E_OK);
	for (unsigned i = 0; i <= ROOTS; i++)
		rrset_put(sets[i]);
}

static void start(bool with_v6)
{
	struct cache_config cache = { .max_entries = 200000, .shards = 4 };
	struct servers_config servers = {
		.max_servers = 10000,
		.max_throttles = 10000,
		.down_max_fails = 8,
		.down_time_s = 60,
		.network_timeout_ms = 1500,
		.weather = { .min_servers = 8 },
	};

	memset(&s, 0, sizeof(s));
	hash_key_set(1, 2);
	resolver_config_defaults(&s.cfg);
	s.cfg.use_ipv6 = s.has_v6 = with_v6;
	s.cfg.qname_minimisation = false;
	s.cfg.failure_ttl = 300; /* to be seen when one is remembered */
	ck_assert_int_eq(network_init(&s.net, 7, 1700000000), E_OK);
	ck_assert_int_eq(cache_new(&s.cache, &cache), E_OK);
	ck_assert_int_eq(servers_new(&s.servers, &servers), E_OK);
	ck_assert_int_eq(resolver_new(&s.r, &s.cfg, s.cache, s.servers, &s.counters, &s.net.world),
			 E_OK);
	s.net.resolver = s.r;
	s.net.serve = on_question;
	make_hints();
}

static void stop(void)
{
	struct resolver_stats left;

	pass(60 * (uint64_t)SECOND_US);
	ck_assert_uint_eq(s.unanswered, 0);
	resolver_stats(s.r, &left);
	ck_assert_uint_eq(left.requests + left.goals + left.timers, 0);
	ck_assert_uint_eq(s.net.n_pending, 0);
	resolver_free(s.r);
	servers_free(s.servers);
	cache_free(s.cache);
	network_deinit(&s.net);
}

static enum weather_state state(unsigned family)
{
	return weather_state(servers_weather(s.servers), family);
}

/* ---- what is known of servers ---- */

struct table {
	unsigned n;
	struct server_dump servers[256];
	unsigned n_throttles;
};

static int keep_server(void *ctx, const struct server_dump *d)
{
	struct table *t = ctx;

	ck_assert_uint_lt(t->n, ARRAY_LEN(t->servers));
	t->servers[t->n] = *d;
	t->servers[t->n++].ns_name = NULL;
	return 0;
}

static int keep_throttle(void *ctx, const struct throttle_dump *d)
{
	struct table *t = ctx;

	(void)d;
	t->n_throttles++;
	return 0;
}

/* As if it were that late. */
static void table_take(struct table *t, uint64_t now_ms)
{
	t->n = t->n_throttles = 0;
	servers_walk(s.servers, keep_server, t, now_ms);
	servers_walk_throttles(s.servers, keep_throttle, t, now_ms);
}

static void check_same(const struct table *a, const struct table *b)
{
	ck_assert_uint_eq(a->n, b->n);
	ck_assert_uint_eq(a->n_throttles, b->n_throttles);
	for (unsigned i = 0; i < a->n; i++) {
		const struct server_view *x = &a->servers[i].view, *y = &b->servers[i].view;

		ck_assert(addr_equal(&a->servers[i].addr, &b->servers[i].addr));
		ck_assert_uint_eq(a->servers[i].age_ms, b->servers[i].age_ms);
		ck_assert_uint_eq(x->srtt_us, y->srtt_us);
		ck_assert_uint_eq(x->timeout_ms, y->timeout_ms);
		ck_assert_uint_eq(x->fails, y->fails);
		ck_assert_int_eq(x->down, y->down);
	}
}

/* ---- the tests ---- */

static const struct {
	enum cut cut;
	unsigned seconds;
} cuts[] = {
	{ CUT_SILENT, 10 },      { CUT_SILENT, 60 },      { CUT_SILENT, 600 },
	{ CUT_UNREACHABLE, 10 }, { CUT_UNREACHABLE, 60 }, { CUT_UNREACHABLE, 600 },
	{ CUT_UNROUTED, 10 },    { CUT_UNROUTED, 60 },    { CUT_UNROUTED, 600 },
};

/* Everything is known, is cut off, and comes back. */
START_TEST(a_cut_comes_and_goes)
{
	static struct table before, after;
	unsigned first, last, noticed_s = 5, good_after;
	uint64_t late_ms;

	start(false);
	for (unsigned z = 0; z < ZONES; z++) {
		ask(z, 0);
		pass(SECOND_US / QPS);
	}
	ask_for(5);
	ck_assert_uint_eq(s.failed, 0);
	pass(2 * SECOND_US);
	late_ms = s.net.now_us / 1000 + 30000;
	table_take(&before, late_ms);

	s.cut = cuts[_i].cut;
	first = s.serial;
	s.sent = 0;
	ask_for(noticed_s);
	ck_assert_int_eq(state(4), s.cut == CUT_UNROUTED ? WEATHER_UNROUTED : WEATHER_DOWN);
	if (s.cut == CUT_UNROUTED)
		ck_assert_uint_eq(s.sent, 0);
	/* No storm of retries: a handful a second, whatever is asked. */
	s.sent = 0;
	ask_for(cuts[_i].seconds - noticed_s);
	ck_assert_uint_le(s.sent, 13 * (cuts[_i].seconds - noticed_s));
	ck_assert_uint_le(s.unanswered, 15 * 2);
	table_take(&after, late_ms);
	check_same(&before, &after);

	/* It returns.  Within ten seconds all is well, and so are the names that failed. */
	last = s.serial;
	s.cut = CUT_NONE;
	for (good_after = 0; good_after < 10 * QPS && s.failed > 0; good_after++) {
		s.failed = 0;
		ask(good_after % ZONES, s.serial);
		pass(SECOND_US / QPS);
	}
	ck_assert_uint_lt(good_after, 10 * QPS);
	ck_assert_int_eq(state(4), WEATHER_FAIR);
	pass(3 * SECOND_US);
	s.failed = 0;
	for (unsigned i = first; i < last; i++) {
		unsigned zone = (i - first) % (noticed_s * QPS);

		/* The same names: ask_for() counts from 0 each time. */
		if (i - first >= noticed_s * QPS)
			zone = i - first - noticed_s * QPS;
		ask(zone * 7 % ZONES, i);
		if (i % 4 == 0)
			pass(SECOND_US / 100);
	}
	pass(SECOND_US);
	ck_assert_uint_eq(s.failed, 0);
	ck_assert_uint_eq(s.unanswered, 0);
	stop();
}
END_TEST

/* What is asked while nobody is there says so, and at once. */
START_TEST(questions_fail_at_once_and_say_why)
{
	struct asked *x;

	start(false);
	ask_for(5);
	s.cut = CUT_SILENT;
	ask_for(5);
	ck_assert_int_eq(state(4), WEATHER_DOWN);
	s.failed = 0;
	for (unsigned i = 0; i < 100; i++) {
		x = ask(i % ZONES, s.serial);
		ck_assert(x->done || i < 2); /* but for a try */
		if (!x->done)
			continue;
		ck_assert_uint_eq(x->rcode, RCODE_SERVFAIL);
		ck_assert_int_eq(x->ede, EDE_NETWORK_ERROR);
		ck_assert_uint_eq(x->out_queries, 0);
	}
	s.cut = CUT_NONE;
	stop();
}
END_TEST

/* Nobody asks anything: it is found out nevertheless that the network is back. */
START_TEST(probes_find_out_by_themselves)
{
	start(false);
	ask_for(5);
	s.cut = CUT_SILENT;
	ask_for(5);
	pass(3 * SECOND_US);
	ck_assert_int_eq(state(4), WEATHER_DOWN);
	s.sent = 0;
	pass(100 * (uint64_t)SECOND_US);
	ck_assert_uint_ge(s.sent, 190);
	ck_assert_uint_le(s.sent, 201);
	ck_assert_int_eq(state(4), WEATHER_DOWN);
	s.cut = CUT_NONE;
	pass(2 * SECOND_US);
	ck_assert_int_eq(state(4), WEATHER_FAIR);
	ck_assert_uint_ge(counter_get(&s.counters.network_probes), 190);
	stop();
}
END_TEST

/* The same without a route: then no packet is spent. */
START_TEST(routes_are_looked_for_by_themselves)
{
	start(false);
	ask_for(5);
	pass(2 * SECOND_US);
	s.cut = CUT_UNROUTED;
	ask_for(3);
	ck_assert_int_eq(state(4), WEATHER_UNROUTED);
	ck_assert_int_eq(asked[s.serial - 1].ede, EDE_NETWORK_ERROR);
	s.sent = 0;
	pass(100 * (uint64_t)SECOND_US);
	ck_assert_uint_eq(s.sent, 0);
	s.cut = CUT_NONE;
	ask(3, s.serial);
	pass(SECOND_US);
	ck_assert_int_eq(state(4), WEATHER_FAIR);
	ck_assert_uint_eq(asked[s.serial - 1].rcode, RCODE_NOERROR);
	stop();
}
END_TEST

/* Expired answers are served at once. */
START_TEST(stale_answers_are_served_meanwhile)
{
	start(false);
	s.cfg.stale_s = 86400;
	s.cfg.stale_client_timeout_ms = 1800;
	resolver_configure(s.r, &s.cfg);
	cache_set_stale(s.cache, s.cfg.stale_s);
	for (unsigned z = 0; z < ZONES; z++)
		ask(z, 0);
	pass((TTL + 10) * (uint64_t)SECOND_US);
	ask_for(5);
	s.cut = CUT_SILENT;
	ask_for(5);
	ck_assert_int_eq(state(4), WEATHER_DOWN);
	s.sent = 0;
	for (unsigned z = 0; z < ZONES; z++) {
		struct asked *x = ask(z, 0);

		ck_assert(x->done);
		ck_assert_uint_eq(x->rcode, RCODE_NOERROR);
	}
	ck_assert_uint_eq(s.sent, 0);
	ck_assert_uint_ge(s.stale, ZONES);
	s.cut = CUT_NONE;
	pass(2 * SECOND_US);
	s.stale = 0;
	for (unsigned z = 0; z < ZONES; z++)
		ask(z, 0);
	pass(SECOND_US);
	ck_assert_uint_eq(s.stale, 0);
	ck_assert_uint_eq(s.unanswered, 0);
	stop();
}
END_TEST

/* Another worker has noticed that it is gone, and this one resolves nothing: one such answer has it see
 * to it that it finds out when the network is back. */
START_TEST(a_stale_answer_has_the_network_looked_for)
{
	start(false);
	s.cfg.stale_s = 86400;
	resolver_configure(s.r, &s.cfg);
	cache_set_stale(s.cache, s.cfg.stale_s);
	for (unsigned z = 0; z < ZONES; z++)
		ask(z, 0);
	pass((TTL + 10) * (uint64_t)SECOND_US);
	for (unsigned i = 1; i <= WEATHER_UNSENT; i++) {
		struct addr a = { .family = 4, .port = 53, .ip = { (uint8_t)i, 0, 0, 1 } };

		weather_unsent(servers_weather(s.servers), &a, s.net.now_us / 1000);
	}
	ck_assert_int_eq(state(4), WEATHER_UNROUTED);
	s.stale = 0;
	ask(0, 0);
	ck_assert_uint_eq(s.stale, 1);
	pass(SECOND_US);
	ck_assert_int_eq(state(4), WEATHER_FAIR);
	stop();
}
END_TEST

/* Nobody is known whom a probe could go to: no timer goes on for it, and the next question tries. */
START_TEST(without_anybody_to_probe_questions_try)
{
	struct resolver_stats left;

	start(false);
	ask_for(5);
	pass(2 * SECOND_US);
	resolver_drop_hints(s.r);
	s.cut = CUT_UNROUTED;
	ask_for(3);
	ck_assert_uint_gt(s.failed, 0);
	pass(10 * (uint64_t)SECOND_US);
	resolver_stats(s.r, &left);
	ck_assert_uint_eq(left.requests + left.goals + left.timers, 0);
	s.cut = CUT_NONE;
	ask(3, s.serial);
	pass(SECOND_US);
	ck_assert_int_eq(state(4), WEATHER_FAIR);
	ck_assert_uint_eq(asked[s.serial - 1].rcode, RCODE_NOERROR);
	stop();
}
END_TEST

/* A zone is known whose server has no address. */
static void put_delegation(const uint8_t *zone, const uint8_t *server)
{
	const struct rdata ns = { server, (uint16_t)name_len(server) };
	struct rrset *set = NULL;

	ck_assert_int_eq(rrset_new(&set, zone, TYPE_NS, 3600, s.net.world.wall_s(s.net.world.ctx),
				   RANK_REFERRAL, &ns, 1, NULL, 0),
			 E_OK);
	(void)cache_put(s.cache, set, CACHE_AS_DELEGATION, s.net.world.wall_s(s.net.world.ctx));
	rrset_put(set);
}

/* Nobody is known whom a probe could go to, and all that is asked wants addresses first, more often than
 * the ring that looks for the network has its turns. */
START_TEST(questions_without_addresses_do_not_hold_the_ring_up)
{
	static const uint8_t name[] = "\3www\3far\2ta", *zone = name + 4;
	unsigned ms = 0;

	start(false);
	ask_for(2);
	pass(2 * SECOND_US);
	resolver_drop_hints(s.r);
	put_delegation(zone, (const uint8_t *)"\5haaaa\3zab\2tb");
	s.cut = CUT_UNROUTED;
	ask_for(3);
	while (state(4) != WEATHER_UNROUTED) {
		ask(0, s.serial);
		pass(SECOND_US / QPS);
	}
	s.cut = CUT_NONE;
	for (; ms < 10000 && state(4) == WEATHER_UNROUTED; ms++) {
		(void)ask_name(name);
		pass(1000);
	}
	ck_assert_int_eq(state(4), WEATHER_FAIR);
	ck_assert_uint_lt(ms, 10000);
	stop();
}
END_TEST

/* An attacker's servers have answered, and fall silent in 32 networks, while he asks and hardly
 * anybody else does. */
START_TEST(an_attacker_is_not_believed)
{
	struct weather_stats stats;

	start(false);
	ask_for(10);
	s.evil_is_silent = true;
	pass(10 * SECOND_US);
	for (unsigned i = 0; i < 120 * QPS; i++) {
		ask(EVIL + i % EVIL, s.serial);
		if (i % (5 * QPS) == 0) {
			struct asked *x = ask(i / QPS % EVIL, s.serial);

			pass(SECOND_US / QPS);
			pass(SECOND_US / QPS);
			ck_assert_uint_eq(x->rcode, RCODE_NOERROR);
		}
		pass(SECOND_US / QPS);
	}
	weather_stats(servers_weather(s.servers), 4, s.net.now_us / 1000, &stats);
	ck_assert_uint_eq(stats.downs, 0);
	/* He was suspected, and probes cleared him. */
	ck_assert_uint_ge(counter_get(&s.counters.network_probes), 1);
	ck_assert_uint_le(counter_get(&s.counters.network_probes), 120 * 4);
	stop();
}
END_TEST

/* A family without a route costs no question of the budget, and nobody is blamed. */
START_TEST(no_ipv6_costs_nothing)
{
	start(true);
	s.no_v6_route = true;
	for (unsigned i = 0; i < 50; i++) {
		struct asked *x = ask(i, s.serial);

		pass(SECOND_US / 10);
		ck_assert_uint_eq(x->rcode, RCODE_NOERROR);
		ck_assert_uint_le(x->out_queries, 3);
	}
	ck_assert_uint_eq(s.sent, 50 + 50 + TLDS + counter_get(&s.counters.primings));
	ck_assert_int_eq(state(6), WEATHER_UNROUTED);
	ck_assert_int_eq(state(4), WEATHER_FAIR);
	/* Three to find out, then one in three seconds. */
	ck_assert_uint_ge(counter_get(&s.counters.unrouted), 3);
	ck_assert_uint_le(counter_get(&s.counters.unrouted), 8);
	/* Nor does an hour of silence change what is known of IPv4. */
	pass(3600 * (uint64_t)SECOND_US);
	for (unsigned z = 0; z < ZONES; z++)
		ask(z, s.serial);
	pass(SECOND_US);
	ck_assert_uint_eq(s.failed, 0);
	/* When that goes too, nobody is left. */
	s.cut = CUT_UNROUTED;
	ask_for(2);
	ck_assert_int_eq(asked[s.serial - 1].ede, EDE_NETWORK_ERROR);
	s.cut = CUT_NONE;
	ask_for(2);
	s.failed = 0;
	ask_for(2);
	ck_assert_uint_eq(s.failed, 0);
	/* It comes, and is used. */
	s.no_v6_route = false;
	ask_for(20);
	ck_assert_int_eq(state(6), WEATHER_FAIR);
	ck_assert_uint_ge(counter_get(&s.counters.ipv6_outqueries), 10);
	ck_assert_uint_eq(s.failed, 0);
	stop();
}
END_TEST

Suite *suite_network(void)
{
	Suite *suite = suite_create("network");
	TCase *t = tcase_create("network");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_cut_comes_and_goes, 0, ARRAY_LEN(cuts));
	tcase_add_test(t, questions_fail_at_once_and_say_why);
	tcase_add_test(t, probes_find_out_by_themselves);
	tcase_add_test(t, routes_are_looked_for_by_themselves);
	tcase_add_test(t, stale_answers_are_served_meanwhile);
	tcase_add_test(t, a_stale_answer_has_the_network_looked_for);
	tcase_add_test(t, without_anybody_to_probe_questions_try);
	tcase_add_test(t, questions_without_addresses_do_not_hold_the_ring_up);
	tcase_add_test(t, an_attacker_is_not_believed);
	tcase_add_test(t, no_ipv6_costs_nothing);
	suite_add_tcase(suite, t);
	return suite;
}
