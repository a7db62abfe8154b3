#include "tools/graphs/feed_host.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "tools/graphs/host_metrics.h"

enum { TEXT_MAX = 262144, WORD_MAX = 64, LINE_MAX_LEN = 4096 };

#define NAME_ENUM(member, name, kind, help) M_##member,
#define NAME_TEXT(member, name, kind, help) [M_##member] = (name),
enum { HOST_METRICS(NAME_ENUM) M_COUNT };
static const char *const names[M_COUNT] = { HOST_METRICS(NAME_TEXT) };
#undef NAME_ENUM
#undef NAME_TEXT

static void tell(const struct feed_sink *sink, unsigned metric, double value)
{
	sink->each(sink->ctx, names[metric], value);
}

/* The next line into `line`; false at the end. */
static bool next_line(const char **text, char line[LINE_MAX_LEN])
{
	size_t len = strcspn(*text, "\n"), kept = len < LINE_MAX_LEN ? len : LINE_MAX_LEN - 1;

	if (**text == '\0')
		return false;
	memcpy(line, *text, kept);
	line[kept] = '\0';
	*text += len + ((*text)[len] == '\n');
	return true;
}

/* ---- stat, meminfo, loadavg ---- */

static void read_cpu(const char *fields, long ticks_per_s, const struct feed_sink *sink)
{
	static const unsigned order[] = { M_cpu_user,   M_cpu_nice, M_cpu_system,  M_cpu_idle,
					  M_cpu_iowait, M_cpu_irq,  M_cpu_softirq, M_cpu_steal };
	char *end;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		double ticks = strtod(fields, &end);

		if (end == fields)
			return;
		fields = end;
		tell(sink, order[i], ticks * 1000 / (double)ticks_per_s);
	}
}

void feed_read_stat(const char *text, long ticks_per_s, const struct feed_sink *sink)
{
	char line[LINE_MAX_LEN];
	unsigned cpus = 0;

	while (next_line(&text, line)) {
		if (strncmp(line, "cpu ", 4) == 0)
			read_cpu(line + 4, ticks_per_s, sink);
		else if (strncmp(line, "cpu", 3) == 0 && isdigit((unsigned char)line[3]))
			cpus++;
		else if (strncmp(line, "ctxt ", 5) == 0)
			tell(sink, M_switches, strtod(line + 5, NULL));
		else if (strncmp(line, "processes ", 10) == 0)
			tell(sink, M_forks, strtod(line + 10, NULL));
	}
	if (cpus > 0)
		tell(sink, M_cpus, cpus);
}

/* Lines "key value ...": what stands behind a key of a table, times a scale. */
struct key {
	const char *key;
	unsigned metric;
};

static void read_keys(const char *text, const struct key *keys, size_t n, double scale,
		      const struct feed_sink *sink)
{
	char line[LINE_MAX_LEN];

	while (next_line(&text, line)) {
		size_t len = strcspn(line, ": \t");

		for (size_t i = 0; i < n; i++)
			if (strlen(keys[i].key) == len && strncmp(line, keys[i].key, len) == 0)
				tell(sink, keys[i].metric,
				     strtod(line + len + strspn(line + len, ": \t"), NULL) * scale);
	}
}

void feed_read_meminfo(const char *text, const struct feed_sink *sink)
{
	static const struct key keys[] = {
		{ "MemTotal", M_mem_total },         { "MemFree", M_mem_free },
		{ "MemAvailable", M_mem_available }, { "Cached", M_mem_cached },
		{ "SwapTotal", M_swap_total },       { "SwapFree", M_swap_free },
	};

	read_keys(text, keys, ARRAY_LEN(keys), 1024, sink);
}

void feed_read_loadavg(const char *text, const struct feed_sink *sink)
{
	static const unsigned order[] = { M_load_1, M_load_5, M_load_15 };
	char *end;

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		double load = strtod(text, &end);

		if (end == text)
			return;
		text = end;
		tell(sink, order[i], load);
	}
}

/* ---- snmp ---- */

static const struct {
	const char *protocol, *key;
	unsigned metric;
} snmp_keys[] = {
	{ "Udp:", "InDatagrams", M_udp_in },       { "Udp:", "OutDatagrams", M_udp_out },
	{ "Udp:", "NoPorts", M_udp_noports },      { "Udp:", "InErrors", M_udp_in_errors },
	{ "Udp:", "RcvbufErrors", M_udp_rcvbuf },  { "Udp:", "SndbufErrors", M_udp_sndbuf },
	{ "Udp:", "InCsumErrors", M_udp_csum },    { "Tcp:", "ActiveOpens", M_tcp_active },
	{ "Tcp:", "PassiveOpens", M_tcp_passive }, { "Tcp:", "CurrEstab", M_tcp_established },
	{ "Tcp:", "RetransSegs", M_tcp_retrans },
};

static void tell_snmp(const char *protocol, const char *key, const char *value,
		      const struct feed_sink *sink)
{
	for (size_t i = 0; i < ARRAY_LEN(snmp_keys); i++)
		if (strcmp(snmp_keys[i].protocol, protocol) == 0 &&
		    strcmp(snmp_keys[i].key, key) == 0)
			tell(sink, snmp_keys[i].metric, strtod(value, NULL));
}

