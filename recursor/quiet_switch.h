/*
 * quiet_switch: turns the setting `quiet` over, which is what SIGUSR2 asks for.
 *
 * A change waits for the changes before it (a script that is being loaded may run for long) and for
 * the workers; the main thread, which watches signals and tells the service manager that we are alive,
 * waits for nobody.  So a thread does it, which is there as long as there is something to turn.
 *
 * Threads: main's.
 */
#ifndef RECURSOR_QUIET_SWITCH_H
#define RECURSOR_QUIET_SWITCH_H

#include "common/err.h"
#include "recursor/worker.h"

struct quiet_switch;

int quiet_switch_new(struct quiet_switch **out, struct server *s) MUST_USE; /* E_NOMEM */
/* Once more; returns at once. */
void quiet_switch_turn(struct quiet_switch *q);
/* Waits until all is turned; the server still runs.  Accepts NULL. */
void quiet_switch_free(struct quiet_switch *q);

#endif
