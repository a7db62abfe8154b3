#include "recursor/watch/dnstap_sender.h"

#include <errno.h>
#include <fstrm.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/own_thread.h"

enum {
	RUNS = 16,                 /* queues that are written from at a time, */
	RUN_MAX = 65536,           /* bytes of each */
	CALM_MS = 20,              /* between two looks at the queues */
	BUSY_MS = 1,               /* after one that found more in one of them than */
	BUSY_PART = 8,             /* this part of its room */
	HANDSHAKE_MS = 5000,       /* for connecting and each answer of the server */
	UNACKNOWLEDGED_MS = 30000, /* of a TCP connection, then it is dead */
	NAME_MAX_TEXT = 128,
};
static const char content_type[] = "protobuf:dnstap.Dnstap";

struct dnstap_sender {
	struct dnstap_server server;
	char name[NAME_MAX_TEXT];
	struct dnstap_queue *queues;
	unsigned n_queues, first; /* where the next batch begins: all have their turn */
	uint32_t reopen_interval_s;
	struct own_thread thread;
	struct fstrm_writer_options *options;
	struct fstrm_writer *writer; /* NULL: there is no connection */
	int fd, error;               /* error: errno of the last failure, or 0: see `what` */
	bool ends;                   /* it is to stop: until end_ms */
	bool is_told;                /* that there is no connection */
	uint64_t end_ms;
	_Atomic uint64_t frames, failures;
	atomic_bool is_connected;
};

/* ---- the socket: waits as long as anybody may ---- */

/* `ms` 0: without end.  False: it took too long, or the daemon ends and has no more time. */
static bool wait_for(struct dnstap_sender *s, short events, int ms)
{
	uint64_t due_ms = ms == 0 ? UINT64_MAX : clock_now_ms() + (uint64_t)ms;

	for (;;) {
		uint64_t now_ms = clock_now_ms(), until_ms = due_ms;
		struct pollfd fds[2] = {
			{ .fd = s->fd, .events = events },
			{ .fd = s->ends ? -1 : s->thread.stop_fd, .events = POLLIN },
		};

		if (s->ends && s->end_ms < until_ms)
			until_ms = s->end_ms;
		if (now_ms >= until_ms) {
			s->error = ETIMEDOUT;
			return false;
		}
		(void)poll(fds, 2, until_ms == UINT64_MAX ? -1 : (int)(until_ms - now_ms));
		if (fds[0].revents != 0)
			return true;
		if (fds[1].revents != 0) {
			s->ends = true;
			s->end_ms = clock_now_ms() + DNSTAP_GRACE_MS;
		}
	}
}

static fstrm_res fail(struct dnstap_sender *s, int error)
{
	s->error = error;
	return fstrm_res_failure;
}

static fstrm_res close_socket(void *ctx)
{
	struct dnstap_sender *s = ctx;

	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	return fstrm_res_success;
}

static int make_socket(const struct dnstap_server *server, struct sockaddr_storage *sa,
		       socklen_t *len)
{
	const int kind = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	int fd, patience_ms = UNACKNOWLEDGED_MS;

	if (server->path[0] != '\0') {
		struct sockaddr_un *un = (struct sockaddr_un *)sa;

		*un = (struct sockaddr_un) { .sun_family = AF_UNIX };
		memcpy(un->sun_path, server->path, sizeof(un->sun_path));
		*len = sizeof(*un);
		return socket(AF_UNIX, kind, 0);
	}
	*len = addr_to_sockaddr(&server->addr, sa);
	fd = socket(sa->ss_family, kind, 0);
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
				 sizeof(patience_ms));
	return fd;
}

static fstrm_res open_socket(void *ctx)
{
	struct dnstap_sender *s = ctx;
	struct sockaddr_storage sa;
	int error = 0;
	socklen_t len;

	s->fd = make_socket(&s->server, &sa, &len);
	if (s->fd < 0)
		return fail(s, errno);
	if (connect(s->fd, (struct sockaddr *)&sa, len) == 0)
		return fstrm_res_success;
	error = errno;
	if (error == EINPROGRESS) {
		len = sizeof(error);
		if (!wait_for(s, POLLOUT, HANDSHAKE_MS))
			error = s->error;
		else if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
	}
	if (error == 0)
		return fstrm_res_success;
	(void)close_socket(s);
	return fail(s, error);
}

