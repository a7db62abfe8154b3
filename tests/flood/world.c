/* world: the servers: the root, three top-level domains, healthy domains and the victim. */
#include <string.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "common/wire.h"
#include "tests/flood/flood.h"

/* Addresses: 10.NET.0.N. */
enum { NET_ROOT = 1, NET_TLD = 2, NET_DOMAIN = 3, NET_VICTIM = 4, ROOT_TTL = 86400, SOA_TTL = 60 };

/* ---- names ---- */

static uint8_t *label(uint8_t *at, const char *text)
{
	size_t len = strlen(text);

	*at++ = (uint8_t)len;
	memcpy(at, text, len);
	return at + len;
}

static uint8_t *numbered(uint8_t *at, char letter, unsigned n)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%c%u", letter, n);
	return label(at, text);
}

void world_host_name(uint8_t out[NAME_MAX_LEN], unsigned domain, unsigned host)
{
	uint8_t *at = numbered(out, 'w', host);

	at = numbered(at, 'd', domain);
	*numbered(at, 't', domain % TLDS) = 0;
}

static uint8_t *victim(uint8_t *at)
{
	at = label(at, "victim");
	at = numbered(at, 't', 0);
	*at = 0;
	return at;
}

void world_known_name(uint8_t out[NAME_MAX_LEN], unsigned n)
{
	(void)victim(numbered(out, 'k', n));
}

void world_random_name(struct flood *f, uint8_t out[NAME_MAX_LEN])
{
	unsigned labels = f->setup.deep ? 2 : 1;
	uint8_t *at = out;

	while (labels-- > 0) {
		unsigned len = rng_between(&f->rng, 6, 14);

		*at++ = (uint8_t)len;
		while (len-- > 0)
			*at++ = (uint8_t)('a' + rng_below(&f->rng, 26));
	}
	(void)victim(at);
}

uint32_t world_host_address(unsigned domain, unsigned host)
{
	return 0xc6120000 | domain << 8 | host;
}

uint32_t world_known_address(unsigned n)
{
	return 0xc6130000 | n;
}

static struct addr server_addr(unsigned net, unsigned n)
{
	return (struct addr) { .family = 4, .port = 53, .ip = { 10, (uint8_t)net, 0, (uint8_t)n } };
}

/* ---- one answer ---- */

struct reply {
	struct wire_writer w;
	uint8_t buf[1024];
	unsigned count[4]; /* by enum msg_section */
	unsigned flags;
};

static void add(struct reply *r, unsigned section, const uint8_t *owner, uint16_t type,
		uint32_t ttl, const void *rdata, size_t len)
{
	ASSERT(wire_write_name(&r->w, owner) == E_OK && wire_write_u16(&r->w, type) == E_OK &&
	       wire_write_u16(&r->w, CLASS_IN) == E_OK && wire_write_u32(&r->w, ttl) == E_OK &&
	       wire_write_u16(&r->w, (uint16_t)len) == E_OK &&
	       wire_write_bytes(&r->w, rdata, len) == E_OK);
	r->count[section]++;
}

static void add_address(struct reply *r, unsigned section, const uint8_t *owner, uint32_t ttl,
			uint32_t ip)
{
	uint8_t rdata[4];

	wire_put_u32(rdata, ip);
	add(r, section, owner, TYPE_A, ttl, rdata, sizeof(rdata));
}

/* "nsN" below the zone, at 10.NET.0.N. */
static void refer(struct reply *r, const uint8_t *zone, unsigned net, unsigned first, unsigned n,
		  uint32_t ttl)
{
	uint8_t ns[NAME_MAX_LEN];

	for (unsigned i = first; i < first + n; i++) {
		(void)name_copy(numbered(ns, 'n', i), zone);
		add(r, SECTION_AUTHORITY, zone, TYPE_NS, ttl, ns, name_len(ns));
	}
	for (unsigned i = first; i < first + n; i++) {
		(void)name_copy(numbered(ns, 'n', i), zone);
		add_address(r, SECTION_ADDITIONAL, ns, ttl, 10U << 24 | net << 16 | i);
	}
}

static void deny(struct reply *r, const uint8_t *zone, bool nxdomain)
{
	uint8_t rdata[64], *at = numbered(rdata, 'n', 1);

	*at++ = 0;
	*at++ = 0; /* RNAME: the root */
	for (unsigned i = 0; i < 5; i++, at += 4)
		wire_put_u32(at, SOA_TTL);
	add(r, SECTION_AUTHORITY, zone, TYPE_SOA, SOA_TTL, rdata, (size_t)(at - rdata));
	r->flags |= MSG_AA | (nxdomain ? RCODE_NXDOMAIN : RCODE_NOERROR);
}

/* The number behind the letter, if the name's first label is such a one, below `most`. */
static int number_of(const uint8_t *name, char letter, unsigned most)
{
	unsigned n = 0;

	if (name[0] < 2 || name[0] > 4 || name[1] != (uint8_t)letter)
		return -1;
	for (unsigned i = 2; i <= name[0]; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		n = n * 10 + name[i] - '0';
	}
	return n < most ? (int)n : -1;
}

static bool is_victim(const uint8_t *domain)
{
	return domain[0] == 6 && memcmp(domain + 1, "victim", 6) == 0;
}

