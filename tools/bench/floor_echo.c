/*
 * The floor of a cache hit: what the kernel alone asks for it. Each query goes back as it came,
 * with QR set: in batches over UDP, or over TCP as many as one read has brought.
 *
 * floor_echo udp|tcp PORT WORKERS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BATCH = 64,
	PACKET_MAX = 1500,
	HEADER_SIZE = 12,
	FLAGS_AT = 2,
	FLAG_QR = 0x80,
	BUFFER_BYTES = 4 << 20,
	CONNECTIONS_MAX = 1024,
	WORKERS_MAX = 16,
};

static bool use_tcp;
static uint16_t port;

/* What a connection has sent of messages that are not whole yet. */
struct connection {
	size_t used;
	unsigned char data[2 * (UINT16_MAX + 2)];
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int bound_socket(int type)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	int on = 1, size = BUFFER_BYTES;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0)
		fail("socket");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
		fail("setsockopt");
	if (type == SOCK_DGRAM && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
		fail("setsockopt");
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		fail("bind");
	return fd;
}

static void udp_serve(void)
{
	static _Thread_local unsigned char packets[BATCH][PACKET_MAX];
	struct sockaddr_in from[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
	int fd = bound_socket(SOCK_DGRAM);

	memset(msgs, 0, sizeof(msgs));
	for (int i = 0; i < BATCH; i++) {
		iov[i].iov_base = packets[i];
		msgs[i].msg_hdr.msg_name = &from[i];
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			iov[i].iov_len = PACKET_MAX;
			msgs[i].msg_hdr.msg_namelen = sizeof(from[i]);
		}
		int n = recvmmsg(fd, msgs, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			packets[i][FLAGS_AT] |= FLAG_QR;
			iov[i].iov_len = msgs[i].msg_len;
		}
		if (n > 0)
			(void)sendmmsg(fd, msgs, (unsigned)n, 0);
	}
}

/* Sets QR in each whole message; returns how many bytes they are. */
static size_t messages_mark(unsigned char *data, size_t used)
{
	size_t at = 0;

	while (used - at >= 2) {
		size_t len = (size_t)(data[at] << 8 | data[at + 1]);
		if (used - at - 2 < len)
			break;
		if (len >= HEADER_SIZE)
			data[at + 2 + FLAGS_AT] |= FLAG_QR;
		at += 2 + len;
	}
	return at;
}

static bool all_sent(int fd, const unsigned char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool connection_serve(int fd, struct connection *c)
{
	ssize_t n = recv(fd, c->data + c->used, sizeof(c->data) - c->used, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c->used += (size_t)n;
	size_t whole = messages_mark(c->data, c->used);
	if (!all_sent(fd, c->data, whole))
		return false;
	memmove(c->data, c->data + whole, c->used - whole);
	c->used -= whole;
	return true;
}

static void connection_add(int epoll, int listener, struct connection **connections)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	struct connection *c = fd < CONNECTIONS_MAX ? calloc(1, sizeof(*c)) : NULL;
	if (!c) {
		close(fd);
		return;
	}
	ev.data.fd = fd;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		fail("connection");
	connections[fd] = c;
}

static void tcp_serve(void)
{
	static _Thread_local struct connection *connections[CONNECTIONS_MAX];
	struct epoll_event events[BATCH];
	int listener = bound_socket(SOCK_STREAM), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = listener };

	if (listen(listener, SOMAXCONN) != 0 || epoll < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &ev) != 0)
		fail("listen");
	for (;;) {
		int n = epoll_wait(epoll, events, BATCH, -1);
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == listener) {
				connection_add(epoll, listener, connections);
			} else if (!connection_serve(fd, connections[fd])) {
				free(connections[fd]);
				connections[fd] = NULL;
				close(fd);
			}
		}
	}
}

static void *worker_run(void *unused)
{
	(void)unused;
	if (use_tcp)
		tcp_serve();
	else
		udp_serve();
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 4 || (strcmp(argv[1], "udp") != 0 && strcmp(argv[1], "tcp") != 0)) {
		fputs("usage: floor_echo udp|tcp PORT WORKERS\n", stderr);
		return 2;
	}
	use_tcp = strcmp(argv[1], "tcp") == 0;
	port = (uint16_t)strtoul(argv[2], NULL, 10);
	for (unsigned long i = 1; i < strtoul(argv[3], NULL, 10) && i < WORKERS_MAX; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, worker_run, NULL) != 0)
			fail("pthread_create");
	}
	worker_run(NULL);
	return 0;
}
