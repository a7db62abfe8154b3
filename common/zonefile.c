#include "common/zonefile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/ascii.h"
#include "common/conf.h"
#include "common/generate.h"
#include "common/name.h"
#include "common/rdata_text.h"
#include "common/rrtype.h"

enum { GENERATED_MAX = 4096 };

struct source {
	const struct zonefile_options *options;
	zonefile_record_cb cb;
	void *ctx;
	unsigned depth; /* of the file, which nothing includes at 0 */
	FILE *file;
	const char *path;
	unsigned lines; /* newlines read */

	/* One entry: a record or directive on one line, without brackets and comments. */
	char *text;
	size_t len, cap;
	bool has_words; /* not blank */
	unsigned first_line;

	uint8_t origin[NAME_MAX_LEN];
	uint8_t owner[NAME_MAX_LEN]; /* of the last record, as spelt */
	bool has_owner;
	uint32_t ttl;         /* for a record that says none */
	bool has_ttl;         /* it is $TTL's */
	uint8_t *rdata;       /* WIRE_MSG_MAX bytes */
	unsigned since_asked; /* records since go_on() was */

	char *why;
	size_t why_cap;
};

__attribute__((format(printf, 4, 5))) static int refuse(const struct source *s, unsigned line,
							int err, const char *format, ...)
{
	va_list args;
	int n = snprintf(s->why, s->why_cap, "%s:%u: ", s->path, line);

	if (n >= 0 && (size_t)n < s->why_cap) {
		va_start(args, format);
		(void)vsnprintf(s->why + n, s->why_cap - (size_t)n, format, args);
		va_end(args);
		/* The file's own words are in it; they shall not steer a terminal. */
		for (char *p = s->why + n; *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				*p = '?';
	}
	return err;
}

static int append(struct source *s, char c)
{
	if (s->len >= ZONEFILE_RECORD_MAX)
		return refuse(s, s->first_line, E_TOO_LONG, "the record is too long");
	if (s->len + 1 >= s->cap) {
		size_t cap = s->cap == 0 ? 1024 : 2 * s->cap;
		char *text;

		text = realloc(s->text, cap);
		if (text == NULL)
			return refuse(s, s->first_line, E_NOMEM, "out of memory");
		s->text = text;
		s->cap = cap;
	}
	if (!s->has_words && c != ' ' && c != '\t') {
		/* An entry in brackets begins where its first word stands. */
		s->has_words = true;
		s->first_line = s->lines + 1;
	}
	s->text[s->len++] = c;
	s->text[s->len] = '\0';
	return E_OK;
}

/* What a reader must know of the characters before. */
struct scan {
	unsigned depth; /* open brackets */
	bool in_string, in_comment, is_escaped;
};

/* Takes one character; *done is set when it ends an entry. */
static int scan_char(struct source *s, struct scan *at, int c, bool *done)
{
	if (c == '\0')
		return refuse(s, s->lines + 1, E_MALFORMED, "a zero byte");
	if (c == '\n') {
		s->lines++;
		if (at->in_string || at->is_escaped)
			return refuse(s, s->lines, E_MALFORMED,
				      at->in_string ? "the string has no end on its line"
						    : "a backslash at the end of the line");
		at->in_comment = false;
		*done = at->depth == 0;
		return *done ? E_OK : append(s, ' ');
	}
	if (at->in_comment)
		return E_OK;
	if (at->is_escaped) {
		at->is_escaped = false;
		return append(s, (char)c);
	}
	if (c == '\\')
		at->is_escaped = true;
	else if (c == '"')
		at->in_string = !at->in_string;
	else if (at->in_string)
		return append(s, (char)c);
	else if (c == ';') {
		at->in_comment = true;
		return E_OK;
	} else if (c == '(') {
		at->depth++;
		c = ' ';
	} else if (c == ')') {
		if (at->depth == 0)
			return refuse(s, s->lines + 1, E_MALFORMED, "')' without '('");
		at->depth--;
		c = ' ';
	} else if (c == '\r') {
		c = ' ';
	}
	return append(s, (char)c);
}

/* Reads the next entry that says something.  E_END at the end of the file. */
static int read_entry(struct source *s)
{
	struct scan at = { 0 };
	int c = EOF, err;

	s->len = 0;
	s->has_words = false;
	s->first_line = s->lines + 1;
	while ((c = getc_unlocked(s->file)) != EOF) {
		bool done = false;

		err = scan_char(s, &at, c, &done);
		if (err != E_OK)
			return err;
		if (done && s->has_words)
			return E_OK;
		if (done)
			s->len = 0;
	}
	if (ferror(s->file))
		return refuse(s, s->lines + 1, E_SYSTEM, "%s", strerror(errno));
	if (at.depth > 0 || at.in_string || at.is_escaped)
		return refuse(s, s->first_line, E_MALFORMED, "the file ends within the record");
	return s->has_words ? E_OK : E_END;
}

/* The next word of the entry, closed with a zero byte; "" at its end. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, " \t"), *p = word;

	while (*p != '\0' && *p != ' ' && *p != '\t')
		p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
	*rest = p;
	if (*p != '\0') {
		*p = '\0';
		*rest = p + 1;
	}
	return word;
}

static int read_name(const struct source *s, const char *text, uint8_t out[NAME_MAX_LEN])
{
	uint8_t name[NAME_MAX_LEN];
	size_t len = strlen(text), slashes = 0, head;
	int err;

	if (strcmp(text, "@") == 0) {
		(void)name_copy(out, s->origin);
		return E_OK;
	}
	err = name_from_text(name, text);
	if (err != E_OK)
		return refuse(s, s->first_line, err, "'%s' is no name: %s", text, err_text(err));
	head = name_len(name);
	/* The final dot, if it is one and not part of a label. */
	while (len > 1 && slashes < len - 1 && text[len - 2 - slashes] == '\\')
		slashes++;
	if (text[len - 1] != '.' || slashes % 2 == 1) {
		head--;
		if (head + name_len(s->origin) > NAME_MAX_LEN)
			return refuse(s, s->first_line, E_TOO_LONG,
				      "'%s' is too long below its origin", text);
		(void)name_copy(name + head, s->origin);
	}
	(void)name_copy(out, name);
	return E_OK;
}

