/* validation: what becomes of an answer that was validated. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "recursor/resolve/dnssec/bogus.h"
#include "recursor/validation.h"
#include "recursor/watch/rings.h"
#include "recursor/wiring.h"

/* A query of www.example. A, as it waits in a pipeline. */
struct waiting {
	struct pipeline pipeline;
	struct counters counters;
	struct client_query cq;
	struct settings *settings;
};

static void ignore_line(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static struct waiting *wait_for(const char *mode, uint16_t flags, bool dnssec_ok)
{
	static const uint8_t question[] = "\3www\7example\0\0\1\0\1";
	struct waiting *w = calloc(1, sizeof(*w));
	char dnssec[64], why[SETTINGS_WHY_MAX] = "";
	char *argv[] = { "recursor", "--config-dir=/nowhere", dnssec,
			 "--x-dnssec-names=known.example", NULL };
	struct query_dnssec_table table;

	ck_assert_ptr_nonnull(w);
	(void)snprintf(dnssec, sizeof(dnssec), "--dnssec=%s", mode);
	ck_assert_msg(settings_load(&w->settings, 4, argv, ignore_line, NULL, why) == E_OK, "%s",
		      why);
	query_dnssec_fill(&table, wiring_dnssec_mode(w->settings));
	w->pipeline.account.counters = &w->counters;
	ck_assert_int_eq(rings_new(&w->pipeline.account.rings, 10), E_OK);
	memcpy(w->cq.head + WIRE_HEADER_LEN, question, sizeof(question) - 1);
	w->cq.pipeline = &w->pipeline;
	w->cq.client.remote.family = 4;
	w->cq.q = (struct query) {
		.wire = w->cq.head,
		.question_end = (uint16_t)(WIRE_HEADER_LEN + sizeof(question) - 1),
		.flags = (uint16_t)(MSG_RD | flags),
		.type = TYPE_A,
		.class = CLASS_IN,
		.edns = dnssec_ok,
		.dnssec_ok = dnssec_ok,
		.dnssec = query_dnssec_of(&table, flags, dnssec_ok),
	};
	return w;
}

static void leave(struct waiting *w)
{
	rings_free(w->pipeline.account.rings);
	settings_free(w->settings);
	free(w);
}

/* Of all results, those of x-dnssec-names included. */
static uint64_t results(const struct counters *c)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < METRICS_N_DNSSEC; i++)
		sum += counter_get(&c->dnssec_results[i]) + counter_get(&c->x_dnssec_results[i]);
	return sum;
}

START_TEST(each_answer_has_one_result)
{
	static const struct {
		enum security security;
		enum bogus bogus;
		bool is_under_nta;
		enum metrics_dnssec result;
	} table[] = {
		{ SEC_SECURE, BOGUS_NONE, false, METRICS_DNSSEC_SECURE },
		{ SEC_INSECURE, BOGUS_NONE, false, METRICS_DNSSEC_INSECURE },
		{ SEC_INSECURE, BOGUS_NONE, true, METRICS_DNSSEC_NTA },
		{ SEC_INDETERMINATE, BOGUS_NONE, false, METRICS_DNSSEC_INDETERMINATE },
		{ SEC_BOGUS, BOGUS_NO_VALID_DNSKEY, false, METRICS_DNSSEC_NO_VALID_DNSKEY },
		{ SEC_BOGUS, BOGUS_SIGNATURE_EXPIRED, false, METRICS_DNSSEC_SIGNATURE_EXPIRED },
		{ SEC_BOGUS, BOGUS_MAX_RRSIGS, false, METRICS_DNSSEC_NO_VALID_RRSIG },
		{ SEC_BOGUS, BOGUS_MAX_DNSKEYS, false, METRICS_DNSSEC_NO_VALID_DNSKEY },
		{ SEC_BOGUS, BOGUS_MAX_DS, false, METRICS_DNSSEC_NO_VALID_DNSKEY },
		{ SEC_BOGUS, BOGUS_MAX_DS_LOOKUPS, false, METRICS_DNSSEC_NO_RRSIG },
		{ SEC_BOGUS, BOGUS_MAX_NSEC3S, false, METRICS_DNSSEC_INVALID_DENIAL },
		{ SEC_BOGUS, BOGUS_MAX_HASHES, false, METRICS_DNSSEC_INVALID_DENIAL },
		{ SEC_INSECURE, BOGUS_MAX_ITERATIONS, false, METRICS_DNSSEC_INSECURE },
		{ SEC_BOGUS, BOGUS_INVALID_DNSKEY_PROTOCOL, false,
		  METRICS_DNSSEC_INVALID_DNSKEY_PROTOCOL },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct waiting *w = wait_for("process", 0, true);
		struct answer a = {
			.ede = EDE_NONE,
			.security = table[i].security,
			.bogus = (uint8_t)table[i].bogus,
			.is_under_nta = table[i].is_under_nta,
		};

		validation_note(&w->cq, w->settings, &a);
		ck_assert_uint_eq(counter_get(&w->counters.dnssec_validations), 1);
		ck_assert_uint_eq(counter_get(&w->counters.dnssec_results[table[i].result]), 1);
		ck_assert_uint_eq(results(&w->counters), 1);
		ck_assert_uint_eq(counter_get(&w->counters.limit_rrsigs),
				  table[i].bogus == BOGUS_MAX_RRSIGS);
		ck_assert_uint_eq(counter_get(&w->counters.limit_dnskeys),
				  table[i].bogus == BOGUS_MAX_DNSKEYS);
		ck_assert_uint_eq(counter_get(&w->counters.limit_ds),
				  table[i].bogus == BOGUS_MAX_DS);
		ck_assert_uint_eq(counter_get(&w->counters.limit_ds_lookups),
				  table[i].bogus == BOGUS_MAX_DS_LOOKUPS);
		ck_assert_uint_eq(counter_get(&w->counters.limit_nsec3s),
				  table[i].bogus == BOGUS_MAX_NSEC3S);
		ck_assert_uint_eq(counter_get(&w->counters.limit_iterations),
				  table[i].bogus == BOGUS_MAX_ITERATIONS);
		leave(w);
	}
}
END_TEST

