#include "others.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_MAX = 512, NOT_THERE = 3 };

bool others_sign(const char *dir, const char *program, const char *algorithms, const char *denial)
{
	char here[COMMAND_MAX / 2], command[COMMAND_MAX];
	int status;

	ck_assert_ptr_nonnull(getcwd(here, sizeof(here)));
	(void)snprintf(command, sizeof(command), "cd %s && %s/tests/signer/others %s %s %s", dir,
		       here, program, algorithms, denial);
	status = system(command);
	ck_assert_msg(WIFEXITED(status), "%s", command);
	if (WEXITSTATUS(status) == NOT_THERE) {
		(void)fprintf(stderr, "%s is not there\n", program);
		return false;
	}
	ck_assert_msg(WEXITSTATUS(status) == 0, "%s", command);
	return true;
}
