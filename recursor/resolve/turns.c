/* turns: validation in pieces between which others have their turn; see validate.h. */
#include "recursor/resolve/goal.h"

enum {
	TURN_OTHERS_US = 700,
	TURN_SUSPECT_US = 300,
	TURN_SUSPECT_MS = 10000,
	PIECE_NS = 5000, /* the least: what a goal does around it, and with what comes of it */
	HASH_NS = 500,   /* of NSEC3's, at most */
	TURNED_AWAY_EACH_MS = 8,
};

static struct suspect *suspect_slot(struct resolver *r, uint64_t zone_hash)
{
	return &r->turns.suspects[zone_hash % TURNS_SUSPECTS];
}

static enum turn_class class_of(struct resolver *r, const uint8_t *zone)
{
	uint64_t hash = name_hash(zone);
	const struct suspect *s = suspect_slot(r, hash);

	return s->until_ms > r->turns.at_ms && s->zone_hash == hash ? TURN_SUSPECT : TURN_OTHERS;
}

static void turn_see(struct resolver *r)
{
	uint64_t now_ms = r->world.now_ms(r->world.ctx);

	/* The loop's clock stands while a turn lasts, however many packets are read in it. */
	if (r->turns.at_ms == now_ms)
		return;
	r->turns.at_ms = now_ms;
	r->turns.left_ns[TURN_OTHERS] = TURN_OTHERS_US * 1000;
	r->turns.left_ns[TURN_SUSPECT] = TURN_SUSPECT_US * 1000;
	r->turns.n_away = 0;
}

bool turn_has_left(struct resolver *r, const uint8_t *zone)
{
	const int64_t *left_ns = r->turns.left_ns;
	enum turn_class class;

	turn_see(r);
	class = class_of(r, zone);
	return left_ns[class] > 0 &&
	       (class == TURN_OTHERS || left_ns[TURN_OTHERS] + left_ns[TURN_SUSPECT] > 0);
}

bool turn_may_work(struct resolver *r, struct goal *g, const uint8_t *zone)
{
	if (turn_has_left(r, zone))
		return true;
	/* Others first: what has come in meanwhile, then this.  Not all at once: to be turned away again
	 * costs, too. */
	g->timer.kind = TIMER_TURN;
	timers_start(r->timers, &g->timer,
		     r->turns.at_ms + 1 + r->turns.n_away++ / TURNED_AWAY_EACH_MS);
	return false;
}

void turn_spend(struct resolver *r, const uint8_t *zone, const struct dnssec_work *work)
{
	int64_t ns = (int64_t)work->ns + (int64_t)work->hashes * HASH_NS;

	turn_see(r);
	r->turns.left_ns[class_of(r, zone)] -= ns > PIECE_NS ? ns : PIECE_NS;
}

bool turn_end(struct resolver *r, struct goal *g, const uint8_t *zone, bool is_bad,
	      const struct dnssec_work *work)
{
	uint64_t hash = name_hash(zone);

	/* The piece that makes it suspect is the others' still: they waited for it. */
	turn_spend(r, zone, work);
	if (is_bad || work->met_limit != BOGUS_NONE)
		*suspect_slot(r, hash) = (struct suspect) {
			.zone_hash = hash,
			.until_ms = r->turns.at_ms + TURN_SUSPECT_MS,
		};
	return goal_charge_work(r, g, work);
}
