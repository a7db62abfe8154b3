#include "recursor/watch/web/api_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"

enum { ROOM = API_FILE_NAME_MAX + 8 };

static pthread_mutex_t one_change = PTHREAD_MUTEX_INITIALIZER;

static int fail(const struct api_files *f, char *why, const char *name)
{
	(void)snprintf(why, ENV_WHY_MAX, "%.200s/%.200s: %s", f->dir, name, strerror(errno));
	return E_SYSTEM;
}

/* ---- begin ---- */

static bool is_same_directory(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/* A value of a list ends at a blank or comma, and a path with one would be two words there. */
static bool is_one_word(const char *path)
{
	return strpbrk(path, " \t,\r\n") == NULL;
}

enum api_place api_place_open(int *fd, const char *dir, const char *include_dir)
{
	if (!is_one_word(dir))
		return API_PLACE_WORDS;
	*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return API_PLACE_UNREADABLE;
	if (is_same_directory(*fd, include_dir))
		return API_PLACE_FITS;
	close(*fd);
	*fd = -1;
	return API_PLACE_ELSEWHERE;
}

static int open_directory(struct api_files *f, const char *include_dir, char *why)
{
	if (f->dir == NULL || include_dir == NULL) {
		(void)snprintf(why, ENV_WHY_MAX, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	if (*f->dir == '\0') {
		(void)snprintf(why, ENV_WHY_MAX, "Config Option \"api-config-dir\" must be set");
		return E_NOT_FOUND;
	}
	switch (api_place_open(&f->fd, f->dir, include_dir)) {
	case API_PLACE_FITS:
		return E_OK;
	case API_PLACE_WORDS:
		(void)snprintf(why, ENV_WHY_MAX,
			       "api-config-dir=%.300s: a path with blanks or commas", f->dir);
		return E_NOT_FOUND;
	case API_PLACE_UNREADABLE:
		(void)snprintf(why, ENV_WHY_MAX, "api-config-dir=%.300s: %s", f->dir,
			       strerror(errno));
		return E_SYSTEM;
	case API_PLACE_ELSEWHERE:
		break;
	}
	(void)snprintf(why, ENV_WHY_MAX,
		       "api-config-dir=%.200s is not include-dir (%.200s): what is written there "
		       "would not be read",
		       f->dir, include_dir);
	return E_NOT_FOUND;
}

int api_files_begin(struct api_files *f, const struct watch_env *env, char *why)
{
	char *include_dir;
	int err;

	*f = (struct api_files) { .fd = -1 };
	f->dir = env->setting(env->ctx, "api-config-dir");
	include_dir = env->setting(env->ctx, "include-dir");
	err = open_directory(f, include_dir, why);
	free(include_dir);
	if (err == E_OK) {
		pthread_mutex_lock(&one_change);
		return E_OK;
	}
	if (f->fd >= 0)
		close(f->fd);
	free(f->dir);
	return err;
}

bool api_files_has(const struct api_files *f, const char *name)
{
	return faccessat(f->fd, name, F_OK, 0) == 0;
}

/* ---- one file ---- */

static void name_beside(char out[ROOM], const char *name, const char *ending)
{
	(void)snprintf(out, ROOM, ".%s%s", name, ending);
}

static bool write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0;
}

static int write_beside(const struct api_files *f, const char *beside, const char *text, size_t len,
			char *why)
{
	int fd, err = E_OK;

	(void)unlinkat(f->fd, beside, 0); /* of a change that the machine's end broke off */
	fd = openat(f->fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail(f, why, beside);
	if (!write_all(fd, text, len))
		err = fail(f, why, beside);
	if (close(fd) != 0 && err == E_OK)
		err = fail(f, why, beside);
	if (err != E_OK)
		(void)unlinkat(f->fd, beside, 0);
	return err;
}

/* Gives what stands there a second name. */
static int save(const struct api_files *f, const char *name, bool *was_there, char *why)
{
	char saved[ROOM];

	name_beside(saved, name, ".old");
	(void)unlinkat(f->fd, saved, 0);
	*was_there = linkat(f->fd, name, f->fd, saved, 0) == 0;
	return *was_there || errno == ENOENT ? E_OK : fail(f, why, name);
}

/* A new one if `beside` is not NULL. */
static int replace(struct api_files *f, const char *name, const char *beside, char *why)
{
	bool was_there;
	int err = save(f, name, &was_there, why);

	if (err != E_OK)
		return err;
	if (beside != NULL && renameat(f->fd, beside, f->fd, name) != 0)
		return fail(f, why, name);
	if (beside == NULL && unlinkat(f->fd, name, 0) != 0 && errno != ENOENT)
		return fail(f, why, name);
	(void)snprintf(f->done[f->n].name, sizeof(f->done[f->n].name), "%s", name);
	f->done[f->n++].was_there = was_there;
	return fsync(f->fd) == 0 ? E_OK : fail(f, why, "");
}

static int check_name(const struct api_files *f, const char *name, char *why)
{
	ASSERT(f->n < API_FILES_MAX);
	if (strlen(name) < API_FILE_NAME_MAX)
		return E_OK;
	errno = ENAMETOOLONG;
	return fail(f, why, name);
}

int api_files_put(struct api_files *f, const char *name, const char *text, size_t len, char *why)
{
	char beside[ROOM];
	int err = check_name(f, name, why);

	if (err != E_OK)
		return err;
	name_beside(beside, name, ".new");
	err = write_beside(f, beside, text, len, why);
	if (err == E_OK)
		err = replace(f, name, beside, why);
	if (err != E_OK)
		(void)unlinkat(f->fd, beside, 0);
	return err;
}

int api_files_remove(struct api_files *f, const char *name, char *why)
{
	int err = check_name(f, name, why);

	return err == E_OK && api_files_has(f, name) ? replace(f, name, NULL, why) : err;
}

/* ---- end ---- */

static void bring_back(const struct api_files *f, const char *name, bool was_there)
{
	char saved[ROOM];
	bool ok;

	name_beside(saved, name, ".old");
	ok = was_there ? renameat(f->fd, saved, f->fd, name) == 0
		       : unlinkat(f->fd, name, 0) == 0 || errno == ENOENT;
	if (!ok)
		log_error("%s/%s could not be made what it was: %s", f->dir, name, strerror(errno));
}

void api_files_undo(struct api_files *f)
{
	while (f->n > 0) {
		f->n--;
		bring_back(f, f->done[f->n].name, f->done[f->n].was_there);
	}
	(void)fsync(f->fd);
}

void api_files_end(struct api_files *f, bool keep)
{
	if (!keep)
		api_files_undo(f);
	for (unsigned i = 0; i < f->n; i++) {
		char saved[ROOM];

		name_beside(saved, f->done[i].name, ".old");
		(void)unlinkat(f->fd, saved, 0);
	}
	pthread_mutex_unlock(&one_change);
	close(f->fd);
	free(f->dir);
}
