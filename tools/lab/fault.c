/* fault: what a server can be made to do wrong. */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/conf.h"
#include "tools/lab/lab.h"

static const struct {
	const char *word;
	bool has_value;
	const char *help;
} faults[FAULTS] = {
#define FAULT_ROW(name, word, has_value, help) { word, has_value, help },
	FAULT_TABLE(FAULT_ROW)
#undef FAULT_ROW
};

const char *fault_word(enum fault f)
{
	return faults[f].word;
}

int fault_set(struct server *s, const char *word, const char *value, char why[LAB_WHY_MAX])
{
	long long v = 0;

	if (strcmp(word, "none") == 0) {
		memset(s->has_fault, 0, sizeof(s->has_fault));
		return E_OK;
	}
	for (unsigned i = 0; i < FAULTS; i++) {
		if (strcmp(faults[i].word, word) != 0)
			continue;
		if (faults[i].has_value &&
		    (value == NULL || conf_int(value, 0, 1000000, &v) != E_OK)) {
			snprintf(why, LAB_WHY_MAX, "%s needs a number", word);
			return E_MALFORMED;
		}
		s->has_fault[i] = true;
		s->fault_value[i] = (uint32_t)v;
		return E_OK;
	}
	snprintf(why, LAB_WHY_MAX, "unknown fault: %s", word);
	return E_MALFORMED;
}

void fault_print(const struct server *s, FILE *f)
{
	for (unsigned i = 0; i < FAULTS; i++) {
		if (!s->has_fault[i])
			continue;
		fprintf(f, " %s", faults[i].word);
		if (faults[i].has_value)
			fprintf(f, " %u", s->fault_value[i]);
	}
}

void fault_print_help(FILE *f)
{
	for (unsigned i = 0; i < FAULTS; i++)
		fprintf(f, "  %-10s %-2s %s\n", faults[i].word, faults[i].has_value ? "N" : "",
			faults[i].help);
	fprintf(f, "  %-13s %s\n", "none", "as it should be");
}

bool fault_swallows(struct lab *lab, struct server *s)
{
	if (s->has_fault[FAULT_SILENT])
		return true;
	if (s->has_fault[FAULT_RATE]) {
		uint64_t second = lab_now_ms() / 1000;

		if (second != s->rate_second) {
			s->rate_second = second;
			s->rate_used = 0;
		}
		if (s->rate_used++ >= s->fault_value[FAULT_RATE])
			return true;
	}
	return s->has_fault[FAULT_LOSS] && lab_random_below(lab, 100) < s->fault_value[FAULT_LOSS];
}

static void push(ldns_pkt *reply, ldns_pkt_section section, const char *text)
{
	ldns_rr *rr = NULL;

	if (ldns_rr_new_frm_str(&rr, text, ZONE_DEFAULT_TTL, NULL, NULL) == LDNS_STATUS_OK)
		ldns_pkt_push_rr(reply, section, rr);
}

/* A referral one label below the closest zone, to names nobody has heard of. */
static ldns_pkt *answer_huge(const struct lab_query *q, uint32_t n)
{
	ldns_pkt *reply = serve_reply_new(q, LDNS_RCODE_NOERROR);
	const ldns_rdf *name = ldns_rr_owner(q->question);
	unsigned labels = ldns_dname_label_count(name), zone_labels = 0;
	char text[1024], *cut;
	ldns_rdf *d;

	for (unsigned i = 0; i < q->server->n_zones; i++)
		if (zone_holds(q->server->zones[i], name) &&
		    ldns_dname_label_count(q->server->zones[i]->origin) > zone_labels)
			zone_labels = ldns_dname_label_count(q->server->zones[i]->origin);
	if (labels <= zone_labels)
		return reply;
	d = ldns_dname_clone_from(name, (uint16_t)(labels - zone_labels - 1));
	cut = ldns_rdf2str(d);
	for (uint32_t i = 0; i < n && i < 2000 && cut != NULL; i++) {
		snprintf(text, sizeof(text), "%s 3600 IN NS ns%u.huge%u.%s", cut, i, i, cut);
		push(reply, LDNS_SECTION_AUTHORITY, text);
	}
	free(cut);
	ldns_rdf_deep_free(d);
	return reply;
}

ldns_pkt *fault_answer(const struct lab_query *q)
{
	const struct server *s = q->server;
	ldns_pkt *reply;

	if (s->has_fault[FAULT_FORMERR] && ldns_pkt_edns(q->pkt)) {
		reply = serve_reply_new(q, LDNS_RCODE_FORMERR);
		ldns_pkt_set_edns_udp_size(reply, 0);
		ldns_pkt_set_edns_do(reply, false);
		return reply;
	}
	if (s->has_fault[FAULT_REFUSED])
		return serve_reply_new(q, LDNS_RCODE_REFUSED);
	if (s->has_fault[FAULT_SERVFAIL])
		return serve_reply_new(q, LDNS_RCODE_SERVFAIL);
	if (s->has_fault[FAULT_LAME]) {
		reply = serve_reply_new(q, LDNS_RCODE_NOERROR);
		push(reply, LDNS_SECTION_AUTHORITY, ". 3600 IN NS a.root.lab.");
		return reply;
	}
	if (s->has_fault[FAULT_HUGE])
		return answer_huge(q, s->fault_value[FAULT_HUGE]);
	return NULL;
}

void fault_spoil(const struct lab_query *q, ldns_pkt *reply)
{
	const struct server *s = q->server;
	ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(reply), 0);

	if (s->has_fault[FAULT_TRUNCATED] && q->transport == LAB_UDP)
		ldns_pkt_set_tc(reply, true);
	if (s->has_fault[FAULT_LOWERCASE] && question != NULL)
		ldns_dname2canonical(ldns_rr_owner(question));
	if (s->has_fault[FAULT_MISMATCH] && question != NULL) {
		ldns_rdf_deep_free(ldns_rr_owner(question));
		ldns_rr_set_owner(question, ldns_dname_new_frm_str("another.question.lab."));
	}
}

void fault_send(struct lab *lab, const struct lab_query *q, uint8_t *wire, size_t len,
		lab_send_cb send, void *ctx)
{
	const struct server *s = q->server;
	uint32_t delay_ms = s->has_fault[FAULT_DELAY] ? s->fault_value[FAULT_DELAY] : 0;

	if (s->has_fault[FAULT_GARBLED])
		for (size_t i = 2; i < len; i++)
			wire[i] = (uint8_t)lab_random_below(lab, 256);
	if (s->has_fault[FAULT_SPOOFED] && q->transport == LAB_UDP && len >= 2) {
		uint16_t id = ldns_read_uint16(wire);

		for (uint32_t i = 1; i <= s->fault_value[FAULT_SPOOFED]; i++) {
			ldns_write_uint16(wire, (uint16_t)(id + i));
			send(ctx, wire, len, 0);
		}
		ldns_write_uint16(wire, id);
		delay_ms += 20; /* the forger is nearer */
	}
	send(ctx, wire, len, delay_ms);
}
