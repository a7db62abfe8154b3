/* metrics_read: what the gauges read; see metrics_impl.h. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/watch/carbon.h"
#include "recursor/watch/dnstap.h"
#include "recursor/watch/kernel_udp.h"
#include "recursor/watch/metrics_impl.h"
#include "recursor/watch/passed_file.h"
#include "recursor/watch/secpoll.h"

#define READER(name) uint64_t metric_read_##name(struct reading *r)

/* ---- what several metrics read from is asked for once ---- */

static const struct cache_stats *cache_of(struct reading *r)
{
	if (!r->has_cache)
		cache_stats(r->env->cache, &r->cache);
	r->has_cache = true;
	return &r->cache;
}

static const struct servers_stats *servers_of(struct reading *r)
{
	if (!r->has_servers)
		servers_stats(r->env->servers, &r->servers);
	r->has_servers = true;
	return &r->servers;
}

#define ASKED_OF_ENV(type, name, member, function)                                                 \
	static const struct type *name##_of(struct reading *r)                                     \
	{                                                                                          \
		if (!r->has_##name)                                                                \
			r->env->function(r->env->member ctx, &r->name);                            \
		r->has_##name = true;                                                              \
		return &r->name;                                                                   \
	}
ASKED_OF_ENV(watch_cachefile, cachefile, , cachefile)
ASKED_OF_ENV(watch_defender, defender, , defender_stats)
ASKED_OF_ENV(watch_ipsets, ipsets, ipsets., ipsets.sums)
ASKED_OF_ENV(watch_shelf, shelf, , shelf)
ASKED_OF_ENV(watch_copies, copies, , copies_stats)

static const struct query_log_stats *query_log_of(struct reading *r)
{
	if (!r->has_query_log)
		query_log_stats(r->env->query_log, &r->query_log);
	r->has_query_log = true;
	return &r->query_log;
}

#define OF_THE_LOG(name, member)                                                                   \
	READER(name)                                                                               \
	{                                                                                          \
		struct log_stats stats;                                                            \
                                                                                                   \
		(void)r;                                                                           \
		log_stats(&stats);                                                                 \
		return stats.member;                                                               \
	}
OF_THE_LOG(log_lines, lines)
OF_THE_LOG(log_held_back, held_back)
OF_THE_LOG(log_lost, lost)

/* name, whose, member */
#define FROM(name, whose, member)                                                                  \
	READER(name)                                                                               \
	{                                                                                          \
		return whose##_of(r)->member;                                                      \
	}
FROM(cache_entries, cache, entries)
FROM(cache_negative, cache, negative)
FROM(cache_most, cache, most_entries)
FROM(cache_bytes, cache, bytes)
FROM(cache_acquired, cache, lock_acquired)
FROM(cache_contended, cache, lock_contended)
FROM(cache_evicted, cache, evicted)
FROM(cache_expired, cache, expired)
FROM(file_loaded, cachefile, loaded)
FROM(file_dropped, cachefile, dropped)
FROM(file_refused, cachefile, refused)
FROM(file_written, cachefile, written)
FROM(file_writes, cachefile, writes)
FROM(file_errors, cachefile, errors)
FROM(file_time, cachefile, written_s)
FROM(query_log_lines, query_log, lines)
FROM(query_log_held_back, query_log, held_back)
FROM(query_log_rules, query_log, rules)
FROM(query_log_most_rules, query_log, most_rules)
FROM(query_log_most_queued, query_log, most_queued)
FROM(accused, defender, accused)
FROM(most_accused, defender, most_accused)
FROM(accusations, defender, accusations)
FROM(accusations_refused, defender, refused)
FROM(defender_evicted, defender, evicted)
FROM(defender_bytes, defender, bytes)
FROM(known, defender, known)
FROM(known_bytes, defender, known_bytes)
FROM(known_left_out, defender, known_left_out)
FROM(nsspeeds, servers, servers)
FROM(failed_hosts, servers, failed)
FROM(throttles, servers, throttles)
FROM(unresolved, servers, unresolved)
FROM(ipset_sets, ipsets, sets)
FROM(ipset_most_sets, ipsets, most_sets)
FROM(ipset_entries, ipsets, entries)
FROM(ipset_bytes, ipsets, bytes)
FROM(ipset_adds, ipsets, adds)
FROM(ipset_removals, ipsets, removals)
FROM(ipset_refusals, ipsets, refusals)
FROM(ipset_expirations, ipsets, expirations)
FROM(ipset_sets_refused, ipsets, sets_refused)
FROM(shelf_names, shelf, names)
FROM(shelf_refused, shelf, refused)
FROM(shelf_forgotten, shelf, forgotten)
FROM(shelf_bytes, shelf, bytes)
FROM(copies_used, copies, used)
FROM(copy_records, copies, records)
FROM(copy_bytes, copies, bytes)
FROM(copy_loads, copies, loads)
FROM(copy_errors, copies, errors)

/* ---- trust anchors ---- */

static bool has_anchor(const struct anchor *a)
{
	return a->ds != NULL;
}

static bool has_negative(const struct anchor *a)
{
	return a->nta != NULL;
}

static bool has_lost(const struct anchor *a)
{
	return a->lost != NULL;
}

static uint64_t count_anchors(const struct watch_env *env, bool (*has)(const struct anchor *a))
{
	struct anchors *anchors = env->anchors(env->ctx);
	uint64_t n = 0;

	for (size_t i = 0; i < anchors_count(anchors); i++)
		n += has(anchors_at(anchors, i));
	anchors_put(anchors);
	return n;
}

READER(trust_anchors)
{
	return count_anchors(r->env, has_anchor);
}

READER(negative_anchors)
{
	return count_anchors(r->env, has_negative);
}

READER(revoked_anchors)
{
	return count_anchors(r->env, has_lost);
}

/* ---- what each worker has of its own ---- */

static uint64_t workers_sum(const struct watch_env *env,
			    size_t (*of_worker)(void *ctx, unsigned worker))
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < env->n_workers; i++)
		sum += of_worker(env->ctx, i);
	return sum;
}

