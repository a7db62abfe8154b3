#include "tools/graphs/boards.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "tools/graphs/line.h"

#define RATE(label, sum, scale, colour)                                                            \
	{                                                                                          \
		label, LINE_RATE, sum, NULL, scale, colour                                         \
	}
#define VALUE(label, sum, scale, colour)                                                           \
	{                                                                                          \
		label, LINE_VALUE, sum, NULL, scale, colour                                        \
	}
#define MEAN(label, sum, scale, colour)                                                            \
	{                                                                                          \
		label, LINE_MEAN, sum, NULL, scale, colour                                         \
	}
#define PART(label, sum, per, scale, colour)                                                       \
	{                                                                                          \
		label, LINE_RATE, sum, per, scale, colour                                          \
	}
#define SHARE(label, sum, per, scale, colour)                                                      \
	{                                                                                          \
		label, LINE_VALUE, sum, per, scale, colour                                         \
	}
#define PERCENTILE(label, buckets, which, colour)                                                  \
	{                                                                                          \
		label, LINE_PERCENTILE, buckets, NULL, which, colour                               \
	}

/* clang-format off */
static const struct board boards[] = {
	{ "queries", "Queries", "queries/s", BOARD_RESOLVER, false, {
		RATE("all", "questions", 1, "blue"),
		RATE("over TCP", "tcp-questions", 1, "orange"),
		RATE("over IPv6", "ipv6-questions", 1, "green"),
		RATE("with DO", "dnssec-queries", 1, "violet") } },
	{ "answers", "Answers by code", "answers/s", BOARD_RESOLVER, true, {
		RATE("NOERROR", "noerror-answers", 1, "green"),
		RATE("NXDOMAIN", "nxdomain-answers", 1, "blue"),
		RATE("SERVFAIL", "servfail-answers", 1, "red"),
		RATE("other", "other-rcode-answers", 1, "grey") } },
	{ "cache", "Answered from caches", "% of queries", BOARD_RESOLVER, false, {
		PART("either", "packetcache-hits+cache-hits", "packetcache-hits+cache-hits+cache-misses", 100, "green"),
		PART("packet cache", "packetcache-hits", "packetcache-hits+packetcache-misses", 100, "blue"),
		PART("record cache", "cache-hits", "cache-hits+cache-misses", 100, "orange") } },
	{ "cache-size", "Cache entries", "entries", BOARD_RESOLVER, false, {
		VALUE("records", "cache-entries", 1, "blue"),
		VALUE("packets", "packetcache-entries", 1, "orange"),
		VALUE("negative", "negcache-entries", 1, "violet") } },
	{ "latency", "Latency", "ms", BOARD_RESOLVER, false, {
		PERCENTILE("half are faster", "cumul-clientanswers-le", 0.5, "green"),
		PERCENTILE("90 % are", "cumul-clientanswers-le", 0.9, "blue"),
		PERCENTILE("99 % are", "cumul-clientanswers-le", 0.99, "red"),
		MEAN("average", "qa-latency", 0.001, "grey") } },
	{ "answer-times", "Answers by time taken", "answers/s", BOARD_RESOLVER, true, {
		RATE("packet cache", "packetcache-hits", 1, "grey"),
		RATE("below 1 ms", "answers0-1", 1, "green"),
		RATE("1 to 10 ms", "answers1-10", 1, "blue"),
		RATE("10 to 100 ms", "answers10-100", 1, "violet"),
		RATE("100 ms to 1 s", "answers100-1000", 1, "orange"),
		RATE("slower", "answers-slow", 1, "red") } },
	{ "outqueries", "Questions to servers", "questions/s", BOARD_RESOLVER, false, {
		RATE("all", "all-outqueries", 1, "blue"),
		RATE("over TCP", "tcp-outqueries", 1, "orange"),
		RATE("over IPv6", "ipv6-outqueries", 1, "green"),
		RATE("not sent: throttled", "throttled-out", 1, "red") } },
	{ "effort", "Questions to servers per query", "per query", BOARD_RESOLVER, false, {
		PART("per query", "all-outqueries", "questions", 1, "blue"),
		PART("per query not in a cache", "all-outqueries", "cache-misses", 1, "orange") } },
	{ "failures", "Failures", "per second", BOARD_RESOLVER, false, {
		RATE("SERVFAIL sent", "servfail-answers", 1, "red"),
		RATE("servers timed out", "outgoing-timeouts", 1, "orange"),
		RATE("network errors", "unreachables", 1, "violet"),
		RATE("lame servers", "lame-answers", 1, "blue"),
		RATE("unreadable answers", "server-parse-errors", 1, "grey") } },
	{ "drops", "Dropped and refused", "per second", BOARD_RESOLVER, true, {
		RATE("over capacity", "over-capacity-drops", 1, "red"),
		RATE("fair share", "fair-share-refusals", 1, "pink"),
		RATE("policy", "policy-drops", 1, "violet"),
		RATE("defender", "defender-drops", 1, "blue"),
		RATE("not in allow-from", "unauthorized-udp+unauthorized-tcp+unauthorized-tcp-queries", 1, "orange"),
		RATE("too old", "too-old-drops", 1, "brown"),
		RATE("TCP limits", "tcp-client-overflow+tcp-overflow", 1, "green"),
		RATE("unreadable", "client-parse-errors+ignored-packets+empty-queries", 1, "grey") } },
	{ "cpu", "CPU", "% of one core", BOARD_RESOLVER, true, {
		RATE("program", "user-msec", 0.1, "blue"),
		RATE("kernel", "sys-msec", 0.1, "orange") } },
	{ "cpu-query", "CPU per query", "us", BOARD_RESOLVER, false, {
		PART("program and kernel", "user-msec+sys-msec", "questions", 1000, "blue") } },
	{ "memory", "Memory", "bytes", BOARD_RESOLVER, false, {
		VALUE("resident", "real-memory-usage", 1, "blue"),
		VALUE("all caches", "cache-memory", 1, "green"),
		VALUE("record cache", "cache-bytes", 1, "orange"),
		VALUE("packet caches", "packetcache-bytes", 1, "violet"),
		VALUE("max-cache-memory", "max-cache-memory", 1, "red") } },
	{ "work", "At work", "at once", BOARD_RESOLVER, false, {
		VALUE("queries being resolved", "concurrent-queries", 1, "blue"),
		VALUE("TCP clients", "tcp-clients", 1, "orange"),
		VALUE("servers throttled", "throttle-entries", 1, "red"),
		VALUE("domains accused", "defender-accused", 1, "violet") } },
	{ "dnssec", "Validation", "answers/s", BOARD_RESOLVER, true, {
		RATE("secure", "dnssec-result-secure", 1, "green"),
		RATE("insecure", "dnssec-result-insecure", 1, "grey"),
		RATE("indeterminate", "dnssec-result-indeterminate", 1, "orange"),
		RATE("bogus", "dnssec-result-bogus", 1, "red") } },
	{ "udp-errors", "UDP lost in the kernel", "per second", BOARD_RESOLVER, false, {
		RATE("receive buffer full", "udp-recvbuf-errors+udp6-recvbuf-errors", 1, "red"),
		RATE("send buffer full", "udp-sndbuf-errors+udp6-sndbuf-errors", 1, "orange"),
		RATE("nobody listens", "udp-noport-errors+udp6-noport-errors", 1, "grey"),
		RATE("checksum", "udp-in-csum-errors+udp6-in-csum-errors", 1, "violet") } },
	{ "uptime", "Up", "days", BOARD_RESOLVER, false, {
		MEAN("since the start", "uptime", 1 / 86400.0, "blue"),
		MEAN("security-status", "security-status", 1, "red") } },

	{ "host-cpu", "Host: CPU", "% of one core", BOARD_HOST, true, {
		RATE("programs", "cpu-user-msec+cpu-nice-msec", 0.1, "blue"),
		RATE("kernel", "cpu-system-msec", 0.1, "orange"),
		RATE("packets (softirq)", "cpu-softirq-msec+cpu-irq-msec", 0.1, "violet"),
		RATE("disk (iowait)", "cpu-iowait-msec", 0.1, "grey"),
		RATE("stolen", "cpu-steal-msec", 0.1, "red") } },
	{ "host-network", "Host: network", "bits/s", BOARD_HOST, false, {
		RATE("in", "net-rx-bytes", 8, "green"),
		RATE("out", "net-tx-bytes", 8, "blue") } },
	{ "host-packets", "Host: packets", "packets/s", BOARD_HOST, false, {
		RATE("in", "net-rx-packets", 1, "green"),
		RATE("out", "net-tx-packets", 1, "blue"),
		RATE("UDP in", "udp-in-datagrams+udp6-in-datagrams", 1, "orange"),
		RATE("UDP out", "udp-out-datagrams+udp6-out-datagrams", 1, "violet") } },
	{ "host-losses", "Host: packets lost", "packets/s", BOARD_HOST, true, {
		RATE("dropped on receipt", "net-rx-drops", 1, "red"),
		RATE("errors on receipt", "net-rx-errors", 1, "orange"),
		RATE("not sent", "net-tx-drops+net-tx-errors", 1, "violet"),
		RATE("UDP receive buffers", "udp-recvbuf-errors+udp6-recvbuf-errors", 1, "blue"),
		RATE("UDP send buffers", "udp-sndbuf-errors", 1, "green") } },
	{ "host-memory", "Host: memory", "bytes", BOARD_HOST, false, {
		VALUE("all", "memory-total", 1, "grey"),
		VALUE("available", "memory-available", 1, "green"),
		VALUE("files in memory", "memory-cached", 1, "blue"),
		VALUE("free", "memory-free", 1, "orange") } },
	{ "host-load", "Host: load", "per CPU", BOARD_HOST, false, {
		SHARE("a minute", "load-1", "cpus", 1, "blue"),
		SHARE("five minutes", "load-5", "cpus", 1, "orange"),
		SHARE("a quarter of an hour", "load-15", "cpus", 1, "grey") } },
	{ "host-tcp", "Host: TCP", "per second", BOARD_HOST, false, {
		RATE("connections accepted", "tcp-passive-opens", 1, "green"),
		RATE("connections begun", "tcp-active-opens", 1, "blue"),
		RATE("segments sent again", "tcp-retransmitted", 1, "red") } },
};
/* clang-format on */

