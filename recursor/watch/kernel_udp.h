/*
 * kernel_udp: what the kernel counts of UDP, of all sockets in this network namespace.
 *
 * Read from /proc/net/snmp and snmp6 at most once a second; 0 where they are not to be seen, as
 * after a chroot.
 *
 * Threads: any.
 */
#ifndef WATCH_KERNEL_UDP_H
#define WATCH_KERNEL_UDP_H

#include <stdint.h>

enum kernel_udp {
	UDP_NOPORT_ERRORS,
	UDP_IN_ERRORS,
	UDP_RECVBUF_ERRORS,
	UDP_SNDBUF_ERRORS,
	UDP_IN_CSUM_ERRORS,
	KERNEL_UDP_COUNTERS,
};

uint64_t kernel_udp4(enum kernel_udp which);
uint64_t kernel_udp6(enum kernel_udp which);

/* What the files say, for kernel_udp.c and its tests; what is not found is left as it is. */
void kernel_udp_read4(const char *text, uint64_t out[KERNEL_UDP_COUNTERS]);
void kernel_udp_read6(const char *text, uint64_t out[KERNEL_UDP_COUNTERS]);

#endif
