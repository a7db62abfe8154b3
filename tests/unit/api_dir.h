/*
 * api_dir: a directory with a recursor.conf in it, and one beside for include-dir and api-config-dir, for
 * tests of what the API writes.
 */
#ifndef UNIT_API_DIR_H
#define UNIT_API_DIR_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"

struct api_dir {
	char top[64], include[80];
};

static inline void api_dir_write(const char *dir, const char *name, const char *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	ASSERT(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* `more`: further lines of recursor.conf. */
static inline void api_dir_configure(const struct api_dir *d, const char *more)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "include-dir=%s\napi-config-dir=%s\nallow-from=127.0.0.0/8\n%s", d->include,
		       d->include, more);
	api_dir_write(d->top, "recursor.conf", text);
}

static inline void api_dir_open(struct api_dir *d)
{
	const char *tmp = getenv("TMPDIR");

	(void)snprintf(d->top, sizeof(d->top), "%s/api-XXXXXX", tmp != NULL ? tmp : "/tmp");
	ASSERT(mkdtemp(d->top) != NULL);
	(void)snprintf(d->include, sizeof(d->include), "%s/api.d", d->top);
	ASSERT(mkdir(d->include, 0755) == 0);
	api_dir_configure(d, "auth-zones=\nforward-zones=\nforward-zones-recurse=\n");
}

/* The text of a file, in a static buffer; NULL: there is none. */
static inline const char *api_dir_read(const struct api_dir *d, const char *name)
{
	static char text[65536];
	char path[512];
	FILE *f;
	size_t n;

	(void)snprintf(path, sizeof(path), "%s/%s", d->include, name);
	f = fopen(path, "re");
	if (f == NULL)
		return NULL;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

/* Files in the directory, those that begin with a dot too. */
static inline unsigned api_dir_count(const struct api_dir *d)
{
	DIR *dir = opendir(d->include);
	unsigned n = 0;

	ASSERT(dir != NULL);
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	(void)closedir(dir);
	return n;
}

static inline void api_dir_empty(const struct api_dir *d)
{
	DIR *dir = opendir(d->include);

	ASSERT(dir != NULL);
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		(void)unlinkat(dirfd(dir), e->d_name, 0);
	(void)closedir(dir);
}

static inline void api_dir_close(const struct api_dir *d)
{
	char path[128];

	(void)chmod(d->include, 0755);
	api_dir_empty(d);
	(void)rmdir(d->include);
	(void)snprintf(path, sizeof(path), "%s/recursor.conf", d->top);
	(void)unlink(path);
	(void)rmdir(d->top);
}

#endif
