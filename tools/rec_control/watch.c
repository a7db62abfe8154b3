/* watch: see watch.h.  What is shown: watch_data.c; how: watch_draw.c. */
#include "tools/rec_control/watch.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/err.h"
#include "tools/rec_control/talk.h"
#include "tools/rec_control/watch_data.h"
#include "tools/rec_control/watch_draw.h"

enum { LOOK_EVERY_MS = 1000, DAEMON_MS = 2000, KEY_ESCAPE = 27, ESCAPE_MS = 25 };

/* A ring, and its command grouped by public suffix or "". */
static const struct ring {
	const char *command, *grouped;
} rings[] = {
	{ "top-queries", "top-pub-queries" },
	{ "top-remotes", "" },
	{ "top-servfail-queries", "top-pub-servfail-queries" },
	{ "top-servfail-remotes", "" },
	{ "top-largeanswer-remotes", "" },
	{ "top-timeouts", "" },
	{ "top-bogus-queries", "top-pub-bogus-queries" },
	{ "top-bogus-remotes", "" },
};
enum { N_RINGS = sizeof(rings) / sizeof(rings[0]) };

struct watch {
	const char *path;
	struct watch_data data;
	struct watch_view view;
	struct watch_wanted wanted;
	unsigned ring;
	char typed[WATCH_FILTER_MAX];
	char *typed_into; /* the filter that is being typed, or NULL */
	bool is_over;
	uint64_t look_at_ms;
};

static volatile sig_atomic_t signal_caught;

static void on_signal(int signo)
{
	signal_caught = signo;
}

/* ---- which ring ---- */

static bool is_word_for(const char *word, const char *command)
{
	return command[0] != '\0' &&
	       (strcmp(word, command) == 0 || strcmp(word, command + strlen("top-")) == 0);
}

static bool choose_ring(struct watch *w, const char *word)
{
	for (unsigned i = 0; i < N_RINGS; i++) {
		if (!is_word_for(word, rings[i].command) && !is_word_for(word, rings[i].grouped))
			continue;
		w->ring = i;
		w->view.by_suffix = is_word_for(word, rings[i].grouped);
		return true;
	}
	return false;
}

static void set_ring(struct watch *w)
{
	const struct ring *r = &rings[w->ring];

	w->view.can_group = r->grouped[0] != '\0';
	w->view.title = r->command;
	w->view.by_suffix = w->view.by_suffix && w->view.can_group;
	(void)snprintf(w->wanted.command, sizeof(w->wanted.command), "%s",
		       w->view.by_suffix ? r->grouped : r->command);
	w->look_at_ms = 0;
}

/* ---- looking ---- */

static int by_name(const void *x, const void *y)
{
	const struct watch_row *a = x, *b = y;

	return strcmp(a->key, b->key);
}

static int by_count(const void *x, const void *y)
{
	const struct watch_row *a = x, *b = y;

	return a->count != b->count ? (a->count < b->count) - (a->count > b->count) : by_name(x, y);
}

static void sort(struct watch *w)
{
	struct watch_table *t = &w->data.table;

	if (t->n > 0)
		qsort(t->rows, t->n, sizeof(*t->rows), w->view.by_name ? by_name : by_count);
	if (w->view.first >= t->n)
		w->view.first = t->n > 0 ? t->n - 1 : 0;
}

static void look(struct watch *w)
{
	uint64_t now_ms = talk_now_ms();

	if (now_ms < w->look_at_ms || (w->view.is_paused && w->look_at_ms != 0))
		return;
	watch_data_look(&w->data, w->path, &w->wanted, DAEMON_MS);
	sort(w);
	w->look_at_ms = now_ms + LOOK_EVERY_MS;
}

/* ---- keys ---- */

static void begin_typing(struct watch *w, const char *prompt, char *into)
{
	w->typed_into = into;
	(void)snprintf(w->typed, sizeof(w->typed), "%s", into);
	w->view.prompt = prompt;
	w->view.typed = w->typed;
}

static void end_typing(struct watch *w, bool is_taken)
{
	if (is_taken)
		memcpy(w->typed_into, w->typed, sizeof(w->typed));
	w->typed_into = NULL;
	w->view.prompt = NULL;
	w->view.first = 0;
	w->look_at_ms = 0;
}

static void type_key(struct watch *w, int key)
{
	size_t len = strlen(w->typed);

	if (key == '\n' || key == '\r' || key == KEY_ENTER)
		end_typing(w, true);
	else if (key == KEY_ESCAPE)
		end_typing(w, false);
	else if ((key == KEY_BACKSPACE || key == 127 || key == '\b') && len > 0)
		w->typed[len - 1] = '\0';
	else if (key == 'U' - '@') /* ^U */
		w->typed[0] = '\0';
	else if (key > ' ' && key < 127 && len + 1 < sizeof(w->typed)) {
		w->typed[len] = (char)key;
		w->typed[len + 1] = '\0';
	}
}

