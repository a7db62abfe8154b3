/* The parser works line by line; `struct reader` is where it stands. */
#include "tests/sim/scenario.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"

enum { DEFAULT_TTL = 3600, DEFAULT_PAYLOAD = 4096 };

struct reader {
	FILE *file;
	const char *path;
	unsigned line;
	char *buf;
	size_t cap;
	char *text; /* the line at hand: comment and blanks taken off */
	bool in_header;
	bool held; /* the line is to be read once more */
	char *why;
};

struct word {
	const char *text;
	unsigned bits;
};

static const struct word match_words[] = {
#define MATCH_WORD(name, word) { word, MATCH_##name },
	MATCH_TABLE(MATCH_WORD)
#undef MATCH_WORD
		{ "question", MATCH_QUESTION },
	{ "all", MATCH_ALL },
};

static const struct word adjust_words[] = {
#define ADJUST_WORD(name, word) { word, ADJUST_##name },
	ADJUST_TABLE(ADJUST_WORD)
#undef ADJUST_WORD
};

static const struct word rcode_words[] = {
#define RCODE_WORD(name, number) { #name, number },
	RCODE_TABLE(RCODE_WORD)
#undef RCODE_WORD
};

static const struct {
	const char *word;
	bool has_entry;
} step_kinds[] = {
#define STEP_ROW(name, word, has_entry) { word, has_entry },
	STEP_TABLE(STEP_ROW)
#undef STEP_ROW
};

const char *step_word(enum step_kind kind)
{
	return step_kinds[kind].word;
}

static int refuse(struct reader *r, const char *what, const char *word)
{
	snprintf(r->why, SCENARIO_WHY_MAX, "%s:%u: %s%s%s", r->path, r->line, what,
		 *word != '\0' ? ": " : "", word);
	return E_MALFORMED;
}

/* ---- lines and words ---- */

/* Cuts at a comment: `;` everywhere, `#` in the header too, neither within quotes. */
static void strip(struct reader *r)
{
	char *p = r->buf, *end;
	bool quoted = false;

	for (; *p != '\0' && *p != '\r' && *p != '\n'; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (*p == ';' || (*p == '#' && r->in_header)))
			break;
	}
	end = p;
	*end = '\0';
	for (r->text = r->buf; isspace((unsigned char)*r->text); r->text++)
		;
	while (end > r->text && isspace((unsigned char)end[-1]))
		*--end = '\0';
}

/* The next line that says something.  E_END at the end of the file. */
static int next_line(struct reader *r)
{
	if (r->held) {
		r->held = false;
		return E_OK;
	}
	while (getline(&r->buf, &r->cap, r->file) >= 0) {
		r->line++;
		strip(r);
		if (*r->text != '\0')
			return E_OK;
	}
	return E_END;
}

/* True if the line begins with `word`; *rest is what follows, without the blanks between. */
static bool begins(const struct reader *r, const char *word, char **rest)
{
	size_t n = strlen(word);

	if (strncmp(r->text, word, n) != 0 ||
	    (r->text[n] != '\0' && !isspace((unsigned char)r->text[n])))
		return false;
	for (*rest = r->text + n; isspace((unsigned char)**rest); ++*rest)
		;
	return true;
}

static char *take_word(char **at)
{
	char *word = *at + strspn(*at, " \t"), *end = word + strcspn(word, " \t");

	*at = *end == '\0' ? end : end + 1;
	*end = '\0';
	return *word == '\0' ? NULL : word;
}

static int take_number(struct reader *r, char **at, unsigned *out)
{
	char *word = take_word(at), *end = NULL;

	if (word == NULL || !isdigit((unsigned char)*word))
		return refuse(r, "a number is missing", word == NULL ? "" : word);
	*out = (unsigned)strtoul(word, &end, 10);
	return *end == '\0' ? E_OK : refuse(r, "not a number", word);
}

/* Makes room for one more of `size` bytes at the end of a list; zeroed. */
static void *append(void *list, size_t *n, size_t size)
{
	void **base = list;
	char *grown = realloc(*base, (*n + 1) * size);

	ASSERT(grown != NULL);
	*base = grown;
	memset(grown + *n * size, 0, size);
	return grown + (*n)++ * size;
}

