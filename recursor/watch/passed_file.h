/*
 * passed_file: the descriptor that rec_control opened and passed, as a stream.
 *
 * It may be a pipe or a socket whose other end is slow, or never there: it is given up
 * when nothing moves for PASSED_FILE_STALL_MS, when whoever waits for the reply hangs up, or when
 * the daemon ends (passed_write.h).
 * Terminals are refused before (commands.c).
 *
 *     if (!passed_file_write(&file, call))
 *             return 1;
 *     fprintf(file.stream, ...);
 *     return passed_file_end(&file, call, "dump-x: ", n);
 *
 * Limits:  PASSED_FILES_MAX at a time, and one more is refused: a control thread is left for what
 *          waits for nobody's file (ping, quit, undrain).
 * Threads: a control thread's; passed_file_refusals() any.
 */
#ifndef WATCH_PASSED_FILE_H
#define WATCH_PASSED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "recursor/watch/commands.h"
#include "recursor/watch/control.h"
#include "recursor/watch/passed_write.h"

enum { PASSED_FILE_STALL_MS = 60 * 1000, PASSED_FILES_MAX = CONTROL_THREADS - 1 };

struct passed_file {
	FILE *stream;
	int fd, stop_fd, client_fd;
	struct passed_writer writer;
	int error; /* errno of the first failure */
};

/* False: no memory or descriptor, or one too many, and the reply says so. */
bool passed_file_write(struct passed_file *f, const struct command_call *call);
bool passed_file_read(struct passed_file *f, const struct command_call *call);

/* Ends a dump and writes the reply; the command's status. */
int passed_file_end(struct passed_file *f, struct command_call *call, const char *prefix, size_t n);

/* How many were one too many, since the start. */
uint64_t passed_file_refusals(void);

#endif
