/*
 * drain: the commands that take a node out of service without losing a question, and bring it
 * back.
 *
 * Where many nodes share an address (anycast) questions go on coming until all routers have heard
 * that this one is gone.  So a node that drains answers everything, as before; it only says that
 * nobody new should come: the metric `ready` becomes 0, and whoever announces the address watches
 * that.  `drain` answers `draining` or `drained` within a second or two; rec_control asks again,
 * `drain still`, until it is drained, or is told that somebody has taken it back.
 */
#ifndef WATCH_DRAIN_H
#define WATCH_DRAIN_H

#include "recursor/watch/commands.h"

/* drain [still] [QPS]: drained is what has answered everything that was asked before; with QPS, and gets
 * no more than so many questions a second.  With `still` nothing is marked. */
int drain(struct command_call *call);
int undrain(struct command_call *call);

#endif