/* Seconds, or numbers with units: 1w2d3h4m5s. */
static int read_ttl(const struct source *s, const char *text, uint32_t *ttl)
{
	uint64_t sum = 0;
	const char *p = text;

	while (*p != '\0') {
		uint64_t number = 0, unit = 1;

		if (!ascii_is_digit(*p))
			return refuse(s, s->first_line, E_MALFORMED, "'%s' is no TTL", text);
		for (; ascii_is_digit(*p) && number <= INT32_MAX; p++)
			number = number * 10 + (uint64_t)(*p - '0');
		switch (ascii_lower((uint8_t)*p)) {
		case 'w':
			unit = 7 * 86400;
			break;
		case 'd':
			unit = 86400;
			break;
		case 'h':
			unit = 3600;
			break;
		case 'm':
			unit = 60;
			break;
		default:
			break;
		}
		if (unit != 1 || *p == 's' || *p == 'S')
			p++;
		sum += number * unit;
		if (sum > INT32_MAX)
			return refuse(s, s->first_line, E_MALFORMED,
				      "the TTL '%s' is above 2147483647", text);
	}
	*ttl = (uint32_t)sum;
	return E_OK;
}

static int read_file(struct source *s, const char *path);

/* The file with that name: as it is, or below the options' directory. */
static int include(struct source *s, const char *name)
{
	const char *dir = s->options->include_dir;
	struct source outer = *s; /* what the file shall not change for this one */
	char *path = NULL;
	int n, err;

	if (s->depth >= s->options->max_include_depth)
		return refuse(s, s->first_line, E_LIMIT,
			      "$INCLUDE is deeper than max-include-depth, which is %lu",
			      (unsigned long)s->options->max_include_depth);
	n = name[0] == '/' ? asprintf(&path, "%s", name) : asprintf(&path, "%s/%s", dir, name);
	if (n < 0)
		return refuse(s, s->first_line, E_NOMEM, "%s", err_text(E_NOMEM));
	s->depth++;
	s->has_owner = false;
	err = read_file(s, path);
	free(path);
	s->depth = outer.depth;
	s->file = outer.file;
	s->path = outer.path;
	s->lines = outer.lines;
	s->has_owner = outer.has_owner;
	memcpy(s->owner, outer.owner, sizeof(s->owner));
	memcpy(s->origin, outer.origin, sizeof(s->origin));
	return err;
}