/* At a domain's own server. */
static void answer_in(struct reply *r, const struct flood *f, const struct msg *m,
		      const uint8_t *domain)
{
	bool of_victim = is_victim(domain);
	int n = number_of(m->qname, of_victim ? 'k' : 'w', of_victim ? KNOWN : HOSTS);
	unsigned labels = name_labels(m->qname);

	if (labels == DOMAIN_LABELS + 1 && n >= 0 && m->qtype == TYPE_A) {
		r->flags |= MSG_AA;
		add_address(r, SECTION_ANSWER, m->qname,
			    of_victim ? f->setup.victim_ttl : f->setup.healthy_ttl,
			    of_victim
				    ? world_known_address((unsigned)n)
				    : world_host_address((unsigned)number_of(domain, 'd', DOMAINS),
							 (unsigned)n));
		return;
	}
	deny(r, domain, labels > DOMAIN_LABELS && !(labels == DOMAIN_LABELS + 1 && n >= 0));
}

static void answer_at(struct reply *r, const struct flood *f, const struct msg *m, unsigned net)
{
	unsigned labels = name_labels(m->qname);
	const uint8_t *domain = labels >= 2 ? name_suffix(m->qname, 2) : NULL;
	const uint8_t *tld = labels >= 1 ? name_suffix(m->qname, 1) : NULL;
	int t = tld != NULL ? number_of(tld, 't', TLDS) : -1, d;

	if (net == NET_ROOT) {
		if (t < 0)
			deny(r, name_root, labels > 0);
		else
			refer(r, tld, NET_TLD, (unsigned)t + 1, 1, ROOT_TTL);
	} else if (net == NET_TLD) {
		d = domain != NULL ? number_of(domain, 'd', DOMAINS) : -1;
		if (domain != NULL && is_victim(domain))
			refer(r, domain, NET_VICTIM, 1, f->setup.n_victim_servers,
			      f->setup.delegation_ttl);
		else if (d >= 0)
			refer(r, domain, NET_DOMAIN, (unsigned)d + 1, 1, f->setup.delegation_ttl);
		else
			deny(r, tld, labels > 1);
	} else if (domain != NULL) {
		answer_in(r, f, m, domain);
	}
}

static void count_asked(struct flood *f, const uint8_t *name)
{
	unsigned labels = name_labels(name);
	bool is_known = labels > DOMAIN_LABELS &&
			number_of(name_suffix(name, DOMAIN_LABELS + 1), 'k', KNOWN) >= 0;

	f->victim_asked[f->phase]++;
	f->victim_asked_unknown[f->phase] += !is_known;
}

/* Does the victim's server answer, and how late? */
static bool victim_answers(struct flood *f, unsigned server, unsigned *delay_ms)
{
	uint64_t second = flood_now_us(f) / SECOND_US;

	*delay_ms = 0;
	if (f->phase == PHASE_BEFORE)
		return true;
	switch (f->setup.authority) {
	case AUTHORITY_SILENT:
		return false;
	case AUTHORITY_SLOW:
		*delay_ms = f->setup.delay_ms;
		return true;
	default:
		break;
	}
	if (f->limit_second[server] != second) {
		f->limit_second[server] = second;
		f->limit_used[server] = 0;
	}
	return f->limit_used[server]++ < f->setup.limit_qps;
}

enum send_result world_serve(void *ctx, struct network *net, const struct outquery *q,
			     const uint8_t *wire, size_t len)
{
	struct node *node = ctx;
	struct flood *f = node->flood;
	struct reply r = { .flags = MSG_QR };
	unsigned delay_ms = 0;
	struct msg m;

	if (msg_open(&m, wire, len) != E_OK || q->server.ip[0] != 10) {
		flood_fail(f, "a strange question left");
		return SEND_OK;
	}
	if (q->server.ip[1] == NET_VICTIM)
		count_asked(f, m.qname);
	if (q->server.ip[1] == NET_VICTIM &&
	    !victim_answers(f, (q->server.ip[3] - 1U) % VICTIM_SERVERS_MAX, &delay_ms))
		return SEND_OK;
	wire_writer_init(&r.w, r.buf, sizeof(r.buf));
	ASSERT(wire_write_bytes(&r.w, wire, m.question_end) == E_OK);
	answer_at(&r, f, &m, q->server.ip[1]);
	wire_put_u16(r.buf + 2, (uint16_t)r.flags);
	for (unsigned section = SECTION_ANSWER; section <= SECTION_ADDITIONAL; section++)
		wire_put_u16(r.buf + 4 + 2 * section, (uint16_t)r.count[section]);
	network_deliver(net, q->ticket, r.buf, r.w.len, delay_ms);
	return SEND_OK;
}

int world_hints(struct rrset *sets[2], uint32_t now_s)
{
	struct addr a = server_addr(NET_ROOT, 1);
	uint8_t ns[NAME_MAX_LEN];
	struct rdata rr = { ns, 0 };
	int err;

	*numbered(ns, 'r', 1) = 0;
	rr.len = (uint16_t)name_len(ns);
	err = rrset_new(&sets[0], name_root, TYPE_NS, ROOT_TTL, now_s, RANK_LOCAL, &rr, 1, NULL, 0);
	rr = (struct rdata) { a.ip, 4 };
	if (err == E_OK)
		err = rrset_new(&sets[1], ns, TYPE_A, ROOT_TTL, now_s, RANK_LOCAL, &rr, 1, NULL, 0);
	return err;
}
