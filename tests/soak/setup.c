/* setup: a seed's configuration. */
#include "common/check.h"
#include "tests/soak/soak.h"

static void limits_draw(struct resolver_config *cfg, struct rng *r)
{
	static const uint32_t queries[] = { 50, 50, 50, 50, 50, 60, 100, 25, 10, 3, 1 };
	static const uint32_t msecs[] = { 7000, 7000, 7000, 7000, 10000, 2000, 300 };
	static const uint32_t bytes[] = { 100000, 100000, 0, 20000, 600 };
	static const uint32_t cnames[] = { 10, 10, 10, 11, 3, 1, 0 };
	static const uint32_t depths[] = { 16, 16, 0, 3, 1 };
	static const uint32_t ns_failures[] = { 10, 10, 5, 1, 0 };
	static const uint32_t ns[] = { 13, 13, 0, 4, 1 };
	static const uint32_t records[] = { 256, 256, 1000, 30 };
	static const uint32_t goals[] = { 200000, 200000, 200000, 40, 6, 1 };
	static const uint32_t chains[] = { 0, 0, 0, 50, 2, 1 };
	static const uint32_t zones[] = { 512, 512, 0, 20, 4, 1 };

	cfg->max_qperq = RNG_PICK(r, queries);
	cfg->max_total_msec = RNG_PICK(r, msecs);
	cfg->max_bytesperq = RNG_PICK(r, bytes);
	cfg->max_cnames = RNG_PICK(r, cnames);
	cfg->max_depth = RNG_PICK(r, depths);
	cfg->max_ns_address_qperq = RNG_PICK(r, ns_failures);
	cfg->max_ns_per_resolve = RNG_PICK(r, ns);
	cfg->max_rrset_records = RNG_PICK(r, records);
	cfg->max_goals = RNG_PICK(r, goals);
	cfg->max_chain = RNG_PICK(r, chains);
	cfg->max_inflight_zone = RNG_PICK(r, zones);
}

static void habits_draw(struct resolver_config *cfg, struct rng *r)
{
	static const uint16_t payloads[] = { 1232, 1232, 512, 4096 };
	static const uint32_t floors[] = { 1, 1, 1, 0, 60 };
	static const uint32_t caps[] = { 86400, 86400, 100, 1 };
	static const uint32_t timeouts[] = { 1500, 1500, 1500, 500, 5000 };
	static const uint32_t failures[] = { 5, 5, 1, 60 };

	cfg->edns_payload = RNG_PICK(r, payloads);
	cfg->use_ipv4 = rng_chance(r, 92);
	cfg->use_ipv6 = !cfg->use_ipv4 || rng_chance(r, 60);
	cfg->qname_minimisation = rng_chance(r, 70);
	cfg->use_0x20 = rng_chance(r, 40);
	cfg->spoof_nearmiss_max = rng_below(r, 4);
	cfg->prime = rng_chance(r, 70);
	cfg->nothing_below_nxdomain = (enum nx_cut)rng_below(r, 3);
	cfg->root_nx_trust = rng_chance(r, 70);
	cfg->min_ttl = RNG_PICK(r, floors);
	cfg->max_ttl = RNG_PICK(r, caps);
	if (cfg->max_ttl < cfg->min_ttl)
		cfg->max_ttl = cfg->min_ttl;
	cfg->max_negative_ttl = rng_chance(r, 80) ? 3600 : 1;
	cfg->failure_ttl = RNG_PICK(r, failures);
	cfg->network_timeout_ms = RNG_PICK(r, timeouts);
}

/* Serving stale, and locks on what is known. */
static void staleness_draw(struct setup *u, struct rng *r)
{
	static const uint32_t windows[] = { 0, 0, 60, 3600, 3 * 86400 };
	static const uint32_t patiences[] = { 1800, 1800, 300, 0 };
	static const uint32_t backgrounds[] = { 1000, 1000, 1, 0 };
	static const uint32_t locks[] = { 0, 0, 0, 50, 100 };
	static const uint32_t refreshes[] = { 0, 0, 10, 50, 99 };

	u->cfg.stale_s = u->cache.stale_s = RNG_PICK(r, windows);
	u->cfg.stale_client_timeout_ms = RNG_PICK(r, patiences);
	u->cfg.max_background = RNG_PICK(r, backgrounds);
	u->cache.locked_percent = RNG_PICK(r, locks);
	u->cfg.refresh_percent = RNG_PICK(r, refreshes);
}

/* DNSSEC: how much of it, and what it may cost. */
static void validation_draw(struct setup *u, struct rng *r)
{
	struct resolver_config *cfg = &u->cfg;
	static const enum dnssec_mode modes[] = { DNSSEC_OFF,      DNSSEC_PROCESS_NO_VALIDATE,
						  DNSSEC_PROCESS,  DNSSEC_PROCESS,
						  DNSSEC_PROCESS,  DNSSEC_LOG_FAIL,
						  DNSSEC_VALIDATE, DNSSEC_VALIDATE };
	static const uint32_t bogus_ttls[] = { 60, 60, 30, 1 };

	static const size_t proofs[] = { 0, 4, 1000, 1000 };
	static const uint32_t validations[] = { 0, 2, 1000 };
	static const uint32_t floods[] = { 1, 1, 3 };

	u->aggressive = (struct aggressive_config) {
		.max_entries = RNG_PICK(r, proofs),
		.min_nsec3_hit_ratio = 2000,
		.max_nsec3_iterations = cfg->dnssec_limits.nsec3_max_iterations,
		.max_nsec3_hash_cost = 150,
	};
	cfg->max_validations = RNG_PICK(r, validations);
	cfg->harvest_after = RNG_PICK(r, floods);
	cfg->dnssec = RNG_PICK(r, modes);
	cfg->max_bogus_ttl = RNG_PICK(r, bogus_ttls);
}

