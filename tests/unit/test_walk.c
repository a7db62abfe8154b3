/* The way to an unsigned set's owner (check.c): its steps are counted between two ticks of a clock that stands
 * still, by what explain is told; nothing is timed. */
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
	LABELS = 60, /* each with records, and so with a denial of its own */
	ASKED = 4,
	LOOKUPS = 40, /* max-ds-lookups-per-record */
	DAY = 86400,
	MESSAGE = 4096,
	/* What the shares of a turn (turns.c) have room for. */
	STEPS_OF_OTHERS = 35,
	STEPS_OF_SUSPECTS = 15,
};

struct asked {
	struct trace *trace;
	bool is_done;
	uint16_t rcode;
	int ede;
};

static struct fixture {
	struct signed_zone *zone;
	struct asked warm, asked[ASKED];
} f;

static const char *deep(unsigned labels)
{
	static char text[2 * LABELS + 1];

	for (unsigned i = 0; i < labels; i++)
		memcpy(text + 2 * i, "a.", 2);
	text[2 * labels] = '\0';
	return text;
}

static void done(void *ctx, const struct answer *a)
{
	struct asked *q = ctx;

	q->is_done = true;
	q->rcode = a->rcode;
	q->ede = a->ede;
}

static void ask(struct asked *a, unsigned n)
{
	char name[2 * LABELS + 32];
	struct question q = { .type = TYPE_A, .validate = true };

	(void)snprintf(name, sizeof(name), "n%u.%sbad", n, deep(LABELS));
	q.name = wire(name);
	a->trace = calloc(1, sizeof(*a->trace));
	ck_assert_ptr_nonnull(a->trace);
	trace_init(a->trace);
	q.trace = a->trace;
	resolver_ask(still.r, &q, done, a);
}

static unsigned put(struct wire_writer *w, const struct signed_set *s)
{
	for (size_t i = 0; i < s->n + s->n_sig; i++) {
		const struct rdata *rr = i < s->n ? &s->rr[i] : &s->sig[i - s->n];
		uint8_t head[WIRE_RR_FIXED];

		(void)wire_put_fixed(head, i < s->n ? s->type : TYPE_RRSIG, s->ttl, rr->len);
		ck_assert_int_eq(wire_write_bytes(w, s->owner, name_len(s->owner)), E_OK);
		ck_assert_int_eq(wire_write_bytes(w, head, sizeof(head)), E_OK);
		ck_assert_int_eq(wire_write_bytes(w, rr->data, rr->len), E_OK);
	}
	return (unsigned)(s->n + s->n_sig);
}

static void reply(const struct sent *q)
{
	const struct signed_set *proofs[SIGNED_PROOFS_MAX], *s;
	const uint8_t *name = q->wire + WIRE_HEADER_LEN;
	size_t question = WIRE_HEADER_LEN + name_len(name) + 4;
	uint16_t type = wire_get_u16(q->wire + question - 4);
	unsigned n_answer = 0, n_authority = 0;
	uint8_t wire[MESSAGE];
	struct wire_writer w;

	wire_writer_init(&w, wire, sizeof(wire));
	ck_assert_int_eq(wire_write_bytes(&w, q->wire, question), E_OK);
	wire_put_u16(wire + 2, MSG_QR | MSG_AA);
	memset(wire + 6, 0, 6);
	s = name_is_within(name, signed_zone_apex(f.zone)) ? signed_zone_find(f.zone, name, type)
							   : NULL;
	if (s != NULL) {
		n_answer = put(&w, s);
	} else if (name_is_within(name, signed_zone_apex(f.zone))) {
		size_t n = signed_zone_prove(f.zone, name, type, proofs);

		n_authority = put(&w, signed_zone_find(f.zone, signed_zone_apex(f.zone), TYPE_SOA));
		for (size_t i = 0; i < n; i++)
			if (proofs[i]->type != TYPE_SOA)
				n_authority += put(&w, proofs[i]);
	}
	wire_put_u16(wire + 6, (uint16_t)n_answer);
	wire_put_u16(wire + 8, (uint16_t)n_authority);
	(void)resolver_reply(still.r, q->q.ticket, wire, w.len);
}

static unsigned steps(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ASKED; i++) {
		const struct trace *t = f.asked[i].trace;

		for (uint32_t k = 0; t != NULL && k < t->n_events; k++)
			n += t->events[k].kind == EVENT_TRUST;
	}
	return n;
}

/* How many steps that were. */
static unsigned turn(void)
{
	unsigned before = steps();

	still_turn(reply);
	return steps() - before;
}

