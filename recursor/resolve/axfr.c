/* axfr: see axfr.h. */
#include "recursor/resolve/axfr.h"

#include <stdio.h>
#include <string.h>

#include "common/msg.h"
#include "common/rrtype.h"

static int refuse(char why[ZONECOPY_WHY_MAX], int err, const char *words)
{
	(void)snprintf(why, ZONECOPY_WHY_MAX, "%s", words);
	return err;
}

void axfr_init(struct axfr *x, struct zonecopy *copy, uint16_t id)
{
	*x = (struct axfr) { .copy = copy, .id = id };
}

/* RFC 5936 2.2: the header of each message; its question, if it has one. */
static int open_message(struct msg *m, const uint8_t *zone, uint16_t type, uint16_t id,
			const uint8_t *wire, size_t len, char *why)
{
	char text[ZONECOPY_WHY_MAX], rcode[RRTYPE_TEXT_MAX];
	int err = msg_open(m, wire, len);

	if (err != E_OK)
		return refuse(why, err, "a message that cannot be parsed");
	if (m->id != id || !(m->flags & MSG_QR) || m->opcode != OPCODE_QUERY ||
	    (m->flags & MSG_TC) != 0)
		return refuse(why, E_MALFORMED, "a message that is no answer to the question");
	if (m->has_question &&
	    (m->qtype != type || m->qclass != CLASS_IN || !name_equal(m->qname, zone)))
		return refuse(why, E_MALFORMED, "an answer to another question");
	if (m->rcode == RCODE_NOERROR)
		return E_OK;
	(void)snprintf(text, sizeof(text), "the server answers %s", rcode_to_text(m->rcode, rcode));
	return refuse(why, E_UNSUPPORTED, text);
}

/* Its rdata, unfolded; E_END after the last record of the answer section. */
static int next_record(struct msg *m, struct msg_rr *rr, uint8_t rdata[WIRE_MSG_MAX], uint16_t *len,
		       char *why)
{
	int err = msg_next(m, rr);

	if (err == E_END || (err == E_OK && rr->section != SECTION_ANSWER))
		return E_END;
	if (err == E_OK)
		err = msg_rdata(m, rr, rdata, WIRE_MSG_MAX, len);
	if (err != E_OK)
		return refuse(why, err, "a record that cannot be parsed");
	if (rr->class != CLASS_IN)
		return refuse(why, E_MALFORMED, "a record of another class");
	return E_OK;
}

/* Of the SOA record: it begins the transfer, and ends it. */
static int take_soa(struct axfr *x, const struct soa *soa, bool *is_new, char *why)
{
	*is_new = !x->has_begun;
	if (!x->has_begun) {
		x->has_begun = true;
		x->serial = soa->serial;
		return E_OK;
	}
	if (soa->serial != x->serial)
		return refuse(why, E_MALFORMED, "the zone changed while it was transferred");
	x->is_done = true;
	return E_OK;
}

static int take_record(struct axfr *x, const struct msg_rr *rr, const uint8_t *rdata, uint16_t len,
		       char *why)
{
	bool is_soa = rr->type == TYPE_SOA && name_equal(rr->owner, zonecopy_apex(x->copy));
	bool is_new = true;
	struct soa soa;
	int err = E_OK;

	if (is_soa) {
		if (!soa_read(&soa, &(struct rdata) { rdata, len }))
			return refuse(why, E_MALFORMED, "a SOA record that is cut short");
		err = take_soa(x, &soa, &is_new, why);
	} else if (!x->has_begun) {
		return refuse(why, E_MALFORMED, "the transfer does not begin with the SOA record");
	}
	if (err != E_OK || !is_new)
		return err;
	return zonecopy_add(x->copy, rr->owner, rr->type, rr->ttl, rdata, len, why);
}

int axfr_take(struct axfr *x, const uint8_t *wire, size_t len, char why[ZONECOPY_WHY_MAX])
{
	uint8_t rdata[WIRE_MSG_MAX];
	uint16_t rdlen = 0;
	struct msg_rr rr;
	struct msg m;
	int err = open_message(&m, zonecopy_apex(x->copy), TYPE_AXFR, x->id, wire, len, why);

	while (err == E_OK && !x->is_done) {
		err = next_record(&m, &rr, rdata, &rdlen, why);
		if (err == E_OK)
			err = take_record(x, &rr, rdata, rdlen, why);
	}
	return err == E_END ? E_OK : err;
}

int axfr_read_serial(uint32_t *serial, const uint8_t *zone, uint16_t id, const uint8_t *wire,
		     size_t len, char why[ZONECOPY_WHY_MAX])
{
	uint8_t rdata[WIRE_MSG_MAX];
	uint16_t rdlen = 0;
	struct soa soa;
	struct msg_rr rr;
	struct msg m;
	int err = open_message(&m, zone, TYPE_SOA, id, wire, len, why);

	while (err == E_OK) {
		err = next_record(&m, &rr, rdata, &rdlen, why);
		if (err == E_OK && rr.type == TYPE_SOA && name_equal(rr.owner, zone) &&
		    soa_read(&soa, &(struct rdata) { rdata, rdlen })) {
			*serial = soa.serial;
			return E_OK;
		}
	}
	return err == E_END ? refuse(why, E_NOT_FOUND, "the server's answer has no SOA record")
			    : err;
}
