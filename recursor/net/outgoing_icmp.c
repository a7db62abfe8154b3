/*
 * What routers and hosts on the way say of our questions (ICMP), from a UDP socket's error queue.
 *
 * Without IP_RECVERR a connected socket hears of closed ports only, and a server that cannot be
 * reached costs a time-out.
 *
 * Can it be forged?  The kernel takes a report only when the packet that it quotes has the addresses
 * and ports of the connected socket, so a forger off the path has to guess the port; and we take it
 * only for the question whose id the quoted packet has, which he has to guess too: as much as for
 * an answer, and all he wins is that another server is asked.  A report that quotes too little to
 * have the id (RFC 792 asks for 8 bytes, RFC 1812 for all there is room for) is not believed: the
 * question times out, as it would have.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* After those it needs. */
#include <linux/errqueue.h>

#include "common/wire.h"
#include "recursor/net/outgoing_impl.h"

void outgoing_icmp_want(int fd, uint8_t family)
{
	int on = 1;

	if (family == 6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
}

/* The report's errno, if it says that the packet did not arrive; else 0. */
static int error_of(struct msghdr *h)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		struct sock_extended_err e;

		if (!(c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
			continue;
		memcpy(&e, CMSG_DATA(c), sizeof(e));
		if (e.ee_origin != SO_EE_ORIGIN_ICMP && e.ee_origin != SO_EE_ORIGIN_ICMP6)
			return 0;
		/* EACCES: "administratively prohibited" of IPv6. */
		if (e.ee_errno == ECONNREFUSED || e.ee_errno == EHOSTUNREACH ||
		    e.ee_errno == ENETUNREACH || e.ee_errno == EACCES)
			return (int)e.ee_errno;
	}
	return 0;
}

bool outgoing_icmp_read(int fd, struct outgoing_icmp *out)
{
	char control[512] __attribute__((aligned(sizeof(size_t))));
	uint8_t quoted[2];
	struct iovec iov = { quoted, sizeof(quoted) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &h, MSG_ERRQUEUE | MSG_DONTWAIT);

	if (n < 0)
		return false;
	*out = (struct outgoing_icmp) { 0 };
	if (n == (ssize_t)sizeof(quoted)) {
		out->error = error_of(&h);
		out->id = wire_get_u16(quoted);
	}
	return true;
}
