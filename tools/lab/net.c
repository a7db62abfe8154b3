/* net: the lab's sockets, one poll loop, packets that wait for their time. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/check.h"
#include "tools/lab/lab.h"

enum {
	CONNS_MAX = 512,
	LATE_MAX = 65536,
	MESSAGE_MAX = 65535,
	COMMAND_MAX = 4096,
	BATCH = 64,
	IDLE_MS = 30000,
	TICK_MS = 1000,
};

/* A TCP client, or one of the control socket (server NULL). */
struct conn {
	int fd; /* -1: free */
	struct server *server;
	struct addr client;
	uint32_t serial; /* so that a late answer does not go to the next one on this place */
	uint64_t active_ms;
	uint8_t *in, *out;
	size_t in_len, out_len, out_at;
	bool close_after;
};

struct late {
	uint64_t due_ms;
	struct server *server;
	struct addr client; /* UDP */
	int conn;           /* TCP: place; -1: UDP */
	uint32_t serial;
	uint8_t *wire;
	size_t len;
};

struct net {
	struct conn conns[CONNS_MAX];
	struct late *late; /* a heap */
	size_t n_late;
	int control;
	char *control_path;
	uint32_t serial;
};

/* Where an answer goes. */
struct back {
	struct lab *lab;
	struct server *server;
	struct addr client;
	int conn;
};

/* ---- packets that wait ---- */

static void late_push(struct net *n, const struct late *l)
{
	size_t i = n->n_late;

	if (i == LATE_MAX) {
		free(l->wire);
		return;
	}
	n->n_late++;
	for (; i > 0 && l->due_ms < n->late[(i - 1) / 2].due_ms; i = (i - 1) / 2)
		n->late[i] = n->late[(i - 1) / 2];
	n->late[i] = *l;
}

static struct late late_pop(struct net *n)
{
	struct late first = n->late[0], last = n->late[--n->n_late];
	size_t i = 0;

	for (;;) {
		size_t c = 2 * i + 1;

		if (c + 1 < n->n_late && n->late[c + 1].due_ms < n->late[c].due_ms)
			c++;
		if (c >= n->n_late || n->late[c].due_ms >= last.due_ms)
			break;
		n->late[i] = n->late[c];
		i = c;
	}
	n->late[i] = last;
	return first;
}

/* ---- connections ---- */

static void conn_close(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	free(c->out);
	*c = (struct conn) { .fd = -1 };
}

static struct conn *conn_new(struct net *n, int fd)
{
	for (int i = 0; i < CONNS_MAX; i++) {
		struct conn *c = &n->conns[i];

		if (c->fd >= 0)
			continue;
		*c = (struct conn) { .fd = fd, .serial = ++n->serial, .active_ms = lab_now_ms() };
		c->in = malloc(MESSAGE_MAX + 2);
		ASSERT(c->in != NULL);
		return c;
	}
	close(fd);
	return NULL;
}

