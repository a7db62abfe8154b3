/*
 * webserver: the web server (watch/web/web.h) as the settings want it.
 */
#ifndef RECURSOR_WEBSERVER_H
#define RECURSOR_WEBSERVER_H

#include "recursor/settings/settings.h"
#include "recursor/watch/web/web.h"

/* With webserver-hash-plaintext-credentials: puts a snapshot in *s that has hashes where that had
 * secrets, and wipes those. */
int webserver_hash_secrets(struct settings **s, char why[SETTINGS_WHY_MAX]) MUST_USE;

/* *out is NULL when `webserver` is off.  `s` and `counters` are borrowed until web_stop(). */
int webserver_open(struct web **out, const struct settings *s, struct watch_web *counters,
		   char why[SETTINGS_WHY_MAX]) MUST_USE;

#endif
