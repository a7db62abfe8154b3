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
	MESSAGE = 65535,
	PIECES_AT_FIRST = 2, /* nobody knows yet that the zone is bad: out of both shares */
	SMALL_PIECES = 61,   /* of the least work that is charged: one, and the suspects' share */
	LARGE_TEXTS = 220,   /* strings of 255 bytes: as much as a message holds */
};

struct asked {
	struct trace *trace;
	bool is_done;
	enum security security;
};

static struct fixture {
	struct signed_zone *good, *bad, *keyless, *large;
	struct asked hostile[HOSTILE], harmless[HARMLESS], warm[2], again;
	bool holds_keys_back;
	struct sent held_back;
} f;

static struct signed_zone *zone_new(const char *apex)
{
	struct signed_zone *z = signed_zone_new(wire(apex));
	char line[128];

	(void)snprintf(line, sizeof(line), "%s. 60 IN SOA ns.%s. host.%s. 1 2 3 4 5\n", apex, apex,
		       apex);
	ck_assert(signed_zone_read(z, line));
	return z;
}

static void zone_sign(struct signed_zone *z, uint8_t algorithm)
{
	signed_zone_sign(z, &(struct sign_policy) { .algorithm = algorithm,
						    .inception_s = still.wall_s - DAY,
						    .expiration_s = still.wall_s + DAY });
}

static struct signed_zone *zone_make(const char *apex, unsigned n, enum sign_fault fault)
{
	struct signed_zone *z = zone_new(apex);
	char line[128];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(line, sizeof(line), "n%u.%s. 300 IN A 192.0.2.1\n", i, apex);
		ck_assert(signed_zone_read(z, line));
	}
	signed_zone_break(z, NULL, TYPE_A, fault);
	/* The algorithm whose checks take longest. */
	zone_sign(z, ALGORITHM_ECDSAP384SHA384);
	return z;
}

/* Its checks take next to nothing; to hash what is checked does. */
static struct signed_zone *zone_of_large_sets(const char *apex, unsigned n)
{
	struct signed_zone *z = zone_new(apex);
	uint8_t text[1 + 255];
	char name[32];