static void packets_draw(struct packetcache_config *p, struct rng *r)
{
	static const size_t entries[] = { 1000, 1000, 10, 2, 0 };
	static const size_t marks[] = { 0, 0, 1, 16, 1024 };

	*p = (struct packetcache_config) {
		.max_entries = RNG_PICK(r, entries),
		.max_bytes = rng_chance(r, 70) ? 0 : rng_between(r, 100, 4000),
		.max_packet = rng_chance(r, 70) ? PACKET_MAX : rng_between(r, 100, PACKET_MAX),
		.marks = RNG_PICK(r, marks),
	};
}

void setup_draw(struct setup *u, struct rng *r)
{
	static const size_t entries[] = { 1, 16, 64, 300 };
	static const uint32_t fails[] = { 64, 64, 64, 0, 3 };
	static const uint32_t flights[] = { 1024, 1024, 1024, 0, 20, 2 };
	static const uint32_t journals[] = { 1 << 20, 1 << 20, 4096, 0 };

	u->wide = rng_chance(r, 65);
	u->cache = (struct cache_config) {
		.max_entries = u->wide ? 20000 : RNG_PICK(r, entries),
		.max_bytes = u->wide || rng_chance(r, 50) ? 0 : rng_between(r, 500, 50000),
		.max_set_bytes = u->wide || rng_chance(r, 50) ? 0 : rng_between(r, 1000, 3000),
		.shards = 1u << rng_below(r, 3),
	};
	u->servers = (struct servers_config) {
		.max_servers = u->wide || rng_chance(r, 50) ? 10000 : 1,
		.max_throttles = u->wide || rng_chance(r, 50) ? 10000 : 1,
		.down_max_fails = RNG_PICK(r, fails),
		.down_time_s = 60,
		.bypass_probability = rng_chance(r, 80) ? 25 : 0,
		.max_inflight = RNG_PICK(r, flights),
		.weather = { .min_servers = rng_chance(r, 40) ? rng_between(r, 1, 8) : 0 },
	};
	packets_draw(&u->packets, r);
	u->changes = rng_chance(r, 50);
	u->rolls = u->changes && rng_chance(r, 40);
	u->uses_packets = rng_chance(r, 70);
	u->n_nodes = rng_between(r, 1, NODES_MAX);
	resolver_config_defaults(&u->cfg);
	habits_draw(&u->cfg, r);
	staleness_draw(u, r);
	validation_draw(u, r);
	if (rng_chance(r, 35))
		limits_draw(&u->cfg, r);
	u->servers.network_timeout_ms = u->cfg.network_timeout_ms;
	u->forged = rng_chance(r, 30) ? rng_between(r, 1, 60) : 0;
	u->no_resources = rng_chance(r, 8) ? rng_between(r, 1, 200) : 0;
	u->cfg.journal_bytes = RNG_PICK(r, journals);
}

void setup_change(struct setup *u, struct rng *r)
{
	limits_draw(&u->cfg, r);
	u->cfg.qname_minimisation = rng_chance(r, 70);
}

void setup_relax(struct setup *u)
{
	struct resolver_config habits = u->cfg;

	resolver_config_defaults(&u->cfg);
	u->cfg.max_qperq = 400;
	u->cfg.max_total_msec = 60000;
	u->cfg.max_bytesperq = 0;
	u->cfg.max_rrset_records = 1000;
	u->cfg.edns_payload = habits.edns_payload;
	u->cfg.use_ipv4 = habits.use_ipv4;
	u->cfg.use_ipv6 = habits.use_ipv6;
	u->cfg.qname_minimisation = habits.qname_minimisation;
	u->cfg.use_0x20 = habits.use_0x20;
	u->cfg.nothing_below_nxdomain = habits.nothing_below_nxdomain;
	u->cfg.root_nx_trust = habits.root_nx_trust;
	u->cfg.min_ttl = habits.min_ttl;
	u->cfg.max_ttl = habits.max_ttl;
	u->cfg.failure_ttl = habits.failure_ttl;
	u->cfg.stale_s = habits.stale_s;
	u->cfg.stale_client_timeout_ms = habits.stale_client_timeout_ms;
	u->cfg.max_background = habits.max_background;
	u->cfg.refresh_percent = habits.refresh_percent;
	u->cfg.dnssec = habits.dnssec;
	u->cfg.max_bogus_ttl = habits.max_bogus_ttl;
	u->cfg.max_validations = habits.max_validations;
	u->cfg.harvest_after = habits.harvest_after;
	u->cfg.dnssec_limits.max_signature_validations = 0;
	u->cfg.dnssec_limits.max_nsec3_hashes = 0;
	u->forged = u->no_resources = 0;
	u->wide = true;
}
