/* watch_draw: see watch_draw.h. */
#include "tools/rec_control/watch_draw.h"

#include <curses.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	LEAST_LINES = 12,
	LEAST_COLUMNS = 40,
	TABLE_AT = 12, /* its title */
	LABEL_WIDTH = 14,
	NUMBER_WIDTH = 9,
	BAR_WIDTH = 10,
};

enum { COLOUR_TITLE = 1, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD, COLOUR_DIM };

static void colour(const struct watch_view *v, int pair, bool on)
{
	attr_t attr = v->has_colour ? (attr_t)COLOR_PAIR(pair) : A_NORMAL;

	if (pair == COLOUR_TITLE)
		attr = v->has_colour ? attr : A_REVERSE;
	else if (pair == COLOUR_BAD && !v->has_colour)
		attr = A_BOLD;
	if (on)
		(void)attron(attr);
	else
		(void)attroff(attr);
}

/* ---- numbers ---- */

static void plain_text(char *out, size_t cap, double value)
{
	static const char units[] = " kMGT";
	unsigned unit = 0;

	for (; value >= 99999.5 && units[unit + 1] != '\0'; unit++)
		value /= 1000;
	if (unit == 0)
		(void)snprintf(out, cap, value < 99.95 && value > 0 ? "%.1f" : "%.0f", value);
	else
		(void)snprintf(out, cap, value < 99.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}

static void value_text(char *out, size_t cap, enum watch_unit unit, double value)
{
	if (isnan(value))
		(void)snprintf(out, cap, "-");
	else if (unit == WATCH_PERCENT)
		(void)snprintf(out, cap, "%.1f %%", value);
	else if (unit == WATCH_USEC && value < 1000)
		(void)snprintf(out, cap, "%.0f us", value);
	else if (unit == WATCH_USEC)
		(void)snprintf(out, cap, value < 99950 ? "%.1f ms" : "%.0f ms", value / 1000);
	else if (unit == WATCH_RATE) {
		plain_text(out, cap - 2, value);
		strcat(out, "/s");
	} else
		plain_text(out, cap, value);
}

/* ---- sparklines ---- */

static const char *spark_of(const struct watch_view *v, double part)
{
	static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
					      "\u2585", "\u2586", "\u2587", "\u2588" };
	static const char *const ascii[] = { "_", ".", ",", "-", "~", "=", "+", "#" };
	int step = (int)(part * 7.999);

	step = step < 0 ? 0 : step > 7 ? 7 : step;
	return v->is_utf8 ? blocks[step] : ascii[step];
}

static void draw_spark(const struct watch_data *d, const struct watch_view *v, enum watch_series s,
		       int width)
{
	double most = watch_unit(s) == WATCH_PERCENT ? 100 : 0;

	for (int i = 0; i < width; i++)
		most = fmax(most, watch_value(d, s, (unsigned)i)); /* a NAN is not it */
	for (int i = width - 1; i >= 0; i--) {
		double value = watch_value(d, s, (unsigned)i);

		(void)addstr(isnan(value) ? " "
			     : most > 0   ? spark_of(v, value / most)
					  : spark_of(v, 0));
	}
}

static int severity(enum watch_series s, double value)
{
	if (isnan(value) || value <= 0)
		return 0;
	if (s == SERIES_SERVFAIL || s == SERIES_TIMEOUTS)
		return COLOUR_WARN;
	return s >= SERIES_DROPS ? COLOUR_BAD : 0;
}

static void draw_series(const struct watch_data *d, const struct watch_view *v, enum watch_series s,
			int y, int x, int width)
{
	double value = watch_value(d, s, 0);
	int pair = severity(s, value), spark = width - LABEL_WIDTH - NUMBER_WIDTH - 2;
	char text[32];

	value_text(text, sizeof(text), watch_unit(s), value);
	(void)mvprintw(y, x, "%-*s", LABEL_WIDTH, watch_label(s));
	if (pair != 0)
		colour(v, pair, true);
	(void)printw("%*s ", NUMBER_WIDTH, text);
	if (pair != 0)
		colour(v, pair, false);
	colour(v, COLOUR_GOOD, true);
	draw_spark(d, v, s, spark > WATCH_HISTORY ? WATCH_HISTORY : spark);
	colour(v, COLOUR_GOOD, false);
}

