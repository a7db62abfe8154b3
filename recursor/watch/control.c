#include "recursor/watch/control.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/ctl.h"
#include "common/log.h"
#include "recursor/watch/commands.h"

struct control {
	int listen_fd;
	int stop_fd; /* an eventfd: readable from control_stop() on */
	int dir_fd;  /* the socket's directory */
	dev_t dev;   /* the socket's, so that nobody else's is removed */
	ino_t ino;
	bool bound;
	char *base; /* its name there */
	const struct watch_env *env;
	unsigned n_threads;
	pthread_t threads[CONTROL_THREADS];
};

/* ---- bytes in and out, with time limits ---- */

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* Waits until the peer has sent something.  False: too late, or the daemon ends. */
static bool wait_for_data(const struct control *c, int fd, uint64_t until_ms)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = c->stop_fd, .events = POLLIN },
	};
	uint64_t now = now_ms();

	if (now >= until_ms)
		return false;
	return poll(fds, 2, (int)(until_ms - now)) > 0 && fds[1].revents == 0;
}

static int receive(const struct control *c, int fd, void *buf, size_t len, uint64_t until_ms)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n;

		if (!wait_for_data(c, fd, until_ms))
			return E_LIMIT;
		n = recv(fd, (char *)buf + got, len - got, MSG_DONTWAIT);
		if (n == 0)
			return E_TRUNCATED;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return E_SYSTEM;
		if (n > 0)
			got += (size_t)n;
	}
	return E_OK;
}

/* Waits until the peer takes more.  When the daemon ends it has a moment left. */
static bool wait_for_room(const struct control *c, int fd)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = c->stop_fd, .events = POLLIN },
	};

	if (poll(fds, 2, CONTROL_IO_MS) > 0 && fds[0].revents == 0)
		poll(fds, 1, CONTROL_LAST_MS);
	return fds[0].revents != 0;
}

static int send_all(const struct control *c, int fd, const void *buf, size_t len)
{
	size_t sent = 0;

	while (sent < len) {
		ssize_t n;

		if (!wait_for_room(c, fd))
			return E_LIMIT;
		n = send(fd, (const char *)buf + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return E_SYSTEM;
		if (n > 0)
			sent += (size_t)n;
	}
	return E_OK;
}

/* Takes the descriptors out of a message: the first for us, what else was slipped in is closed. */
static void take_descriptors(struct msghdr *m, int *out)
{
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(m); cm != NULL; cm = CMSG_NXTHDR(m, cm)) {
		size_t n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
			if (*out < 0)
				*out = fd;
			else
				close(fd);
		}
	}
}

/* The descriptor of a command that writes a file; -1 when none comes. */
static int receive_descriptor(const struct control *c, int fd, uint64_t until_ms)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	char x;
	struct iovec iov = { .iov_base = &x, .iov_len = 1 };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int got = -1;

	if (!wait_for_data(c, fd, until_ms) ||
	    recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	take_descriptors(&m, &got);
	return got;
}

/* ---- one connection ---- */

static int receive_request(const struct control *c, int fd, uint64_t until_ms, char **text,
			   size_t *len)
{
	uint8_t head[CTL_HEADER_LEN];
	struct ctl_header h;
	char *buf;
	int err = receive(c, fd, head, sizeof(head), until_ms);

	if (err == E_OK)
		err = ctl_get_header(head, CTL_REQUEST_MAX, &h);
	if (err != E_OK)
		return err;
	buf = malloc(h.length + 1);
	if (buf == NULL)
		return E_NOMEM;
	err = receive(c, fd, buf, h.length, until_ms);
	if (err != E_OK) {
		free(buf);
		return err;
	}
	buf[h.length] = '\0';
	*text = buf;
	*len = h.length;
	return E_OK;
}

static void send_reply(const struct control *c, int fd, const struct command_reply *reply)
{
	static const char too_much[] = "no memory for the reply, or it is too long\n";
	bool fits = reply->text != NULL && reply->len <= CTL_REPLY_MAX;
	const char *text = fits ? reply->text : too_much;
	struct ctl_header h = {
		.status = fits ? reply->status : 1,
		.length = fits ? reply->len : sizeof(too_much) - 1,
	};
	uint8_t head[CTL_HEADER_LEN];
	int err;

	ctl_put_header(head, &h);
	err = send_all(c, fd, head, sizeof(head));
	if (err == E_OK)
		err = send_all(c, fd, text, h.length);
	if (err != E_OK)
		log_info("control: a reply was not taken: %s", err_text(err));
}

/* Whoever asked for it stands in the log, but not who only looked. */
static void note_change(int fd, const struct command *command)
{
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);

	if (command_only_looks(command))
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0)
		log_with(LOG_LEVEL_NOTICE,
			 LOG_FIELDS(LOG_TEXT("command", command->word), LOG_NUMBER("uid", who.uid),
				    LOG_NUMBER("pid", (uint64_t)who.pid)),
			 "control: %s, from user %u, process %d", command->word, who.uid, who.pid);
}

