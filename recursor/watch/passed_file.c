/* passed_file: see passed_file.h. */
#include "recursor/watch/passed_file.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024 };

/* Of all control threads. */
static atomic_uint n_open;
static atomic_uint_least64_t n_refused;

static bool take_place(void)
{
	if (atomic_fetch_add(&n_open, 1) < PASSED_FILES_MAX)
		return true;
	atomic_fetch_sub(&n_open, 1);
	atomic_fetch_add(&n_refused, 1);
	return false;
}

uint64_t passed_file_refusals(void)
{
	return atomic_load(&n_refused);
}

static bool wait_for(struct passed_file *s, short what)
{
	/* Of the client no more than that both its directions are closed: it may have said all. */
	struct pollfd fds[3] = {
		{ .fd = s->fd, .events = what },
		{ .fd = s->stop_fd, .events = POLLIN },
		{ .fd = s->client_fd },
	};
	int ready = poll(fds, 3, PASSED_FILE_STALL_MS);
	bool is_over = ready > 0 && (fds[1].revents != 0 || fds[2].revents != 0);

	if (ready == 0)
		errno = ETIMEDOUT;
	if (is_over)
		errno = ECANCELED;
	return ready > 0 && !is_over;
}

static ssize_t write_piece(struct passed_file *s, const char *data, size_t len)
{
	if (!wait_for(s, POLLOUT))
		return -1;
	return passed_write(&s->writer, data, len);
}

static ssize_t cookie_write(void *cookie, const char *data, size_t len)
{
	struct passed_file *s = cookie;
	size_t done = 0;

	while (done < len && s->error == 0) {
		ssize_t n = write_piece(s, data + done, len - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR && errno != EAGAIN)
			s->error = errno;
	}
	return s->error == 0 ? (ssize_t)done : 0;
}

static ssize_t cookie_read(void *cookie, char *data, size_t len)
{
	struct passed_file *s = cookie;

	while (s->error == 0) {
		ssize_t n = wait_for(s, POLLIN) ? read(s->fd, data, len) : -1;

		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN)
			s->error = errno;
	}
	errno = s->error;
	return -1;
}

static int cookie_close(void *cookie)
{
	struct passed_file *s = cookie;

	passed_writer_close(&s->writer);
	atomic_fetch_sub(&n_open, 1);
	return 0;
}

static int open_stream(struct passed_file *s, const struct command_call *call, const char *mode)
{
	cookie_io_functions_t io = { .write = cookie_write,
				     .read = cookie_read,
				     .close = cookie_close };
	int err = E_OK;

	*s = (struct passed_file) { .fd = call->file,
				    .stop_fd = call->stop_fd,
				    .client_fd = call->client_fd };
	if (*mode == 'w')
		err = passed_writer_open(&s->writer, s->fd);
	if (err != E_OK)
		return err;
	s->stream = fopencookie(s, mode, io);
	if (s->stream == NULL) {
		passed_writer_close(&s->writer);
		return E_NOMEM;
	}
	setvbuf(s->stream, NULL, _IOFBF, BUFFER_BYTES);
	return E_OK;
}

static bool is_open(struct passed_file *s, const struct command_call *call, const char *mode)
{
	int err;

	if (!take_place()) {
		fprintf(call->out,
			"%d commands are at their files already, and another has to wait for one\n",
			PASSED_FILES_MAX);
		return false;
	}
	err = open_stream(s, call, mode);
	if (err != E_OK) {
		atomic_fetch_sub(&n_open, 1);
		fprintf(call->out, "%s\n", err_why(err));
	}
	return err == E_OK;
}

bool passed_file_write(struct passed_file *f, const struct command_call *call)
{
	return is_open(f, call, "w");
}

bool passed_file_read(struct passed_file *f, const struct command_call *call)
{
	return is_open(f, call, "r");
}

int passed_file_end(struct passed_file *s, struct command_call *call, const char *prefix, size_t n)
{
	if (fclose(s->stream) != 0 && s->error == 0)
		s->error = errno;
	if (s->error != 0) {
		fprintf(call->out, "Error writing dump file: %s\n", strerror(s->error));
		return 1;
	}
	fprintf(call->out, "%sdumped %zu records\n", prefix, n);
	json_object_set_new(call->json, "records", json_integer((json_int_t)n));
	return 0;
}