#define OF_WORKERS(name)                                                                           \
	READER(name)                                                                               \
	{                                                                                          \
		return workers_sum(r->env, r->env->name);                                          \
	}
OF_WORKERS(in_flight)
OF_WORKERS(tcp_clients)
OF_WORKERS(flight_stories)
OF_WORKERS(flight_bytes)
OF_WORKERS(packetcache_entries)
OF_WORKERS(packetcache_bytes)
OF_WORKERS(key_bytes)

static struct watch_gauges gauges_of(const struct watch_env *env, unsigned worker)
{
	struct watch_gauges g;

	env->gauges(env->ctx, worker, &g);
	return g;
}

#define GAUGES_SUM(name, member)                                                                   \
	READER(name)                                                                               \
	{                                                                                          \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		for (unsigned i = 0; i < r->env->n_workers; i++)                                   \
			sum += gauges_of(r->env, i).member;                                        \
		return sum;                                                                        \
	}
GAUGES_SUM(tcp_idle_out, tcp_idle_out)
GAUGES_SUM(backgrounds, backgrounds)

/* Each worker has an average of its own; one that answers more has more to say. */
static uint64_t average(const struct watch_env *env,
			uint64_t (*of_worker)(const struct watch_env *env, unsigned worker))
{
	uint64_t weighted = 0, weight = 0;

	for (unsigned i = 0; i < env->n_workers; i++) {
		uint64_t questions = counter_get(&env->counters(env->ctx, i)->questions);

		weighted += of_worker(env, i) * questions;
		weight += questions;
	}
	return weight == 0 ? 0 : weighted / weight;
}

static uint64_t latency_of(const struct watch_env *env, unsigned worker)
{
	return env->latency_us(env->ctx, worker);
}

READER(latency)
{
	return r->env->latency_us == NULL ? 0 : average(r->env, latency_of);
}

