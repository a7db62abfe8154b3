/* network: what the resolver does about the weather (weather.h): when nobody can be asked, and the
 * questions of its own that find out when somebody can. */
#include "recursor/resolve/asking.h"

#include <string.h>

#include "common/check.h"

enum {
	PROBE_PACKET_MAX = WIRE_HEADER_LEN + NAME_MAX_LEN + 4,
	RING_MS = WEATHER_PROBE_SUSPECT_MS,
};

static struct weather *weather_of(struct resolver *r)
{
	return servers_weather(r->servers);
}

static bool is_asked(const struct resolver *r, unsigned family)
{
	return family == 4 ? r->cfg.use_ipv4 : r->cfg.use_ipv6;
}

/* Not to be reckoned with. */
static bool is_out(struct resolver *r, unsigned family)
{
	return !is_asked(r, family) || weather_is_out(weather_of(r), family);
}

bool network_is_gone(struct resolver *r)
{
	struct weather *w = weather_of(r);
	bool out4, out6;

	if (weather_is_fair(w))
		return false;
	out4 = is_out(r, 4);
	out6 = is_out(r, 6);
	if (out4 && out6)
		return true;
	/* A family that nobody has ever answered over is no help where the other is gone that was. */
	return (out4 && weather_has_answered(w, 4) && !weather_has_answered(w, 6)) ||
	       (out6 && weather_has_answered(w, 6) && !weather_has_answered(w, 4));
}

bool network_voids(struct resolver *r, const struct rrset *failure)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx), made_ms;
	int64_t age_s = (int64_t)r->world.wall_s(r->world.ctx) -
			((int64_t)failure->expires_s - failure->ttl);
	int ede = cause_row(failure->cause)->ede;

	if (ede != EDE_NO_REACHABLE_AUTHORITY && ede != EDE_NETWORK_ERROR)
		return false;
	if (age_s < 0 || (uint64_t)age_s * 1000 > now_ms)
		return false;
	/* Known to the second. */
	made_ms = now_ms - (uint64_t)age_s * 1000;
	return weather_was_early(weather_of(r), 0, made_ms) ||
	       weather_was_early(weather_of(r), 0, made_ms + 999);
}

/* ---- probes ---- */

/* A family without a route beside one that has one is tried now and then, when somebody could use it. */
static bool needs_probes(struct resolver *r, unsigned family)
{
	enum weather_state state = weather_state(weather_of(r), family);

	return state == WEATHER_SUSPECT || state == WEATHER_DOWN ||
	       (state == WEATHER_UNROUTED && is_asked(r, family) && network_is_gone(r));
}

static void forget(struct resolver *r, struct probe *p)
{
	if (p->ticket != 0)
		r->world.cancel(r->world.ctx, p->ticket);
	p->ticket = 0;
}

/* The tickets of goals end in 1 + their slot. */
static struct probe *find(struct resolver *r, uint64_t ticket)
{
	uint32_t i = UINT32_MAX - (uint32_t)ticket;

	return i < PROBES_MAX && ticket != 0 && r->probes[i].ticket == ticket ? &r->probes[i]
									      : NULL;
}

/* A root server's address. */
static bool root_pick(struct resolver *r, unsigned family, struct addr *out)
{
	uint16_t type = family == 4 ? TYPE_A : TYPE_AAAA;
	uint32_t seen = 0;

	for (unsigned i = 0; i < r->n_hints; i++) {
		const struct rrset *s = r->hints[i];
		struct rdata rr;
		size_t at = 0;

		while (s->type == type && rrset_next(s, &at, &rr)) {
			struct addr a;

			if (addr_from_rdata(&a, rr.data, rr.len, r->cfg.server_port) == E_OK &&
			    resolver_random_below(r, ++seen) == 0)
				*out = a;
		}
	}
	return seen > 0;
}

/* A root server knows the root; who failed knew his zone.  By turns, so that neither a root that is
 * out of reach on any day, nor servers that are truly dead, are all that is asked. */
static bool probe_aim(struct resolver *r, unsigned family, unsigned turn, struct addr *a,
		      uint8_t zone[NAME_MAX_LEN])
{
	struct weather *w = weather_of(r);
	uint32_t dice = (uint32_t)resolver_random(r);

	if (turn % 2 == 1 && weather_witness_pick(w, family, dice, a, zone))
		return true;
	name_copy(zone, name_root);
	return root_pick(r, family, a) || weather_witness_pick(w, family, dice, a, zone);
}

