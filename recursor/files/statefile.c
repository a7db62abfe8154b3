#include "recursor/files/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SUFFIX_LEN = 4 };

static const char fresh_suffix[SUFFIX_LEN + 1] = ".new", bad_suffix[SUFFIX_LEN + 1] = ".bad";

/* ---- its life ---- */

int statefile_open(struct statefile *f, const char *path, const char *root)
{
	const char *slash;
	char *dir = NULL;
	int n;

	*f = (struct statefile) { .path = strdup(path), .dir_fd = -1 };
	if (f->path == NULL)
		return E_NOMEM;
	slash = strrchr(f->path, '/');
	f->name = slash != NULL ? slash + 1 : f->path;
	if (*f->name == '\0' || strlen(f->name) > NAME_MAX - SUFFIX_LEN) {
		errno = EINVAL;
		return E_SYSTEM;
	}
	n = asprintf(&dir, "%s%s%.*s%s", root, *root != '\0' ? "/" : "", (int)(f->name - f->path),
		     f->path, slash == NULL ? "." : "");
	if (n < 0)
		return E_NOMEM;
	f->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	return f->dir_fd < 0 ? E_SYSTEM : E_OK;
}

void statefile_close(struct statefile *f)
{
	if (f->dir_fd >= 0)
		(void)close(f->dir_fd);
	free(f->path);
	*f = (struct statefile) { .dir_fd = -1 };
}

/* ---- reading ---- */

static const char *what_is_wrong_with(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a plain file";
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return "it belongs to another user";
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return "others may write to it";
	return NULL;
}

int statefile_read(const struct statefile *f, FILE **out, char *why, size_t why_cap)
{
	int fd = openat(f->dir_fd, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	const char *wrong = NULL;
	struct stat st;
	int err;

	if (fd < 0 && errno == ENOENT)
		return E_NOT_FOUND;
	if (fd < 0 || fstat(fd, &st) != 0) {
		wrong = strerror(errno);
		err = fd < 0 && errno == ELOOP ? E_NOT_FILE : E_SYSTEM; /* a symbolic link */
	} else {
		wrong = what_is_wrong_with(&st);
		err = E_NOT_FILE;
	}
	if (wrong == NULL) {
		*out = fdopen(fd, "r");
		if (*out != NULL)
			return E_OK;
		err = E_NOMEM;
		wrong = err_text(err);
	}
	(void)snprintf(why, why_cap, "%s", wrong);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

bool statefile_is_damaged(int err)
{
	return err == E_NOT_FILE || err == E_MALFORMED || err == E_UNSUPPORTED || err == E_RANGE;
}

/* ---- writing ---- */

static int fill_and_sync(int fd, int (*fill)(void *ctx, FILE *to), void *ctx)
{
	FILE *to = fdopen(fd, "w");
	int err, saved;

	if (to == NULL) {
		(void)close(fd);
		return E_SYSTEM;
	}
	err = fill(ctx, to);
	if (err == E_OK && (fflush(to) != 0 || fsync(fd) != 0))
		err = E_SYSTEM;
	saved = errno;
	if (fclose(to) != 0 && err == E_OK)
		return E_SYSTEM;
	errno = saved;
	return err;
}

/* A rename() asks nobody what it takes the place of: run by root it makes a file of /dev/null. */
static int check_place(const struct statefile *f)
{
	struct stat st;

	if (fstatat(f->dir_fd, f->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? E_OK : E_SYSTEM;
	return S_ISREG(st.st_mode) ? E_OK : E_NOT_FILE;
}

int statefile_replace(const struct statefile *f, int (*fill)(void *ctx, FILE *to), void *ctx)
{
	char fresh[NAME_MAX + 1];
	int fd, err = check_place(f), saved;

	if (err != E_OK)
		return err;
	(void)snprintf(fresh, sizeof(fresh), "%s%s", f->name, fresh_suffix);
	(void)unlinkat(f->dir_fd, fresh, 0); /* what a killed daemon left */
	fd = openat(f->dir_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return E_SYSTEM;
	err = fill_and_sync(fd, fill, ctx);
	if (err == E_OK && renameat(f->dir_fd, fresh, f->dir_fd, f->name) != 0)
		err = E_SYSTEM;
	if (err == E_OK) {
		(void)fsync(f->dir_fd);
		return E_OK;
	}
	saved = errno;
	(void)unlinkat(f->dir_fd, fresh, 0);
	errno = saved;
	return err;
}

int statefile_put_aside(const struct statefile *f)
{
	char aside[NAME_MAX + 1];
	int err = check_place(f);

	if (err != E_OK)
		return err;
	(void)snprintf(aside, sizeof(aside), "%s%s", f->name, bad_suffix);
	return renameat(f->dir_fd, f->name, f->dir_fd, aside) == 0 ? E_OK : E_SYSTEM;
}
