/* transfer: see transfer.h. */
#include "recursor/transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/rrtype.h"
#include "common/wire.h"
#include "recursor/net/loop.h"
#include "recursor/resolve/axfr.h"
#include "recursor/resolve/dnssec/key.h"

enum { QUESTION_MAX = 2 + WIRE_HEADER_LEN + NAME_MAX_LEN + 4 + TSIG_ROOM };

struct connection {
	const struct transfer *t;
	int fd;
	uint64_t until_ms;
	size_t received;
	struct tsig *tsig; /* or NULL */
	uint16_t id;
	uint8_t message[WIRE_MSG_MAX];
	char *why;
};

static int refuse(struct connection *c, int err, const char *words)
{
	(void)snprintf(c->why, TRANSFER_WHY_MAX, "%s", words);
	return err;
}

static int system_error(struct connection *c, const char *what)
{
	(void)snprintf(c->why, TRANSFER_WHY_MAX, "%s: %s", what, strerror(errno));
	return E_SYSTEM;
}

/* Until the socket is ready. */
static int wait_for(struct connection *c, short events)
{
	for (;;) {
		struct pollfd fds[2] = { { c->fd, events, 0 }, { c->t->stop_fd, POLLIN, 0 } };
		uint64_t now_ms = loop_now_us() / 1000;

		if (now_ms >= c->until_ms)
			return refuse(c, E_LIMIT, "the time is over");
		if (poll(fds, 2, (int)(c->until_ms - now_ms)) < 0 && errno != EINTR)
			return system_error(c, "cannot wait");
		if (fds[1].revents != 0)
			return refuse(c, E_STOPPED, err_text(E_STOPPED));
		if (fds[0].revents != 0)
			return E_OK;
	}
}

static int open_socket(struct connection *c)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&c->t->server, &sa);
	int error = 0, err;

	c->fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return system_error(c, "no socket");
	if (c->t->local.family != 0) {
		struct sockaddr_storage own;
		socklen_t own_len = addr_to_sockaddr(&c->t->local, &own);

		if (bind(c->fd, (struct sockaddr *)&own, own_len) != 0)
			return system_error(c, "the local address");
	}
	if (connect(c->fd, (struct sockaddr *)&sa, len) == 0)
		return E_OK;
	if (errno != EINPROGRESS)
		return system_error(c, "cannot connect");
	err = wait_for(c, POLLOUT);
	if (err != E_OK)
		return err;
	len = sizeof(error);
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
		return E_OK;
	errno = error;
	return system_error(c, "cannot connect");
}

static int write_all(struct connection *c, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return system_error(c, "cannot ask");
		int err = wait_for(c, POLLOUT);

		if (err != E_OK)
			return err;
	}
	return E_OK;
}

static int read_all(struct connection *c, uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = recv(c->fd, data, len, 0);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n == 0)
			return refuse(c, E_TRUNCATED, "the server closed the connection");
		if (errno != EAGAIN && errno != EINTR)
			return system_error(c, "cannot read");
		int err = wait_for(c, POLLIN);

		if (err != E_OK)
			return err;
	}
	return E_OK;
}

static int ask(struct connection *c, uint16_t type)
{
	uint8_t packet[QUESTION_MAX] = { 0 }, *wire = packet + 2;
	size_t len = WIRE_HEADER_LEN;

	if (getrandom(&c->id, sizeof(c->id), 0) != sizeof(c->id))
		return system_error(c, "no random bytes");
	wire_put_u16(wire, c->id);
	wire[5] = 1; /* QDCOUNT */
	len += name_copy(wire + len, c->t->zone);
	len = (size_t)(wire_put_asked(wire + len, type) - wire);
	if (c->tsig != NULL &&
	    tsig_sign(c->tsig, wire, &len, QUESTION_MAX - 2, loop_wall_s()) != E_OK)
		return refuse(c, E_UNSUPPORTED, "the question cannot be signed (TSIG)");
	wire_put_u16(packet, (uint16_t)len);
	return write_all(c, packet, len + 2);
}