START_TEST(what_nobody_validated_has_none)
{
	static const struct {
		const char *mode;
		enum security security;
		uint16_t flags;
	} table[] = {
		{ "process", SEC_UNCHECKED, 0 },
		{ "process", SEC_SECURE, MSG_CD },
		{ "process-no-validate", SEC_SECURE, 0 },
		{ "off", SEC_SECURE, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct waiting *w = wait_for(table[i].mode, table[i].flags, true);
		struct answer a = { .ede = EDE_NONE, .security = table[i].security };

		validation_note(&w->cq, w->settings, &a);
		ck_assert_uint_eq(counter_get(&w->counters.dnssec_validations), 0);
		ck_assert_uint_eq(results(&w->counters), 0);
		leave(w);
	}
}
END_TEST

START_TEST(names_that_are_counted_apart)
{
	static const uint8_t question[] = "\1a\5Known\7example\0\0\1\0\1";
	struct waiting *w = wait_for("process", MSG_AD, false);
	struct answer a = { .ede = EDE_NONE, .security = SEC_SECURE };

	memcpy(w->cq.head + WIRE_HEADER_LEN, question, sizeof(question) - 1);
	w->cq.q.question_end = (uint16_t)(WIRE_HEADER_LEN + sizeof(question) - 1);
	validation_note(&w->cq, w->settings, &a);
	ck_assert_uint_eq(counter_get(&w->counters.dnssec_validations), 1);
	ck_assert_uint_eq(counter_get(&w->counters.x_dnssec_results[METRICS_DNSSEC_SECURE]), 1);
	ck_assert_uint_eq(results(&w->counters), 1);
	leave(w);
}
END_TEST

/* PowerDNS's modes: who is refused what is bogus. */
START_TEST(who_is_refused_what_is_bogus)
{
	enum fate { GETS, GETS_UNSEEN /* it was not validated */, REFUSED };
	static const struct {
		const char *mode;
		bool dnssec_ok;
		uint16_t flags;
		enum fate fate;
	} table[] = {
		{ "process", false, 0, GETS_UNSEEN },
		{ "process", true, 0, REFUSED },
		{ "process", false, MSG_AD, REFUSED },
		{ "process", true, MSG_CD, GETS_UNSEEN },
		{ "process", false, MSG_AD | MSG_CD, GETS_UNSEEN },
		{ "log-fail", false, 0, GETS },
		{ "log-fail", true, 0, REFUSED },
		{ "log-fail", false, MSG_AD, REFUSED },
		{ "log-fail", true, MSG_CD, GETS_UNSEEN },
		{ "validate", false, 0, REFUSED },
		{ "validate", true, 0, REFUSED },
		{ "validate", false, MSG_CD, GETS_UNSEEN },
	};

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct waiting *w = wait_for(table[i].mode, table[i].flags, table[i].dnssec_ok);
		bool validates = w->cq.q.dnssec & QUERY_VALIDATE;
		struct rrset *set = NULL;
		struct answer a = {
			.ede = EDE_NONE,
			.sets = &set,
			.n_sets = 1,
			.security = validates ? SEC_BOGUS : SEC_UNCHECKED,
			.bogus = validates ? BOGUS_SIGNATURE_EXPIRED : BOGUS_NONE,
		};

		ck_assert_int_eq(validates, table[i].fate != GETS_UNSEEN);
		validation_apply(&w->cq, w->settings, &a);
		ck_assert_uint_eq(a.rcode,
				  table[i].fate == REFUSED ? RCODE_SERVFAIL : RCODE_NOERROR);
		ck_assert_uint_eq(a.n_sets, table[i].fate != REFUSED);
		ck_assert_int_eq(a.ede,
				 table[i].fate == REFUSED ? EDE_SIGNATURE_EXPIRED : EDE_NONE);
		/* The resolver itself refuses: who gets it all the same asks once more. */
		if (validates) {
			struct answer failure = {
				.rcode = RCODE_SERVFAIL,
				.ede = EDE_SIGNATURE_EXPIRED,
				.security = SEC_BOGUS,
			};

			ck_assert_int_eq(validation_asks_anew(&w->cq, &failure),
					 table[i].fate == GETS);
			ck_assert(!validation_asks_anew(&w->cq, &failure));
		}
		leave(w);
	}
}
END_TEST

