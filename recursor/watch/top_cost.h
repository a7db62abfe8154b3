/*
 * top_cost: the command top-cost: what the workers' costs.h hold, put together and sorted.
 *
 * A worker is visited once a slot, for as long as it takes to copy that; the rest is done by the
 * thread that asks.
 *
 * Threads: control threads.
 */
#ifndef WATCH_TOP_COST_H
#define WATCH_TOP_COST_H

#include "recursor/watch/commands.h"

int top_cost(struct command_call *call);

#endif