/* ---- the parts of the screen ---- */

static void draw_title(const struct watch_data *d, const struct watch_view *v)
{
	char left[160], clock[16] = "";
	unsigned long long up = isnan(d->uptime_s) ? 0 : (unsigned long long)d->uptime_s;
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) != NULL)
		(void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	if (d->error[0] != '\0')
		(void)snprintf(left, sizeof(left), " recursor: not heard");
	else
		(void)snprintf(left, sizeof(left),
			       " recursor %s  up %llud %02llu:%02llu:%02llu  %s%s", d->version,
			       up / 86400, up / 3600 % 24, up / 60 % 60, up % 60,
			       d->is_draining ? "draining"
			       : d->is_ready  ? "ready"
					      : "not ready",
			       v->is_paused ? "  PAUSED" : "");
	colour(v, COLOUR_TITLE, true);
	(void)mvhline(0, 0, ' ', COLS);
	(void)mvaddnstr(0, 0, left, COLS);
	if (COLS > (int)(strlen(left) + strlen(clock)) + 2)
		(void)mvaddstr(0, COLS - (int)strlen(clock) - 1, clock);
	colour(v, COLOUR_TITLE, false);
	if (d->error[0] == '\0')
		return;
	colour(v, COLOUR_BAD, true);
	(void)mvprintw(1, 0, "%.*s; it is tried again", COLS > 30 ? COLS - 24 : 0, d->error);
	colour(v, COLOUR_BAD, false);
}

static void draw_figures(const struct watch_data *d, const struct watch_view *v)
{
	static const enum watch_series left[] = {
		SERIES_QUERIES, SERIES_HITS,       SERIES_P50,      SERIES_P95,
		SERIES_P99,     SERIES_OUTQUERIES, SERIES_TIMEOUTS, SERIES_RUNNING,
	};
	static const enum watch_series right[] = {
		SERIES_NOERROR,  SERIES_NXDOMAIN,    SERIES_SERVFAIL,
		SERIES_OTHER,    SERIES_NOT_ALLOWED, SERIES_MALFORMED,
		SERIES_CAPACITY, SERIES_POLICY,      SERIES_DEFENDER,
	};
	int width = COLS / 2 - 2;

	for (int i = 0; i < (int)(sizeof(left) / sizeof(left[0])); i++)
		draw_series(d, v, left[i], 2 + i, 1, width);
	for (int i = 0; i < (int)(sizeof(right) / sizeof(right[0])); i++)
		draw_series(d, v, right[i], 2 + i, COLS / 2 + 1, width);
	draw_series(d, v, SERIES_DROPS, 10, 1, width);
}

size_t watch_draw_rows(void)
{
	return LINES > TABLE_AT + 2 ? (size_t)(LINES - TABLE_AT - 2) : 0;
}

static void draw_table_title(const struct watch_data *d, const struct watch_view *v,
			     const struct watch_wanted *w)
{
	char text[2 * WATCH_FILTER_MAX + 200];
	int n = snprintf(text, sizeof(text), " %s%s, by %s, of the last %zu", v->title,
			 v->by_suffix ? " by public suffix" : "", v->by_name ? "name" : "count",
			 d->table.entries);

	if (n > 0 && w->client[0] != '\0')
		n += snprintf(text + n, sizeof(text) - (size_t)n, "  client %s", w->client);
	if (n > 0 && w->text[0] != '\0')
		(void)snprintf(text + n, sizeof(text) - (size_t)n, "  with '%s'", w->text);
	colour(v, COLOUR_TITLE, true);
	(void)mvhline(TABLE_AT - 1, 0, ' ', COLS);
	(void)mvaddnstr(TABLE_AT - 1, 0, text, COLS);
	colour(v, COLOUR_TITLE, false);
}

