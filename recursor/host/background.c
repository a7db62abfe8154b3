#include "recursor/host/background.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/log.h"

static int to_parent = -1, null_fd = -1;

/* A byte says that all is well; an end without one, that the child has died: as it did. */
static _Noreturn void wait_for_child(pid_t pid, int from_child)
{
	int status = 0;
	char byte;
	ssize_t n;

	do {
		n = read(from_child, &byte, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1)
		_exit(EXIT_SUCCESS);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status));
	_exit(EXIT_FAILURE);
}

int background_begin(void)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0)
		return E_SYSTEM;
	pid = fork();
	if (pid < 0) {
		int saved = errno;

		(void)close(fds[0]);
		(void)close(fds[1]);
		errno = saved;
		return E_SYSTEM;
	}
	if (pid > 0) {
		(void)close(fds[1]);
		wait_for_child(pid, fds[0]);
	}
	(void)close(fds[0]);
	to_parent = fds[1];
	/* Now: in a chroot there may be none. */
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	return null_fd < 0 || setsid() < 0 ? E_SYSTEM : E_OK;
}

void background_ready(void)
{
	if (to_parent < 0)
		return;
	if (chdir("/") != 0)
		log_warning("changing to /: %s", strerror(errno));
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(null_fd, fd);
	(void)close(null_fd);
	while (write(to_parent, "", 1) < 0 && errno == EINTR)
		;
	(void)close(to_parent);
	to_parent = null_fd = -1;
}