static void conn_write(struct conn *c)
{
	while (c->out_at < c->out_len) {
		ssize_t sent = send(c->fd, c->out + c->out_at, c->out_len - c->out_at,
				    MSG_NOSIGNAL);

		if (sent < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (sent < 0) {
			conn_close(c);
			return;
		}
		c->out_at += (size_t)sent;
	}
	c->out_at = c->out_len = 0;
	if (c->close_after)
		conn_close(c);
}

static void conn_append(struct conn *c, const void *data, size_t len)
{
	c->out = realloc(c->out, c->out_len + len + 1);
	ASSERT(c->out != NULL);
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

/* ---- answers on their way ---- */

static void send_now(struct net *n, const struct late *l)
{
	struct sockaddr_storage to;
	uint8_t prefix[2];
	struct conn *c;

	if (l->conn < 0) {
		socklen_t len = addr_to_sockaddr(&l->client, &to);

		(void)sendto(l->server->udp, l->wire, l->len, 0, (struct sockaddr *)&to, len);
		return;
	}
	c = &n->conns[l->conn];
	if (c->fd < 0 || c->serial != l->serial)
		return;
	ldns_write_uint16(prefix, (uint16_t)l->len);
	conn_append(c, prefix, sizeof(prefix));
	conn_append(c, l->wire, l->len);
	conn_write(c);
}

static void send_answer(void *ctx, const uint8_t *wire, size_t len, uint32_t delay_ms)
{
	const struct back *b = ctx;
	struct net *n = b->lab->net;
	struct late l = { .due_ms = lab_now_ms() + delay_ms,
			  .server = b->server,
			  .client = b->client,
			  .conn = b->conn,
			  .len = len };

	if (b->conn >= 0)
		l.serial = n->conns[b->conn].serial;
	l.wire = malloc(len + 1);
	ASSERT(l.wire != NULL);
	memcpy(l.wire, wire, len);
	if (delay_ms > 0) {
		late_push(n, &l);
		return;
	}
	send_now(n, &l);
	free(l.wire);
}

/* ---- what arrives ---- */

static void read_udp(struct lab *lab, struct server *s)
{
	static uint8_t buf[MESSAGE_MAX];

	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		struct back b = { lab, s, { 0 }, -1 };
		ssize_t len = recvfrom(s->udp, buf, sizeof(buf), 0, (struct sockaddr *)&from,
				       &from_len);

		if (len < 0)
			return;
		if (addr_from_sockaddr(&b.client, (struct sockaddr *)&from) == E_OK)
			serve(lab,
			      &(struct lab_query) { .server = s,
						    .client = b.client,
						    .transport = LAB_UDP,
						    .wire = buf,
						    .len = (size_t)len },
			      send_answer, &b);
	}
}

static void accept_tcp(struct lab *lab, struct server *s)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	int fd = accept4(s->tcp, (struct sockaddr *)&from, &from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct conn *c;

	if (fd < 0)
		return;
	s->n_connections++;
	if (s->has_fault[FAULT_NO_TCP]) {
		close(fd);
		return;
	}
	c = conn_new(lab->net, fd);
	if (c == NULL)
		return;
	c->server = s;
	if (addr_from_sockaddr(&c->client, (struct sockaddr *)&from) != E_OK)
		conn_close(c);
}

static void accept_control(struct lab *lab)
{
	int fd = accept4(lab->net->control, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		conn_new(lab->net, fd);
}

/* Whole messages of a TCP client. */
static void take_messages(struct lab *lab, struct conn *c)
{
	int place = (int)(c - lab->net->conns);
	uint32_t serial = c->serial;

	while (c->in_len >= 2 && c->in_len >= 2u + ldns_read_uint16(c->in)) {
		size_t len = ldns_read_uint16(c->in);
		struct back b = { lab, c->server, c->client, place };

		serve(lab,
		      &(struct lab_query) { .server = c->server,
					    .client = c->client,
					    .transport = LAB_TCP,
					    .wire = c->in + 2,
					    .len = len },
		      send_answer, &b);
		if (c->fd < 0 || c->serial != serial)
			return;
		c->in_len -= len + 2;
		memmove(c->in, c->in + len + 2, c->in_len);
	}
}

/* One line of a control client: the reply is its status, a blank, and the text. */
static void take_command(struct lab *lab, struct conn *c)
{
	uint8_t *end = memchr(c->in, '\n', c->in_len);
	char *text = NULL;
	size_t len = 0;
	FILE *f;
	int status;

	if (end == NULL) {
		if (c->in_len >= COMMAND_MAX)
			conn_close(c);
		return;
	}
	*end = '\0';
	f = open_memstream(&text, &len);
	ASSERT(f != NULL);
	status = control_run(lab, (char *)c->in, f);
	fclose(f);
	conn_append(c, status == 0 ? "0 " : "1 ", 2);
	conn_append(c, text, len);
	free(text);
	c->close_after = true;
	conn_write(c);
}

static void read_conn(struct lab *lab, struct conn *c)
{
	ssize_t len = recv(c->fd, c->in + c->in_len, MESSAGE_MAX + 2 - c->in_len, 0);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		conn_close(c);
		return;
	}
	c->in_len += (size_t)len;
	c->active_ms = lab_now_ms();
	if (c->server != NULL)
		take_messages(lab, c);
	else
		take_command(lab, c);
}

/* ---- the loop ---- */

enum { POLL_MAX = 2 * LAB_SERVERS_MAX + CONNS_MAX + 1 };

struct watch {
	struct pollfd fd[POLL_MAX];
	struct server *server[POLL_MAX]; /* a listening socket of it */
	int conn[POLL_MAX];              /* or this connection; -1: none */
	unsigned n;
};

static void watch_add(struct watch *w, int fd, short events, struct server *s, int conn)
{
	if (fd < 0)
		return;
	w->fd[w->n] = (struct pollfd) { .fd = fd, .events = events };
	w->server[w->n] = s;
	w->conn[w->n++] = conn;
}

static void watch_all(struct watch *w, struct lab *lab)
{
	struct net *n = lab->net;
	uint64_t now = lab_now_ms();

	w->n = 0;
	for (unsigned i = 0; i < lab->n_servers; i++) {
		watch_add(w, lab->servers[i]->udp, POLLIN, lab->servers[i], -1);
		watch_add(w, lab->servers[i]->tcp, POLLIN, lab->servers[i], -1);
	}
	watch_add(w, n->control, POLLIN, NULL, -1);
	for (int i = 0; i < CONNS_MAX; i++) {
		struct conn *c = &n->conns[i];

		if (c->fd >= 0 && now - c->active_ms > IDLE_MS)
			conn_close(c);
		watch_add(w, c->fd, c->out_len > c->out_at ? POLLIN | POLLOUT : POLLIN, NULL, i);
	}
}

static void handle(struct lab *lab, const struct watch *w, unsigned i)
{
	int fd = w->fd[i].fd;
	short events = w->fd[i].revents;
	struct conn *c;

	if (events == 0)
		return;
	if (w->server[i] != NULL && fd == w->server[i]->udp) {
		read_udp(lab, w->server[i]);
	} else if (w->server[i] != NULL) {
		accept_tcp(lab, w->server[i]);
	} else if (w->conn[i] < 0) {
		accept_control(lab);
	} else {
		c = &lab->net->conns[w->conn[i]];
		if (events & POLLOUT && c->fd == fd)
			conn_write(c);
		if (events & (POLLIN | POLLHUP | POLLERR) && c->fd == fd)
			read_conn(lab, c);
	}
}

void net_run(struct lab *lab)
{
	static struct watch w;
	struct net *n = lab->net;

	while (!lab->stop) {
		uint64_t now = lab_now_ms();
		int wait = TICK_MS;

		while (n->n_late > 0 && n->late[0].due_ms <= now) {
			struct late l = late_pop(n);

			send_now(n, &l);
			free(l.wire);
		}
		if (n->n_late > 0 && n->late[0].due_ms - now < TICK_MS)
			wait = (int)(n->late[0].due_ms - now);
		watch_all(&w, lab);
		if (poll(w.fd, w.n, wait) <= 0)
			continue;
		for (unsigned i = 0; i < w.n; i++)
			handle(lab, &w, i);
	}
}

void net_hang_up(struct lab *lab)
{
	for (int i = 0; i < CONNS_MAX; i++)
		if (lab->net->conns[i].fd >= 0 && lab->net->conns[i].server != NULL)
			conn_close(&lab->net->conns[i]);
}

/* ---- set-up ---- */

/* Sets errno on failure. */
static int bind_socket(const struct addr *a, int type)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(a, &sa);
	int one = 1, fd = socket(sa.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a->family == 6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&sa, len) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 128) != 0)) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static int bind_server(struct server *s, char *why)
{
	char text[ADDR_TEXT_MAX];

	s->udp = bind_socket(&s->addr, SOCK_DGRAM);
	if (s->udp >= 0)
		s->tcp = bind_socket(&s->addr, SOCK_STREAM);
	if (s->udp >= 0 && s->tcp >= 0)
		return E_OK;
	snprintf(why, LAB_WHY_MAX, "cannot serve %s: %s", addr_text(text, &s->addr),
		 strerror(errno));
	if (s->udp >= 0)
		close(s->udp);
	s->udp = s->tcp = -1;
	return E_SYSTEM;
}

