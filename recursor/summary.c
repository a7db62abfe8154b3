#include "recursor/summary.h"

#include <inttypes.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/watch/metrics.h"

static uint64_t value(const struct watch_env *env, const char *name)
{
	uint64_t found = 0;

	return EXPECT(metrics_get(env, name, &found)) ? found : 0;
}

static uint64_t percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (100 * part + whole / 2) / whole;
}

static void log_rate(struct summary *s, uint64_t questions, uint64_t now_ms)
{
	uint64_t seconds = (now_ms - s->last_ms) / 1000;

	if (s->has_last && seconds > 0)
		log_notice("stats: %" PRIu64 " qps (average over %" PRIu64 " seconds)",
			   (questions - s->last_questions) / seconds, seconds);
	*s = (struct summary) { true, questions, now_ms };
}

void summary_log(struct summary *s, const struct watch_env *env, bool periodical)
{
	uint64_t questions = value(env, "questions");
	uint64_t hits = value(env, "cache-hits"), misses = value(env, "cache-misses");
	uint64_t out = value(env, "all-outqueries"), throttled = value(env, "throttled-out");
	uint64_t packet_hits = value(env, "packetcache-hits");

	if (questions == 0) {
		if (!periodical)
			log_notice("stats: no stats yet!");
	} else {
		log_notice("stats: %" PRIu64 " questions, %" PRIu64 " cache entries, %" PRIu64
			   " negative entries, %" PRIu64 "%% cache hits",
			   questions, value(env, "cache-entries"), value(env, "negcache-entries"),
			   percent(hits, hits + misses));
		log_notice("stats: throttle map: %" PRIu64 ", ns speeds: %" PRIu64,
			   value(env, "throttle-entries"), value(env, "nsspeeds-entries"));
		log_notice("stats: outpacket/query ratio %" PRIu64 "%%, %" PRIu64 "%% throttled",
			   percent(out, questions), percent(throttled, out + throttled));
		log_notice("stats: %" PRIu64 " outgoing tcp queries, %" PRIu64
			   " queries running, %" PRIu64 " outgoing timeouts",
			   value(env, "tcp-outqueries"), value(env, "concurrent-queries"),
			   value(env, "outgoing-timeouts"));
		log_notice("stats: %" PRIu64 " packet cache entries, %" PRIu64
			   "%% packet cache hits",
			   value(env, "packetcache-entries"), percent(packet_hits, questions));
	}
	if (periodical)
		log_rate(s, questions, env->now_ms(env->ctx));
}