START_TEST(negative_trust_anchors_are_told_of)
{
	for (int on = 0; on < 2; on++) {
		struct waiting *w = wait_for("process", 0, true);
		struct answer a = {
			.ede = EDE_NONE,
			.security = SEC_INSECURE,
			.is_under_nta = true,
		};

		w->settings->nta_extended_error = on;
		validation_apply(&w->cq, w->settings, &a);
		ck_assert_int_eq(a.ede, on ? EDE_NEGATIVE_TRUST_ANCHOR : EDE_NONE);
		ck_assert_uint_eq(a.rcode, RCODE_NOERROR);
		leave(w);
	}
}
END_TEST

static bool count_entry(void *ctx, const struct ring_entry *e)
{
	(void)e;
	++*(unsigned *)ctx;
	return true;
}

START_TEST(bogus_answers_are_in_their_ring)
{
	static const char *const texts[] = { "", "Indeterminate", "Insecure", "Secure", "Bogus" };

	for (unsigned security = SEC_INDETERMINATE; security <= SEC_BOGUS; security++) {
		struct waiting *w = wait_for("log-fail", 0, false);
		struct answer a = { .ede = EDE_NONE, .security = (enum security)security };
		struct ringset *set = NULL;
		unsigned n = 0;

		ck_assert_str_eq(validation_text(&a), texts[security]);
		validation_note(&w->cq, w->settings, &a);
		ck_assert_int_eq(ringset_new(&set, 1), E_OK);
		(void)ringset_swap(set, 0, w->pipeline.account.rings);
		w->pipeline.account.rings = NULL;
		(void)ringset_read(set, RING_BOGUS, count_entry, &n);
		ck_assert_uint_eq(n, security == SEC_BOGUS);
		ringset_free(set);
		leave(w);
	}
}
END_TEST

START_TEST(tables_agree)
{
	static const char *const names[] = {
#define NAME(result, name, help) name,
		METRICS_BOGUS_REASONS(NAME)
#undef NAME
	};

	for (unsigned i = 0; i < BOGUS_REASON_N; i++)
		ck_assert_str_eq(names[i] + strlen("bogus-"),
				 bogus_reason_text((enum bogus_reason)i));
	for (unsigned bogus = BOGUS_NONE; bogus < BOGUS_N; bogus++) {
		struct answer a = { .security = SEC_BOGUS, .bogus = (uint8_t)bogus };

		ck_assert_uint_eq(validation_state(&a),
				  HOOK_FIRST_BOGUS + bogus_row(bogus)->reason);
	}
}
END_TEST

Suite *suite_validation(void)
{
	Suite *s = suite_create("validation");
	TCase *tc = tcase_create("validation");

	tcase_add_test(tc, each_answer_has_one_result);
	tcase_add_test(tc, what_nobody_validated_has_none);
	tcase_add_test(tc, names_that_are_counted_apart);
	tcase_add_test(tc, who_is_refused_what_is_bogus);
	tcase_add_test(tc, negative_trust_anchors_are_told_of);
	tcase_add_test(tc, bogus_answers_are_in_their_ring);
	tcase_add_test(tc, tables_agree);
	suite_add_tcase(s, tc);
	return s;
}
