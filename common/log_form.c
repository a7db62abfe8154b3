/* log_form: see log_form.h. */
#include "common/log_form.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	RESERVE = 32,   /* for what closes a line */
	ESCAPE_MAX = 6, /* bytes of one character */
};

/* What is being written; beyond `cap` nothing is, and `cut` says so. */
struct out {
	char *at;
	size_t cap, len;
	bool cut;
};

static bool put(struct out *o, const char *bytes, size_t len)
{
	if (o->cap - o->len < len) {
		o->cut = true;
		return false;
	}
	memcpy(o->at + o->len, bytes, len);
	o->len += len;
	return true;
}

static bool put_text(struct out *o, const char *text)
{
	return put(o, text, strlen(text));
}

static const char *prio_text(int level)
{
	static const char *const names[] = { "Emergency", "Alert",  "Critical", "Error",
					     "Warning",   "Notice", "Info",     "Debug" };

	return level < 0 || level > LOG_LEVEL_DEBUG ? "Debug" : names[level];
}

static void when_text(char out[32], const struct timespec *when)
{
	(void)snprintf(out, 32, "%lld.%03ld", (long long)when->tv_sec, when->tv_nsec / 1000000);
}

/* A number, a real or a word, as JSON has it. */
static void value_text(char out[40], const struct log_field *f)
{
	switch (f->kind) {
	case LOG_FIELD_NUMBER:
		(void)snprintf(out, 40, "%" PRIu64, f->number);
		return;
	case LOG_FIELD_REAL:
		if (isfinite(f->real))
			(void)snprintf(out, 40, "%.6g", f->real);
		else
			strcpy(out, "null");
		return;
	default:
		strcpy(out, f->flag ? "true" : "false");
	}
}

/* A field's value; NULL: the field is left out. */
static const char *field_text(char room[40], const struct log_field *f)
{
	if (f->kind == LOG_FIELD_TEXT)
		return f->text;
	value_text(room, f);
	return room;
}

/* ---- text ---- */

static bool is_control(unsigned char c)
{
	return c < ' ' || c == 0x7f;
}

/* Texts of strangers (names, Lua messages) must not forge lines. */
static void put_tame(struct out *o, const char *text)
{
	for (; *text != '\0'; text++) {
		char c = is_control((unsigned char)*text) ? '?' : *text;

		if (!put(o, &c, 1))
			return;
	}
}

static void put_stamp(struct out *o, const struct timespec *when)
{
	char stamp[40];
	struct tm tm;

	if (localtime_r(&when->tv_sec, &tm) != NULL)
		(void)put(o, stamp, strftime(stamp, sizeof(stamp), "%b %d %H:%M:%S ", &tm));
}

size_t log_form_text(char *out, size_t cap, const struct log_record *r, bool timestamp)
{
	struct out o = { .at = out, .cap = cap - 2 * RESERVE };
	char more[2 * RESERVE];

	if (timestamp)
		put_stamp(&o, &r->when);
	put_tame(&o, r->message);
	o.cap = cap - 1;
	if (r->held_back > 0) {
		(void)snprintf(more, sizeof(more), " (%" PRIu64 " more like this before)",
			       r->held_back);
		(void)put_text(&o, more);
	}
	o.cap = cap;
	(void)put(&o, "\n", 1);
	return o.len;
}

/* ---- what is escaped ---- */

/* Bytes of a character of UTF-8 that begins here, 0 when none does (RFC 3629 4). */
static size_t utf8_len(const unsigned char *c)
{
	unsigned char least = 0x80, most = 0xbf;
	size_t n;

	if (c[0] < 0x80)
		return 1;
	if (c[0] < 0xc2 || c[0] > 0xf4)
		return 0;
	n = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	if (c[0] == 0xe0)
		least = 0xa0;
	else if (c[0] == 0xed)
		most = 0x9f;
	else if (c[0] == 0xf0)
		least = 0x90;
	else if (c[0] == 0xf4)
		most = 0x8f;
	if (c[1] < least || c[1] > most)
		return 0;
	for (size_t i = 2; i < n; i++)
		if (c[i] < 0x80 || c[i] > 0xbf)
			return 0;
	return n;
}

/* RFC 8259 7.  Returns the bytes read. */
static size_t put_json_character(struct out *o, const unsigned char *c)
{
	char escape[ESCAPE_MAX + 1];
	size_t n = utf8_len(c);

	if (n == 0)
		return put_text(o, "\\ufffd") ? 1 : 0;
	if (*c == '"' || *c == '\\') {
		escape[0] = '\\';
		escape[1] = (char)*c;
		return put(o, escape, 2) ? 1 : 0;
	}
	if (is_control(*c)) {
		(void)snprintf(escape, sizeof(escape), "\\u%04x", *c);
		return put(o, escape, ESCAPE_MAX) ? 1 : 0;
	}
	return put(o, (const char *)c, n) ? n : 0;
}

static void put_json_string(struct out *o, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	size_t n;

	for (o->cap -= ESCAPE_MAX; *c != '\0'; c += n) {
		n = put_json_character(o, c);
		if (n == 0)
			break;
	}
	o->cap += ESCAPE_MAX;
}

/* `before`, the value in quotes; all of it or nothing but its end is there. */
static void put_quoted(struct out *o, const char *before, const char *key, const char *between,
		       const char *text)
{
	if (o->cap - o->len < strlen(before) + strlen(key) + strlen(between) + 4 * ESCAPE_MAX) {
		o->cut = true;
		return;
	}
	(void)put_text(o, before);
	(void)put_text(o, key);
	(void)put_text(o, between);
	put_json_string(o, text);
	(void)put_text(o, "\"");
}