/* $INCLUDE file [origin] */
static int read_include(struct source *s, char *rest)
{
	char *name = next_word(&rest), *origin = next_word(&rest), *copy;
	uint8_t before[NAME_MAX_LEN];
	int err = E_OK;

	if (s->options->include_dir == NULL)
		return refuse(s, s->first_line, E_UNSUPPORTED, "$INCLUDE is not supported");
	if (*name == '\0' || *next_word(&rest) != '\0')
		return refuse(s, s->first_line, E_MALFORMED,
			      "$INCLUDE takes a file's name, and perhaps an origin");
	(void)name_copy(before, s->origin);
	if (*origin != '\0')
		err = read_name(s, origin, s->origin);
	if (err != E_OK)
		return err;
	/* The entry's text gives way to the file's. */
	copy = strdup(name);
	err = copy != NULL ? include(s, copy)
			   : refuse(s, s->first_line, E_NOMEM, "%s", err_text(E_NOMEM));
	free(copy);
	(void)name_copy(s->origin, before);
	return err;
}

static int read_record(struct source *s);

/* One record of a $GENERATE, as if it stood in the file. */
static int generate_one(struct source *s, const char *owner, const char *rest, uint32_t number)
{
	char text[2][GENERATED_MAX];
	int err = generate_expand(text[0], sizeof(text[0]), owner, number);

	if (err == E_OK)
		err = generate_expand(text[1], sizeof(text[1]), rest, number);
	if (err != E_OK)
		return refuse(s, s->first_line, err, "$GENERATE for %lu: %s", (unsigned long)number,
			      err_text(err));
	s->len = 0;
	for (const char *p = text[0]; *p != '\0' && err == E_OK; p++)
		err = append(s, *p);
	if (err == E_OK)
		err = append(s, ' ');
	for (const char *p = text[1]; *p != '\0' && err == E_OK; p++)
		err = append(s, *p);
	return err == E_OK ? read_record(s) : err;
}

/* $GENERATE range owner [TTL] [class] type rdata */
static int read_generate(struct source *s, char *rest)
{
	uint32_t most = s->options->max_generate_steps;
	struct generate_range range;
	char *word = next_word(&rest), *owner = NULL, *tail = NULL;
	int err;

	if (generate_read_range(&range, word) != E_OK)
		return refuse(s, s->first_line, E_MALFORMED, "'%s' is no range for $GENERATE",
			      word);
	if (most != 0 && generate_count(&range) > most)
		return refuse(s, s->first_line, E_LIMIT,
			      "'%s' has more steps than max-generate-steps, which is %lu", word,
			      (unsigned long)most);
	owner = strdup(next_word(&rest));
	tail = strdup(rest);
	if (owner == NULL || tail == NULL) {
		err = refuse(s, s->first_line, E_NOMEM, "%s", err_text(E_NOMEM));
		goto out;
	}
	err = *owner == '\0' ? refuse(s, s->first_line, E_MALFORMED, "$GENERATE has no record")
			     : E_OK;
	for (uint64_t n = range.first; n <= range.last && err == E_OK; n += range.step)
		err = generate_one(s, owner, tail, (uint32_t)n);
out:
	free(owner);
	free(tail);
	return err;
}

static int read_directive(struct source *s)
{
	char *rest = s->text, *word = next_word(&rest), *value;
	int err;

	if (strcasecmp(word, "$INCLUDE") == 0)
		return read_include(s, rest);
	if (strcasecmp(word, "$GENERATE") == 0)
		return read_generate(s, rest);
	value = next_word(&rest);
	if (strcasecmp(word, "$ORIGIN") != 0 && strcasecmp(word, "$TTL") != 0)
		return refuse(s, s->first_line, E_MALFORMED, "unknown directive '%s'", word);
	if (*value == '\0' || *next_word(&rest) != '\0')
		return refuse(s, s->first_line, E_MALFORMED, "%s takes one value", word);
	if (strcasecmp(word, "$ORIGIN") == 0)
		return read_name(s, value, s->origin);
	err = read_ttl(s, value, &s->ttl);
	if (err == E_OK)
		s->has_ttl = true;
	return err;
}

