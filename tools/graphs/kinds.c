#include "tools/graphs/kinds.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/metrics.h"
#include "tools/graphs/host_metrics.h"

static const struct {
	const char *name;
	enum kind kind;
} host[] = {
#define HOST_ROW(member, name, kind, help) { name, KIND_##kind },
	HOST_METRICS(HOST_ROW)
#undef HOST_ROW
};

static const char *const net_suffixes[] = {
#define NET_ROW(member, name, help) "-" name,
	HOST_NET_METRICS(NET_ROW)
#undef NET_ROW
};

static bool has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && strcmp(name + n - m, suffix) == 0;
}

/* "auth-RCODE-answers": what is in capitals stands for anything. */
static bool is_like(const char *pattern, const char *name)
{
	char glob[128];
	size_t n = 0;

	for (; *pattern != '\0' && n < sizeof(glob) - 1; pattern++)
		if (!isupper((unsigned char)*pattern))
			glob[n++] = *pattern;
		else if (n == 0 || glob[n - 1] != '*')
			glob[n++] = '*';
	glob[n] = '\0';
	return fnmatch(glob, name, 0) == 0;
}

static bool is_of(const struct metric *m, const char *name)
{
	size_t len = strlen(m->name);

	if (strcmp(m->name, name) == 0)
		return true;
	/* A histogram's buckets, sum and count; a total's parts. */
	if ((m->kind == METRIC_HISTOGRAM || m->kind == METRIC_MULTICOUNTER) &&
	    strncmp(m->name, name, len) == 0 && name[len] == '-')
		return true;
	return m->samples != NULL && is_like(m->samples, name);
}

static enum kind kind_of_resolver(const char *name)
{
	for (size_t i = 0; i < metrics_count(); i++) {
		const struct metric *m = metrics_at(i);

		if (is_of(m, name))
			return m->kind == METRIC_GAUGE || m->kind == METRIC_PEAK ? KIND_GAUGE
										 : KIND_COUNTER;
	}
	return KIND_UNKNOWN;
}

enum kind kind_of(const char *metric)
{
	enum kind kind;
	size_t i;

	/* Its growth is a second a second; what one wants to see is when it fell. */
	if (strcmp(metric, "uptime") == 0)
		return KIND_GAUGE;
	kind = kind_of_resolver(metric);
	if (kind != KIND_UNKNOWN)
		return kind;
	for (i = 0; i < ARRAY_LEN(host); i++)
		if (strcmp(metric, host[i].name) == 0)
			return host[i].kind;
	if (strncmp(metric, "net-", 4) == 0)
		for (i = 0; i < ARRAY_LEN(net_suffixes); i++)
			if (has_suffix(metric, net_suffixes[i]))
				return KIND_COUNTER;
	return KIND_UNKNOWN;
}
