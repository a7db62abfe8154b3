#include "tests/sim/compare.h"

#include <stdlib.h>

#include "common/check.h"
#include "common/name.h"

static const char *const match_names[] = {
#define MATCH_NAME(name, word) word,
	MATCH_TABLE(MATCH_NAME)
#undef MATCH_NAME
};

static const ldns_rr *question_of(const ldns_pkt *p)
{
	const ldns_rr_list *q = ldns_pkt_question(p);

	return ldns_rr_list_rr_count(q) == 0 ? NULL : ldns_rr_list_rr(q, 0);
}

static unsigned rcode_of(const ldns_pkt *p)
{
	return (unsigned)ldns_pkt_get_rcode(p) | (unsigned)ldns_pkt_edns_extended_rcode(p) << 4;
}

static unsigned flags_of(const ldns_pkt *p)
{
	return (unsigned)ldns_pkt_qr(p) | (unsigned)ldns_pkt_aa(p) << 1 |
	       (unsigned)ldns_pkt_tc(p) << 2 | (unsigned)ldns_pkt_rd(p) << 3 |
	       (unsigned)ldns_pkt_ra(p) << 4 | (unsigned)ldns_pkt_ad(p) << 5 |
	       (unsigned)ldns_pkt_cd(p) << 6;
}

/* ---- names ---- */

static unsigned differing_question(const ldns_pkt *expected, const ldns_pkt *got)
{
	const ldns_rr *e = question_of(expected), *g = question_of(got);
	const uint8_t *e_name, *g_name;
	unsigned differs = 0;

	if (e == NULL && g == NULL)
		return 0;
	if (e == NULL || g == NULL)
		return MATCH_QTYPE | MATCH_QNAME | MATCH_QCASE | MATCH_SUBDOMAIN;
	/* In ldns a name is in wire form, too. */
	e_name = ldns_rdf_data(ldns_rr_owner(e));
	g_name = ldns_rdf_data(ldns_rr_owner(g));
	if (ldns_rr_get_type(e) != ldns_rr_get_type(g))
		differs |= MATCH_QTYPE;
	if (!name_equal(e_name, g_name))
		differs |= MATCH_QNAME;
	if (!name_equal_case(e_name, g_name))
		differs |= MATCH_QCASE;
	if (!name_is_within(g_name, e_name))
		differs |= MATCH_SUBDOMAIN;
	return differs;
}

/* ---- sections as sets ---- */

struct set {
	ldns_rr **rr;
	size_t n;
};

static int by_content(const void *a, const void *b)
{
	return ldns_rr_compare(*(ldns_rr *const *)a, *(ldns_rr *const *)b);
}

/* A sorted copy without duplicates, names in lower case, TTLs 0 unless they count. */
static struct set set_new(const ldns_rr_list *l, bool with_ttl)
{
	size_t n = ldns_rr_list_rr_count(l);
	struct set s = { .rr = calloc(n + 1, sizeof(*s.rr)) };

	ASSERT(s.rr != NULL);
	for (size_t i = 0; i < n; i++) {
		ldns_rr *rr = ldns_rr_clone(ldns_rr_list_rr(l, i));

		ASSERT(rr != NULL);
		ldns_rr2canonical(rr);
		if (!with_ttl)
			ldns_rr_set_ttl(rr, 0);
		s.rr[i] = rr;
	}
	qsort(s.rr, n, sizeof(*s.rr), by_content);
	for (size_t i = 0; i < n; i++) {
		if (s.n > 0 && ldns_rr_compare(s.rr[s.n - 1], s.rr[i]) == 0)
			ldns_rr_free(s.rr[i]);
		else
			s.rr[s.n++] = s.rr[i];
	}
	return s;
}

static void set_free(struct set *s)
{
	for (size_t i = 0; i < s->n; i++)
		ldns_rr_free(s->rr[i]);
	free(s->rr);
}

