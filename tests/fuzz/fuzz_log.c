/*
 * Lines of the log: the input is what strangers may put into one, the first bytes how much room there
 * is.  A line is one line whatever is in it, JSON is an object, and the journal's fields are those
 * that were meant.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/log_form.h"

static void check_line(const char *out, size_t len, size_t cap)
{
	ASSERT(len > 0 && len <= cap);
	ASSERT(memchr(out, '\n', len) == out + len - 1);
}

static void check_json(const char *out, size_t len, const struct log_record *r)
{
	json_t *line = json_loadb(out, len, JSON_REJECT_DUPLICATES, NULL);

	ASSERT(line != NULL);
	ASSERT(json_is_string(json_object_get(line, "msg")) ||
	       json_is_true(json_object_get(line, "cut")));
	if (r->held_back == 0)
		ASSERT(json_object_get(line, "held_back") == NULL);
	json_decref(line);
}

/* Read as the journal does: no field but ours, each once. */
static void check_journal(const char *at, size_t len)
{
	static const char *const known[] = { "PRIORITY",        "SYSLOG_IDENTIFIER",
					     "SYSLOG_FACILITY", "TID",
					     "SUBSYSTEM",       "MESSAGE",
					     "QNAME",           "ERROR",
					     "HELD_BACK" };
	const char *end = at + len;
	unsigned seen[sizeof(known) / sizeof(known[0])] = { 0 };

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		const char *equals = memchr(at, '=', (size_t)((line != NULL ? line : end) - at));
		const char *key = at;
		size_t key_len, i, n_known;

		ASSERT(line != NULL);
		key_len = (size_t)((equals != NULL ? equals : line) - at);
		at = line + 1;
		if (equals == NULL) {
			uint64_t n = 0;

			ASSERT(end - at > 8);
			for (i = 0; i < 8; i++)
				n |= (uint64_t)(unsigned char)at[i] << 8 * i;
			ASSERT(n < (uint64_t)(end - at) - 8);
			at += 8 + n;
			ASSERT(*at == '\n');
			at++;
		}
		n_known = 0;
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
			if (strlen(known[i]) != key_len || memcmp(known[i], key, key_len) != 0)
				continue;
			n_known++;
			ASSERT(seen[i]++ == 0);
		}
		ASSERT(n_known == 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[LOG_RECORD_MAX];
	char message[LOG_LINE_MAX] = "", *text;
	size_t cap, split;

	if (size < 3)
		return 0;
	cap = LOG_FORM_LEAST + (size_t)(data[0] | data[1] << 8) % (sizeof(out) - LOG_FORM_LEAST);
	split = (size - 3) / 2 < sizeof(message) - 1 ? (size - 3) / 2 : sizeof(message) - 1;
	memcpy(message, data + 3, split);
	text = strndup((const char *)data + 3 + split, size - 3 - split);
	ASSERT(text != NULL);
	{
		const struct log_field fields[] = { LOG_TEXT("qname", text),
						    LOG_TEXT("error", message) };
		const struct log_record r = {
			.level = data[2] & 7,
			.subsystem = data[2] & 8 ? "fuzz" : NULL,
			.message = message,
			.fields = fields,
			.n_fields = data[2] >> 4 & 1 ? 2 : 0,
			.held_back = data[2] >> 5,
		};

		check_line(out, log_form_text(out, cap, &r, true), cap);
		check_line(out, log_form_pairs(out, cap, &r), cap);
		check_line(out, log_form_json(out, cap, &r), cap);
		check_json(out, log_form_json(out, cap, &r), &r);
		check_journal(out, log_form_journal(out, cap, &r, "me", 0));
	}
	free(text);
	return 0;
}
