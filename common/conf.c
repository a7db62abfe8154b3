#include "common/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char blanks[] = " \t\r\n\v\f";

static bool is_blank(char c)
{
	return c != '\0' && strchr(blanks, c) != NULL;
}

static void __attribute__((format(printf, 3, 4)))
explain(char *why, size_t cap, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, cap, format, args);
	va_end(args);
}

/* Takes the blanks off both ends, in place. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* A comment opens at the start of a line or after a blank: a `#` within a word is data. */
static void cut_comment(char *line)
{
	for (char *c = line; (c = strchr(c, '#')) != NULL; c++) {
		if (c == line || is_blank(c[-1])) {
			*c = '\0';
			return;
		}
	}
}

/* `text` is "name", "name=value" or "name+=value"; it is cut in place. */
static int hand_over(char *text, const char *file, unsigned line, conf_item_cb cb, void *ctx)
{
	struct conf_item item = { .value = "", .file = file, .line = line };
	char *equals = strchr(text, '=');

	if (equals != NULL) {
		item.value = trim(equals + 1);
		item.append = equals > text && equals[-1] == '+';
		equals[item.append ? -1 : 0] = '\0';
	}
	item.name = trim(text);
	return cb(ctx, &item);
}

/* The line being joined from physical lines. */
struct joined {
	char text[CONF_LINE_MAX + 1];
	size_t len;
	unsigned line; /* where it began; 0: nothing begun */
};

static int take_joined(struct joined *j, const char *file, conf_item_cb cb, void *ctx)
{
	char *text = j->text;
	unsigned line = j->line;

	j->text[j->len] = '\0';
	j->len = 0;
	j->line = 0;
	cut_comment(text);
	text = trim(text);
	return *text == '\0' ? E_OK : hand_over(text, file, line, cb, ctx);
}

int conf_read_text(const char *text, size_t len, const char *file, conf_item_cb cb, void *ctx,
		   char *why, size_t why_cap)
{
	struct joined *j = malloc(sizeof(*j));
	const char *end = text + len;
	unsigned line = 0;
	int err = E_OK;

	if (j == NULL) {
		explain(why, why_cap, "%s: out of memory", file);
		return E_NOMEM;
	}
	j->len = 0;
	j->line = 0;
	while (text < end && err == E_OK) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		const char *next = stop != NULL ? stop + 1 : end;
		size_t n = (size_t)((stop != NULL ? stop : end) - text);
		bool goes_on;

		line++;
		if (memchr(text, '\0', n) != NULL) {
			explain(why, why_cap, "%s:%u: a NUL byte in the line", file, line);
			err = E_MALFORMED;
			break;
		}
		while (n > 0 && is_blank(text[n - 1]))
			n--;
		goes_on = n > 0 && text[n - 1] == '\\';
		n -= goes_on;
		if (j->len + n > CONF_LINE_MAX) {
			explain(why, why_cap, "%s:%u: the line is longer than %d bytes", file, line,
				CONF_LINE_MAX);
			err = E_TOO_LONG;
			break;
		}
		memcpy(j->text + j->len, text, n);
		j->len += n;
		if (j->line == 0)
			j->line = line;
		text = next;
		if (!goes_on || text == end)
			err = take_joined(j, file, cb, ctx);
	}
	free(j);
	return err;
}

/* Some editors begin a file with U+FEFF.  Taken for text it is a part of the first name: of a zone,
 * where any byte may stand. */
static void skip_mark(int fd)
{
	static const char mark[] = "\xef\xbb\xbf";
	enum { LEN = sizeof(mark) - 1 };
	char start[LEN];

	if (pread(fd, start, LEN, 0) == LEN && memcmp(start, mark, LEN) == 0)
		(void)lseek(fd, LEN, SEEK_SET);
}

int conf_open_file(FILE **out, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int err = E_SYSTEM, saved;
	struct stat st;
	FILE *f;

	if (fd < 0)
		return err;
	if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
		err = E_NOT_FILE;
	} else if ((f = fdopen(fd, "r")) != NULL) {
		skip_mark(fd);
		*out = f;
		return E_OK;
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return err;
}

