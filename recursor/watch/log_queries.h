/*
 * log_queries: the command log-queries: which questions and answers are logged, and for how long.
 *
 *     log-queries client=192.0.2.0/24 suffix=example.com share=10 for=60 answers
 *     log-queries [show]
 *     log-queries off [N]
 */
#ifndef WATCH_LOG_QUERIES_H
#define WATCH_LOG_QUERIES_H

#include "recursor/watch/commands.h"

int log_queries(struct command_call *call);

#endif
