#include "recursor/watch/kernel_udp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FILE_MAX = 16384 };

static const char *const names[KERNEL_UDP_COUNTERS] = {
	[UDP_NOPORT_ERRORS] = "NoPorts",       [UDP_IN_ERRORS] = "InErrors",
	[UDP_RECVBUF_ERRORS] = "RcvbufErrors", [UDP_SNDBUF_ERRORS] = "SndbufErrors",
	[UDP_IN_CSUM_ERRORS] = "InCsumErrors",
};

static struct {
	pthread_mutex_t lock;
	time_t read_s;
	uint64_t four[KERNEL_UDP_COUNTERS], six[KERNEL_UDP_COUNTERS];
} known = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void take(const char *name, size_t len, const char *value, uint64_t out[KERNEL_UDP_COUNTERS])
{
	for (int i = 0; i < KERNEL_UDP_COUNTERS; i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			out[i] = strtoull(value, NULL, 10);
}

static const char *next_line(const char *at)
{
	const char *end = strchr(at, '\n');

	return end == NULL ? at + strlen(at) : end + 1;
}

/* A line of names, and below it one of their values, both begin with "Udp:". */
void kernel_udp_read4(const char *text, uint64_t out[KERNEL_UDP_COUNTERS])
{
	static const char head[] = "Udp: ";
	const char *name = text, *value;

	while (*name != '\0' && strncmp(name, head, sizeof(head) - 1) != 0)
		name = next_line(name);
	value = next_line(name);
	if (*name == '\0' || strncmp(value, head, sizeof(head) - 1) != 0)
		return;
	name += sizeof(head) - 1;
	value += sizeof(head) - 1;
	for (;;) {
		size_t n = strcspn(name, " \n"), v = strcspn(value, " \n");

		take(name, n, value, out);
		if (name[n] != ' ' || value[v] != ' ')
			return;
		name += n + 1;
		value += v + 1;
	}
}

/* "Udp6NoPorts    	0" */
void kernel_udp_read6(const char *text, uint64_t out[KERNEL_UDP_COUNTERS])
{
	for (const char *line = text; *line != '\0'; line = next_line(line)) {
		size_t n = strcspn(line, " \t\n");

		if (n > 4 && strncmp(line, "Udp6", 4) == 0)
			take(line + 4, n - 4, line + n, out);
	}
}

static void read_file(const char *path, uint64_t out[KERNEL_UDP_COUNTERS],
		      void (*parse)(const char *text, uint64_t out[KERNEL_UDP_COUNTERS]))
{
	char text[FILE_MAX];
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	parse(text, out);
}

static uint64_t value_of(const uint64_t *of, enum kernel_udp which)
{
	struct timespec now;
	uint64_t value;

	pthread_mutex_lock(&known.lock);
	if (clock_gettime(CLOCK_MONOTONIC, &now) == 0 && now.tv_sec != known.read_s) {
		known.read_s = now.tv_sec;
		/* By way of the process: ProcSubset=pid of our systemd unit hides /proc/net. */
		read_file("/proc/self/net/snmp", known.four, kernel_udp_read4);
		read_file("/proc/self/net/snmp6", known.six, kernel_udp_read6);
	}
	value = of[which];
	pthread_mutex_unlock(&known.lock);
	return value;
}

uint64_t kernel_udp4(enum kernel_udp which)
{
	return value_of(known.four, which);
}

uint64_t kernel_udp6(enum kernel_udp which)
{
	return value_of(known.six, which);
}
