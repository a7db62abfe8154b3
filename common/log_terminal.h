/*
 * log_terminal: stderr that is a terminal, for lines that must not wait for it.
 *
 * Where poll(2) sees room in a terminal there may be some for one byte, and a line that needs more
 * waits in the kernel until somebody reads: an ssh that stalls, a screen that is scrolled back.  The
 * descriptor is the operator's shell's too, so it stays in blocking mode; and it may be another user's
 * terminal, that we cannot open for ourselves.  So lines go into a pipe (log_sink.h), and a thread that
 * does nothing else copies them and waits.
 *
 *     log_terminal_begin();           after privileges are dropped, before anybody is served
 *     ...
 *     log_terminal_end(LOG_PATIENCE_MS);
 *
 * Without a terminal, memory or descriptors nothing changes.  When the terminal is gone so is the
 * pipe's end, and lines are counted as lost.  Of a crash the last lines may be missing.
 *
 * Threads: both calls are the main thread's; the first one once, after any fork(2).
 */
#ifndef COMMON_LOG_TERMINAL_H
#define COMMON_LOG_TERMINAL_H

void log_terminal_begin(void);

/* Waits for what is in the pipe still.  When the terminal has not taken it by then the thread is left to
 * the end of the process, and what is said after this is lost; otherwise stderr is as it was. */
void log_terminal_end(int patience_ms); /* once more: nothing */

#endif