static void serve(const struct control *c, int fd)
{
	uint64_t until_ms = now_ms() + CONTROL_IO_MS;
	struct command_request *rq = malloc(sizeof(*rq));
	struct command_reply reply;
	char *text = NULL;
	size_t len;

	if (rq == NULL || receive_request(c, fd, until_ms, &text, &len) != E_OK)
		goto out;
	command_parse(rq, text, len);
	rq->stop_fd = c->stop_fd;
	rq->client_fd = fd;
	if (rq->command != NULL) {
		if (command_brings_file(rq))
			rq->file = receive_descriptor(c, fd, until_ms);
		note_change(fd, rq->command);
	}
	command_run(c->env, rq, &reply);
	if (rq->file >= 0)
		close(rq->file);
	send_reply(c, fd, &reply);
	if (reply.quit != COMMAND_STAY)
		c->env->quit(c->env->ctx, reply.quit == COMMAND_QUIT_NICELY);
	command_reply_free(&reply);
out:
	free(text);
	free(rq);
}

static void *control_thread(void *arg)
{
	struct control *c = arg;
	struct pollfd fds[2] = {
		{ .fd = c->listen_fd, .events = POLLIN },
		{ .fd = c->stop_fd, .events = POLLIN },
	};

	while (fds[1].revents == 0) {
		int fd;

		fds[1].revents = 0;
		if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
			continue;
		/* Several threads woke up; one gets it. */
		fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0) {
			serve(c, fd);
			close(fd);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
			/* It stays readable: wait a little instead of spinning. */
			poll(&fds[1], 1, 100);
		}
	}
	return NULL;
}

/* ---- the socket ---- */

/* Makes way for the socket: E_OK when nothing is at the path any more. */
static int remove_stale(const struct sockaddr_un *sun, char *why, size_t cap)
{
	struct stat st;
	int fd, err = E_OK;

	if (lstat(sun->sun_path, &st) != 0)
		return E_OK; /* bind() says what is wrong, if anything is */
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why, cap, "control socket: '%s' exists and is no socket", sun->sun_path);
		return E_EXISTS;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		snprintf(why, cap, "control socket: %s", strerror(errno));
		return E_SYSTEM;
	}
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 || errno == EAGAIN) {
		snprintf(why, cap,
			 "control socket: somebody answers at '%s': is it running already?",
			 sun->sun_path);
		err = E_EXISTS;
	} else if (errno == ECONNREFUSED && unlink(sun->sun_path) != 0) {
		snprintf(why, cap, "control socket: cannot remove the stale '%s': %s",
			 sun->sun_path, strerror(errno));
		err = E_SYSTEM;
	}
	close(fd);
	return err;
}

static bool is_set(const char *text)
{
	return text != NULL && text[0] != '\0';
}

static bool read_id(const char *text, unsigned *id)
{
	long long n;

	if (conf_int(text, 0, UINT32_MAX - 1, &n) != E_OK)
		return false;
	*id = (unsigned)n;
	return true;
}

static bool find_user(const char *text, uid_t *uid)
{
	struct passwd *pw = getpwnam(text);

	if (pw == NULL)
		return read_id(text, uid);
	*uid = pw->pw_uid;
	return true;
}

static bool find_group(const char *text, gid_t *gid)
{
	struct group *gr = getgrnam(text);

	if (gr == NULL)
		return read_id(text, gid);
	*gid = gr->gr_gid;
	return true;
}

static bool read_mode(const char *text, mode_t *mode)
{
	char *end;
	unsigned long n = strtoul(text, &end, 8);

	if (*end != '\0' || n > 0777)
		return false;
	*mode = (mode_t)n;
	return true;
}

