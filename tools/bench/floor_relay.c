/*
 * The floor of a cache miss: each query goes to the server of its zone, and the answer back,
 * over one socket and in batches. Nothing is parsed but what finds the server, nothing is kept
 * but whom to answer. The addresses are those of world.py and signed.py.
 *
 * floor_relay misses|mixed|cold|signed PORT SERVERS_PORT WORKERS
 *   misses  the zone's server is asked
 *   mixed   the same; but names of the fixed set (they begin with "w") go back at once, as hits
 *   cold    first the parent is asked, and after its referral the zone's server
 *   signed  as misses, in the signed world, and a signature (ECDSA P-256) is verified an answer:
 *           always the same, but what it takes does not depend on that
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	BATCH = 64,
	PACKET_MAX = 1500,
	HEADER_SIZE = 12,
	QUESTION_END_SIZE = 5, /* the root label, type, class */
	FLAGS_AT = 2,
	FLAG_QR = 0x80,
	BUFFER_BYTES = 4 << 20,
	WORKERS_MAX = 16,
	PARENT = 0x7f0a0002,       /* 127.10.0.2 */
	FIRST_SERVER = 0x7f0a0101, /* 127.10.1.1, and those that follow */
	SIGNED_FIRST_SERVER = 0x7f0b0101,
	SERVERS = 16,
	HASH_SIZE = 32,
	SIGNATURE_MAX = 80,
};

static enum { MISSES, MIXED, COLD, SIGNED } mode;
static uint16_t port, servers_port;

