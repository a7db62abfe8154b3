/*
 * feed_host: a host's figures as Linux tells them below /proc, by the names of host_metrics.h.
 *
 * The readers take the text of a file; what they do not find is left out.
 */
#ifndef GRAPHS_FEED_HOST_H
#define GRAPHS_FEED_HOST_H

#include <stddef.h>

typedef void (*feed_cb)(void *ctx, const char *metric, double value);

struct feed_sink {
	feed_cb each;
	void *ctx;
};

/* The whole of stat, meminfo, loadavg; snmp has two lines a protocol, snmp6 one a number. */
void feed_read_stat(const char *text, long ticks_per_s, const struct feed_sink *sink);
void feed_read_meminfo(const char *text, const struct feed_sink *sink);
void feed_read_loadavg(const char *text, const struct feed_sink *sink);
void feed_read_snmp(const char *text, const struct feed_sink *sink);
void feed_read_snmp6(const char *text, const struct feed_sink *sink);

/* Whether an interface counts. */
typedef int (*feed_interface_cb)(void *ctx, const char *name);
/* Each interface that counts, and their sums. */
void feed_read_net_dev(const char *text, feed_interface_cb counts, void *ctx,
		       const struct feed_sink *sink);

/* All of it. `interfaces` is a list with commas; NULL: those with a device behind them, or if there
 * are none (in a container), all but lo. */
void feed_read_host(const char *interfaces, const struct feed_sink *sink);

#endif
