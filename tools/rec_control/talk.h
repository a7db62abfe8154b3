/*
 * talk: one request to the daemon's control socket and its reply (common/ctl.h), for rec_control.
 */
#ifndef REC_CONTROL_TALK_H
#define REC_CONTROL_TALK_H

#include <stddef.h>
#include <stdint.h>

struct talk_reply {
	int status;
	char *text; /* the caller's to free; a zero follows */
	size_t len;
};

uint64_t talk_now_ms(void);

/* A connection to be closed, or -1 and errno.  `path` fits sun_path.  Waits `timeout_ms` at most for a
 * daemon that is busy; 0: as long as it takes. */
int talk_connect(const char *path, int timeout_ms);

/* `file`: a descriptor that goes with it, or -1; `until_ms` UINT64_MAX: waits for ever.  Returns what
 * went wrong, or NULL. */
const char *talk(int fd, const char *text, size_t len, int file, uint64_t until_ms,
		 struct talk_reply *reply);

#endif