/* The zone's NS set, without EDNS: any answer will do. */
static size_t probe_build(uint8_t out[PROBE_PACKET_MAX], const uint8_t *zone)
{
	size_t len = WIRE_HEADER_LEN;

	memset(out, 0, WIRE_HEADER_LEN);
	out[5] = 1;
	len += name_copy(out + len, zone);
	return (size_t)(wire_put_asked(out + len, TYPE_NS) - out);
}

/* False: no root server has an address of the family, and no witness failed: only forwarders are asked,
 * say.  Whether there is a way again the next question shows. */
static bool probe_send(struct resolver *r, unsigned family)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);
	unsigned turn = r->next_probe++, i = turn % PROBES_MAX;
	uint8_t packet[PROBE_PACKET_MAX], zone[NAME_MAX_LEN];
	struct probe *p = &r->probes[i];
	enum send_result sent;

	forget(r, p);
	if (!probe_aim(r, family, turn, &p->server, zone))
		return false;
	p->ticket = (uint64_t)++r->ticket_serial << 32 | (UINT32_MAX - i);
	p->until_ms = now_ms + r->cfg.network_timeout_ms;
	sent = r->world.send(r->world.ctx, &(struct outquery) {
						   .ticket = p->ticket,
						   .server = p->server,
						   .transport = TRANSPORT_UDP,
						   .wire = packet,
						   .len = probe_build(packet, zone),
					   });
	if (sent == SEND_OK) {
		COUNT(r->counters, network_probes);
		COUNT(r->counters, all_outqueries);
		weather_sent(weather_of(r), family, now_ms);
		return true;
	}
	p->ticket = 0;
	if (sent == SEND_UNROUTED)
		weather_unsent(weather_of(r), &p->server, now_ms);
	return true;
}

static void probe_timer_start(struct resolver *r, uint64_t at_ms)
{
	r->probe_timer.kind = TIMER_PROBE;
	timers_start(r->timers, &r->probe_timer, at_ms);
}

/* No packet is lost by it: either a way is there, and the probe's leaving says so, or there is none.  With
 * nobody known whom a probe could go to, the address that is wanted will be asked.  While nobody at all can be
 * asked it is network_ring() that looks, and its turns are not taken. */
bool network_looks_for_route(struct resolver *r, unsigned family)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);

	if (!is_asked(r, family) || network_is_gone(r) ||
	    !weather_take_probe(weather_of(r), family, now_ms))
		return false;
	if (!probe_send(r, family))
		return true;
	/* Nobody waits for what it says. */
	if (!timer_is_pending(&r->probe_timer))
		probe_timer_start(r, now_ms + RING_MS);
	return network_uses(r, family);
}

void network_ring(struct resolver *r)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);
	bool goes_on = false;

	for (unsigned family = 4; family <= 6; family += 2) {
		if (needs_probes(r, family) && weather_take_probe(weather_of(r), family, now_ms) &&
		    !probe_send(r, family))
			weather_sent(weather_of(r), family, now_ms);
		goes_on = goes_on || needs_probes(r, family);
	}
	for (unsigned i = 0; i < PROBES_MAX; i++)
		if (!goes_on || r->probes[i].until_ms <= now_ms)
			forget(r, &r->probes[i]);
	if (goes_on)
		probe_timer_start(r, now_ms + RING_MS);
}

void network_watch(struct resolver *r)
{
	if (weather_is_fair(weather_of(r)) || timer_is_pending(&r->probe_timer) ||
	    !(needs_probes(r, 4) || needs_probes(r, 6)))
		return;
	probe_timer_start(r, r->world.now_ms(r->world.ctx));
}

/* Whatever it says: it came from there.  To forge it takes a port and an id, as for any answer, and
 * all that is to be had is that the servers are asked again. */
bool network_probe_replied(struct resolver *r, uint64_t ticket)
{
	struct probe *p = find(r, ticket);

	if (p == NULL)
		return false;
	p->ticket = 0;
	weather_probe_answered(weather_of(r), &p->server, r->world.now_ms(r->world.ctx));
	return true;
}

bool network_probe_failed(struct resolver *r, uint64_t ticket)
{
	struct probe *p = find(r, ticket);

	if (p == NULL)
		return false;
	p->ticket = 0;
	return true;
}

void network_stop(struct resolver *r)
{
	for (unsigned i = 0; i < PROBES_MAX; i++)
		forget(r, &r->probes[i]);
	if (r->timers != NULL)
		timers_stop(r->timers, &r->probe_timer);
}