static int next_message(struct connection *c, size_t *len)
{
	char words[TSIG_WHY_MAX];
	size_t max = c->t->max_bytes != 0 ? c->t->max_bytes : 2UL * ZONECOPY_BYTES_MAX;
	uint8_t head[2];
	/* However fast they come: the time may be over, or the end near. */
	int err = wait_for(c, POLLIN);

	if (err == E_OK)
		err = read_all(c, head, 2);

	if (err != E_OK)
		return err;
	*len = wire_get_u16(head);
	c->received += *len;
	if (c->received > max)
		return refuse(c, E_LIMIT, "the zone is larger than it may be (maxReceivedMBytes)");
	err = read_all(c, c->message, *len);
	if (err == E_OK && c->tsig != NULL &&
	    tsig_verify(c->tsig, c->message, len, loop_wall_s(), words) != E_OK)
		return refuse(c, E_MALFORMED, words);
	return err;
}

/* RFC 5936 3: is there something newer? */
static int check_serial(struct connection *c)
{
	char words[ZONECOPY_WHY_MAX] = "";
	uint32_t serial;
	size_t len;
	int err = ask(c, TYPE_SOA);

	if (err == E_OK)
		err = next_message(c, &len);
	if (err != E_OK)
		return err;
	err = axfr_read_serial(&serial, c->t->zone, c->id, c->message, len, words);
	if (err != E_OK)
		return refuse(c, err, words);
	if (c->tsig != NULL && !tsig_is_complete(c->tsig))
		return refuse(c, E_MALFORMED, "a message without a signature (TSIG)");
	if (!c->t->has_serial || serial_is_before(c->t->serial, serial))
		return E_OK;
	if (serial == c->t->serial)
		return E_EXISTS;
	(void)snprintf(c->why, TRANSFER_WHY_MAX, "its serial there, %u, is older than ours",
		       serial);
	return E_RANGE;
}

static int receive(struct connection *c, struct zonecopy *copy)
{
	char words[ZONECOPY_WHY_MAX] = "";
	struct axfr x;
	int err = ask(c, TYPE_AXFR);

	axfr_init(&x, copy, c->id);
	while (err == E_OK && !x.is_done) {
		size_t len;

		err = next_message(c, &len);
		if (err == E_OK && (err = axfr_take(&x, c->message, len, words)) != E_OK)
			return refuse(c, err, words);
	}
	if (err != E_OK)
		return err;
	if (c->tsig != NULL && !tsig_is_complete(c->tsig))
		return refuse(c, E_MALFORMED, "the last message is not signed (TSIG)");
	err = zonecopy_finish(copy, c->t->leave, words);
	return err == E_OK ? E_OK : refuse(c, err, words);
}

int transfer_zone(struct zonecopy **out, const struct transfer *t, char why[TRANSFER_WHY_MAX])
{
	struct connection *c = malloc(sizeof(*c));
	struct zonecopy *copy = NULL;
	int err = E_NOMEM;

	(void)snprintf(why, TRANSFER_WHY_MAX, "%s", err_text(err));
	if (c == NULL)
		return err;
	*c = (struct connection) { .t = t, .fd = -1, .why = why };
	c->until_ms = loop_now_us() / 1000 + t->timeout_s * 1000ULL;
	err = zonecopy_new(&copy, t->zone, t->max_bytes);
	if (err == E_OK && t->tsig != NULL)
		err = tsig_new(&c->tsig, t->tsig);
	if (err == E_UNSUPPORTED)
		err = refuse(c, err, "OpenSSL does not have the hash of tsigalgo");
	if (err == E_OK)
		err = open_socket(c);
	if (err == E_OK)
		err = check_serial(c);
	if (err == E_OK)
		err = receive(c, copy);
	if (err == E_OK)
		*out = copy;
	else
		zonecopy_put(copy);
	if (c->fd >= 0)
		close(c->fd);
	tsig_free(c->tsig);
	free(c);
	return err;
}
