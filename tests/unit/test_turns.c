/* How validation takes turns with everybody else (validate.h): signatures checked between two ticks of a
 * clock that stands still, counted by what explain is told; nothing is timed. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/resolve/dnssec/algorithm.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/resolve/event.h"
#include "still_world.h"
#include "tests/signer/zone.h"
#include "wire_name.h"

enum {
	HOSTILE = 12,  /* questions that wait at once; each is put to a dozen servers, in vain */
	HARMLESS = 40, /* new names of a zone that is in order */
	DAY = 86400,
	MESSAGE = 2048,
	PIECES_AT_FIRST = 2, /* nobody knows yet that the zone is bad: out of both shares */
};

struct asked {
	struct trace *trace;
	bool is_done;
	enum security security;
};

static struct fixture {
	struct signed_zone *good, *bad;
	struct asked hostile[HOSTILE], harmless[HARMLESS], warm[3];

} f;

static struct signed_zone *zone_make(const char *apex, unsigned n, enum sign_fault fault)
{
	struct signed_zone *z = signed_zone_new(wire(apex));
	char line[128];

	(void)snprintf(line, sizeof(line), "%s. 60 IN SOA ns.%s. host.%s. 1 2 3 4 5\n", apex, apex,
		       apex);
	ck_assert(signed_zone_read(z, line));
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line), "n%u.%s. 300 IN A 192.0.2.1\n", i, apex);
		ck_assert(signed_zone_read(z, line));
	}
	signed_zone_break(z, NULL, TYPE_A, fault);
	/* The algorithm whose checks take longest. */
	signed_zone_sign(z, &(struct sign_policy) { .algorithm = ALGORITHM_ECDSAP384SHA384,
						    .inception_s = still.wall_s - DAY,
						    .expiration_s = still.wall_s + DAY });
	return z;
}

static void anchor_add(struct anchors *a, const struct signed_zone *z)
{
	uint8_t ds[SIGN_DS_MAX];
	size_t len = signed_zone_ds(z, 0, 2, ds);

	ck_assert_int_eq(anchors_add(a, signed_zone_apex(z), TYPE_DS, ds, len), E_OK);
}

static void done(void *ctx, const struct answer *a)
{
	struct asked *q = ctx;

	q->is_done = true;
	q->security = a->security;
}

static void ask(struct asked *a, unsigned n, const char *apex)
{
	char name[32];
	struct question q = { .type = TYPE_A, .validate = true };

	(void)snprintf(name, sizeof(name), "n%u.%s", n, apex);
	q.name = wire(name);
	a->trace = calloc(1, sizeof(*a->trace));
	ck_assert_ptr_nonnull(a->trace);
	trace_init(a->trace);
	q.trace = a->trace;
	resolver_ask(still.r, &q, done, a);
}

static void put(struct wire_writer *w, const struct signed_set *s, uint16_t type,
		const struct rdata *rr)
{
	uint8_t head[10];

	ck_assert_int_eq(wire_write_bytes(w, s->owner, name_len(s->owner)), E_OK);
	wire_put_u16(head, type);
	wire_put_u16(head + 2, CLASS_IN);
	wire_put_u32(head + 4, s->ttl);
	wire_put_u16(head + 8, rr->len);
	ck_assert_int_eq(wire_write_bytes(w, head, sizeof(head)), E_OK);
	ck_assert_int_eq(wire_write_bytes(w, rr->data, rr->len), E_OK);
}

/* The roots' servers answer for both zones. */
static void reply(const struct sent *q)
{
	const uint8_t *name = q->wire + WIRE_HEADER_LEN;
	size_t question = WIRE_HEADER_LEN + name_len(name) + 4;
	uint16_t type = wire_get_u16(q->wire + question - 4);
	const struct signed_set *s = NULL;
	uint8_t wire[MESSAGE];
	struct wire_writer w;

	if (name_is_within(name, signed_zone_apex(f.good)))
		s = signed_zone_find(f.good, name, type);
	else if (name_is_within(name, signed_zone_apex(f.bad)))
		s = signed_zone_find(f.bad, name, type);
	wire_writer_init(&w, wire, sizeof(wire));
	ck_assert_int_eq(wire_write_bytes(&w, q->wire, question), E_OK);
	wire_put_u16(wire + 2, MSG_QR | MSG_AA);
	memset(wire + 6, 0, 6);
	for (size_t i = 0; s != NULL && i < s->n; i++)
		put(&w, s, type, &s->rr[i]);
	for (size_t i = 0; s != NULL && i < s->n_sig; i++)
		put(&w, s, TYPE_RRSIG, &s->sig[i]);
	wire_put_u16(wire + 6, s != NULL ? (uint16_t)(s->n + s->n_sig) : 0);
	(void)resolver_reply(still.r, q->q.ticket, wire, w.len);
}

static void reply_to_all(void)
{
	while (still.n_sent > 0) {
		struct sent all[STILL_SENT_MAX];
		unsigned n = still.n_sent;

		memcpy(all, still.sent, n * sizeof(all[0]));
		still.n_sent = 0;
		for (unsigned i = 0; i < n; i++)
			if (!all[i].cancelled)
				reply(&all[i]);
	}
}