static void scroll_by(struct watch *w, long by)
{
	long first = (long)w->view.first + by, n = (long)w->data.table.n;

	if (first >= n)
		first = n - 1;
	w->view.first = first < 0 ? 0 : (size_t)first;
}

static bool moves(struct watch *w, int key)
{
	long page = (long)watch_draw_rows();

	switch (key) {
	case KEY_UP:
		scroll_by(w, -1);
		return true;
	case KEY_DOWN:
		scroll_by(w, 1);
		return true;
	case KEY_PPAGE:
		scroll_by(w, -page);
		return true;
	case KEY_NPAGE:
		scroll_by(w, page);
		return true;
	case KEY_HOME:
		w->view.first = 0;
		return true;
	default:
		return false;
	}
}

static bool changes_ring(struct watch *w, int key)
{
	if (key == '\t' || key == KEY_RIGHT)
		w->ring = (w->ring + 1) % N_RINGS;
	else if (key == KEY_BTAB || key == KEY_LEFT)
		w->ring = (w->ring + N_RINGS - 1) % N_RINGS;
	else if (key >= '1' && key < '1' + N_RINGS)
		w->ring = (unsigned)(key - '1');
	else if (key == 'g')
		w->view.by_suffix = !w->view.by_suffix;
	else
		return false;
	w->view.first = 0;
	set_ring(w);
	return true;
}

static void command_key(struct watch *w, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		w->is_over = true;
		break;
	case 'p':
	case ' ':
		w->view.is_paused = !w->view.is_paused;
		break;
	case 'r':
		w->look_at_ms = 0;
		break;
	case 's':
		w->view.by_name = !w->view.by_name;
		sort(w);
		break;
	case 'c':
		begin_typing(w, "clients (a netmask)", w->wanted.client);
		break;
	case '/':
		begin_typing(w, "rows with", w->wanted.text);
		break;
	case '?':
	case 'h':
		w->view.shows_help = !w->view.shows_help;
		break;
	case KEY_ESCAPE:
		w->view.shows_help = false;
		w->wanted.client[0] = w->wanted.text[0] = '\0';
		w->look_at_ms = 0;
		break;
	default:
		break;
	}
}

static void take_key(struct watch *w, int key)
{
	if (key == KEY_RESIZE)
		return; /* ncurses has taken the new size */
	if (w->typed_into != NULL)
		type_key(w, key);
	else if (!moves(w, key) && !changes_ring(w, key))
		command_key(w, key);
}

/* ---- the terminal ---- */

static void catch_signals(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct sigaction sa = { .sa_handler = on_signal };

	(void)sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)sigaction(signals[i], &sa, NULL);
}

static void set_colours(struct watch_view *v)
{
	v->has_colour = v->has_colour && has_colors() && start_color() == OK;
	if (!v->has_colour)
		return;
	(void)use_default_colors();
	(void)init_pair(1, COLOR_WHITE, COLOR_BLUE);
	(void)init_pair(2, COLOR_GREEN, -1);
	(void)init_pair(3, COLOR_YELLOW, -1);
	(void)init_pair(4, COLOR_RED, -1);
	(void)init_pair(5, COLOR_CYAN, -1);
}

static void loop(struct watch *w)
{
	while (!w->is_over && signal_caught == 0) {
		uint64_t now_ms;
		int key;

		look(w);
		watch_draw(&w->data, &w->view, &w->wanted);
		now_ms = talk_now_ms();
		timeout(w->view.is_paused || now_ms > w->look_at_ms
				? LOOK_EVERY_MS / 4
				: (int)(w->look_at_ms - now_ms) + 1);
		key = getch();
		if (key != ERR)
			take_key(w, key);
		else if (errno == EIO || !isatty(STDIN_FILENO))
			break; /* the terminal is gone */
	}
}

static int say(const char *what)
{
	fprintf(stderr, "rec_control: watch: %s\n", what);
	return EXIT_FAILURE;
}

int watch_run(const struct watch_options *o)
{
	static struct watch w;
	SCREEN *screen;

	w.path = o->path;
	w.view.has_colour = o->has_colour;
	w.view.is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (o->ring != NULL && !choose_ring(&w, o->ring)) {
		fprintf(stderr,
			"rec_control: watch: '%s' is none of the rings: top-queries, "
			"top-remotes and so on\n",
			o->ring);
		return EXIT_FAILURE;
	}
	if (!isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO))
		return say("it needs a terminal");
	if (watch_data_init(&w.data) != E_OK)
		return say(err_text(E_NOMEM));
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL) {
		watch_data_clear(&w.data);
		return say("this terminal (TERM) cannot show it");
	}
	catch_signals();
	(void)cbreak();
	(void)noecho();
	(void)keypad(stdscr, TRUE);
	(void)set_escdelay(ESCAPE_MS);
	set_colours(&w.view);
	set_ring(&w);
	loop(&w);
	(void)endwin();
	delscreen(screen);
	watch_data_clear(&w.data);
	if (signal_caught != 0 && signal_caught != SIGINT)
		return 128 + signal_caught;
	return EXIT_SUCCESS;
}
