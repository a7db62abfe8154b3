/*
 * trace_text: a trace (resolve/event.h) as a tree for people and as a list for machines.
 *
 *        0 ms  looks for www.example.com. A
 *        0 ms  |- not in the cache
 *        0 ms  |- closest known zone cut: com., 172800 s left
 *        0 ms  |- asks 192.5.6.30 (a.gtld-servers.net.) for example.com. A over UDP, 49 left
 *       12 ms  |- 192.5.6.30 answered in 12.1 ms: NOERROR, 0+2+0 records, 77 bytes
 *       12 ms  |- looks for ns.example.org. A
 *       12 ms  |  |- the cache has it: ns.example.org. A, 60 s left
 *       12 ms  |  `- done: ns.example.org. A: NOERROR
 *
 * A goal's steps stand below the step that wanted it; a goal that several wanted is drawn where
 * it was wanted first.
 *
 * Threads: pure functions; the trace must no longer be written to.
 */
#ifndef WATCH_TRACE_TEXT_H
#define WATCH_TRACE_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "recursor/resolve/event.h"

struct trace_style {
	bool unicode; /* box-drawing lines */
	bool colour;  /* ANSI colours */
};

void trace_print(FILE *out, const struct trace *t, const struct trace_style *style);

/* An array of objects, one an event, in the order in which they happened; members that do not
 * apply are left out. */
json_t *trace_json(const struct trace *t);

#endif
