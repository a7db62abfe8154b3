/*
 * passed_file: the descriptor that rec_control opened and passed, as a stream.
 *
 * It may be a pipe or a socket whose other end is slow, or never there: it is given up
 * when nothing moves for PASSED_FILE_STALL_MS or the daemon ends (passed_write.h).
 * Terminals are refused before (commands.c).
 *
 *     if (!passed_file_write(&file, call))
 *             return 1;
 *     fprintf(file.stream, ...);
 *     return passed_file_end(&file, call, "dump-x: ", n);
 *
 * Threads: a control thread's.
 */
#ifndef WATCH_PASSED_FILE_H
#define WATCH_PASSED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "recursor/watch/commands.h"
#include "recursor/watch/passed_write.h"

enum { PASSED_FILE_STALL_MS = 60 * 1000 };

struct passed_file {
	FILE *stream;
	int fd, stop_fd;
	struct passed_writer writer;
	int error; /* errno of the first failure */
};

/* False: no memory or descriptor, and the reply says so. */
bool passed_file_write(struct passed_file *f, const struct command_call *call);
bool passed_file_read(struct passed_file *f, const struct command_call *call);

/* Ends a dump and writes the reply; the command's status. */
int passed_file_end(struct passed_file *f, struct command_call *call, const char *prefix, size_t n);

#endif