static char *copy_text(const char *text)
{
	char *copy = strdup(text);

	ASSERT(copy != NULL);
	return copy;
}

/* ---- entries ---- */

static const struct word *find_word(const struct word *list, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(list[i].text, text) == 0)
			return &list[i];
	return NULL;
}

static int parse_match(struct reader *r, char *rest, struct entry *e)
{
	const struct word *w;
	char *word;

	while ((word = take_word(&rest)) != NULL) {
		w = find_word(match_words, ARRAY_LEN(match_words), word);
		if (w == NULL)
			return refuse(r, "unknown word in MATCH", word);
		e->match |= w->bits;
	}
	return E_OK;
}

static int parse_adjust(struct reader *r, char *rest, struct entry *e)
{
	const struct word *w;
	char *word;

	while ((word = take_word(&rest)) != NULL) {
		w = find_word(adjust_words, ARRAY_LEN(adjust_words), word);
		if (w != NULL)
			e->adjust |= w->bits;
		else if (sscanf(word, "ttl=%u", &e->ttl) == 1)
			e->ttl_line = r->line;
		else if (sscanf(word, "delay=%u", &e->delay_ms) != 1 &&
			 sscanf(word, "spoofs=%u", &e->spoofs) != 1 &&
			 sscanf(word, "uses=%u", &e->uses_max) != 1)
			return refuse(r, "unknown word in ADJUST", word);
	}
	return E_OK;
}

static int parse_flags(struct reader *r, char *rest, ldns_pkt *p)
{
	const struct word *w;
	char *word;

	while ((word = take_word(&rest)) != NULL) {
		if (strcmp(word, "QR") == 0)
			ldns_pkt_set_qr(p, true);
		else if (strcmp(word, "AA") == 0)
			ldns_pkt_set_aa(p, true);
		else if (strcmp(word, "TC") == 0)
			ldns_pkt_set_tc(p, true);
		else if (strcmp(word, "RD") == 0)
			ldns_pkt_set_rd(p, true);
		else if (strcmp(word, "RA") == 0)
			ldns_pkt_set_ra(p, true);
		else if (strcmp(word, "AD") == 0)
			ldns_pkt_set_ad(p, true);
		else if (strcmp(word, "CD") == 0)
			ldns_pkt_set_cd(p, true);
		else if (strcmp(word, "DO") == 0)
			ldns_pkt_set_edns_do(p, true);
		else if ((w = find_word(rcode_words, ARRAY_LEN(rcode_words), word)) == NULL)
			return refuse(r, "unknown word in REPLY", word);
		else {
			ldns_pkt_set_rcode(p, w->bits & 15);
			ldns_pkt_set_edns_extended_rcode(p, (uint8_t)(w->bits >> 4));
		}
	}
	return E_OK;
}

static int parse_question(struct reader *r, ldns_pkt *p)
{
	ldns_rr *rr = NULL;

	if (ldns_rr_list_rr_count(ldns_pkt_question(p)) > 0)
		return refuse(r, "more than one question", r->text);
	if (ldns_rr_new_question_frm_str(&rr, r->text, NULL, NULL) != LDNS_STATUS_OK)
		return refuse(r, "not a question", r->text);
	ldns_pkt_push_rr(p, LDNS_SECTION_QUESTION, rr);
	return E_OK;
}

static int parse_record(struct reader *r, ldns_pkt *p, ldns_pkt_section section)
{
	ldns_rr *rr = NULL;
	ldns_status s = ldns_rr_new_frm_str(&rr, r->text, DEFAULT_TTL, NULL, NULL);
	char *end = r->text + strlen(r->text);

	/* Signatures that were made unusable by hand have padding where none belongs. */
	if (s != LDNS_STATUS_OK && end[-1] == '=') {
		while (end > r->text && end[-1] == '=')
			*--end = '\0';
		s = ldns_rr_new_frm_str(&rr, r->text, DEFAULT_TTL, NULL, NULL);
	}
	if (s != LDNS_STATUS_OK) {
		refuse(r, ldns_get_errorstr_by_id(s), r->text);
		return E_MALFORMED;
	}
	ldns_pkt_push_rr(p, section, rr);
	return E_OK;
}

