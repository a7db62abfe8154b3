/* A terminal of the test's own that nobody reads but the test. */
#ifndef UNIT_TERMINAL_H
#define UNIT_TERMINAL_H

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>

/* Opens both its ends, for the caller to close; returns the one that programs see. */
static inline int terminal_open(int *master)
{
	char path[64];
	int fd;

	*master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(*master, 0);
	ck_assert_int_eq(grantpt(*master), 0);
	ck_assert_int_eq(unlockpt(*master), 0);
	ck_assert_int_eq(ptsname_r(*master, path, sizeof(path)), 0);
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	return fd;
}

#endif
