/* metrics: the table of all metrics; see metrics.h. */
#include "recursor/watch/metrics.h"

#include <assert.h>
#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/check.h"
#include "common/mdoc.h"
#include "recursor/watch/kernel_udp.h"

/* ---- what the gauges read ---- */

static uint64_t workers_sum(const struct watch_env *env,
			    size_t (*of_worker)(void *ctx, unsigned worker))
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < env->n_workers; i++)
		sum += of_worker(env->ctx, i);
	return sum;
}

static uint64_t read_in_flight(const struct watch_env *env)
{
	return workers_sum(env, env->in_flight);
}

static uint64_t read_tcp_clients(const struct watch_env *env)
{
	return workers_sum(env, env->tcp_clients);
}

static uint64_t read_packetcache_entries(const struct watch_env *env)
{
	return workers_sum(env, env->packetcache_entries);
}

static uint64_t read_packetcache_bytes(const struct watch_env *env)
{
	return workers_sum(env, env->packetcache_bytes);
}

/* Recounts what max-cache-memory limits. */
static uint64_t read_cache_memory(const struct watch_env *env)
{
	struct cache_stats records;
	struct servers_stats servers;

	cache_stats(env->cache, &records);
	servers_stats(env->servers, &servers);
	return records.fixed_bytes + records.bytes + servers.bytes + read_packetcache_bytes(env);
}

static uint64_t read_max_cache_memory(const struct watch_env *env)
{
	return env->max_cache_memory(env->ctx);
}

#define READS_CACHE(name, member)                                                                  \
	static uint64_t name(const struct watch_env *env)                                          \
	{                                                                                          \
		struct cache_stats s;                                                              \
                                                                                                   \
		cache_stats(env->cache, &s);                                                       \
		return s.member;                                                                   \
	}
READS_CACHE(read_cache_entries, entries)
READS_CACHE(read_cache_negative, negative)
READS_CACHE(read_cache_bytes, bytes)
READS_CACHE(read_cache_acquired, lock_acquired)
READS_CACHE(read_cache_contended, lock_contended)
READS_CACHE(read_cache_evicted, evicted)
READS_CACHE(read_cache_expired, expired)

#define READS_CACHEFILE(name, member)                                                              \
	static uint64_t name(const struct watch_env *env)                                          \
	{                                                                                          \
		struct watch_cachefile s;                                                          \
                                                                                                   \
		env->cachefile(env->ctx, &s);                                                      \
		return s.member;                                                                   \
	}
READS_CACHEFILE(read_file_loaded, loaded)
READS_CACHEFILE(read_file_dropped, dropped)
READS_CACHEFILE(read_file_refused, refused)
READS_CACHEFILE(read_file_written, written)
READS_CACHEFILE(read_file_writes, writes)
READS_CACHEFILE(read_file_errors, errors)
READS_CACHEFILE(read_file_time, written_s)

#define READS_DEFENDER(name, member)                                                               \
	static uint64_t name(const struct watch_env *env)                                          \
	{                                                                                          \
		struct watch_defender s;                                                           \
                                                                                                   \
		env->defender_stats(env->ctx, &s);                                                 \
		return s.member;                                                                   \
	}
READS_DEFENDER(read_accused, accused)
READS_DEFENDER(read_accusations, accusations)
READS_DEFENDER(read_accusations_refused, refused)
READS_DEFENDER(read_defender_evicted, evicted)
READS_DEFENDER(read_defender_bytes, bytes)
READS_DEFENDER(read_known, known)
READS_DEFENDER(read_known_bytes, known_bytes)
READS_DEFENDER(read_known_left_out, known_left_out)

#define READS_SERVERS(name, member)                                                                \
	static uint64_t name(const struct watch_env *env)                                          \
	{                                                                                          \
		struct servers_stats s;                                                            \
                                                                                                   \
		servers_stats(env->servers, &s);                                                   \
		return s.member;                                                                   \
	}
READS_SERVERS(read_nsspeeds, servers)
READS_SERVERS(read_failed_hosts, failed)
READS_SERVERS(read_throttles, throttles)
READS_SERVERS(read_unresolved, unresolved)