static struct signed_zone *zone_make(void)
{
	struct signed_zone *z = signed_zone_new(wire("bad"));
	char line[2 * LABELS + 64];

	ck_assert(signed_zone_read(z, "bad. 3600 IN SOA ns.bad. host.bad. 1 2 3 4 3600\n"));
	for (unsigned i = 1; i <= LABELS; i++) {
		(void)snprintf(line, sizeof(line), "%sbad. 3600 IN A 192.0.2.1\n", deep(i));
		ck_assert(signed_zone_read(z, line));
	}
	for (unsigned i = 0; i <= ASKED; i++) {
		(void)snprintf(line, sizeof(line), "n%u.%sbad. 300 IN A 192.0.2.1\n", i,
			       deep(LABELS));
		ck_assert(signed_zone_read(z, line));
		*strchr(line, ' ') = '\0';
		signed_zone_break(z, wire(line), TYPE_A, SIGN_UNSIGNED);
	}
	signed_zone_sign(z, &(struct sign_policy) { .algorithm = ALGORITHM_ECDSAP256SHA256,
						    .inception_s = still.wall_s - DAY,
						    .expiration_s = still.wall_s + DAY });
	return z;
}

static void setup(void)
{
	struct anchors *a = NULL;
	uint8_t ds[SIGN_DS_MAX];
	size_t len;

	memset(&f, 0, sizeof(f));
	still_open();
	still.cfg.dnssec = DNSSEC_PROCESS;
	still.cfg.max_qperq = 10000;
	still.cfg.dnssec_limits.max_signature_validations = 0;
	still.cfg.dnssec_limits.max_ds_lookups_per_record = LOOKUPS;
	still_resolver(NULL);
	f.zone = zone_make();
	len = signed_zone_ds(f.zone, 0, 2, ds);
	ck_assert_int_eq(anchors_new(&a), E_OK);
	ck_assert_int_eq(anchors_add(a, signed_zone_apex(f.zone), TYPE_DS, ds, len), E_OK);
	resolver_set_anchors(still.r, a);
	anchors_put(a);
	/* The denials on the way are known, and cost no signature any more. */
	ask(&f.warm, ASKED);
	for (unsigned i = 0; i < 1000 && !f.warm.is_done; i++)
		(void)turn();
	ck_assert(f.warm.is_done);
	still.now_us += 20000000; /* nobody is suspected any more */
}

static void teardown(void)
{
	for (unsigned i = 0; i < ASKED; i++)
		free(f.asked[i].trace);
	free(f.warm.trace);
	still_close();
	signed_zone_free(f.zone);
}

static unsigned waiting(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ASKED; i++)
		n += !f.asked[i].is_done;
	return n;
}

START_TEST(a_turn_has_so_many_steps_and_no_more)
{
	unsigned turns = 0;

	for (unsigned i = 0; i < ASKED; i++)
		ask(&f.asked[i], i);
	for (; waiting() > 0; turns++) {
		bool is_suspect = waiting() < ASKED;

		ck_assert_uint_le(turn(), is_suspect ? STEPS_OF_SUSPECTS : STEPS_OF_OTHERS);
		ck_assert_uint_lt(turns, 1000);
	}
	/* Nothing was left out, it was only put off; and where the limit is met it ends. */
	ck_assert_uint_ge(turns, ASKED * LOOKUPS / STEPS_OF_OTHERS);
	ck_assert_uint_ge(steps(), ASKED * LOOKUPS);
	ck_assert_uint_le(steps(), ASKED * (LOOKUPS + 1));
	for (unsigned i = 0; i < ASKED; i++) {
		ck_assert_uint_eq(f.asked[i].rcode, RCODE_SERVFAIL);
		ck_assert_int_eq(f.asked[i].ede, EDE_RRSIGS_MISSING);
	}
}
END_TEST

START_TEST(who_had_others_walk_is_suspected)
{
	unsigned turns = 0;

	ask(&f.asked[0], 0);
	while (!f.asked[0].is_done)
		(void)turn();
	ask(&f.asked[1], 1);
	for (; !f.asked[1].is_done; turns++) {
		ck_assert_uint_le(turn(), STEPS_OF_SUSPECTS);
		ck_assert_uint_lt(turns, 1000);
	}
	ck_assert_uint_ge(turns, LOOKUPS / STEPS_OF_SUSPECTS);
}
END_TEST

Suite *suite_walk(void)
{
	Suite *s = suite_create("walk");
	TCase *t = tcase_create("walk");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_turn_has_so_many_steps_and_no_more);
	tcase_add_test(t, who_had_others_walk_is_suspected);
	suite_add_tcase(s, t);
	return s;
}
