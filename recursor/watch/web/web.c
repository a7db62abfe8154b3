#include "recursor/watch/web/web.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/web/web_impl.h"

enum {
	LISTEN_MAX = 64,
	ACCEPTS = 32, /* in a turn: what gave way has left before there are more */
	SEND_BUFFER = 32 << 10,
	LOOK_MS = 250,   /* who is late is looked for so often */
	NO_FDS_MS = 200, /* nothing is accepted for so long when there are no descriptors */
};

/* ---- connections ---- */

static void connection_begins(struct web *w, struct MHD_Connection *connection, void **context)
{
	const union MHD_ConnectionInfo *fd = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct exchange *x = calloc(1, sizeof(*x));

	*context = x;
	if (x == NULL)
		return; /* its request finds none, and is closed */
	x->web = w;
	x->connection = connection;
	x->fd = fd->connect_fd;
	if (addr_from_sockaddr(&x->from, from->client_addr) != E_OK)
		x->from = (struct addr) { 0 };
	x->began_ms = clock_now_ms();
	TAILQ_INSERT_TAIL(&w->exchanges, x, all);
	w->n_exchanges++;
	atomic_store_explicit(&w->options.counters->connections, w->n_exchanges,
			      memory_order_relaxed);
	web_note_most(&w->options.counters->peak, w->n_exchanges);
}

static void connection_ends(struct web *w, void **context)
{
	struct exchange *x = *context;

	*context = NULL;
	if (x == NULL)
		return;
	TAILQ_REMOVE(&w->exchanges, x, all);
	w->n_exchanges--;
	atomic_store_explicit(&w->options.counters->connections, w->n_exchanges,
			      memory_order_relaxed);
	exchange_free(x);
}

static void on_connection(void *web, struct MHD_Connection *connection, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		connection_begins(web, connection, context);
	else
		connection_ends(web, context);
}

/* Makes room for one more from there; false: nobody can give way. */
static bool make_room(struct web *w, const struct addr *from)
{
	struct exchange *x, *oldest = NULL, *oldest_of_client = NULL;
	unsigned of_client = 0, all = 0;
	bool client_full, full;

	TAILQ_FOREACH (x, &w->exchanges, all) {
		bool same = addr_equal_ip(&x->from, from);

		if (x->doomed)
			continue;
		all++;
		of_client += same;
		if (x->phase != EXCHANGE_RECEIVING)
			continue;
		if (oldest == NULL)
			oldest = x;
		if (same && oldest_of_client == NULL)
			oldest_of_client = x;
	}
	client_full = of_client >= w->options.max_per_client;
	full = all >= w->options.max_connections;
	if (!client_full)
		web_note_most(&w->options.counters->client_peak, of_client + 1);
	if (!client_full && !full)
		return true;
	web_count(w, displaced);
	x = client_full ? oldest_of_client : oldest;
	if (x == NULL)
		return false;
	exchange_doom(x, "408 Request Timeout");
	return true;
}

static void take_connection(struct web *w, int fd, const struct sockaddr_storage *ss, socklen_t len)
{
	struct addr from;

	if (addr_from_sockaddr(&from, (const struct sockaddr *)ss) != E_OK ||
	    !netset_match(w->options.allow_from, &from)) {
		web_count(w, forbidden);
		close(fd);
		return;
	}
	if (!make_room(w, &from)) {
		close(fd);
		return;
	}
	/* It closes the socket, whatever it says. */
	if (MHD_add_connection(w->mhd, fd, (const struct sockaddr *)ss, len) != MHD_YES)
		log_limited(LOG_LEVEL_WARNING, "webserver: a connection cannot be taken: %s",
			    strerror(errno));
}