static int parse_raw(struct reader *r, struct entry *e)
{
	size_t digits;

	if (next_line(r) != E_OK)
		return refuse(r, "RAW without a line of hexadecimal digits", "");
	digits = strlen(r->text);
	free(e->raw);
	e->raw = calloc(1, digits / 2 + 1);
	ASSERT(e->raw != NULL);
	e->raw_len = digits / 2;
	for (size_t i = 0; i < digits / 2; i++) {
		unsigned byte = 0;

		if (sscanf(r->text + 2 * i, "%2x", &byte) != 1)
			return refuse(r, "not hexadecimal", r->text + 2 * i);
		e->raw[i] = (uint8_t)byte;
	}
	return digits % 2 == 0 ? E_OK : refuse(r, "an odd number of digits", "");
}

static int parse_section_name(struct reader *r, const char *name, ldns_pkt_section *out)
{
	static const struct word names[] = {
		{ "QUESTION", LDNS_SECTION_QUESTION },
		{ "ANSWER", LDNS_SECTION_ANSWER },
		{ "AUTHORITY", LDNS_SECTION_AUTHORITY },
		{ "ADDITIONAL", LDNS_SECTION_ADDITIONAL },
	};
	const struct word *w = find_word(names, ARRAY_LEN(names), name);

	if (w == NULL)
		return refuse(r, "unknown section", name);
	*out = (ldns_pkt_section)w->bits;
	return E_OK;
}

static int parse_entry_line(struct reader *r, struct entry *e, ldns_pkt_section *section)
{
	char *rest;

	if (begins(r, "MATCH", &rest))
		return parse_match(r, rest, e);
	if (begins(r, "ADJUST", &rest))
		return parse_adjust(r, rest, e);
	if (begins(r, "REPLY", &rest) || begins(r, "FLAGS", &rest))
		return parse_flags(r, rest, e->pkt);
	if (begins(r, "SECTION", &rest))
		return parse_section_name(r, rest, section);
	if (begins(r, "RAW", &rest))
		return parse_raw(r, e);
	if (begins(r, "MANDATORY", &rest)) {
		e->mandatory = true;
		return E_OK;
	}
	if (*section == LDNS_SECTION_ANY)
		return refuse(r, "a record outside of any section", r->text);
	return *section == LDNS_SECTION_QUESTION ? parse_question(r, e->pkt)
						 : parse_record(r, e->pkt, *section);
}

static void entry_free(struct entry *e)
{
	if (e == NULL)
		return;
	ldns_pkt_free(e->pkt);
	free(e->raw);
	free(e);
}

/* Whether what an entry says fits together. */
static int check_entry(struct reader *r, const struct entry *e)
{
	if (e->ttl_line == 0 || e->adjust & ADJUST_ZONE)
		return E_OK;
	r->line = e->ttl_line;
	return refuse(r, "ttl= in ADJUST without zone", "");
}

/* From after ENTRY_BEGIN to ENTRY_END. */
static int parse_entry(struct reader *r, struct entry **out)
{
	ldns_pkt_section section = LDNS_SECTION_ANY;
	struct entry *e = calloc(1, sizeof(*e));
	char *rest;
	int err;

	ASSERT(e != NULL);
	e->line = r->line;
	e->pkt = ldns_pkt_new();
	ASSERT(e->pkt != NULL);
	ldns_pkt_set_edns_udp_size(e->pkt, DEFAULT_PAYLOAD);
	while ((err = next_line(r)) == E_OK && !begins(r, "ENTRY_END", &rest))
		if ((err = parse_entry_line(r, e, &section)) != E_OK)
			break;
	if (err == E_END)
		err = refuse(r, "ENTRY_END is missing", "");
	if (err == E_OK)
		err = check_entry(r, e);
	if (err != E_OK)
		entry_free(e);
	else
		*out = e;
	return err;
}

/* ---- blocks ---- */

static int parse_address(struct reader *r, char *rest, struct range *range)
{
	struct addr *a;

	if (strcmp(rest, "*") == 0) {
		range->everywhere = true;
		return E_OK;
	}
	a = append(&range->addrs, &range->n_addrs, sizeof(*a));
	return addr_from_text(a, rest, 0) == E_OK ? E_OK : refuse(r, "not an address", rest);
}