static const char host_part[] = "host";

size_t boards_count(void)
{
	return ARRAY_LEN(boards);
}

const struct board *boards_at(size_t i)
{
	ASSERT(i < ARRAY_LEN(boards));
	return &boards[i];
}

const struct board *boards_find(const char *id)
{
	for (size_t i = 0; i < ARRAY_LEN(boards); i++)
		if (strcmp(boards[i].id, id) == 0)
			return &boards[i];
	return NULL;
}

void boards_each_term(const char *sum, board_term_cb cb, void *ctx)
{
	char metric[LINE_METRIC_MAX];

	while (*sum != '\0') {
		size_t len = strcspn(sum, "+");

		ASSERT(len > 0 && len < sizeof(metric));
		memcpy(metric, sum, len);
		metric[len] = '\0';
		cb(ctx, metric);
		sum += len;
		if (*sum == '+')
			sum++;
	}
}

enum board_of boards_of_source(const char *source)
{
	const char *dot = strrchr(source, '.');

	return strcmp(dot == NULL ? source : dot + 1, host_part) == 0 ? BOARD_HOST : BOARD_RESOLVER;
}

bool boards_host_of(const char *source, char *out, size_t cap)
{
	const char *dot = strrchr(source, '.');
	int len;

	if (dot == NULL || boards_of_source(source) == BOARD_HOST)
		return false;
	len = snprintf(out, cap, "%.*s.%s", (int)(dot - source), source, host_part);
	return len > 0 && (size_t)len < cap;
}