/* A line of keys, then one of values, the same protocol before both. */
void feed_read_snmp(const char *text, const struct feed_sink *sink)
{
	char keys[LINE_MAX_LEN], values[LINE_MAX_LEN];

	while (next_line(&text, keys) && next_line(&text, values)) {
		char *k = NULL, *v = NULL;
		const char *protocol = strtok_r(keys, " ", &k), *key, *value;
		const char *same = strtok_r(values, " ", &v);

		if (protocol == NULL || same == NULL || strcmp(protocol, same) != 0)
			return;
		while ((key = strtok_r(NULL, " ", &k)) != NULL &&
		       (value = strtok_r(NULL, " ", &v)) != NULL)
			tell_snmp(protocol, key, value, sink);
	}
}

void feed_read_snmp6(const char *text, const struct feed_sink *sink)
{
	static const struct key keys[] = {
		{ "Udp6InDatagrams", M_udp6_in },
		{ "Udp6OutDatagrams", M_udp6_out },
		{ "Udp6RcvbufErrors", M_udp6_rcvbuf },
	};

	read_keys(text, keys, ARRAY_LEN(keys), 1, sink);
}

/* ---- interfaces ---- */

#define NET_ENUM(member, name, help) N_##member,
#define NET_TEXT(member, name, help) [N_##member] = (name),
enum { HOST_NET_METRICS(NET_ENUM) N_COUNT };
static const char *const net_names[N_COUNT] = { HOST_NET_METRICS(NET_TEXT) };
#undef NET_ENUM
#undef NET_TEXT

/* Columns of /proc/net/dev: eight of what was received, eight of what was sent. */
static const unsigned net_columns[N_COUNT] = {
	[N_rx_bytes] = 0, [N_rx_packets] = 1, [N_rx_errors] = 2,  [N_rx_drops] = 3,
	[N_tx_bytes] = 8, [N_tx_packets] = 9, [N_tx_errors] = 10, [N_tx_drops] = 11
};
enum { NET_COLUMNS = 16 };

/* "eth0.100" is a name of two parts to carbon. */
static void tell_net(const char *interface, const double *columns, const struct feed_sink *sink)
{
	for (unsigned i = 0; i < N_COUNT; i++) {
		char metric[2 * WORD_MAX];

		snprintf(metric, sizeof(metric), "net-%.*s%s%s", WORD_MAX, interface,
			 interface[0] == '\0' ? "" : "-", net_names[i]);
		for (char *p = metric; *p != '\0'; p++)
			if (!isalnum((unsigned char)*p) && *p != '-' && *p != '_')
				*p = '_';
		sink->each(sink->ctx, metric, columns[net_columns[i]]);
	}
}

void feed_read_net_dev(const char *text, feed_interface_cb counts, void *ctx,
		       const struct feed_sink *sink)
{
	double sums[NET_COLUMNS] = { 0 };
	char line[LINE_MAX_LEN];
	bool any = false;

	while (next_line(&text, line)) {
		char *name = line + strspn(line, " "), *fields = strchr(name, ':'), *end;
		double columns[NET_COLUMNS];
		unsigned n = 0;

		if (fields == NULL)
			continue;
		*fields++ = '\0';
		for (; n < NET_COLUMNS; n++, fields = end) {
			columns[n] = strtod(fields, &end);
			if (end == fields)
				break;
		}
		if (n < NET_COLUMNS || !counts(ctx, name))
			continue;
		for (n = 0; n < NET_COLUMNS; n++)
			sums[n] += columns[n];
		tell_net(name, columns, sink);
		any = true;
	}
	if (any)
		tell_net("", sums, sink);
}

static int is_physical(void *ctx, const char *name)
{
	char path[128];

	(void)ctx;
	snprintf(path, sizeof(path), "/sys/class/net/%.64s/device", name);
	return strchr(name, '/') == NULL && access(path, F_OK) == 0;
}

static int is_not_lo(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "lo") != 0;
}

static int is_named(void *ctx, const char *name)
{
	const char *list = ctx;
	size_t len = strlen(name);

	while (*list != '\0') {
		size_t n = strcspn(list, ", ");

		if (n == len && strncmp(list, name, n) == 0)
			return 1;
		list += n + (list[n] != '\0');
	}
	return 0;
}

static void note_any(void *ctx, const char *metric, double value)
{
	(void)metric;
	(void)value;
	*(bool *)ctx = true;
}

static void read_interfaces(const char *text, const char *interfaces, const struct feed_sink *sink)
{
	bool has_physical = false;
	struct feed_sink look = { note_any, &has_physical };

	if (interfaces != NULL) {
		feed_read_net_dev(text, is_named, (void *)(uintptr_t)interfaces, sink);
		return;
	}
	feed_read_net_dev(text, is_physical, NULL, &look);
	feed_read_net_dev(text, has_physical ? is_physical : is_not_lo, NULL, sink);
}

/* ---- all ---- */

/* Files of /proc have no size to be asked for.  An empty text when there is none. */
static const char *read_text(const char *path, char text[TEXT_MAX])
{
	FILE *f = fopen(path, "re");
	size_t len = 0;

	if (f != NULL) {
		len = fread(text, 1, TEXT_MAX - 1, f);
		fclose(f);
	}
	text[len] = '\0';
	return text;
}

void feed_read_host(const char *interfaces, const struct feed_sink *sink)
{
	static char text[TEXT_MAX];

	feed_read_stat(read_text("/proc/stat", text), sysconf(_SC_CLK_TCK), sink);
	feed_read_meminfo(read_text("/proc/meminfo", text), sink);
	feed_read_loadavg(read_text("/proc/loadavg", text), sink);
	feed_read_snmp(read_text("/proc/net/snmp", text), sink);
	feed_read_snmp6(read_text("/proc/net/snmp6", text), sink);
	read_interfaces(read_text("/proc/net/dev", text), interfaces, sink);
}