/* What the server has to say it says when it is asked: nobody is waited for without end. */
static fstrm_res read_socket(void *ctx, void *data, size_t count)
{
	struct dnstap_sender *s = ctx;
	uint8_t *at = data;

	while (count > 0) {
		ssize_t n = recv(s->fd, at, count, 0);

		if (n > 0) {
			at += n;
			count -= (size_t)n;
		} else if (n == 0) {
			s->error = ECONNRESET;
			return fstrm_res_stop;
		} else if (errno == EAGAIN && !wait_for(s, POLLIN, HANDSHAKE_MS)) {
			return fstrm_res_failure;
		} else if (errno != EAGAIN && errno != EINTR) {
			return fail(s, errno);
		}
	}
	return fstrm_res_success;
}

/* The first byte that is not written yet. */
static unsigned skip_written(struct iovec *iov, unsigned i, size_t n)
{
	for (; n > 0 && n >= iov[i].iov_len; i++)
		n -= iov[i].iov_len;
	if (n > 0) {
		iov[i].iov_base = (uint8_t *)iov[i].iov_base + n;
		iov[i].iov_len -= n;
	}
	return i;
}

/* A server that takes nothing is waited for: the queues are there for that. */
static fstrm_res write_socket(void *ctx, const struct iovec *pieces, int n_pieces)
{
	struct dnstap_sender *s = ctx;
	struct iovec iov[RUNS];
	unsigned i = 0, n_iov = (unsigned)n_pieces;

	if (n_iov > RUNS)
		return fail(s, EINVAL);
	memcpy(iov, pieces, n_iov * sizeof(iov[0]));
	while (i < n_iov) {
		struct msghdr m = { .msg_iov = iov + i, .msg_iovlen = n_iov - i };
		ssize_t n = sendmsg(s->fd, &m, MSG_NOSIGNAL);

		if (n >= 0)
			i = skip_written(iov, i, (size_t)n);
		else if (errno == EAGAIN && !wait_for(s, POLLOUT, 0))
			return fstrm_res_failure;
		else if (errno != EAGAIN && errno != EINTR)
			return fail(s, errno);
	}
	return fstrm_res_success;
}

/* ---- the connection ---- */

static void disconnect(struct dnstap_sender *s)
{
	if (s->writer != NULL)
		(void)fstrm_writer_destroy(&s->writer); /* ends the stream if it is open */
	(void)close_socket(s);
	atomic_store(&s->is_connected, false);
}

static void tell_failure(struct dnstap_sender *s)
{
	s->failures++;
	if (s->is_told)
		return;
	s->is_told = true;
	log_warning("dnstap: %s: %s; it is tried again every %lu s", s->name,
		    s->error != 0 ? strerror(s->error) : "it speaks no Frame Streams of dnstap",
		    (unsigned long)s->reopen_interval_s);
}

static bool connect_server(struct dnstap_sender *s)
{
	struct fstrm_rdwr *rdwr = fstrm_rdwr_init(s);

	s->error = 0;
	fstrm_rdwr_set_open(rdwr, open_socket);
	fstrm_rdwr_set_close(rdwr, close_socket);
	fstrm_rdwr_set_read(rdwr, read_socket);
	fstrm_rdwr_set_write(rdwr, write_socket);
	s->writer = fstrm_writer_init(s->options, &rdwr);
	if (fstrm_writer_open(s->writer) != fstrm_res_success) {
		disconnect(s);
		tell_failure(s);
		return false;
	}
	if (s->is_told)
		log_notice("dnstap: %s: connected", s->name);
	s->is_told = false;
	atomic_store(&s->is_connected, true);
	return true;
}

/* ---- sending ---- */

/* What is written at a time. */
struct batch {
	struct iovec iov[RUNS];
	unsigned n_runs, n_frames;
	bool is_all; /* nothing waited behind it */
	bool is_much;
};