/* From after ZONE to ZONE_END: lines of a zone file, at the same line numbers. */
static int parse_zone(struct reader *r, char *origin, struct range *range)
{
	char *text = NULL, *name = copy_text(origin), *rest;
	size_t len = 0;
	unsigned line = 1;
	struct zone *z = NULL;
	FILE *f = open_memstream(&text, &len);
	int err;

	ASSERT(f != NULL);
	while ((err = next_line(r)) == E_OK && !begins(r, "ZONE_END", &rest)) {
		for (; line < r->line; line++)
			fputc('\n', f);
		fputs(r->text, f);
	}
	fputc('\n', f);
	fclose(f);
	if (err != E_OK) {
		err = refuse(r, "ZONE_END is missing", "");
	} else if ((f = fmemopen(text, len, "r")) != NULL) {
		err = zone_read(&z, f, r->path, name, r->why);
		fclose(f);
	}
	if (z != NULL)
		*(struct zone **)append(&range->zones, &range->n_zones, sizeof(z)) = z;
	free(text);
	free(name);
	return err;
}

static int parse_range(struct reader *r, char *rest, struct scenario *s)
{
	struct range *range = append(&s->ranges, &s->n_ranges, sizeof(*range));
	int err;

	range->line = r->line;
	if ((err = take_number(r, &rest, &range->first)) != E_OK ||
	    (err = take_number(r, &rest, &range->last)) != E_OK)
		return err;
	/* Some scenarios name the range's address on its first line. */
	if (*rest != '\0' && (err = parse_address(r, rest, range)) != E_OK)
		return err;
	while ((err = next_line(r)) == E_OK && !begins(r, "RANGE_END", &rest)) {
		if (begins(r, "ADDRESS", &rest)) {
			err = parse_address(r, rest, range);
		} else if (begins(r, "GENERATE", &rest)) {
			free(range->generate);
			range->generate = copy_text(rest);
		} else if (begins(r, "ZONE", &rest)) {
			err = parse_zone(r, rest, range);
		} else if (begins(r, "ENTRY_BEGIN", &rest)) {
			struct entry *e = NULL;

			err = parse_entry(r, &e);
			if (err == E_OK)
				*(struct entry **)append(&range->entries, &range->n_entries,
							 sizeof(e)) = e;
		} else {
			err = refuse(r, "not known within RANGE_BEGIN", r->text);
		}
		if (err != E_OK)
			return err;
	}
	return err == E_END ? refuse(r, "RANGE_END is missing", "") : err;
}

static int parse_step(struct reader *r, char *rest, struct scenario *s)
{
	struct step *step = append(&s->steps, &s->n_steps, sizeof(*step));
	char *word;
	int err;

	step->line = r->line;
	if ((err = take_number(r, &rest, &step->number)) != E_OK)
		return err;
	if (s->n_steps > 1 && step->number <= step[-1].number)
		return refuse(r, "the number does not grow", "");
	if ((word = take_word(&rest)) == NULL)
		return refuse(r, "a step without a kind", "");
	for (step->kind = 0; step->kind < STEP_KINDS; step->kind++)
		if (strcmp(step_kinds[step->kind].word, word) == 0)
			break;
	if (step->kind == STEP_KINDS)
		return refuse(r, "unknown kind of step", word);
	step->argument = copy_text(rest);
	if (!step_kinds[step->kind].has_entry)
		return E_OK;
	if (next_line(r) == E_OK && begins(r, "ENTRY_BEGIN", &rest))
		return parse_entry(r, &step->entry);
	if (step->kind != STEP_CHECK_OUT_QUERY && step->kind != STEP_POLICY)
		return refuse(r, "ENTRY_BEGIN is missing", r->text);
	r->held = true;
	return E_OK;
}

static int parse_option(struct reader *r, struct scenario *s)
{
	struct header_key *o;
	char *colon = strchr(r->text, ':'), *value, *end;

	if (colon == NULL)
		return refuse(r, "not `key: value`", r->text);
	*colon = '\0';
	for (value = colon + 1; isspace((unsigned char)*value); value++)
		;
	end = value + strlen(value);
	if (*value == '"' && end > value + 1 && end[-1] == '"') {
		value++;
		end[-1] = '\0';
	}
	o = append(&s->options, &s->n_options, sizeof(*o));
	o->line = r->line;
	o->name = copy_text(r->text);
	o->value = copy_text(value);
	return E_OK;
}

