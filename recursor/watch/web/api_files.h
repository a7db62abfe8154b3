/*
 * api_files: the files that the API writes to api-config-dir: all of a change, or none.
 *
 *     if (api_files_begin(&f, env, why) != E_OK) ...
 *     err = api_files_put(&f, "zone-example.com..conf", text, len, why);
 *     ... have it read ...
 *     api_files_end(&f, err == E_OK);         kept, or as they were before
 *
 * A file is written beside its place, flushed to the disk and renamed, and what stood there before has
 * a second name until the end: whenever the machine stops, each file is there whole, as it was or as
 * it becomes.  Names that begin with a dot are ours, and include-dir does not read them.
 *
 * Errors:  one line in `why` (ENV_WHY_MAX).
 * Limits:  API_FILES_MAX files of a change.
 * Threads: any; from begin to end is one change after the other.
 */
#ifndef WATCH_WEB_API_FILES_H
#define WATCH_WEB_API_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "recursor/watch/env.h"

enum { API_FILES_MAX = 2, API_FILE_NAME_MAX = 256 };

struct api_files {
	char *dir; /* api-config-dir */
	int fd;
	unsigned n;
	struct {
		char name[API_FILE_NAME_MAX];
		bool was_there;
	} done[API_FILES_MAX];
};

/* Can the API use that api-config-dir?  *fd, of one that fits, is for the caller to close. */
enum api_place {
	API_PLACE_FITS,
	API_PLACE_WORDS,      /* it would be several words in a list */
	API_PLACE_UNREADABLE, /* errno */
	API_PLACE_ELSEWHERE,  /* not include-dir: nobody would read what stands there */
};
enum api_place api_place_open(int *fd, const char *dir, const char *include_dir) MUST_USE;

/* E_NOT_FOUND: there is no api-config-dir, or it is not include-dir, so that nobody would read what
 * stands there; E_SYSTEM, E_NOMEM. */
int api_files_begin(struct api_files *f, const struct watch_env *env, char *why) MUST_USE;
bool api_files_has(const struct api_files *f, const char *name);
int api_files_put(struct api_files *f, const char *name, const char *text, size_t len,
		  char *why) MUST_USE;
/* That it is not there is no error. */
int api_files_remove(struct api_files *f, const char *name, char *why) MUST_USE;
/* What is in the places now stays, or what was there before comes back; may be called again. */
void api_files_undo(struct api_files *f);
void api_files_end(struct api_files *f, bool keep);

#endif
