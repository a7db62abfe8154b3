/* A directory for a test's files, and its end with all that is in it. */
#ifndef UNIT_TMPDIR_H
#define UNIT_TMPDIR_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TMPDIR_MAX = 64 };

static inline void tmpdir_make(char dir[TMPDIR_MAX])
{
	strcpy(dir, "/tmp/unit_XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static inline int tmpdir_remove_one(const char *path, const struct stat *st, int type,
				    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tmpdir_remove(const char *dir)
{
	ck_assert_int_eq(nftw(dir, tmpdir_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
