#include "common/rdata_text.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/msg.h"
#include "common/name.h"
#include "common/rrtype.h"

bool rdata_is_sound(uint16_t type, const uint8_t *rdata, uint16_t len)
{
	uint8_t unfolded[WIRE_MSG_MAX];
	struct msg m = { .wire = rdata, .len = len };
	struct msg_rr rr = { .type = type, .rdlen = len };
	uint16_t n = 0;

	return msg_rdata(&m, &rr, unfolded, sizeof(unfolded), &n) == E_OK && n == len;
}

/* ---- from text ---- */

static int refuse(char why[RDATA_TEXT_WHY_MAX], int err, const char *reason)
{
	(void)snprintf(why, RDATA_TEXT_WHY_MAX, "%s", reason);
	return err;
}

/* The rdata as ldns has them. */
static int rdata_of(const ldns_rr *rr, uint16_t type, uint8_t *out, uint16_t *len)
{
	ldns_buffer *buf = ldns_buffer_new(512);
	int err = E_NOMEM;

	if (buf == NULL)
		return E_NOMEM;
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
		if (ldns_rdf2buffer_wire(buf, ldns_rr_rdf(rr, i)) != LDNS_STATUS_OK)
			goto out;
	err = E_TOO_LONG;
	if (ldns_buffer_position(buf) > WIRE_MSG_MAX)
		goto out;
	err = E_MALFORMED;
	if (!rdata_is_sound(type, ldns_buffer_begin(buf), (uint16_t)ldns_buffer_position(buf)))
		goto out;
	*len = (uint16_t)ldns_buffer_position(buf);
	memcpy(out, ldns_buffer_begin(buf), *len);
	err = E_OK;
out:
	ldns_buffer_free(buf);
	return err;
}

/* Without the blanks at its end: ldns takes those behind a string for something more.  One that a
 * backslash is before belongs to the text. */
static int text_len(const char *text)
{
	size_t len = strlen(text);

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t') &&
	       !(len > 1 && text[len - 2] == '\\'))
		len--;
	return (int)len;
}

static uint32_t unit_s(char c)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	const char *at = c != '\0' ? strchr(units, c | 32) : NULL;

	return at != NULL ? seconds[at - units] : 0;
}

/* "3600", or "1h30m" where it may be a period; false: it is a word. */
static bool number_of(const char *word, size_t len, uint64_t *out)
{
	uint64_t n = 0;

	*out = 0;
	if (len == 0 || word[0] < '0' || word[0] > '9')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (word[i] >= '0' && word[i] <= '9') {
			n = n * 10 + (uint64_t)(word[i] - '0');
			if (n > UINT32_MAX)
				n = UINT32_MAX + 1ull; /* too large it stays */
		} else if (unit_s(word[i]) != 0) {
			*out += n * unit_s(word[i]);
			n = 0;
		} else {
			return false;
		}
	}
	*out += n;
	return true;
}

/* The most that a number of that kind may be; 0: it is none that is looked at. */
static uint64_t most_of(ldns_rdf_type kind)
{
	switch (kind) {
	case LDNS_RDF_TYPE_INT8:
	case LDNS_RDF_TYPE_ALG:
	case LDNS_RDF_TYPE_CERTIFICATE_USAGE:
	case LDNS_RDF_TYPE_SELECTOR:
	case LDNS_RDF_TYPE_MATCHING_TYPE:
		return UINT8_MAX;
	case LDNS_RDF_TYPE_INT16:
	case LDNS_RDF_TYPE_CERT_ALG:
		return UINT16_MAX;
	case LDNS_RDF_TYPE_INT32:
	case LDNS_RDF_TYPE_PERIOD:
		return UINT32_MAX;
	default:
		return 0;
	}
}

/* Up to a blank that is not escaped. */
static size_t word_len(const char *text, const char *blanks)
{
	size_t len = 0;

	while (text[len] != '\0' && strchr(blanks, text[len]) == NULL)
		len += text[len] == '\\' && text[len + 1] != '\0' ? 2 : 1;
	return len;
}

/* ldns cuts numbers off to the size of their place.  They stand at the front, a word each; what comes
 * after a string is left to it. */
static bool do_numbers_fit(const ldns_rr *rr, const char *text)
{
	static const char blanks[] = " \t()";

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		uint64_t most = most_of(ldns_rdf_get_type(ldns_rr_rdf(rr, i))), n;
		size_t len;

		text += strspn(text, blanks);
		len = word_len(text, blanks);
		if (len == 0 || memchr(text, '"', len) != NULL)
			return true;
		if (most != 0 &&
		    (number_of(text, len, &n) ? n > most : *text == '-' || *text == '+'))
			return false;
		text += len;
	}
	return true;
}