/* What the options say, read before anything is made. */
struct access {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

static int read_access(const struct control_options *o, struct access *a, char *why, size_t cap)
{
	*a = (struct access) { .uid = (uid_t)-1, .gid = (gid_t)-1, .mode = 0600 };
	if (is_set(o->owner) && !find_user(o->owner, &a->uid))
		snprintf(why, cap, "socket-owner: no such user: '%s'", o->owner);
	else if (is_set(o->group) && !find_group(o->group, &a->gid))
		snprintf(why, cap, "socket-group: no such group: '%s'", o->group);
	else if (is_set(o->mode) && !read_mode(o->mode, &a->mode))
		snprintf(why, cap, "socket-mode: no octal mode: '%s'", o->mode);
	else
		return E_OK;
	return E_RANGE;
}

static int set_address(struct sockaddr_un *sun, const char *path, char *why, size_t cap)
{
	size_t len = strlen(path);

	*sun = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (len == 0 || len >= sizeof(sun->sun_path)) {
		snprintf(why, cap, "control socket: the path is longer than %zu bytes: '%s'",
			 sizeof(sun->sun_path) - 1, path);
		return E_TOO_LONG;
	}
	memcpy(sun->sun_path, path, len);
	return E_OK;
}

static int bind_socket(struct control *c, const struct sockaddr_un *sun, const struct access *a,
		       char *why, size_t cap)
{
	struct stat st;

	/* The mode before bind(): the socket is at no moment open to more people than meant. */
	if (fchmod(c->listen_fd, 0600) == 0 &&
	    bind(c->listen_fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0)
		c->bound = true;
	if (!c->bound || lstat(sun->sun_path, &st) != 0) {
		snprintf(why, cap, "control socket: cannot bind '%s': %s", sun->sun_path,
			 strerror(errno));
		return E_SYSTEM;
	}
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	if ((a->uid != (uid_t)-1 || a->gid != (gid_t)-1) &&
	    lchown(sun->sun_path, a->uid, a->gid) != 0)
		snprintf(why, cap, "control socket: cannot give '%s' to its owner: %s",
			 sun->sun_path, strerror(errno));
	else if (chmod(sun->sun_path, a->mode) != 0)
		snprintf(why, cap, "control socket: cannot set the mode of '%s': %s", sun->sun_path,
			 strerror(errno));
	else if (listen(c->listen_fd, CONTROL_BACKLOG) != 0)
		snprintf(why, cap, "control socket: cannot listen: %s", strerror(errno));
	else
		return E_OK;
	return E_SYSTEM;
}

static int open_descriptors(struct control *c, const char *path, char *why, size_t cap)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path) + 1);

	c->base = strdup(slash == NULL ? path : slash + 1);
	if (dir == NULL || c->base == NULL) {
		free(dir);
		snprintf(why, cap, "control socket: %s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	c->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (c->dir_fd < 0) {
		snprintf(why, cap, "control socket: socket-dir '%s': %s", dir, strerror(errno));
		free(dir);
		return E_SYSTEM;
	}
	free(dir);
	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->stop_fd < 0 || c->listen_fd < 0) {
		snprintf(why, cap, "control socket: %s", strerror(errno));
		return E_SYSTEM;
	}
	return E_OK;
}

static void remove_socket(const struct control *c)
{
	struct stat st;

	if (!c->bound || fstatat(c->dir_fd, c->base, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    st.st_dev != c->dev || st.st_ino != c->ino)
		return;
	if (unlinkat(c->dir_fd, c->base, 0) != 0)
		log_warning("control socket: cannot remove '%s': %s", c->base, strerror(errno));
}

static void close_all(struct control *c)
{
	if (c->listen_fd >= 0)
		close(c->listen_fd);
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	if (c->dir_fd >= 0)
		close(c->dir_fd);
	free(c->base);
	free(c);
}

int control_open(struct control **out, const struct control_options *o, char *why, size_t cap)
{
	struct control *c = calloc(1, sizeof(*c));
	struct sockaddr_un sun;
	struct access access;
	int err = E_NOMEM;

	if (c == NULL) {
		snprintf(why, cap, "control socket: %s", err_text(err));
		return err;
	}
	c->listen_fd = c->stop_fd = c->dir_fd = -1;
	err = set_address(&sun, o->path, why, cap);
	if (err == E_OK)
		err = read_access(o, &access, why, cap);
	if (err == E_OK)
		err = open_descriptors(c, o->path, why, cap);
	if (err == E_OK)
		err = remove_stale(&sun, why, cap);
	if (err == E_OK)
		err = bind_socket(c, &sun, &access, why, cap);
	if (err != E_OK) {
		remove_socket(c);
		close_all(c);
		return err;
	}
	*out = c;
	return E_OK;
}

int control_start(struct control *c, const struct watch_env *env)
{
	sigset_t all, before;
	int failed = 0;

	c->env = env;
	/* Signals are the main thread's; and a dump into a closed pipe is an error, not the end. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (c->n_threads < CONTROL_THREADS && failed == 0) {
		failed = pthread_create(&c->threads[c->n_threads], NULL, control_thread, c);
		c->n_threads += failed == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	/* One is enough to serve. */
	return c->n_threads > 0 ? E_OK : E_SYSTEM;
}

void control_stop(struct control *c)
{
	uint64_t one = 1;

	if (c == NULL)
		return;
	if (write(c->stop_fd, &one, sizeof(one)) < 0)
		log_error("control: cannot stop: %s", strerror(errno));
	for (unsigned i = 0; i < c->n_threads; i++)
		pthread_join(c->threads[i], NULL);
	remove_socket(c);
	close_all(c);
}