static uint64_t our_latency_of(const struct watch_env *env, unsigned worker)
{
	return gauges_of(env, worker).our_latency_us;
}

READER(our_latency)
{
	return average(r->env, our_latency_of);
}

/* ---- what is counted once and told in several ways ---- */

static uint64_t answers(const struct reading *r, unsigned rcode)
{
	uint64_t n = reading_counter(r, COUNTER_PLACE(rcodes) + rcode);

	if (rcode < METRICS_HIT_RCODES)
		n += reading_counter(r, COUNTER_PLACE(hit_rcodes) + rcode);
	return n;
}

uint64_t metrics_answers_of_rcode(const struct watch_env *env, unsigned rcode)
{
	const struct reading r = { .env = env };

	return answers(&r, rcode < METRICS_RCODES ? rcode : METRICS_RCODES - 1);
}

uint64_t metrics_answers_of_size(const struct watch_env *env, size_t above, size_t most)
{
	uint64_t n = 0;

	for (unsigned w = 0; w < env->n_workers; w++) {
		const counter *sizes = env->sizes(env->ctx, w);

		for (size_t i = above / METRICS_SIZE_STEP + 1;
		     i <= most / METRICS_SIZE_STEP && i < METRICS_SIZES; i++)
			n += counter_get(&sizes[i]);
	}
	return n;
}

READER(noerror)
{
	return answers(r, RCODE_NOERROR);
}

READER(nxdomain)
{
	return answers(r, RCODE_NXDOMAIN);
}

READER(servfail)
{
	return answers(r, RCODE_SERVFAIL);
}

READER(errors)
{
	uint64_t n = 0;

	for (unsigned rcode = 0; rcode < METRICS_RCODES; rcode++)
		if (rcode != RCODE_NOERROR && rcode != RCODE_NXDOMAIN)
			n += answers(r, rcode);
	return n;
}

READER(other_rcodes)
{
	return metric_read_errors(r) - metric_read_servfail(r);
}

static uint64_t refused_for(const struct reading *r, enum metrics_reason why)
{
	return reading_counter(r, COUNTER_PLACE(reasons) + why);
}

READER(parse_errors)
{
	return reading_counter(r, COUNTER_PLACE(client_parse_drops)) +
	       refused_for(r, REASON_MALFORMED);
}

READER(empty)
{
	return refused_for(r, REASON_NO_QUESTION);
}

READER(notimp)
{
	return refused_for(r, REASON_OPCODE);
}

READER(no_rd)
{
	return refused_for(r, REASON_NO_RECURSION);
}

/* Of the histograms of both transports, between two of their bounds. */
static uint64_t servers_between(const struct reading *r, bool is_v6, unsigned from, unsigned to)
{
	size_t udp = is_v6 ? COUNTER_PLACE(udp6_us) : COUNTER_PLACE(udp4_us);
	size_t tcp = is_v6 ? COUNTER_PLACE(tcp6_us) : COUNTER_PLACE(tcp4_us);
	uint64_t n = 0;

	for (unsigned i = from; i < to; i++)
		n += reading_counter(r, udp + i) + reading_counter(r, tcp + i);
	return n;
}

