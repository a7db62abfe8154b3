#include "recursor/files/rolloverfile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/ascii.h"
#include "common/check.h"
#include "common/crc32c.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/anchors.h"

static const char head[] = "recursor trust anchors 1";

/* What is wrong, but not with the file. */
static const char no_memory[] = "out of memory";

enum { WORDS_MAX = 7 };

/* ---- the zones ---- */

void rollovers_deinit(struct rollovers *r)
{
	while (r->n > 0)
		rollover_deinit(&r->zones[--r->n]);
}

struct rollover *rollovers_find(struct rollovers *r, const uint8_t *zone)
{
	for (size_t i = 0; i < r->n; i++)
		if (name_equal(r->zones[i].zone, zone))
			return &r->zones[i];
	return NULL;
}

void rollovers_drop(struct rollovers *r, struct rollover *zone)
{
	rollover_deinit(zone);
	*zone = r->zones[--r->n];
}

/* ---- reading ---- */

static bool read_number(const char *text, int base, uint64_t most, uint64_t *out)
{
	char *end;

	if (!ascii_is_digit(*text) && (base != 16 || *text < 'a' || *text > 'f'))
		return false;
	*out = strtoull(text, &end, base);
	return *end == '\0' && *out <= most;
}

static bool read_s(const char *text, uint32_t *out)
{
	uint64_t value;

	if (!read_number(text, 10, UINT32_MAX, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}

static int nibble_of(char c)
{
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(uint8_t out[ROLLOVER_RDATA_MAX], uint16_t *len, const char *text)
{
	size_t n = strlen(text);

	if (n % 2 != 0 || n / 2 > ROLLOVER_RDATA_MAX)
		return false;
	for (size_t i = 0; i < n / 2; i++) {
		int high = nibble_of(text[2 * i]), low = nibble_of(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	*len = (uint16_t)(n / 2);
	return true;
}

static const char *read_zone(struct rollovers *to, char *const *words)
{
	struct rollover *r = &to->zones[to->n];
	uint8_t name[NAME_MAX_LEN];

	if (to->n == ROLLOVERFILE_ZONES_MAX)
		return "too many zones";
	if (name_from_text(name, words[1]) != E_OK)
		return "not a name";
	(void)name_lower(name, name);
	if (rollovers_find(to, name) != NULL)
		return "the zone for the second time";
	*r = (struct rollover) { 0 };
	(void)name_copy(r->zone, name);
	if (!read_number(words[2], 16, UINT64_MAX, &r->print) || !read_s(words[3], &r->next_s) ||
	    !read_s(words[4], &r->seen_s) || !read_s(words[5], &r->interval_s))
		return "not a number";
	to->n++;
	return NULL;
}

static bool read_state(const char *word, enum rollover_state *out)
{
	for (int i = 0; i < ROLLOVER_N; i++)
		if (strcmp(word, rollover_state_text((enum rollover_state)i)) == 0) {
			*out = (enum rollover_state)i;
			return true;
		}
	return false;
}

static const char *read_key(struct rollovers *to, char *const *words)
{
	uint8_t rdata[ROLLOVER_RDATA_MAX];
	struct rollover_key key = { .rdata = rdata };
	struct rollover *r;

	if (to->n == 0)
		return "a key of no zone";
	r = &to->zones[to->n - 1];
	if (!read_state(words[1], &key.state))
		return "not a state";
	if (!read_s(words[2], &key.since_s) || !read_s(words[3], &key.until_s))
		return "not a number";
	key.is_dnskey = strcmp(words[4], "dnskey") == 0;
	if (!key.is_dnskey && strcmp(words[4], "ds") != 0)
		return "neither dnskey nor ds";
	if (!read_hex(rdata, &key.len, words[5]) ||
	    anchors_refuse(key.is_dnskey ? TYPE_DNSKEY : TYPE_DS, rdata, key.len) != NULL)
		return "not the data of one";
	if (r->n == ROLLOVER_KEYS_MAX)
		return "too many keys";
	return rollover_add(r, &key) == E_OK ? NULL : no_memory;
}

/* How many words the line has; `words` are in it. */
static size_t split(char *line, char *words[WORDS_MAX])
{
	size_t n = 0;

	for (char *word; n < WORDS_MAX && (word = strsep(&line, " ")) != NULL;)
		words[n++] = word;
	return n;
}

static const char *read_line(struct rollovers *to, char *line)
{
	char *words[WORDS_MAX];
	size_t n = split(line, words);

	if (n == 6 && strcmp(words[0], "zone") == 0)
		return read_zone(to, words);
	if (n == 6 && strcmp(words[0], "key") == 0)
		return read_key(to, words);
	return "neither zone nor key";
}

/* Ends the text where its last line begins; NULL: that is the right one. */
static const char *check_end(char *text, size_t len)
{
	char *last;
	uint64_t sum;

	if (len == 0 || text[len - 1] != '\n' || memchr(text, '\0', len) != NULL)
		return "it ends too early, or is not text";
	text[len - 1] = '\0';
	last = strrchr(text, '\n');
	if (last == NULL || strncmp(last + 1, "end ", 4) != 0 ||
	    !read_number(last + 5, 16, UINT32_MAX, &sum))
		return "it ends too early";
	if (crc32c(0, text, (size_t)(last + 1 - text)) != sum)
		return "its checksum is wrong";
	*last = '\0';
	return NULL;
}

int rolloverfile_parse(struct rollovers *out, char *text, size_t len, char *why)
{
	const char *wrong = check_end(text, len);
	unsigned number = 1;
	char *rest = text, *line;

	out->n = 0;
	if (wrong == NULL && strcmp(strsep(&rest, "\n"), head) != 0)
		wrong = "not a file of trust anchors, or of another version";
	if (wrong != NULL) {
		(void)snprintf(why, ROLLOVERFILE_WHY_MAX, "%s", wrong);
		return E_MALFORMED;
	}
	while (wrong == NULL && (line = strsep(&rest, "\n")) != NULL) {
		number++;
		wrong = read_line(out, line);
	}
	if (wrong == NULL)
		return E_OK;
	(void)snprintf(why, ROLLOVERFILE_WHY_MAX, "line %u: %s", number, wrong);
	rollovers_deinit(out);
	return wrong == no_memory ? E_NOMEM : E_MALFORMED;
}

int rolloverfile_read(struct rollovers *out, FILE *f, char *why)
{
	char *text = malloc(ROLLOVERFILE_BYTES_MAX + 1);
	size_t len;
	int err = E_NOMEM;

	out->n = 0;
	(void)snprintf(why, ROLLOVERFILE_WHY_MAX, "%s", no_memory);
	if (text == NULL)
		return err;
	len = fread(text, 1, ROLLOVERFILE_BYTES_MAX + 1, f);
	if (ferror(f)) {
		(void)snprintf(why, ROLLOVERFILE_WHY_MAX, "%s", strerror(errno));
		err = E_SYSTEM;
	} else if (len > ROLLOVERFILE_BYTES_MAX) {
		(void)snprintf(why, ROLLOVERFILE_WHY_MAX, "it is too large");
		err = E_MALFORMED;
	} else {
		text[len] = '\0';
		err = rolloverfile_parse(out, text, len, why);
	}
	free(text);
	return err;
}

/* ---- writing ---- */

static void write_zone(FILE *f, const struct rollover *r)
{
	char text[NAME_TEXT_MAX];

	fprintf(f, "zone %s %016" PRIx64 " %u %u %u\n", name_to_text(text, r->zone), r->print,
		r->next_s, r->seen_s, r->interval_s);
	for (size_t i = 0; i < r->n; i++) {
		const struct rollover_key *k = &r->keys[i];

		fprintf(f, "key %s %u %u %s ", rollover_state_text(k->state), k->since_s,
			k->until_s, k->is_dnskey ? "dnskey" : "ds");
		for (size_t at = 0; at < k->len; at++)
			fprintf(f, "%02x", k->rdata[at]);
		fprintf(f, "\n");
	}
}

int rolloverfile_write(FILE *f, const struct rollovers *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *memory = open_memstream(&text, &len);
	int err = E_NOMEM;

	if (memory == NULL)
		return err;
	fprintf(memory, "%s\n", head);
	for (size_t i = 0; i < r->n; i++)
		write_zone(memory, &r->zones[i]);
	if (fclose(memory) == 0)
		err = E_OK;
	if (err == E_OK && fprintf(f, "%send %08x\n", text, crc32c(0, text, len)) < 0)
		err = E_SYSTEM;
	free(text);
	return err;
}