size_t log_form_json(char *out, size_t cap, const struct log_record *r)
{
	struct out o = { .at = out, .cap = cap - RESERVE };
	char text[40], head[160];

	when_text(text, &r->when);
	(void)snprintf(head, sizeof(head), "{\"ts\":\"%s\",\"prio\":\"%s\",\"tid\":%u", text,
		       prio_text(r->level), r->thread);
	(void)put_text(&o, head);
	if (r->subsystem != NULL)
		put_quoted(&o, ",\"", "subsystem", "\":\"", r->subsystem);
	put_quoted(&o, ",\"", "msg", "\":\"", r->message);
	for (size_t i = 0; i < r->n_fields; i++) {
		const struct log_field *f = &r->fields[i];

		if (f->kind == LOG_FIELD_TEXT) {
			if (f->text != NULL)
				put_quoted(&o, ",\"", f->key, "\":\"", f->text);
			continue;
		}
		value_text(text, f);
		if (o.cap - o.len < strlen(f->key) + strlen(text) + 5)
			o.cut = true;
		else
			o.len += (size_t)snprintf(o.at + o.len, o.cap - o.len, ",\"%s\":%s", f->key,
						  text);
	}
	o.cap = cap;
	if (r->held_back > 0 && o.len + RESERVE + 32 < cap)
		o.len += (size_t)snprintf(o.at + o.len, o.cap - o.len, ",\"held_back\":%" PRIu64,
					  r->held_back);
	(void)put_text(&o, o.cut ? ",\"cut\":true}\n" : "}\n");
	return o.len;
}

size_t log_form_pairs(char *out, size_t cap, const struct log_record *r)
{
	struct out o = { .at = out, .cap = cap - RESERVE };
	char text[40];

	put_quoted(&o, "", "msg", "=\"", r->message);
	if (r->subsystem != NULL)
		put_quoted(&o, " ", "subsystem", "=\"", r->subsystem);
	put_quoted(&o, " ", "level", "=\"", "0");
	put_quoted(&o, " ", "prio", "=\"", prio_text(r->level));
	(void)snprintf(text, sizeof(text), "%u", r->thread);
	put_quoted(&o, " ", "tid", "=\"", text);
	when_text(text, &r->when);
	put_quoted(&o, " ", "ts", "=\"", text);
	for (size_t i = 0; i < r->n_fields; i++) {
		const char *value = field_text(text, &r->fields[i]);

		if (value != NULL)
			put_quoted(&o, " ", r->fields[i].key, "=\"", value);
	}
	if (r->held_back > 0) {
		(void)snprintf(text, sizeof(text), "%" PRIu64, r->held_back);
		put_quoted(&o, " ", "held_back", "=\"", text);
	}
	o.cap = cap;
	(void)put(&o, "\n", 1);
	return o.len;
}

/* ---- the journal ---- */

/* https://systemd.io/JOURNAL_NATIVE_PROTOCOL/: KEY=value, or where that would be ambiguous KEY, a
 * newline, eight bytes of length with the least first, and the value; a newline ends both. */
static void put_journal(struct out *o, const char *key, const char *value)
{
	size_t key_len = strlen(key), len = strlen(value);
	bool is_plain = true;
	char bytes[8];

	for (const char *c = value; *c != '\0'; c++)
		is_plain = is_plain && !is_control((unsigned char)*c);
	if (o->cap - o->len < key_len + len + sizeof(bytes) + 2) {
		o->cut = true;
		return;
	}
	for (size_t i = 0; i < key_len; i++) {
		char c = key[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		(void)put(o, &c, 1);
	}
	(void)put(o, is_plain ? "=" : "\n", 1);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(unsigned char)((uint64_t)len >> 8 * i);
	if (!is_plain)
		(void)put(o, bytes, sizeof(bytes));
	(void)put(o, value, len);
	(void)put(o, "\n", 1);
}

static void put_journal_number(struct out *o, const char *key, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	put_journal(o, key, text);
}

size_t log_form_journal(char *out, size_t cap, const struct log_record *r, const char *ident,
			int facility)
{
	struct out o = { .at = out, .cap = cap };
	char message[LOG_LINE_MAX + 2 * RESERVE], text[40];
	size_t len = log_form_text(message, sizeof(message), r, false);

	message[len - 1] = '\0'; /* its newline */
	put_journal_number(&o, "PRIORITY", (uint64_t)r->level);
	put_journal(&o, "SYSLOG_IDENTIFIER", ident);
	put_journal_number(&o, "SYSLOG_FACILITY", (uint64_t)facility >> 3);
	put_journal_number(&o, "TID", r->thread);
	if (r->subsystem != NULL)
		put_journal(&o, "SUBSYSTEM", r->subsystem);
	put_journal(&o, "MESSAGE", message);
	for (size_t i = 0; i < r->n_fields; i++) {
		const char *value = field_text(text, &r->fields[i]);

		if (value != NULL)
			put_journal(&o, r->fields[i].key, value);
	}
	if (r->held_back > 0)
		put_journal_number(&o, "HELD_BACK", r->held_back);
	return o.len;
}

/* ---- syslog ---- */

/* What syslog(3) writes: RFC 3164 4.1 without the host. */
size_t log_form_syslog_head(char *out, size_t cap, const struct log_record *r, const char *ident,
			    int facility, int pid)
{
	char stamp[40] = "";
	struct tm tm;
	int n;

	if (localtime_r(&r->when.tv_sec, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%h %e %T ", &tm) == 0)
		stamp[0] = '\0';
	n = snprintf(out, cap, "<%d>%s%.64s[%d]: ", facility | r->level, stamp, ident, pid);
	return n < 0 || (size_t)n >= cap ? 0 : (size_t)n;
}