struct messages {
	struct mmsghdr headers[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_in peers[BATCH];
};

/* The clients' side or the servers': a socket, and what is to be sent on it. */
struct side {
	int fd;
	unsigned count;
	struct messages out;
};

struct worker {
	struct side clients, servers;
	struct messages in;
	unsigned char packets[BATCH][PACKET_MAX];
	uint16_t next_id;
	EVP_PKEY_CTX *key;
	unsigned char hash[HASH_SIZE], signature[SIGNATURE_MAX];
	size_t signature_len;
	struct {
		struct sockaddr_in from;
		uint16_t id;
	} waiting[UINT16_MAX + 1]; /* by the id with which the server was asked */
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void messages_init(struct messages *m)
{
	for (int i = 0; i < BATCH; i++) {
		m->headers[i].msg_hdr.msg_name = &m->peers[i];
		m->headers[i].msg_hdr.msg_namelen = sizeof(m->peers[i]);
		m->headers[i].msg_hdr.msg_iov = &m->iov[i];
		m->headers[i].msg_hdr.msg_iovlen = 1;
	}
}

static void side_init(struct side *side, uint16_t bind_port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(bind_port) };
	int on = 1, size = BUFFER_BYTES;

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	messages_init(&side->out);
	side->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (side->fd < 0)
		fail("socket");
	if (setsockopt(side->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
		fail("setsockopt");
	if (bind_port != 0 && setsockopt(side->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
		fail("setsockopt");
	if (bind(side->fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		fail("bind");
}

static void side_add(struct side *side, unsigned char *packet, size_t len,
		     const struct sockaddr_in *peer)
{
	side->out.iov[side->count] = (struct iovec) { .iov_base = packet, .iov_len = len };
	side->out.peers[side->count] = *peer;
	side->count++;
}

static void side_flush(struct side *side)
{
	if (side->count > 0)
		(void)sendmmsg(side->fd, side->out.headers, side->count, 0);
	side->count = 0;
}

static int side_receive(struct worker *w, const struct side *side)
{
	for (int i = 0; i < BATCH; i++) {
		w->in.iov[i] = (struct iovec) { .iov_base = w->packets[i], .iov_len = PACKET_MAX };
		w->in.headers[i].msg_hdr.msg_namelen = sizeof(w->in.peers[i]);
	}
	return recvmmsg(side->fd, w->in.headers, BATCH, MSG_DONTWAIT, NULL);
}

/* A key, and a signature with it to verify. */
static void key_init(struct worker *w)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	w->key = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	w->signature_len = SIGNATURE_MAX;
	if (EVP_PKEY_sign_init(w->key) != 1 ||
	    EVP_PKEY_sign(w->key, w->signature, &w->signature_len, w->hash, HASH_SIZE) != 1 ||
	    EVP_PKEY_verify_init(w->key) != 1)
		fail("OpenSSL");
	EVP_PKEY_free(key);
}

/* The server of name.z17.bench and name.d17.cold: zone 17 of world.py. False: no such name. */
static bool server_find(const unsigned char *packet, size_t len, struct sockaddr_in *server)
{
	size_t at = HEADER_SIZE;
	unsigned zone = 0;

	if (len <= at || len <= at + 1 + packet[at])
		return false;
	at += 1 + (size_t)packet[at];
	size_t label_len = packet[at];
	if (len <= at + label_len)
		return false;
	for (size_t i = 2; i <= label_len; i++)
		zone = zone * 10 + packet[at + i] - '0';
	server->sin_family = AF_INET;
	server->sin_port = htons(servers_port);
	server->sin_addr.s_addr = htonl((mode == SIGNED ? SIGNED_FIRST_SERVER : FIRST_SERVER) +
					zone % SERVERS);
	return true;
}

static void query_take(struct worker *w, unsigned char *packet, size_t len,
		       const struct sockaddr_in *from)
{
	struct sockaddr_in server;

	if (!server_find(packet, len, &server))
		return;
	if (mode == MIXED && packet[HEADER_SIZE + 1] == 'w') {
		packet[FLAGS_AT] |= FLAG_QR;
		side_add(&w->clients, packet, len, from);
		return;
	}
	uint16_t id = w->next_id++;
	w->waiting[id].from = *from;
	memcpy(&w->waiting[id].id, packet, sizeof(id));
	memcpy(packet, &id, sizeof(id));
	if (mode == COLD)
		server.sin_addr.s_addr = htonl(PARENT);
	side_add(&w->servers, packet, len, &server);
}

/* Makes the question again of what a referral repeats of it; 0 when it repeats none. */
static size_t question_keep(unsigned char *packet, size_t len)
{
	static const unsigned char flags_and_counts[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	size_t at = HEADER_SIZE;

	while (at < len && packet[at] != 0)
		at += 1 + (size_t)packet[at];
	if (at + QUESTION_END_SIZE > len)
		return 0;
	memcpy(packet + FLAGS_AT, flags_and_counts, sizeof(flags_and_counts));
	return at + QUESTION_END_SIZE;
}

static void answer_take(struct worker *w, unsigned char *packet, size_t len,
			const struct sockaddr_in *from)
{
	struct sockaddr_in server;
	uint16_t id;

	if (len < HEADER_SIZE)
		return;
	memcpy(&id, packet, sizeof(id));
	if (from->sin_addr.s_addr == htonl(PARENT)) {
		len = question_keep(packet, len);
		if (len > 0 && server_find(packet, len, &server))
			side_add(&w->servers, packet, len, &server);
		return;
	}
	if (mode == SIGNED &&
	    EVP_PKEY_verify(w->key, w->signature, w->signature_len, w->hash, HASH_SIZE) != 1)
		return;
	memcpy(packet, &w->waiting[id].id, sizeof(id));
	side_add(&w->clients, packet, len, &w->waiting[id].from);
}

static void *worker_run(void *unused)
{
	struct worker *w = calloc(1, sizeof(*w));

	(void)unused;
	if (!w)
		fail("calloc");
	messages_init(&w->in);
	if (mode == SIGNED)
		key_init(w);
	side_init(&w->clients, port);
	side_init(&w->servers, 0);
	struct pollfd fds[] = { { .fd = w->clients.fd, .events = POLLIN },
				{ .fd = w->servers.fd, .events = POLLIN } };
	for (;;) {
		(void)poll(fds, 2, -1);
		int n = side_receive(w, &w->clients);
		for (int i = 0; i < n; i++)
			query_take(w, w->packets[i], w->in.headers[i].msg_len, &w->in.peers[i]);
		side_flush(&w->clients);
		side_flush(&w->servers);
		n = side_receive(w, &w->servers);
		for (int i = 0; i < n; i++)
			answer_take(w, w->packets[i], w->in.headers[i].msg_len, &w->in.peers[i]);
		side_flush(&w->clients);
		side_flush(&w->servers);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *const modes[] = {
		[MISSES] = "misses", [MIXED] = "mixed", [COLD] = "cold", [SIGNED] = "signed"
	};
	int found = -1;

	for (int i = 0; argc == 5 && i <= SIGNED; i++)
		if (strcmp(argv[1], modes[i]) == 0)
			found = i;
	if (found < 0) {
		fputs("usage: floor_relay misses|mixed|cold|signed PORT SERVERS_PORT WORKERS\n",
		      stderr);
		return 2;
	}
	mode = (unsigned)found;
	port = (uint16_t)strtoul(argv[2], NULL, 10);
	servers_port = (uint16_t)strtoul(argv[3], NULL, 10);
	for (unsigned long i = 1; i < strtoul(argv[4], NULL, 10) && i < WORKERS_MAX; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, worker_run, NULL) != 0)
			fail("pthread_create");
	}
	worker_run(NULL);
	return 0;
}
