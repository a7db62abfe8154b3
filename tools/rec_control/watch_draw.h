/*
 * watch_draw: the screen of `rec_control watch`, drawn with ncurses from a watch_data.
 */
#ifndef REC_CONTROL_WATCH_DRAW_H
#define REC_CONTROL_WATCH_DRAW_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/rec_control/watch_data.h"

/* What is on the screen beside the data. */
struct watch_view {
	const char *title; /* the ring's */
	bool by_suffix;    /* names are grouped */
	bool can_group;    /* they can be */
	bool by_name;      /* sorted by it, and not by count */
	bool is_paused, shows_help;
	const char *prompt; /* what is being typed, after this; or NULL */
	const char *typed;
	size_t first; /* row of the table at its top */
	bool is_utf8, has_colour;
};

void watch_draw(const struct watch_data *d, const struct watch_view *v,
		const struct watch_wanted *w);
/* Rows of the table that the screen has room for. */
size_t watch_draw_rows(void);

#endif