int conf_load_file(const char *path, char **out, size_t *out_len)
{
	FILE *f = NULL;
	char *data = NULL;
	size_t len = 0, cap = 0;
	int err = conf_open_file(&f, path), saved;

	if (err != E_OK)
		return err;
	do {
		if (len == cap) {
			char *bigger;

			if (cap >= CONF_FILE_MAX) {
				err = E_TOO_LONG;
				goto out;
			}
			cap = cap == 0 ? 4096 : cap * 2;
			bigger = realloc(data, cap + 1);
			if (bigger == NULL) {
				err = E_NOMEM;
				goto out;
			}
			data = bigger;
		}
		len += fread(data + len, 1, cap - len, f);
		if (ferror(f)) {
			err = E_SYSTEM;
			goto out;
		}
	} while (!feof(f));
	data[len] = '\0';
	*out = data;
	*out_len = len;
	data = NULL;
out:
	saved = errno;
	free(data);
	(void)fclose(f);
	errno = saved;
	return err;
}

int conf_read_file(const char *path, conf_item_cb cb, void *ctx, char *why, size_t why_cap)
{
	char *data = NULL;
	size_t len = 0;
	int err = conf_load_file(path, &data, &len);

	if (err == E_TOO_LONG)
		explain(why, why_cap, "%s: longer than %d bytes", path, CONF_FILE_MAX);
	else if (err != E_OK)
		explain(why, why_cap, "%s: %s", path, err_why(err));
	if (err != E_OK)
		return err;
	err = conf_read_text(data, len, path, cb, ctx, why, why_cap);
	free(data);
	return err;
}

int conf_read_args(int argc, char *const argv[], conf_item_cb cb, void *ctx, const char **words,
		   int *n_words)
{
	int n = 0, err = E_OK;

	for (int i = 1; i < argc && err == E_OK; i++) {
		const char *arg = argv[i];
		char *copy;

		if (arg[0] != '-' || arg[1] == '\0') {
			words[n++] = arg;
			continue;
		}
		copy = strdup(arg + (arg[1] == '-' ? 2 : 1));
		if (copy == NULL)
			return E_NOMEM;
		err = hand_over(copy, "command line", 0, cb, ctx);
		free(copy);
	}
	if (err == E_OK)
		*n_words = n;
	return err;
}

int conf_each_word(const char *list, int (*cb)(void *ctx, const char *word, size_t len), void *ctx)
{
	static const char separators[] = ", \t\r\n\v\f";

	for (;;) {
		size_t len;
		int err;

		list += strspn(list, separators);
		if (*list == '\0')
			return E_OK;
		len = strcspn(list, separators);
		err = cb(ctx, list, len);
		if (err < 0)
			return err;
		list += len;
	}
}

bool conf_bool(const char *value)
{
	return strcmp(value, "no") != 0 && strcmp(value, "off") != 0;
}

/* Up to the first character that is no part of a number. */
static int read_number(const char *value, const char **end, long long *out)
{
	char *stop;
	long long number;

	errno = 0;
	number = strtoll(value, &stop, 0);
	if (stop == value)
		return E_MALFORMED;
	*end = stop;
	*out = number;
	return errno == ERANGE ? E_RANGE : E_OK;
}

static int check_range(long long number, long long min, long long max, long long *out)
{
	if (number < min || number > max)
		return E_RANGE;
	*out = number;
	return E_OK;
}

int conf_int(const char *value, long long min, long long max, long long *out)
{
	long long number;
	const char *end;
	int err = read_number(value, &end, &number);

	if (err != E_MALFORMED && *end != '\0')
		err = E_MALFORMED;
	return err == E_OK ? check_range(number, min, max, out) : err;
}

int conf_size(const char *value, long long min, long long max, long long *out)
{
	static const char units[] = "kMGT";
	long long number;
	const char *end, *unit;
	int err = read_number(value, &end, &number);

	if (err == E_MALFORMED)
		return err;
	if (*end != '\0') {
		unit = strchr(units, *end == 'K'   ? 'k'
				     : *end == 'm' ? 'M'
				     : *end == 'g' ? 'G'
						   : *end);
		if (unit == NULL || end[1] != '\0')
			return E_MALFORMED;
		if (__builtin_mul_overflow(number, 1LL << (10 * (unit - units + 1)), &number))
			err = E_RANGE;
	}
	return err == E_OK ? check_range(number, min, max, out) : err;
}