static void draw_row(const struct watch_data *d, const struct watch_view *v,
		     const struct watch_row *row, int y)
{
	double part = d->table.entries > 0 ? row->count / (double)d->table.entries : 0;
	int bar = (int)(part * BAR_WIDTH + 0.5), room = COLS - 18 - BAR_WIDTH - 2;

	(void)mvprintw(y, 0, "%8.0f %6.2f%% ", row->count, 100 * part);
	colour(v, COLOUR_GOOD, true);
	for (int i = 0; i < BAR_WIDTH; i++)
		(void)addstr(i >= bar ? " " : v->is_utf8 ? "\u2588" : "#");
	colour(v, COLOUR_GOOD, false);
	/* Names are ASCII, others escaped. */
	(void)printw("  %.*s", room > 0 ? room : 0, row->key);
}

static void draw_table(const struct watch_data *d, const struct watch_view *v,
		       const struct watch_wanted *w)
{
	size_t room = watch_draw_rows();

	draw_table_title(d, v, w);
	if (d->table.error[0] != '\0') {
		(void)mvprintw(TABLE_AT, 1, "%.*s", COLS - 2, d->table.error);
		return;
	}
	for (size_t i = 0; i < room && v->first + i < d->table.n; i++)
		draw_row(d, v, &d->table.rows[v->first + i], TABLE_AT + (int)i);
	if (d->table.n == 0 && d->error[0] == '\0')
		(void)mvaddstr(TABLE_AT, 1,
			       d->table.entries > 0 ? "nothing matches" : "nothing yet");
}

static void draw_keys(const struct watch_view *v)
{
	if (v->prompt != NULL) {
		(void)mvprintw(LINES - 1, 0, "%s: %s", v->prompt, v->typed);
		return;
	}
	colour(v, COLOUR_DIM, true);
	(void)mvaddnstr(
		LINES - 1, 0,
		v->can_group
			? "Tab ring  g suffixes  c client  / text  s sort  p pause  ? help  q quit"
			: "Tab ring  c client  / text  s sort  p pause  ? help  q quit",
		COLS - 1);
	colour(v, COLOUR_DIM, false);
}

static void draw_help(void)
{
	static const char *const lines[] = {
		"Tab, Right  the next ring          Shift-Tab, Left  the one before",
		"1 ... 8     this ring              g  names, or their public-suffix groups",
		"c           only these clients (a netmask; empty: all)",
		"/           only rows with this text (empty: all)",
		"Esc         without both           s  sort by count, or by name",
		"Up, Down, Page Up, Page Down, Home  more of the table",
		"p, Space    hold the picture       r  ask now",
		"?           this help              q  end",
		"",
		"Figures are of the last second. 'over capacity' and its kin count what was",
		"dropped or refused for that reason; rec_control get-all has each by name.",
	};

	for (int i = 0; i < (int)(sizeof(lines) / sizeof(lines[0])) && TABLE_AT + i < LINES - 1;
	     i++)
		(void)mvaddnstr(TABLE_AT + i, 1, lines[i], COLS - 2);
}

void watch_draw(const struct watch_data *d, const struct watch_view *v,
		const struct watch_wanted *w)
{
	(void)erase();
	if (LINES < LEAST_LINES || COLS < LEAST_COLUMNS) {
		(void)mvaddnstr(0, 0, "too small", COLS);
		(void)refresh();
		return;
	}
	draw_title(d, v);
	draw_figures(d, v);
	if (v->shows_help)
		draw_help();
	else
		draw_table(d, v, w);
	draw_keys(v);
	if (v->prompt != NULL)
		(void)curs_set(1);
	else
		(void)curs_set(0);
	(void)refresh();
}