static bool is_same_section(const ldns_rr_list *a, const ldns_rr_list *b, bool with_ttl)
{
	struct set x = set_new(a, with_ttl), y = set_new(b, with_ttl);
	bool same = x.n == y.n;

	for (size_t i = 0; same && i < x.n; i++)
		same = ldns_rr_compare(x.rr[i], y.rr[i]) == 0 &&
		       (!with_ttl || ldns_rr_ttl(x.rr[i]) == ldns_rr_ttl(y.rr[i]));
	set_free(&x);
	set_free(&y);
	return same;
}

/* ---- whole messages ---- */

unsigned compare_messages(const ldns_pkt *expected, const ldns_pkt *got, unsigned match)
{
	bool with_ttl = match & MATCH_TTL;
	unsigned differs = differing_question(expected, got);

	if (ldns_pkt_get_opcode(expected) != ldns_pkt_get_opcode(got))
		differs |= MATCH_OPCODE;
	if (rcode_of(expected) != rcode_of(got))
		differs |= MATCH_RCODE;
	if (flags_of(expected) != flags_of(got))
		differs |= MATCH_FLAGS;
	if (ldns_pkt_edns_version(expected) != ldns_pkt_edns_version(got) ||
	    ldns_pkt_edns_udp_size(expected) != ldns_pkt_edns_udp_size(got))
		differs |= MATCH_EDNS;
	if (match & MATCH_ANSWER &&
	    !is_same_section(ldns_pkt_answer(expected), ldns_pkt_answer(got), with_ttl))
		differs |= MATCH_ANSWER;
	if (match & MATCH_AUTHORITY &&
	    !is_same_section(ldns_pkt_authority(expected), ldns_pkt_authority(got), with_ttl))
		differs |= MATCH_AUTHORITY;
	if (match & MATCH_ADDITIONAL &&
	    !is_same_section(ldns_pkt_additional(expected), ldns_pkt_additional(got), with_ttl))
		differs |= MATCH_ADDITIONAL;
	return differs & match;
}

unsigned compare_arrival(const ldns_pkt *query, enum transport transport, unsigned match)
{
	unsigned differs = 0;

	differs |= transport == TRANSPORT_UDP ? MATCH_TCP : MATCH_UDP;
	differs |= ldns_pkt_edns(query) ? MATCH_NO_EDNS : MATCH_HAS_EDNS;
	differs |= ldns_pkt_rd(query) ? MATCH_NO_RD : MATCH_HAS_RD;
	return differs & match;
}

void compare_print_words(FILE *f, unsigned bits)
{
	for (unsigned i = 0; i < ARRAY_LEN(match_names); i++)
		if (bits & 1u << i)
			fprintf(f, " %s", match_names[i]);
}

static void print_section(FILE *f, const ldns_rr_list *l, const char *indent, const char *mark)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(l); i++) {
		char *text = ldns_rr2str(ldns_rr_list_rr(l, i));

		ASSERT(text != NULL);
		fprintf(f, "%s%s %s", indent, mark, text);
		free(text);
	}
}

void compare_print_message(FILE *f, const ldns_pkt *p, const char *indent)
{
	static const char *const names[] = { "QR", "AA", "TC", "RD", "RA", "AD", "CD" };
	char *rcode = ldns_pkt_rcode2str(ldns_pkt_get_rcode(p));

	fprintf(f, "%s%s", indent, rcode);
	free(rcode);
	if (ldns_pkt_edns_extended_rcode(p) != 0)
		fprintf(f, "+%u", (unsigned)ldns_pkt_edns_extended_rcode(p));
	for (unsigned i = 0; i < ARRAY_LEN(names); i++)
		if (flags_of(p) & 1u << i)
			fprintf(f, " %s", names[i]);
	if (ldns_pkt_edns(p))
		fprintf(f, "  EDNS %u%s", ldns_pkt_edns_udp_size(p),
			ldns_pkt_edns_do(p) ? " DO" : "");
	fputc('\n', f);
	print_section(f, ldns_pkt_question(p), indent, "?");
	print_section(f, ldns_pkt_answer(p), indent, "=");
	print_section(f, ldns_pkt_authority(p), indent, "^");
	print_section(f, ldns_pkt_additional(p), indent, "+");
}