static unsigned pieces_of(const struct asked *a)
{
	unsigned n = 0;

	for (uint32_t i = 0; a->trace != NULL && i < a->trace->n_events; i++)
		n += a->trace->events[i].kind == EVENT_VERIFIED ||
		     a->trace->events[i].kind == EVENT_NOT_VERIFIED;
	return n;
}

static unsigned pieces(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HOSTILE; i++)
		n += pieces_of(&f.hostile[i]);
	for (unsigned i = 0; i < HARMLESS; i++)
		n += pieces_of(&f.harmless[i]);
	return n;
}

static unsigned hostile_waiting(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < HOSTILE; i++)
		n += !f.hostile[i].is_done;
	return n;
}

/* What the loop does: the time, then packets; all that comes at once.  How many pieces that were. */
static unsigned turn(void)
{
	unsigned before = pieces();

	still.now_us += 1000;
	resolver_tick(still.r);
	reply_to_all();
	return pieces() - before;
}

static void setup(void)
{
	struct anchors *a = NULL;

	memset(&f, 0, sizeof(f));
	still_open();
	still.cfg.dnssec = DNSSEC_PROCESS;
	still_resolver(NULL);
	f.good = zone_make("good", HARMLESS + 1, SIGN_NONE);
	f.bad = zone_make("bad", HOSTILE + 1, SIGN_GARBLED);
	ck_assert_int_eq(anchors_new(&a), E_OK);
	anchor_add(a, f.good);
	anchor_add(a, f.bad);
	resolver_set_anchors(still.r, a);
	anchors_put(a);
	/* The zones' keys are known: what is counted are checks of names. */
	ask(&f.warm[0], HARMLESS, "good");
	for (unsigned i = 0; i < 20; i++)
		(void)turn();
	ck_assert(f.warm[0].is_done);
	ck_assert_int_eq(f.warm[0].security, SEC_SECURE);
}

static void teardown(void)
{
	for (unsigned i = 0; i < HOSTILE; i++)
		free(f.hostile[i].trace);
	for (unsigned i = 0; i < HARMLESS; i++)
		free(f.harmless[i].trace);
	for (unsigned i = 0; i < ARRAY_LEN(f.warm); i++)
		free(f.warm[i].trace);
	still_close();
	signed_zone_free(f.good);
	signed_zone_free(f.bad);
}

static void warm_bad(void)
{
	ask(&f.warm[1], HOSTILE, "bad");
	for (unsigned i = 0; i < 50 && !f.warm[1].is_done; i++)
		(void)turn();
	ck_assert(f.warm[1].is_done);
	ck_assert_int_eq(f.warm[1].security, SEC_BOGUS);
}

START_TEST(a_turn_has_so_much_work_and_no_more)
{
	unsigned most = 0, turns = 0;

	warm_bad();
	still.now_us += 20000000; /* long ago */
	for (unsigned i = 0; i < HOSTILE; i++)
		ask(&f.hostile[i], i, "bad");
	for (; hostile_waiting() > 0; turns++) {
		unsigned n = turn();

		if (n > most)
			most = n;
		/* The others' share, until the first has failed; then the suspects', which is less. */
		ck_assert_uint_le(n, turns == 0 ? PIECES_AT_FIRST : 1);
		ck_assert_uint_lt(turns, 1000);
	}
	ck_assert_uint_eq(most, PIECES_AT_FIRST);
	for (unsigned i = 0; i < HOSTILE; i++)
		ck_assert_int_eq(f.hostile[i].security, SEC_BOGUS);
	/* Each was tried with more than one server: nothing was left out, it was only put off. */
	ck_assert_uint_ge(pieces(), 2 * HOSTILE);
	ck_assert_uint_ge(turns, HOSTILE);
}
END_TEST

START_TEST(others_are_served_between_the_pieces)
{
	unsigned waited = 0;

	warm_bad();
	for (unsigned i = 0; i < HOSTILE; i++)
		ask(&f.hostile[i], i, "bad");
	for (unsigned i = 0; i < HARMLESS; i++) {
		struct asked known = { .trace = NULL };

		waited += hostile_waiting() > 0;
		ask(&f.harmless[i], i, "good");
		/* One piece each. */
		ck_assert_uint_le(turn(), 2);
		ck_assert_msg(f.harmless[i].is_done, "n%u.good waits", i);
		ck_assert_int_eq(f.harmless[i].security, SEC_SECURE);
		ask(&known, HARMLESS, "good");
		ck_assert(known.is_done);
		free(known.trace);
	}
	ck_assert_uint_ge(waited, HARMLESS / 2);
}
END_TEST

Suite *suite_turns(void)
{
	Suite *s = suite_create("turns");
	TCase *t = tcase_create("turns");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_turn_has_so_much_work_and_no_more);
	tcase_add_test(t, others_are_served_between_the_pieces);
	suite_add_tcase(s, t);
	return s;
}