static int parse_header(struct reader *r, struct scenario *s)
{
	char *rest;
	int err;

	r->in_header = true;
	while ((err = next_line(r)) == E_OK && !begins(r, "CONFIG_END", &rest))
		if ((err = parse_option(r, s)) != E_OK)
			return err;
	r->in_header = false;
	return err == E_END ? refuse(r, "CONFIG_END is missing", "") : err;
}

static int parse_body(struct reader *r, struct scenario *s)
{
	char *rest;
	int err;

	while ((err = next_line(r)) == E_OK && !begins(r, "SCENARIO_END", &rest)) {
		if (begins(r, "SCENARIO_BEGIN", &rest)) {
			free(s->title);
			s->title = copy_text(rest);
		} else if (begins(r, "RANGE_BEGIN", &rest)) {
			err = parse_range(r, rest, s);
		} else if (begins(r, "STEP", &rest)) {
			err = parse_step(r, rest, s);
		} else {
			err = refuse(r, "not known within a scenario", r->text);
		}
		if (err != E_OK)
			return err;
	}
	if (err == E_OK && s->n_steps == 0)
		return refuse(r, "a scenario without steps", "");
	return err == E_END ? refuse(r, "SCENARIO_END is missing", "") : err;
}

/* ---- the whole ---- */

static char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = copy_text(slash == NULL ? path : slash + 1), *dot = strrchr(name, '.');

	if (dot != NULL)
		*dot = '\0';
	return name;
}

int scenario_read(struct scenario **out, const char *path, char why[SCENARIO_WHY_MAX])
{
	struct reader r = { .path = path, .why = why };
	struct scenario *s = NULL;
	int err = E_OK;

	r.file = fopen(path, "re");
	if (r.file == NULL) {
		snprintf(why, SCENARIO_WHY_MAX, "%s: %s", path, strerror(errno));
		return E_SYSTEM;
	}
	s = calloc(1, sizeof(*s));
	ASSERT(s != NULL);
	s->path = copy_text(path);
	s->name = base_name(path);
	s->title = copy_text("");
	err = parse_header(&r, s);
	if (err == E_OK)
		err = parse_body(&r, s);
	if (err == E_OK) {
		*out = s;
		s = NULL;
	}
	scenario_free(s);
	fclose(r.file);
	free(r.buf);
	return err;
}

void scenario_free(struct scenario *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_options; i++) {
		free(s->options[i].name);
		free(s->options[i].value);
	}
	for (size_t i = 0; i < s->n_ranges; i++) {
		for (size_t k = 0; k < s->ranges[i].n_entries; k++)
			entry_free(s->ranges[i].entries[k]);
		for (size_t k = 0; k < s->ranges[i].n_zones; k++)
			zone_free(s->ranges[i].zones[k]);
		free(s->ranges[i].zones);
		free(s->ranges[i].entries);
		free(s->ranges[i].addrs);
		free(s->ranges[i].generate);
	}
	for (size_t i = 0; i < s->n_steps; i++) {
		entry_free(s->steps[i].entry);
		free(s->steps[i].argument);
	}
	free(s->options);
	free(s->ranges);
	free(s->steps);
	free(s->path);
	free(s->name);
	free(s->title);
	free(s);
}

const char *scenario_option(const struct scenario *s, const char *name)
{
	for (size_t i = s->n_options; i > 0; i--)
		if (strcmp(s->options[i - 1].name, name) == 0)
			return s->options[i - 1].value;
	return NULL;
}

void scenario_reset(struct scenario *s)
{
	for (size_t i = 0; i < s->n_ranges; i++)
		for (size_t k = 0; k < s->ranges[i].n_entries; k++)
			s->ranges[i].entries[k]->used = 0;
	for (size_t i = 0; i < s->n_steps; i++)
		if (s->steps[i].entry != NULL)
			s->steps[i].entry->used = 0;
}