static int read_with_ldns(uint8_t *out, uint16_t *len, uint16_t type, const char *text,
			  const uint8_t *origin, char why[RDATA_TEXT_WHY_MAX])
{
	ldns_rdf *base = ldns_dname_new_frm_data((uint16_t)name_len(origin), origin);
	ldns_rr *rr = NULL;
	ldns_status status;
	char *line = NULL;
	int err = E_NOMEM;

	if (base == NULL ||
	    asprintf(&line, ". 0 IN TYPE%u %.*s", (unsigned)type, text_len(text), text) < 0) {
		line = NULL;
		err = refuse(why, E_NOMEM, err_text(E_NOMEM));
		goto out;
	}
	status = ldns_rr_new_frm_str(&rr, line, 0, base, NULL);
	if (status != LDNS_STATUS_OK) {
		rr = NULL;
		err = refuse(why, status == LDNS_STATUS_MEM_ERR ? E_NOMEM : E_MALFORMED,
			     ldns_get_errorstr_by_id(status));
		goto out;
	}
	if (!do_numbers_fit(rr, text)) {
		err = refuse(why, E_MALFORMED, "a number is too large or too small for its place");
		goto out;
	}
	err = rdata_of(rr, type, out, len);
	if (err != E_OK)
		err = refuse(why, err, err_text(err));
out:
	ldns_rr_free(rr);
	ldns_rdf_deep_free(base);
	free(line);
	return err;
}

/* Addresses and whole names alone, at no cost.  False: ldns is to read it, or to refuse it. */
static bool read_plain(uint8_t *out, uint16_t *len, uint16_t type, const char *text)
{
	size_t n = strlen(text);

	if (type == TYPE_A || type == TYPE_AAAA) {
		*len = type == TYPE_A ? 4 : 16;
		return inet_pton(type == TYPE_A ? AF_INET : AF_INET6, text, out) == 1;
	}
	if (strcmp(rrtype_layout(type), "N") != 0 && type != TYPE_DNAME)
		return false;
	if (n == 0 || text[n - 1] != '.' || strpbrk(text, "\\\" \t();@") != NULL ||
	    name_from_text(out, text) != E_OK)
		return false;
	*len = (uint16_t)name_len(out);
	return true;
}

int rdata_from_text(uint8_t out[WIRE_MSG_MAX], uint16_t *len, uint16_t type, const char *text,
		    const uint8_t *origin, char why[RDATA_TEXT_WHY_MAX])
{
	if (read_plain(out, len, type, text))
		return E_OK;
	return read_with_ldns(out, len, type, text, origin != NULL ? origin : name_root, why);
}

/* ---- to text ---- */

/* ldns leaves a tab within a string as it is, and blanks at the end of a line. */
static char *tidy(const char *rdata)
{
	size_t len = strcspn(rdata, "\n");
	char *out = malloc(4 * len + 1), *p = out;

	if (out == NULL)
		return NULL;
	while (len > 0 && rdata[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		if (rdata[i] == '\t')
			p = stpcpy(p, "\\009");
		else
			*p++ = rdata[i];
	}
	*p = '\0';
	return out;
}

/* The rdata as ldns writes them, into a buffer of its own; NULL when they make no sense to it. */
static char *write_with_ldns(uint16_t type, const uint8_t *rdata, uint16_t len)
{
	size_t head = 1 + 10, pos = 0;
	uint8_t *wire = malloc(head + len);
	ldns_rr *record = NULL;
	ldns_buffer *text = NULL;
	char *all = NULL, *line = NULL;

	if (wire == NULL)
		return NULL;
	wire[0] = 0; /* the owner: the root */
	(void)wire_put_fixed(wire + 1, type, 0, len);
	if (len > 0)
		memcpy(wire + head, rdata, len);
	/* Room for all of it at once: there are types (SVCB, HTTPS) for which ldns does not make
	 * room as it writes, and a long record of them would end the process on its assertion.
	 * Five bytes become of one at the most in these (a list of keys). */
	text = ldns_buffer_new(2 * NAME_TEXT_MAX + 8 * (size_t)len);
	if (text == NULL ||
	    ldns_wire2rr(&record, wire, head + len, &pos, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		goto out;
	if (ldns_rr2buffer_str_fmt(text, ldns_output_format_nocomments, record) != LDNS_STATUS_OK)
		goto out;
	all = ldns_buffer_export2str(text);
	line = all;
	/* owner, TTL, class, type: each with a tab behind it */
	for (unsigned i = 0; i < 4 && line != NULL; i++) {
		line = strchr(line, '\t');
		line += line != NULL;
	}
	line = line != NULL ? tidy(line) : NULL;
out:
	free(all);
	ldns_buffer_free(text);
	ldns_rr_free(record);
	free(wire);
	return line;
}

/* The form that any rdata can take (RFC 3597 5). */
static char *write_generic(const uint8_t *rdata, uint16_t len)
{
	size_t cap = 16 + 2 * (size_t)len;
	char *text = malloc(cap);
	int n;

	if (text == NULL)
		return NULL;
	n = snprintf(text, cap, "\\# %u%s", (unsigned)len, len > 0 ? " " : "");
	for (size_t i = 0; i < len; i++)
		n += snprintf(text + n, cap - (size_t)n, "%02x", (unsigned)rdata[i]);
	return text;
}

char *rdata_to_text(uint16_t type, const uint8_t *rdata, uint16_t len)
{
	char *text = write_with_ldns(type, rdata, len);

	return text != NULL ? text : write_generic(rdata, len);
}
