/* passed_file: see passed_file.h. */
#include "recursor/watch/passed_file.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 * 1024, PIPE_PIECE = 4096 };

/* poll() promises room for PIPE_BUF bytes of a pipe: so much is written without blocking, though
 * the descriptor, which is the client's too, stays in blocking mode. */
static bool wait_for(struct passed_file *s, short what)
{
	struct pollfd fds[2] = {
		{ .fd = s->fd, .events = what },
		{ .fd = s->stop_fd, .events = POLLIN },
	};
	int ready = poll(fds, 2, PASSED_FILE_STALL_MS);

	if (ready == 0)
		errno = ETIMEDOUT;
	if (ready > 0 && fds[1].revents != 0)
		errno = ECANCELED;
	return ready > 0 && fds[1].revents == 0;
}

static ssize_t write_piece(struct passed_file *s, const char *data, size_t len)
{
	if (!wait_for(s, POLLOUT))
		return -1;
	return write(s->fd, data, len < s->piece ? len : s->piece);
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

static bool open_stream(struct passed_file *s, const struct command_call *call, const char *mode)
{
	cookie_io_functions_t io = { .write = cookie_write, .read = cookie_read };
	struct stat st;

	*s = (struct passed_file) { .fd = call->file,
				    .stop_fd = call->stop_fd,
				    .piece = PIPE_PIECE };
	if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
		s->piece = BUFFER_BYTES;
	s->stream = fopencookie(s, mode, io);
	if (s->stream == NULL) {
		fprintf(call->out, "%s\n", err_text(E_NOMEM));
		return false;
	}
	setvbuf(s->stream, NULL, _IOFBF, BUFFER_BYTES);
	return true;
}

bool passed_file_write(struct passed_file *f, const struct command_call *call)
{
	return open_stream(f, call, "w");
}

bool passed_file_read(struct passed_file *f, const struct command_call *call)
{
	return open_stream(f, call, "r");
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