	memset(text, 'x', sizeof(text));
	text[0] = 255;
	for (unsigned i = 0; i < n * LARGE_TEXTS; i++) {
		(void)snprintf(name, sizeof(name), "n%u.%s", i / LARGE_TEXTS, apex);
		text[1] = (uint8_t)(i % LARGE_TEXTS);
		signed_zone_add(z, wire(name), TYPE_TXT, 300, text, sizeof(text));
	}
	signed_zone_break(z, NULL, TYPE_TXT, SIGN_GARBLED);
	zone_sign(z, ALGORITHM_RSASHA256);
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

static void ask_type(struct asked *a, unsigned n, const char *apex, uint16_t type)
{
	char name[32];
	struct question q = { .type = type, .validate = true };

	(void)snprintf(name, sizeof(name), "n%u.%s", n, apex);
	q.name = wire(name);
	a->trace = calloc(1, sizeof(*a->trace));
	ck_assert_ptr_nonnull(a->trace);
	trace_init(a->trace);
	q.trace = a->trace;
	resolver_ask(still.r, &q, done, a);
}

static void ask(struct asked *a, unsigned n, const char *apex)
{
	ask_type(a, n, apex, TYPE_A);
}

static void put(struct wire_writer *w, const struct signed_set *s, uint16_t type,
		const struct rdata *rr)
{
	uint8_t head[WIRE_RR_FIXED];

	/* The question's name: in a message of that size it has to be short. */
	wire_put_u16(head, 0xc000 + WIRE_HEADER_LEN);
	ck_assert_int_eq(wire_write_bytes(w, head, 2), E_OK);
	(void)wire_put_fixed(head, type, s->ttl, rr->len);
	ck_assert_int_eq(wire_write_bytes(w, head, sizeof(head)), E_OK);
	ck_assert_int_eq(wire_write_bytes(w, rr->data, rr->len), E_OK);
}

/* The roots' servers answer for all zones. */
static void reply(const struct sent *q)
{
	const uint8_t *name = q->wire + WIRE_HEADER_LEN;
	size_t question = WIRE_HEADER_LEN + name_len(name) + 4;
	uint16_t type = wire_get_u16(q->wire + question - 4);
	struct signed_zone *zones[] = { f.good, f.bad, f.keyless, f.large };
	const struct signed_set *s = NULL;
	static uint8_t wire[MESSAGE];
	struct wire_writer w;

	if (type == TYPE_DNSKEY && f.holds_keys_back) {
		f.held_back = *q;
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(zones); i++)
		if (name_is_within(name, signed_zone_apex(zones[i])))
			s = signed_zone_find(zones[i], name, type);
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

/* How many pieces that were. */
static unsigned turn(void)
{
	unsigned before = pieces();

	still_turn(reply);
	return pieces() - before;
}

static void setup(void)
{
	struct anchors *a = NULL;

	memset(&f, 0, sizeof(f));
	still_open();
	still.cfg.dnssec = DNSSEC_PROCESS;
	still.cfg.max_bytesperq = 0; /* for sets as large as a message */
	still_resolver(NULL);
	f.good = zone_make("good", HARMLESS + 1, SIGN_NONE);
	f.bad = zone_make("bad", HOSTILE + 1, SIGN_GARBLED);
	f.keyless = zone_make("keyless", HOSTILE + 1, SIGN_OTHER_TAG);
	f.large = zone_of_large_sets("large", HOSTILE + 1);
	ck_assert_int_eq(anchors_new(&a), E_OK);
	anchor_add(a, f.good);
	anchor_add(a, f.bad);
	anchor_add(a, f.keyless);
	anchor_add(a, f.large);
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
	free(f.again.trace);
	still_close();
	signed_zone_free(f.good);
	signed_zone_free(f.bad);
	signed_zone_free(f.keyless);
	signed_zone_free(f.large);
}

static void warm_up(const char *apex, uint16_t type)
{
	ask_type(&f.warm[1], HOSTILE, apex, type);
	for (unsigned i = 0; i < 50 && !f.warm[1].is_done; i++)
		(void)turn();
	ck_assert(f.warm[1].is_done);
	ck_assert_int_eq(f.warm[1].security, SEC_BOGUS);
}

/* Asks all that is hostile, of a zone whose keys are known and that was good for long.  In no turn there are
 * more pieces than that; in how many turns there were any. */
static unsigned turns_of(const char *apex, uint16_t type, unsigned at_first, unsigned later)
{
	unsigned turns = 0;

	warm_up(apex, type);
	still.now_us += 20000000;
	for (unsigned i = 0; i < HOSTILE; i++)
		ask_type(&f.hostile[i], i, apex, type);
	for (; hostile_waiting() > 0; turns++) {
		ck_assert_uint_le(turn(), turns == 0 ? at_first : later);
		ck_assert_uint_lt(turns, 1000);
	}
	for (unsigned i = 0; i < HOSTILE; i++)
		ck_assert_int_eq(f.hostile[i].security, SEC_BOGUS);
	/* Each was tried with more than one server: nothing was left out, it was only put off. */
	ck_assert_uint_ge(pieces(), 2 * HOSTILE);
	return turns;
}

START_TEST(a_turn_has_so_much_work_and_no_more)
{
	unsigned most = 0, turns = 0;

	warm_up("bad", TYPE_A);
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

/* Signatures by a key that is not there are never checked; to see that takes time, too, and the zone is one
 * of the suspects from the first on. */
START_TEST(a_piece_without_a_check_is_not_free)
{
	ck_assert_uint_gt(turns_of("keyless", TYPE_A, SMALL_PIECES, SMALL_PIECES - 1),
			  HOSTILE * 10 / SMALL_PIECES);
}
END_TEST

START_TEST(what_is_hashed_is_charged)
{
	ck_assert_uint_ge(turns_of("large", TYPE_TXT, PIECES_AT_FIRST, 1), 2 * HOSTILE);
}
END_TEST

/* Whoever holds the keys back wakes all who wait for them at once. */
START_TEST(those_woken_by_keys_have_turns_as_well)
{
	f.holds_keys_back = true;
	for (unsigned i = 0; i < HOSTILE; i++)
		ask_type(&f.hostile[i], i, "large", TYPE_TXT);
	(void)turn();
	ck_assert_uint_eq(pieces(), 0);
	ck_assert_uint_eq(hostile_waiting(), HOSTILE);
	f.holds_keys_back = false;
	reply(&f.held_back);
	/* That of the keys, of which all are told, and no more than usual. */
	ck_assert_uint_gt(pieces(), HOSTILE);
	ck_assert_uint_le(pieces(), HOSTILE + PIECES_AT_FIRST);
	for (unsigned i = 0; hostile_waiting() > 0; i++) {
		ck_assert_uint_le(turn(), 1);
		ck_assert_uint_lt(i, 1000);
	}
}
END_TEST

START_TEST(others_are_served_between_the_pieces)
{
	unsigned waited = 0;

	warm_up("bad", TYPE_A);
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

/* What a cache knows to be bogus is looked at again for whoever traces; that is as much work as it was. */
START_TEST(what_is_told_again_is_charged)
{
	unsigned told = 0;

	turns_of("bad", TYPE_A, PIECES_AT_FIRST, 1);
	still.now_us += 20000000; /* long ago: the zone is no suspect */
	for (unsigned i = 0; i < HOSTILE; i++) {
		struct asked known = { .trace = NULL };

		ask(&known, i, "bad");
		ck_assert(known.is_done);
		ck_assert_int_eq(known.security, SEC_BOGUS);
		told += pieces_of(&known);
		free(known.trace);
	}
	/* All at once: out of one share. */
	ck_assert_uint_ge(told, 1);
	ck_assert_uint_le(told, PIECES_AT_FIRST);
	/* In the next turn there is more. */
	(void)turn();
	ask(&f.again, 0, "bad");
	ck_assert_uint_eq(pieces_of(&f.again), 1);
}
END_TEST

Suite *suite_turns(void)
{
	Suite *s = suite_create("turns");
	TCase *t = tcase_create("turns");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_turn_has_so_much_work_and_no_more);
	tcase_add_test(t, a_piece_without_a_check_is_not_free);
	tcase_add_test(t, what_is_hashed_is_charged);
	tcase_add_test(t, what_is_told_again_is_charged);
	tcase_add_test(t, those_woken_by_keys_have_turns_as_well);
	tcase_add_test(t, others_are_served_between_the_pieces);
	suite_add_tcase(s, t);
	return s;
}
