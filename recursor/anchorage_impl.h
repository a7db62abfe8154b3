/*
 * anchorage_impl: what the files of anchorage share.
 *
 *     anchorage.c         the snapshot in force, and how another one comes into force
 *     anchorage_state.c   rollovers, and the file that keeps them
 *     anchorage_watch.c   the thread that looks after all of it
 */
#ifndef RECURSOR_ANCHORAGE_IMPL_H
#define RECURSOR_ANCHORAGE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "recursor/anchorage.h"
#include "recursor/files/rolloverfile.h"
#include "recursor/files/statefile.h"

struct keyring;
struct probe;
struct wiped;

enum { ANCHORAGE_WIPES_MAX = 16 };

struct anchorage {
	struct server *server;
	pthread_mutex_t change_lock; /* one change after the other; behind the server's */
	pthread_mutex_t lock; /* of `current` while it is read and counted, and of the thread */
	pthread_cond_t wake;
	struct anchors *current;
	/* of change_lock */
	struct anchors *configured;
	_Atomic uint32_t interval_s; /* to read it again */
	/* trustanchor-state-file; `rollovers` NULL: there is none */
	struct statefile file;
	struct rollovers *rollovers;
	bool is_unread; /* the file could not be read, and may be good: it is not replaced */
	/* the thread */
	pthread_t thread;
	bool started, stop;
	struct probe *probe;     /* while it asks */
	struct keyring *keyring; /* its own */
	/* names that are wiped once more, of `lock`; see anchorage_publish() */
	uint8_t again[ANCHORAGE_WIPES_MAX][NAME_MAX_LEN];
	unsigned n_again;
	uint64_t again_at_ms;
	uint64_t turn_at_ms; /* monotonic, as the next */
	uint64_t reload_at_ms, recheck_at_ms, signal_at_ms;
};

/* ---- anchorage.c ---- */

/* The name and all below it, from all caches. */
void anchorage_wipe(struct anchorage *a, const uint8_t *name, struct wiped *sum);

/* With change_lock. */

/* Takes the reference.  What is being validated meanwhile may still be judged by the anchors before:
 * the thread wipes the same names again when that has ended. */
void anchorage_publish(struct anchorage *a, struct anchors *fresh);

/* ---- anchorage_state.c ---- */

/* Opens the directory; what goes wrong is told in the log, and no rollover is followed. */
void anchorage_state_open(struct anchorage *a, const struct settings *s);
void anchorage_state_close(struct anchorage *a);
/* Reads the file, when privileges have been dropped.  With change_lock, as all that follow. */
void anchorage_state_read(struct anchorage *a);
/* What is configured has changed, or was read for the first time, and is in `in_force` by now: rollovers
 * begin and end. */
void anchorage_state_follow(struct anchorage *a, const struct anchors *in_force);
/* Puts the keys that are trusted by now into a copy of those in force. */
int anchorage_state_apply(const struct anchorage *a, struct anchors *to) MUST_USE;
/* An operator has changed anchors: `now` is to be in force.  *changed: a rollover has too, and the
 * file is to be written.  E_EXISTS: a key that is more there has been revoked. */
int anchorage_state_edited(struct anchorage *a, const struct anchors *now, bool *changed) MUST_USE;
void anchorage_state_write(struct anchorage *a);
/* The zone whose turn it is; false: no one's.  Takes change_lock itself, as the next. */
bool anchorage_state_due(struct anchorage *a, uint32_t now_s, uint8_t zone[NAME_MAX_LEN]);
/* `dnskeys`: what was found, or NULL; and whether it validates. */
void anchorage_state_see(struct anchorage *a, const uint8_t *zone, struct rrset *dnskeys,
			 bool is_good, uint32_t now_s);

#endif