static void accept_some(struct web *w, int listen_fd)
{
	for (unsigned n = 0; n < ACCEPTS; n++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		int fd = accept4(listen_fd, (struct sockaddr *)&ss, &len,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			take_connection(w, fd, &ss, len);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			/* It stays readable: wait a little instead of spinning. */
			w->accept_after_ms = clock_now_ms() + NO_FDS_MS;
			return;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

/* ---- who is late ---- */

/* How long ago something came from the peer. */
static uint64_t idle_ms(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	return info.tcpi_last_data_recv;
}

static void look_for_late(struct web *w)
{
	uint64_t now_ms = clock_now_ms();
	struct exchange *x;

	TAILQ_FOREACH (x, &w->exchanges, all) {
		uint64_t age_ms = now_ms - x->began_ms;
		bool late = age_ms >= w->options.request_ms;

		if (x->doomed || x->phase == EXCHANGE_WORKING)
			continue;
		if (x->phase == EXCHANGE_RECEIVING && !late && age_ms >= w->options.idle_ms)
			late = idle_ms(x->fd) >= w->options.idle_ms;
		if (!late)
			continue;
		web_count(w, late);
		exchange_doom(x, "408 Request Timeout");
	}
}

/* ---- the moving thread ---- */

static void take_done(struct web *w)
{
	struct exchange *x;
	uint64_t n;

	if (read(w->done_fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		log_limited(LOG_LEVEL_WARNING, "webserver: %s", strerror(errno));
	while ((x = web_work_take(w)) != NULL) {
		x->phase = EXCHANGE_RECEIVING;
		x->began_ms = clock_now_ms(); /* what the handler took is not the client's doing */
		MHD_resume_connection(x->connection);
	}
}

static int patience_ms(struct web *w)
{
	MHD_UNSIGNED_LONG_LONG most;
	int ms = w->n_exchanges > 0 || w->accept_after_ms != 0 ? LOOK_MS : -1;

	if (MHD_get_timeout(w->mhd, &most) == MHD_YES && (ms < 0 || most < (unsigned)ms))
		ms = (int)most;
	return ms;
}

enum { FD_STOP, FD_DONE, FD_MHD, FD_LISTEN };

/* False: it is to end. */
static bool turn(struct web *w, struct pollfd *fds)
{
	nfds_t n = FD_LISTEN + w->n_listen_fds;

	if (w->accept_after_ms != 0 && clock_now_ms() >= w->accept_after_ms)
		w->accept_after_ms = 0;
	if (poll(fds, w->accept_after_ms != 0 ? FD_LISTEN : n, patience_ms(w)) < 0)
		return errno == EINTR;
	if (fds[FD_STOP].revents != 0)
		return false;
	if (fds[FD_DONE].revents != 0)
		take_done(w);
	for (nfds_t i = FD_LISTEN; i < n && w->accept_after_ms == 0; i++)
		if (fds[i].revents != 0)
			accept_some(w, fds[i].fd);
	(void)MHD_run(w->mhd);
	return true;
}

/* What is with the handlers gets its reply, and whoever reads it a moment to do so. */
static void finish(struct web *w, struct pollfd *fds)
{
	uint64_t until_ms;

	for (size_t i = 0; i < w->n_listen_fds; i++) {
		close(w->listen_fds[i]);
		w->listen_fds[i] = -1;
	}
	web_work_stop(w);
	take_done(w);
	until_ms = clock_now_ms() + WEB_LAST_MS;
	do {
		struct exchange *x;
		bool any = false;

		(void)MHD_run(w->mhd);
		take_done(w);
		TAILQ_FOREACH (x, &w->exchanges, all)
			any = any || x->phase == EXCHANGE_ANSWERING ||
			      x->phase == EXCHANGE_WORKING || x->is_done;
		if (!any)
			break;
		(void)poll(&fds[FD_MHD], 1, 10);
	} while (clock_now_ms() < until_ms);
}

static void *move(void *arg)
{
	struct web *w = arg;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(w->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[FD_LISTEN + LISTEN_MAX] = {
		[FD_STOP] = { .fd = w->stop_fd, .events = POLLIN },
		[FD_DONE] = { .fd = w->done_fd, .events = POLLIN },
		[FD_MHD] = { .fd = info->epoll_fd, .events = POLLIN },
	};
	uint64_t looked_ms = 0;

	for (size_t i = 0; i < w->n_listen_fds; i++)
		fds[FD_LISTEN + i] = (struct pollfd) { .fd = w->listen_fds[i], .events = POLLIN };
	while (turn(w, fds)) {
		uint64_t now_ms = clock_now_ms();

		if (now_ms >= looked_ms + LOOK_MS) {
			look_for_late(w);
			looked_ms = now_ms;
		}
	}
	finish(w, fds);
	return NULL;
}

/* ---- life ---- */

static void log_of_mhd(void *ctx, const char *format, va_list args)
{
	char line[256];

	(void)ctx;
	(void)vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("webserver: %s", line);
}

static int start_mhd(struct web *w)
{
	w->mhd = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
			MHD_USE_ERROR_LOG,
		0, NULL, NULL, exchange_take, w, MHD_OPTION_EXTERNAL_LOGGER, log_of_mhd, NULL,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, w, MHD_OPTION_URI_LOG_CALLBACK,
		exchange_see_uri, w, MHD_OPTION_CONNECTION_LIMIT,
		w->options.max_connections + 2 * ACCEPTS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		w->options.max_header, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	return w->mhd != NULL ? E_OK : E_SYSTEM;
}

static int listen_at(struct web *w, const struct addr *a, char *why)
{
	struct sockaddr_storage ss;
	socklen_t len = addr_to_sockaddr(a, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
	int send_buffer = SEND_BUFFER;
	char text[ADDR_TEXT_MAX];

	if (fd >= 0)
		w->listen_fds[w->n_listen_fds++] = fd;
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
	    /* The connections get it from there: what the kernel may hold of replies not taken. */
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer)) == 0 &&
	    (a->family != 6 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
	    bind(fd, (const struct sockaddr *)&ss, len) == 0 && listen(fd, WEB_BACKLOG) == 0)
		return E_OK;
	(void)snprintf(why, WEB_WHY_MAX, "webserver: cannot listen on %s: %s", addr_text(text, a),
		       strerror(errno));
	return E_SYSTEM;
}

static void free_web(struct web *w)
{
	struct exchange *x;

	if (w->mhd != NULL)
		MHD_stop_daemon(w->mhd);
	/* libmicrohttpd tells of each connection's end, unless it never told of its beginning. */
	while ((x = TAILQ_FIRST(&w->exchanges)) != NULL) {
		TAILQ_REMOVE(&w->exchanges, x, all);
		exchange_free(x);
	}
	for (size_t i = 0; i < w->n_listen_fds; i++)
		if (w->listen_fds[i] >= 0)
			close(w->listen_fds[i]);
	if (w->stop_fd >= 0)
		close(w->stop_fd);
	if (w->done_fd >= 0)
		close(w->done_fd);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->more);
	auth_free(w->auth);
	free(w->listen_fds);
	free(w);
}

static struct web *make_web(const struct web_options *o)
{
	struct web *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->options = *o;
	w->options.password = w->options.key = NULL; /* theirs are the credentials */
	w->stop_fd = w->done_fd = -1;
	TAILQ_INIT(&w->exchanges);
	TAILQ_INIT(&w->waiting);
	TAILQ_INIT(&w->done);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->more, NULL);
	w->listen_fds = calloc(o->n_addresses, sizeof(*w->listen_fds));
	if (w->listen_fds != NULL)
		return w;
	free_web(w);
	return NULL;
}

int web_open(struct web **out, const struct web_options *o, char *why)
{
	struct web *w = make_web(o);
	int err = w == NULL ? E_NOMEM : E_OK;

	(void)snprintf(why, WEB_WHY_MAX, "webserver: %s", err_text(err));
	if (err != E_OK)
		return err;
	ASSERT(o->n_addresses <= LISTEN_MAX);
	err = auth_new(&w->auth, o->password, o->key);
	w->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (err == E_OK && (w->stop_fd < 0 || w->done_fd < 0))
		err = E_SYSTEM;
	if (err != E_OK)
		(void)snprintf(why, WEB_WHY_MAX, "webserver: %s", err_why(err));
	for (size_t i = 0; i < o->n_addresses && err == E_OK; i++)
		err = listen_at(w, &o->addresses[i], why);
	if (err == E_OK)
		*out = w;
	else
		free_web(w);
	return err;
}

int web_start(struct web *w, const struct watch_env *env)
{
	sigset_t all, before;
	int err;

	w->env = env;
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = start_mhd(w);
	if (err == E_OK)
		err = web_work_start(w);
	if (err == E_OK)
		err = pthread_create(&w->mover, NULL, move, w) == 0 ? E_OK : E_SYSTEM;
	w->has_mover = err == E_OK;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err;
}

void web_stop(struct web *w)
{
	uint64_t one = 1;

	if (w == NULL)
		return;
	if (write(w->stop_fd, &one, sizeof(one)) < 0)
		log_error("webserver: cannot stop: %s", strerror(errno));
	if (w->has_mover)
		pthread_join(w->mover, NULL);
	else
		web_work_stop(w);
	free_web(w);
}