/* 1, 2, 5 and 10, 20, ... ms are the bounds. */
#define SERVERS(name, from, to)                                                                    \
	READER(auth4_##name)                                                                       \
	{                                                                                          \
		return servers_between(r, false, from, to);                                        \
	}                                                                                          \
	READER(auth6_##name)                                                                       \
	{                                                                                          \
		return servers_between(r, true, from, to);                                         \
	}
SERVERS(0_1, 0, 1)
SERVERS(1_10, 1, 4)
SERVERS(10_100, 4, 7)
SERVERS(100_1000, 7, 10)
SERVERS(slow, 10, METRICS_SERVER_STEPS + 1)

/* ---- limits and states ---- */

READER(aggressive_entries)
{
	return aggressive_entries(r->env->aggressive);
}

READER(aggressive_bytes)
{
	struct aggressive_sum sum;

	aggressive_sum(r->env->aggressive, &sum);
	return sum.bytes;
}

/* Recounts what max-cache-memory limits. */
READER(cache_memory)
{
	const struct cache_stats *records = cache_of(r);

	return records->fixed_bytes + records->bytes + servers_of(r)->bytes +
	       metric_read_aggressive_bytes(r) + metric_read_packetcache_bytes(r) +
	       metric_read_key_bytes(r);
}

READER(max_cache_memory)
{
	return r->env->max_cache_memory(r->env->ctx);
}

static uint64_t setting_number(const struct watch_env *env, const char *name)
{
	char *text = env->setting(env->ctx, name);
	uint64_t value = text == NULL ? 0 : strtoull(text, NULL, 0);

	free(text);
	return value;
}

READER(max_cache)
{
	return setting_number(r->env, "max-cache-entries");
}

READER(max_packetcache)
{
	return setting_number(r->env, "max-packetcache-entries");
}

#define WEATHER(name, value)                                                                       \
	READER(name)                                                                               \
	{                                                                                          \
		struct weather *w = servers_weather(r->env->servers);                              \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		for (unsigned family = 4; family <= 6; family += 2) {                              \
			struct weather_stats s;                                                    \
                                                                                                   \
			weather_stats(w, family, r->env->now_ms(r->env->ctx), &s);                 \
			sum += (value);                                                            \
		}                                                                                  \
		return sum;                                                                        \
	}
WEATHER(network_down, s.state == WEATHER_DOWN)
WEATHER(network_downs, s.downs)
WEATHER(network_down_ms, s.down_ms)
WEATHER(network_unrouted, s.state == WEATHER_UNROUTED)
WEATHER(network_unrouteds, s.unrouteds)
WEATHER(network_unrouted_ms, s.unrouted_ms)

READER(ready)
{
	return r->env->is_ready(r->env->ctx);
}

#define CARBON(member)                                                                             \
	READER(carbon_##member)                                                                    \
	{                                                                                          \
		struct carbon_stats s;                                                             \
                                                                                                   \
		carbon_stats(r->env->carbon, &s);                                                  \
		return s.member;                                                                   \
	}
CARBON(pushes)
CARBON(errors)
CARBON(timeouts)

#define SECPOLL(name, member)                                                                      \
	READER(name)                                                                               \
	{                                                                                          \
		struct secpoll_stats s;                                                            \
                                                                                                   \
		secpoll_stats(r->env->secpoll, &s);                                                \
		return s.member;                                                                   \
	}
SECPOLL(security_status, status)
SECPOLL(security_polls, polls)
SECPOLL(security_poll_failures, failures)

#define WEB(member)                                                                                \
	READER(web_##member)                                                                       \
	{                                                                                          \
		return r->env->web == NULL                                                         \
			       ? 0                                                                 \
			       : atomic_load_explicit(&r->env->web->member, memory_order_relaxed); \
	}
WEB(connections)
WEB(peak)
WEB(client_peak)
WEB(body_peak)
WEB(forbidden)
WEB(displaced)
WEB(late)
WEB(requests)
WEB(unauthorized)
WEB(too_large)
WEB(errors)

#define DNSTAP(member)                                                                             \
	READER(dnstap_##member)                                                                    \
	{                                                                                          \
		struct dnstap_stats s;                                                             \
                                                                                                   \
		dnstap_stats(r->env->dnstap, &s);                                                  \
		return s.member;                                                                   \
	}
DNSTAP(frames)
DNSTAP(drops)
DNSTAP(failures)
DNSTAP(connected)
DNSTAP(most_queued)

#define SCRIPTS(member)                                                                            \
	READER(scripts_##member)                                                                   \
	{                                                                                          \
		const struct watch_scripts *s = r->env->scripts;                                   \
                                                                                                   \
		return s == NULL ? 0 : atomic_load_explicit(&s->member, memory_order_relaxed);     \
	}
SCRIPTS(heap)
SCRIPTS(threads)

READER(passed_file_refusals)
{
	(void)r;
	return passed_file_refusals();
}

READER(draining)
{
	return r->env->draining_since_ms(r->env->ctx) != 0;
}

/* ---- the process and its host ---- */

READER(uptime)
{
	return (r->env->now_ms(r->env->ctx) - r->env->started_ms) / 1000;
}

static uint64_t timeval_ms(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000;
}

READER(user_ms)
{
	struct rusage ru;

	(void)r;
	return getrusage(RUSAGE_SELF, &ru) == 0 ? timeval_ms(&ru.ru_utime) : 0;
}

READER(sys_ms)
{
	struct rusage ru;

	(void)r;
	return getrusage(RUSAGE_SELF, &ru) == 0 ? timeval_ms(&ru.ru_stime) : 0;
}

READER(resident_bytes)
{
	unsigned long long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	(void)r;
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What is shared with other processes is divided among them: dear to find out. */
READER(special_bytes)
{
	unsigned long long kb = 0;
	char line[128];
	FILE *f = fopen("/proc/self/smaps_rollup", "re");

	(void)r;
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL && sscanf(line, "Pss: %llu", &kb) != 1)
		;
	fclose(f);
	return kb * 1024;
}

/* The n-th number of the line of all processors: user, nice, system, idle, iowait, irq, softirq,
 * steal. */
static uint64_t host_cpu(unsigned n)
{
	unsigned long long values[8] = { 0 };
	FILE *f = fopen("/proc/stat", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &values[0], &values[1],
		   &values[2], &values[3], &values[4], &values[5], &values[6], &values[7]) != 8)
		values[n] = 0;
	fclose(f);
	return values[n];
}

READER(cpu_iowait)
{
	(void)r;
	return host_cpu(4);
}

READER(cpu_steal)
{
	(void)r;
	return host_cpu(7);
}

READER(open_fds)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	(void)r;
	if (dir == NULL)
		return 0;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n - 1; /* without the one that reads the directory */
}

#define KERNEL(version, name, which)                                                               \
	READER(udp##version##_##name)                                                              \
	{                                                                                          \
		(void)r;                                                                           \
		return kernel_udp##version(which);                                                 \
	}
KERNEL(4, noport, UDP_NOPORT_ERRORS)
KERNEL(4, in, UDP_IN_ERRORS)
KERNEL(4, recvbuf, UDP_RECVBUF_ERRORS)
KERNEL(4, sndbuf, UDP_SNDBUF_ERRORS)
KERNEL(4, csum, UDP_IN_CSUM_ERRORS)
KERNEL(6, noport, UDP_NOPORT_ERRORS)
KERNEL(6, in, UDP_IN_ERRORS)
KERNEL(6, recvbuf, UDP_RECVBUF_ERRORS)
KERNEL(6, sndbuf, UDP_SNDBUF_ERRORS)
KERNEL(6, csum, UDP_IN_CSUM_ERRORS)

READER(zero)
{
	(void)r;
	return 0;
}

/* ---- validation ---- */

static uint64_t sum_of_bogus(const struct reading *r, size_t results)
{
	uint64_t sum = 0;

	for (size_t i = METRICS_DNSSEC_FIRST_BOGUS; i < METRICS_N_DNSSEC; i++)
		sum += reading_counter(r, results + i);
	return sum;
}

uint64_t metric_read_bogus(struct reading *r)
{
	return sum_of_bogus(r, COUNTER_PLACE(dnssec_results));
}

uint64_t metric_read_x_bogus(struct reading *r)
{
	return sum_of_bogus(r, COUNTER_PLACE(x_dnssec_results));
}

bool metric_has_x_dnssec(struct reading *r)
{
	char *names;

	if (!r->has_x_dnssec) {
		names = r->env->setting(r->env->ctx, "x-dnssec-names");
		r->names_x_dnssec = names != NULL && names[0] != '\0';
		free(names);
		r->has_x_dnssec = true;
	}
	return r->names_x_dnssec;
}