#define READS_WEATHER(name, value)                                                                 \
	static uint64_t name(const struct watch_env *env)                                          \
	{                                                                                          \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		for (unsigned family = 4; family <= 6; family += 2) {                              \
			struct weather_stats s;                                                    \
                                                                                                   \
			weather_stats(servers_weather(env->servers), family,                       \
				      env->now_ms(env->ctx), &s);                                  \
			sum += (value);                                                            \
		}                                                                                  \
		return sum;                                                                        \
	}
READS_WEATHER(read_network_down, s.state == WEATHER_DOWN)
READS_WEATHER(read_network_downs, s.downs)
READS_WEATHER(read_network_down_ms, s.down_ms)
READS_WEATHER(read_network_unrouted, s.state == WEATHER_UNROUTED)
READS_WEATHER(read_network_unrouteds, s.unrouteds)
READS_WEATHER(read_network_unrouted_ms, s.unrouted_ms)

/* Each worker has an average of its own; one that answers more has more to say. */
static uint64_t read_latency(const struct watch_env *env)
{
	uint64_t weighted = 0, weight = 0;

	if (env->latency_us == NULL)
		return 0;
	for (unsigned i = 0; i < env->n_workers; i++) {
		uint64_t questions = counter_get(&env->counters(env->ctx, i)->questions);

		weighted += env->latency_us(env->ctx, i) * questions;
		weight += questions;
	}
	return weight == 0 ? 0 : weighted / weight;
}

static uint64_t read_uptime(const struct watch_env *env)
{
	return (env->now_ms(env->ctx) - env->started_ms) / 1000;
}

static uint64_t timeval_ms(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000 + (uint64_t)tv->tv_usec / 1000;
}

static uint64_t read_user_ms(const struct watch_env *env)
{
	struct rusage ru;

	(void)env;
	return getrusage(RUSAGE_SELF, &ru) == 0 ? timeval_ms(&ru.ru_utime) : 0;
}

static uint64_t read_sys_ms(const struct watch_env *env)
{
	struct rusage ru;

	(void)env;
	return getrusage(RUSAGE_SELF, &ru) == 0 ? timeval_ms(&ru.ru_stime) : 0;
}

