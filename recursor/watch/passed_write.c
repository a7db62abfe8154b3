/* passed_write: see passed_write.h. */
#include "recursor/watch/passed_write.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/ctl.h"

int passed_writer_open(struct passed_writer *w, int fd)
{
	struct stat st;

	*w = (struct passed_writer) { .fd = fd, .kind = PASSED_FILE };
	if (fstat(fd, &st) != 0)
		return E_SYSTEM;
	if (S_ISSOCK(st.st_mode))
		w->kind = PASSED_SOCKET;
	if (!S_ISFIFO(st.st_mode))
		return E_OK;
	if (pipe2(w->own, O_CLOEXEC | O_NONBLOCK) != 0)
		return E_SYSTEM;
	w->kind = PASSED_PIPE;
	return E_OK;
}

void passed_writer_close(struct passed_writer *w)
{
	if (w->kind != PASSED_PIPE)
		return;
	(void)close(w->own[0]);
	(void)close(w->own[1]);
}

/* Nothing but the mark is taken: what else a client says there is not for us. */
void passed_writer_end(const struct passed_writer *w)
{
	char mark[sizeof(CTL_END_MARK)];

	if (w->kind == PASSED_SOCKET &&
	    recv(w->fd, mark, sizeof(mark), MSG_PEEK | MSG_DONTWAIT) == (ssize_t)sizeof(mark) &&
	    memcmp(mark, CTL_END_MARK, sizeof(mark)) == 0)
		(void)recv(w->fd, mark, sizeof(mark), MSG_DONTWAIT);
}

/* What is left in our pipe is taken out again: the caller has it still. */
static void empty(const struct passed_writer *w, size_t left)
{
	char unwanted[PIPE_BUF];

	while (left > 0) {
		ssize_t n = read(w->own[0], unwanted,
				 left < sizeof(unwanted) ? left : sizeof(unwanted));

		if (n <= 0)
			return;
		left -= (size_t)n;
	}
}

static ssize_t write_pipe(const struct passed_writer *w, const char *data, size_t len)
{
	ssize_t n = write(w->own[1], data, len < PIPE_BUF ? len : PIPE_BUF), moved;
	int error;

	if (n <= 0)
		return n;
	moved = splice(w->own[0], NULL, w->fd, NULL, (size_t)n, SPLICE_F_NONBLOCK);
	error = errno;
	empty(w, (size_t)(n - (moved > 0 ? moved : 0)));
	errno = error;
	return moved;
}

ssize_t passed_write(struct passed_writer *w, const char *data, size_t len)
{
	switch (w->kind) {
	case PASSED_PIPE:
		return write_pipe(w, data, len);
	case PASSED_SOCKET:
		return send(w->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	default:
		return write(w->fd, data, len);
	}
}