/* A run of each queue; `ends` says to where. */
static void gather(struct dnstap_sender *s, struct batch *b, size_t *ends)
{
	unsigned at = s->first;

	*b = (struct batch) { .is_all = true };
	for (unsigned i = 0; i < s->n_queues; i++, at = at + 1 < s->n_queues ? at + 1 : 0) {
		const struct dnstap_queue *q = &s->queues[at];
		struct dnstap_run run;

		ends[at] = dnstap_queue_begin(q);
		if (b->n_runs == RUNS)
			b->is_all = false;
		if (b->n_runs == RUNS || !dnstap_queue_run(q, &ends[at], RUN_MAX, &run))
			continue;
		b->iov[b->n_runs++] = (struct iovec) { run.bytes, run.len };
		b->n_frames += run.n_frames;
		b->is_all = b->is_all && run.is_last;
		b->is_much = b->is_much || run.len > q->size / BUSY_PART;
	}
	s->first = s->first + 1 < s->n_queues ? s->first + 1 : 0;
}

/* False: the connection broke, and the frames are still there. */
static bool send_batch(struct dnstap_sender *s, const struct batch *b, const size_t *ends)
{
	s->error = 0;
	if (b->n_runs > 0 && write_socket(s, b->iov, (int)b->n_runs) != fstrm_res_success) {
		tell_failure(s);
		(void)close_socket(s); /* a frame may have been cut: no more is to follow */
		disconnect(s);
		return false;
	}
	for (unsigned i = 0; i < s->n_queues; i++)
		dnstap_queue_release(&s->queues[i], ends[i]);
	s->frames += b->n_frames;
	return true;
}

static uint64_t pause_ms(const struct batch *b)
{
	if (!b->is_all)
		return 0;
	return b->is_much ? BUSY_MS : CALM_MS;
}

static void *run(void *ctx)
{
	struct dnstap_sender *s = ctx;
	size_t *ends = calloc(s->n_queues, sizeof(*ends));
	struct batch b;

	while (ends != NULL && !s->ends) {
		uint64_t ms = s->reopen_interval_s * 1000ULL;

		if (s->writer != NULL || connect_server(s)) {
			gather(s, &b, ends);
			if (send_batch(s, &b, ends))
				ms = pause_ms(&b);
		}
		if (!s->ends)
			s->ends = !own_thread_wait(&s->thread, ms);
	}
	/* The workers have ended: the queues' last. */
	if (s->end_ms == 0)
		s->end_ms = clock_now_ms() + DNSTAP_GRACE_MS;
	while (ends != NULL && s->writer != NULL) {
		gather(s, &b, ends);
		if (b.n_runs == 0 || !send_batch(s, &b, ends))
			break;
	}
	disconnect(s);
	free(ends);
	return NULL;
}

/* ---- its life ---- */

int dnstap_sender_new(struct dnstap_sender **out, const struct dnstap_server *server,
		      struct dnstap_queue *queues, unsigned n_queues, uint32_t reopen_interval_s)
{
	struct dnstap_sender *s = calloc(1, sizeof(*s));
	char text[ADDR_TEXT_MAX];

	if (s == NULL)
		return E_NOMEM;
	s->server = *server;
	(void)snprintf(s->name, sizeof(s->name), "%s",
		       server->path[0] != '\0' ? server->path : addr_text(text, &server->addr));
	s->queues = queues;
	s->n_queues = n_queues;
	s->reopen_interval_s = reopen_interval_s;
	s->fd = -1;
	s->options = fstrm_writer_options_init();
	if (fstrm_writer_options_add_content_type(s->options, content_type,
						  sizeof(content_type) - 1) != fstrm_res_success ||
	    own_thread_init(&s->thread) != E_OK) {
		dnstap_sender_free(s);
		return E_SYSTEM;
	}
	*out = s;
	return E_OK;
}

int dnstap_sender_start(struct dnstap_sender *s)
{
	return own_thread_start(&s->thread, run, s, "rec/dnstap");
}

void dnstap_sender_stop(struct dnstap_sender *s)
{
	own_thread_stop(&s->thread);
}

void dnstap_sender_free(struct dnstap_sender *s)
{
	if (s == NULL)
		return;
	dnstap_sender_stop(s);
	own_thread_deinit(&s->thread);
	fstrm_writer_options_destroy(&s->options);
	free(s);
}

const char *dnstap_sender_address(const struct dnstap_sender *s)
{
	return s->name;
}

void dnstap_sender_stats(const struct dnstap_sender *s, struct dnstap_sender_stats *out)
{
	out->frames = s->frames;
	out->failures = s->failures;
	out->is_connected = atomic_load(&s->is_connected);
}