/* RFC 1035 5.1: [TTL] [class] type, or [class] [TTL] type. */
static int read_head(struct source *s, char **rest, uint32_t *ttl, uint16_t *type)
{
	bool has_class = false, has_ttl = false;
	char *word;

	for (;;) {
		word = next_word(rest);
		if (ascii_is_digit(*word) && !has_ttl) {
			int err = read_ttl(s, word, ttl);

			if (err != E_OK)
				return err;
			has_ttl = true;
		} else if (strcasecmp(word, "IN") == 0 && !has_class) {
			has_class = true;
		} else {
			break;
		}
	}
	if (!has_ttl)
		*ttl = s->ttl;
	else if (!s->has_ttl)
		s->ttl = *ttl;
	if (*word == '\0')
		return refuse(s, s->first_line, E_MALFORMED, "the record has no type");
	if (strcasecmp(word, "CH") == 0 || strcasecmp(word, "HS") == 0)
		return refuse(s, s->first_line, E_UNSUPPORTED, "class %s is not supported", word);
	if (rrtype_from_text(word, type) != E_OK)
		return refuse(s, s->first_line, E_MALFORMED, "'%s' is no record type", word);
	if (*type == 0 || rrtype_is_meta(*type))
		return refuse(s, s->first_line, E_MALFORMED, "a zone has no records of type %s",
			      word);
	return E_OK;
}

static int read_rdata(const struct source *s, uint16_t type, const char *text, uint16_t *len)
{
	char why[RDATA_TEXT_WHY_MAX];
	int err = rdata_from_text(s->rdata, len, type, text, s->origin, why);

	return err == E_OK ? E_OK : refuse(s, s->first_line, err, "the rdata: %s", why);
}

/* What a callback says of the record it refuses. */
static const char *reason_of(const struct source *s, int err)
{
	const char *reason = s->options->reason;

	return reason != NULL && *reason != '\0' ? reason : err_text(err);
}

/* Is the reading to go on? */
static int ask_leave(struct source *s)
{
	const struct zonefile_leave *leave = s->options->leave;

	if (leave == NULL || ++s->since_asked < ZONEFILE_SLICE)
		return E_OK;
	s->since_asked = 0;
	return leave->go_on(leave->ctx)
		       ? E_OK
		       : refuse(s, s->first_line, E_STOPPED, "%s", err_text(E_STOPPED));
}

static int read_record(struct source *s)
{
	uint8_t owner[NAME_MAX_LEN];
	char *rest = s->text;
	uint32_t ttl = 0;
	uint16_t type = 0, len = 0;
	int err = ask_leave(s);

	if (err != E_OK)
		return err;
	if (*rest != ' ' && *rest != '\t') {
		err = read_name(s, next_word(&rest), s->owner);
		if (err != E_OK)
			return err;
		s->has_owner = true;
	} else if (!s->has_owner) {
		return refuse(s, s->first_line, E_MALFORMED, "the first record has no owner");
	}
	err = read_head(s, &rest, &ttl, &type);
	if (err == E_OK)
		err = read_rdata(s, type, rest, &len);
	if (err != E_OK)
		return err;
	(void)name_lower(owner, s->owner);
	err = s->cb(s->ctx, owner, type, ttl, s->rdata, len);
	return err < 0 ? refuse(s, s->first_line, err, "%s", reason_of(s, err)) : E_OK;
}

static int read_file(struct source *s, const char *path)
{
	int err = conf_open_file(&s->file, path);

	if (err != E_OK) {
		const char *reason = err_why(err);

		if (s->depth > 0)
			return refuse(s, s->first_line, err, "$INCLUDE of '%s': %s", path, reason);
		(void)snprintf(s->why, s->why_cap, "%s: %s", path, reason);
		return err;
	}
	s->path = path;
	s->lines = 0;
	while ((err = read_entry(s)) == E_OK) {
		err = s->text[0] == '$' ? read_directive(s) : read_record(s);
		if (err != E_OK)
			break;
	}
	fclose(s->file);
	return err == E_END ? E_OK : err;
}

int zonefile_read(const char *path, const uint8_t *origin, zonefile_record_cb cb, void *ctx,
		  char *why, size_t why_cap)
{
	const struct zonefile_options o = { .origin = origin };

	return zonefile_read_with(path, &o, cb, ctx, why, why_cap);
}

int zonefile_read_with(const char *path, const struct zonefile_options *o, zonefile_record_cb cb,
		       void *ctx, char *why, size_t why_cap)
{
	struct source s = {
		.options = o,
		.cb = cb,
		.ctx = ctx,
		.path = path,
		.ttl = ZONEFILE_DEFAULT_TTL,
		.why = why,
		.why_cap = why_cap,
	};
	int err = E_NOMEM;

	(void)name_copy(s.origin, o->origin != NULL ? o->origin : name_root);
	s.rdata = malloc(WIRE_MSG_MAX);
	if (s.rdata == NULL) {
		(void)snprintf(why, why_cap, "%s: %s", path, err_text(err));
		goto out;
	}
	err = read_file(&s, path);
out:
	free(s.text);
	free(s.rdata);
	return err;
}
