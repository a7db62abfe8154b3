/* What a test must not do to its own process is done in a child; its exit status tells. */
#ifndef UNIT_IN_CHILD_H
#define UNIT_IN_CHILD_H

#include <check.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status = 0;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(fn());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 200 + WTERMSIG(status);
}

#endif