static uint64_t read_resident_bytes(const struct watch_env *env)
{
	unsigned long long total, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	(void)env;
	if (f == NULL)
		return 0;
	if (fscanf(f, "%llu %llu", &total, &resident) != 2)
		resident = 0;
	fclose(f);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t read_open_fds(const struct watch_env *env)
{
	DIR *dir = opendir("/proc/self/fd");
	uint64_t n = 0;

	(void)env;
	if (dir == NULL)
		return 0;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		n += e->d_name[0] != '.';
	closedir(dir);
	return n - 1; /* without the one that reads the directory */
}

#define READS_IPSETS(member)                                                                       \
	static uint64_t read_ipset_##member(const struct watch_env *env)                           \
	{                                                                                          \
		struct watch_ipsets s;                                                             \
                                                                                                   \
		env->ipsets.sums(env->ipsets.ctx, &s);                                             \
		return s.member;                                                                   \
	}
READS_IPSETS(sets)
READS_IPSETS(entries)
READS_IPSETS(bytes)
READS_IPSETS(adds)
READS_IPSETS(removals)
READS_IPSETS(refusals)
READS_IPSETS(expirations)
READS_IPSETS(sets_refused)

#define READS_SHELF(member)                                                                        \
	static uint64_t read_shelf_##member(const struct watch_env *env)                           \
	{                                                                                          \
		struct watch_shelf s = { 0 };                                                      \
                                                                                                   \
		env->shelf(env->ctx, &s);                                                          \
		return s.member;                                                                   \
	}
READS_SHELF(names)
READS_SHELF(refused)
READS_SHELF(forgotten)
READS_SHELF(bytes)

static uint64_t setting_number(const struct watch_env *env, const char *name)
{
	char *text = env->setting(env->ctx, name);
	uint64_t value = text == NULL ? 0 : strtoull(text, NULL, 0);

	free(text);
	return value;
}

static uint64_t read_max_cache(const struct watch_env *env)
{
	return setting_number(env, "max-cache-entries");
}

static uint64_t read_max_packetcache(const struct watch_env *env)
{
	return setting_number(env, "max-packetcache-entries");
}

static uint64_t read_ready(const struct watch_env *env)
{
	return env->is_ready(env->ctx);
}

static uint64_t read_draining(const struct watch_env *env)
{
	return env->draining_since_ms(env->ctx) != 0;
}

#define READS_KERNEL(version, name, which)                                                         \
	static uint64_t read_udp##version##_##name(const struct watch_env *env)                    \
	{                                                                                          \
		(void)env;                                                                         \
		return kernel_udp##version(which);                                                 \
	}
READS_KERNEL(4, noport, UDP_NOPORT_ERRORS)
READS_KERNEL(4, in, UDP_IN_ERRORS)
READS_KERNEL(4, recvbuf, UDP_RECVBUF_ERRORS)
READS_KERNEL(4, sndbuf, UDP_SNDBUF_ERRORS)
READS_KERNEL(4, csum, UDP_IN_CSUM_ERRORS)
READS_KERNEL(6, noport, UDP_NOPORT_ERRORS)
READS_KERNEL(6, in, UDP_IN_ERRORS)
READS_KERNEL(6, recvbuf, UDP_RECVBUF_ERRORS)
READS_KERNEL(6, sndbuf, UDP_SNDBUF_ERRORS)
READS_KERNEL(6, csum, UDP_IN_CSUM_ERRORS)

static uint64_t read_zero(const struct watch_env *env)
{
	(void)env;
	return 0;
}

/* ---- the table ---- */

struct row {
	struct metric m;
	size_t counter; /* which of struct counters, when there is no `read` */
	uint64_t (*read)(const struct watch_env *env);
};

#define COUNTED(member, name, kind, help)                                                          \
	{ { name, help, METRIC_##kind },                                                           \
	  offsetof(struct counters, member) / sizeof(counter),                                     \
	  NULL },
#define READ(name, kind, read, help)                                                               \
	{                                                                                          \
		{ name, help, METRIC_##kind }, 0, read                                             \
	}

/* Names that scripts of the field ask for, of things that cannot happen here. */
#define NEVER(name, why) READ(name, COUNTER, read_zero, "always 0: " why)

static const struct row rows[] = {
	METRICS_COUNTERS(COUNTED)
	/* One count under a second name, as in the field. */
	COUNTED(throttled_out, "throttled-outqueries", COUNTER, "the same as throttled-out")

		READ("cache-bytes", GAUGE, read_cache_bytes, "bytes of the record cache"),
	READ("cache-entries", GAUGE, read_cache_entries, "record sets in the record cache"),
	READ("negcache-entries", GAUGE, read_cache_negative,
	     "denials and recent failures in the record cache"),
	READ("max-cache-entries", GAUGE, read_max_cache, "the setting of that name"),
	READ("record-cache-acquired", COUNTER, read_cache_acquired,
	     "times a lock of the record cache was taken"),
	READ("record-cache-contended", COUNTER, read_cache_contended,
	     "times a lock of the record cache had to be waited for"),
	READ("record-cache-evicted", COUNTER, read_cache_evicted,
	     "record sets that made room for others before they expired"),
	READ("record-cache-expired", COUNTER, read_cache_expired,
	     "record sets removed because they had expired"),
	READ("packetcache-bytes", GAUGE, read_packetcache_bytes, "bytes of the packet caches"),
	READ("packetcache-entries", GAUGE, read_packetcache_entries,
	     "answers in the packet caches"),
	READ("max-packetcache-entries", GAUGE, read_max_packetcache, "the setting of that name"),
	READ("cache-memory", GAUGE, read_cache_memory,
	     "bytes of record cache, packet caches and server table together"),
	READ("max-cache-memory", GAUGE, read_max_cache_memory,
	     "bytes that they may take: the setting of that name, or what stands for it"),
	READ("cache-file-loaded", GAUGE, read_file_loaded,
	     "record sets and servers taken from cache-file after the start"),
	READ("cache-file-dropped", GAUGE, read_file_dropped,
	     "the same that were not: expired, newer known, no room"),
	READ("cache-file-refused", COUNTER, read_file_refused,
	     "files refused: damaged, of another version, not ours"),
	READ("cache-file-written", GAUGE, read_file_written,
	     "record sets and servers written to cache-file the last time"),
	READ("cache-file-writes", COUNTER, read_file_writes, "times cache-file was written"),
	READ("cache-file-errors", COUNTER, read_file_errors, "times it could not be written"),
	READ("cache-file-time", GAUGE, read_file_time,
	     "when it was written the last time, in seconds since 1970; 0: not yet"),
	READ("nsspeeds-entries", GAUGE, read_nsspeeds, "servers whose speed is known"),
	READ("failed-host-entries", GAUGE, read_failed_hosts,
	     "servers that failed when they were asked last"),
	READ("non-resolving-nameserver-entries", GAUGE, read_unresolved,
	     "names of name servers for which no address was found of late"),
	READ("throttle-entries", GAUGE, read_throttles,
	     "servers, and questions to servers, that are throttled"),
	READ("network-down", GAUGE, read_network_down,
	     "address families (0 to 2) over which no server answers any more: our own network"),
	READ("network-down-events", COUNTER, read_network_downs,
	     "times that was so, the present one included"),
	READ("network-down-msec", COUNTER, read_network_down_ms,
	     "milliseconds that it was so, summed over the families"),
	READ("network-unrouted", GAUGE, read_network_unrouted,
	     "address families (0 to 2) for which there is no route"),
	READ("network-unrouted-events", COUNTER, read_network_unrouteds,
	     "times that was so, the present one included"),
	READ("network-unrouted-msec", COUNTER, read_network_unrouted_ms,
	     "milliseconds that it was so, summed over the families"),
	READ("concurrent-queries", GAUGE, read_in_flight, "client queries being resolved"),
	READ("tcp-clients", GAUGE, read_tcp_clients, "open TCP connections of clients"),
	READ("qa-latency", GAUGE, read_latency,
	     "moving average of the time to answer, in microseconds"),
	READ("udp-recvbuf-errors", COUNTER, read_udp4_recvbuf,
	     "the kernel's, of this host over IPv4: packets lost because a receive buffer was full"),
	READ("udp-sndbuf-errors", COUNTER, read_udp4_sndbuf,
	     "the kernel's, of this host over IPv4: packets not sent because a send buffer was full"),
	READ("udp-noport-errors", COUNTER, read_udp4_noport,
	     "the kernel's, of this host over IPv4: packets to a port at which nobody listens"),
	READ("udp-in-errors", COUNTER, read_udp4_in,
	     "the kernel's, of this host over IPv4: packets that could not be received, for any reason"),
	READ("udp-in-csum-errors", COUNTER, read_udp4_csum,
	     "the kernel's, of this host over IPv4: packets with a wrong checksum"),
	READ("udp6-recvbuf-errors", COUNTER, read_udp6_recvbuf,
	     "the kernel's, of this host over IPv6: packets lost because a receive buffer was full"),
	READ("udp6-sndbuf-errors", COUNTER, read_udp6_sndbuf,
	     "the kernel's, of this host over IPv6: packets not sent because a send buffer was full"),
	READ("udp6-noport-errors", COUNTER, read_udp6_noport,
	     "the kernel's, of this host over IPv6: packets to a port at which nobody listens"),
	READ("udp6-in-errors", COUNTER, read_udp6_in,
	     "the kernel's, of this host over IPv6: packets that could not be received, for any reason"),
	READ("udp6-in-csum-errors", COUNTER, read_udp6_csum,
	     "the kernel's, of this host over IPv6: packets with a wrong checksum"),
	READ("ready", GAUGE, read_ready,
	     "1 when clients should be sent here: the root's name servers are known or have been "
	     "waited for long enough, and it does not drain"),
	READ("ipset-sets", GAUGE, read_ipset_sets, "sets of addresses with a name"),
	READ("ipset-entries", GAUGE, read_ipset_entries, "addresses in all sets of addresses"),
	READ("ipset-bytes", GAUGE, read_ipset_bytes, "bytes of all sets of addresses"),
	READ("ipset-adds", COUNTER, read_ipset_adds, "addresses added to sets, or renewed there"),
	READ("ipset-removals", COUNTER, read_ipset_removals,
	     "addresses removed from sets before they expired"),
	READ("ipset-refusals", COUNTER, read_ipset_refusals,
	     "addresses not added because their set, or all sets together (ipset-max-entries), "
	     "were full"),
	READ("ipset-expirations", COUNTER, read_ipset_expirations,
	     "addresses in sets that expired"),
	READ("ipset-sets-refused", COUNTER, read_ipset_sets_refused,
	     "sets of addresses not opened because of ipset-max-sets"),
	READ("ratelimit-refusals", COUNTER, read_shelf_refused,
	     "queries that rate limits of scripts refused"),
	READ("ratelimit-forgotten", COUNTER, read_shelf_forgotten,
	     "clients that rate limits of scripts forgot too early, for want of room (max)"),
	READ("script-list-names", GAUGE, read_shelf_names,
	     "names in the lists that scripts have of files"),
	READ("script-shared-bytes", GAUGE, read_shelf_bytes,
	     "bytes of lists of names and rate limits of scripts"),
	READ("defender-accused", GAUGE, read_accused, "accusations of the defender in force"),
	READ("defender-accusations", COUNTER, read_accusations, "accusations begun"),
	READ("defender-accusations-refused", COUNTER, read_accusations_refused,
	     "accusations not begun because there are 1000"),
	READ("defender-zones-evicted", COUNTER, read_defender_evicted,
	     "zones no longer counted for want of room (defender-memory)"),
	READ("defender-bytes", GAUGE, read_defender_bytes,
	     "bytes in which the defender counts answers"),
	READ("defender-known-names", GAUGE, read_known, "names known to exist, about"),
	READ("defender-known-bytes", GAUGE, read_known_bytes, "bytes in which they are remembered"),
	READ("defender-known-left-out", COUNTER, read_known_left_out,
	     "names not remembered because their zone has its share of defender-known-memory"),
	READ("draining", GAUGE, read_draining, "1 after rec_control drain"),
	READ("uptime", COUNTER, read_uptime, "seconds since start"),
	READ("user-msec", COUNTER, read_user_ms, "milliseconds of CPU time in user mode"),
	READ("sys-msec", COUNTER, read_sys_ms, "milliseconds of CPU time in the kernel"),
	READ("real-memory-usage", GAUGE, read_resident_bytes,
	     "resident memory in bytes (0 where /proc is not to be seen)"),
	READ("fd-usage", GAUGE, read_open_fds,
	     "open file descriptors (0 where /proc is not to be seen)"),

	NEVER("dlg-only-drops", "there are no delegation-only zones"),
	NEVER("edns-ping-matches", "EDNS ping is not spoken"),
	NEVER("edns-ping-mismatches", "EDNS ping is not spoken"),
	NEVER("malloc-bytes", "see real-memory-usage"),
	NEVER("max-mthread-stack", "a resolution has no stack of its own"),
	NEVER("no-packet-error", "sockets are read in batches until they are empty"),
	NEVER("noping-outqueries", "EDNS ping is not spoken"),
	NEVER("too-old-drops", "queries are not dropped for their age"),
};

enum { N_ROWS = ARRAY_LEN(rows) };
static_assert(sizeof(struct counters) % sizeof(counter) == 0, "counters alone");

static const struct row *by_name[N_ROWS];
static pthread_once_t sorted = PTHREAD_ONCE_INIT;

static int compare_rows(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	return strcmp((*x)->m.name, (*y)->m.name);
}

static void sort_rows(void)
{
	for (size_t i = 0; i < N_ROWS; i++)
		by_name[i] = &rows[i];
	qsort(by_name, N_ROWS, sizeof(by_name[0]), compare_rows);
}

static const struct row *row_at(size_t i)
{
	ASSERT(i < N_ROWS);
	pthread_once(&sorted, sort_rows);
	return by_name[i];
}

size_t metrics_count(void)
{
	return N_ROWS;
}

const struct metric *metrics_at(size_t i)
{
	return &row_at(i)->m;
}

uint64_t metrics_value(const struct watch_env *env, size_t i)
{
	const struct row *row = row_at(i);
	uint64_t value = 0;

	if (row->read != NULL)
		return row->read(env);
	for (unsigned w = 0; w < env->n_workers; w++) {
		const struct counters *c = env->counters(env->ctx, w);
		uint64_t v = counter_get((const counter *)c + row->counter);

		if (row->m.kind != METRIC_PEAK)
			value += v;
		else if (v > value)
			value = v;
	}
	return value;
}

bool metrics_find(const char *name, size_t *i)
{
	size_t low = 0, high = N_ROWS;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, row_at(mid)->m.name);

		if (order == 0) {
			*i = mid;
			return true;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

void metrics_print_mdoc(FILE *f)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		const struct metric *m = metrics_at(i);

		fprintf(f, ".It Cm ");
		mdoc_print(f, m->name);
		fprintf(f, "\n%c", toupper((unsigned char)m->help[0]));
		mdoc_print(f, m->help + 1);
		fprintf(f, ".\n");
	}
}
