/*
 * reconfigure: other settings while the daemon runs.
 *
 *     server_change(s, "minimum-ttl-override", "30", why);        one setting, its new value
 *     server_amend(s, "dont-throttle-names", make, arg, why);     one, made of its value now
 *     server_reload(s, names, n, why);                            these, as the files say now
 *     server_reconfigure(s, settings);                            what all do at the end
 *
 * The snapshot in force is swapped whole.  Workers read it from server->settings anew for each
 * packet and keep no pointer to it beyond their turn; what was made from it (the resolver's
 * configuration, limits) is made anew on a visit to each, in adopt() of reconfigure.c: a setting
 * that can change at run time has its line there.  When all have been visited the old snapshot is
 * given back.  Other threads hold the one that they read by a reference: server_settings_get().
 *
 * Errors: one line in `why` (SETTINGS_WHY_MAX), and everything is as before.  Without one the lines are
 *         there that were logged to warn of what is in force now, if there are any.
 * Threads: any but a worker's, several at once: changes come one after the other.  As for visits,
 *          only while the workers run.
 */
#ifndef RECURSOR_RECONFIGURE_H
#define RECURSOR_RECONFIGURE_H

#include "common/err.h"
#include "recursor/worker.h"

/* A reference to the snapshot in force, for settings_free(). */
const struct settings *server_settings_get(struct server *s);

int server_change(struct server *s, const char *name, const char *value, char *why) MUST_USE;

/* `make` gets the value in force, which stays that until the new one is, and returns one for
 * free(); NULL: E_NOMEM. */
int server_amend(struct server *s, const char *name, char *(*make)(void *arg, const char *now),
		 void *arg, char *why) MUST_USE;

/* Reads recursor.conf, the included files and the command line again, and takes the settings
 * `names` from there.  E_RANGE after a chroot: the files are out of reach. */
int server_reload(struct server *s, const char *const *names, size_t n, char *why) MUST_USE;

/* What server_reload() would take, for who has more to do with it: between server_change_begin()
 * and server_change_end(), then server_reconfigure().  What there is to warn of is logged, and in `told`
 * (SETTINGS_WHY_MAX); NULL: it is not looked for, by who rereads once more for the same change. */
int server_reread(struct server *s, struct settings **out, const char *const *names, size_t n,
		  char *told, char *why) MUST_USE;

/* `made` must follow from server_settings_get() with no other change between: for who makes a
 * snapshot in a way of its own, between server_change_begin() and server_change_end().  Takes
 * the reference. */
void server_change_begin(struct server *s);
void server_reconfigure(struct server *s, const struct settings *made);
void server_change_end(struct server *s);

#endif
