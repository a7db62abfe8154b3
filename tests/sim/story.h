/*
 * story: the resolver's own account of a question (recursor/resolve/event.h) as an indented
 * text, one event a line, sub-goals deeper.
 */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include <stdio.h>

#include "recursor/resolve/event.h"

void story_print(FILE *f, const struct trace *t);

#endif