static int open_control(struct net *n, const char *path, char *why)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sa.sun_path)) {
		snprintf(why, LAB_WHY_MAX, "%s: the path is too long for a socket", path);
		return E_TOO_LONG;
	}
	strcpy(sa.sun_path, path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 || listen(fd, 16) != 0) {
		snprintf(why, LAB_WHY_MAX, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return E_SYSTEM;
	}
	n->control = fd;
	n->control_path = strdup(path);
	ASSERT(n->control_path != NULL);
	return E_OK;
}

int net_new(struct lab *lab, const char *control_path, char why[LAB_WHY_MAX])
{
	struct net *n = calloc(1, sizeof(*n));
	int err = E_OK;

	ASSERT(n != NULL);
	lab->net = n;
	n->control = -1;
	for (int i = 0; i < CONNS_MAX; i++)
		n->conns[i].fd = -1;
	n->late = calloc(LATE_MAX, sizeof(*n->late));
	ASSERT(n->late != NULL);
	for (unsigned i = 0; i < lab->n_servers && err == E_OK; i++) {
		err = bind_server(lab->servers[i], why);
		if (err != E_OK && lab->servers[i]->optional) {
			fprintf(stderr, "lab: %s; goes on without\n", why);
			err = E_OK;
		}
	}
	if (err == E_OK && control_path != NULL)
		err = open_control(n, control_path, why);
	return err;
}

void net_free(struct lab *lab)
{
	struct net *n = lab->net;

	if (n == NULL)
		return;
	for (int i = 0; i < CONNS_MAX; i++)
		if (n->conns[i].fd >= 0)
			conn_close(&n->conns[i]);
	for (unsigned i = 0; i < lab->n_servers; i++) {
		if (lab->servers[i]->udp >= 0)
			close(lab->servers[i]->udp);
		if (lab->servers[i]->tcp >= 0)
			close(lab->servers[i]->tcp);
	}
	while (n->n_late > 0)
		free(late_pop(n).wire);
	free(n->late);
	if (n->control >= 0) {
		close(n->control);
		unlink(n->control_path);
	}
	free(n->control_path);
	free(n);
	lab->net = NULL;
}
