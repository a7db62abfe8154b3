/* ipset_file: a set as text; see ipset_read() and ipset_write(). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/policy/ipset_impl.h"

enum { LINE_MAX_BYTES = 256 };

/* ---- writing ---- */

struct writing {
	FILE *f;
	size_t n;
};

static int write_entry(void *ctx, const struct addr *a, uint32_t left_s)
{
	struct writing *w = ctx;
	char text[ADDR_TEXT_MAX];
	int len;

	if (left_s == 0)
		len = fprintf(w->f, "%s 0\n", addr_ip_text(text, a));
	else
		len = fprintf(w->f, "%s %u\n", addr_ip_text(text, a), left_s);
	w->n++;
	return len < 0 ? E_SYSTEM : E_OK;
}

int ipset_write(struct ipset *s, FILE *f, uint32_t now_s, size_t *n)
{
	struct writing w = { .f = f };
	int err;

	if (fprintf(f, "# ipset %s: an address a line, and the seconds it stays; 0: for ever\n",
		    s->name) < 0)
		return E_SYSTEM;
	err = ipset_walk(s, now_s, write_entry, &w);
	if (err == E_OK)
		*n = w.n;
	return err;
}

/* ---- reading ---- */

struct reading {
	struct ipset *into;
	FILE *f;
	const char *file;
	uint32_t now_s;
	unsigned long line;
	size_t n;
	char *why;
};

static int refuse(const struct reading *r, int err, const char *what, const char *word)
{
	(void)snprintf(r->why, IPSET_WHY_MAX, "%s:%lu: %s%s%.80s%s", r->file, r->line, what,
		       word == NULL ? "" : " '", word == NULL ? "" : word, word == NULL ? "" : "'");
	return err;
}

static bool read_seconds(const char *word, uint32_t *out)
{
	unsigned long long value = 0;

	for (const char *p = word; *p != '\0'; p++) {
		if (*p < '0' || *p > '9')
			return false;
		value = value * 10 + (unsigned)(*p - '0');
		if (value > IPSET_TTL_MAX)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

static int add_words(struct reading *r, const char *address, const char *seconds, const char *more)
{
	uint32_t ttl_s = IPSET_TTL_OF_SET;
	struct addr a;
	int err;

	if (more != NULL)
		return refuse(r, E_MALFORMED, "more than an address and its seconds:", more);
	if (strchr(address, '/') != NULL)
		return refuse(r, E_MALFORMED, "an ipset holds addresses, no netmasks:", address);
	if (addr_from_text(&a, address, 0) != E_OK || a.port != 0)
		return refuse(r, E_MALFORMED, "not an address:", address);
	if (seconds != NULL && !read_seconds(seconds, &ttl_s))
		return refuse(r, E_MALFORMED, "not a number of seconds:", seconds);
	err = ipset_add(r->into, &a, ttl_s, r->now_s);
	if (err == E_LIMIT)
		return refuse(r, err, "more entries than max, or ipset-max-entries, allow", NULL);
	if (err != E_OK)
		return refuse(r, err, err_text(err), NULL);
	r->n++;
	return E_OK;
}

/* `line` has its closing zero at line[len]. */
static int read_line(struct reading *r, char *line, size_t len)
{
	static const char blanks[] = " \t\r\n";
	char *rest = line, *words[3] = { NULL };
	char *comment;

	if (memchr(line, '\0', len) != NULL)
		return refuse(r, E_MALFORMED, "a zero byte", NULL);
	comment = strchr(line, '#');
	if (comment != NULL)
		*comment = '\0';
	for (unsigned i = 0; i < ARRAY_LEN(words);) {
		words[i] = strsep(&rest, blanks);
		if (words[i] == NULL)
			break;
		i += words[i][0] != '\0';
	}
	/* Empty words were written over by the next, or by NULL at the end. */
	return words[0] == NULL ? E_OK : add_words(r, words[0], words[1], words[2]);
}

static int read_lines(struct reading *r)
{
	char line[LINE_MAX_BYTES];
	size_t len = 0;
	int c, err;

	do {
		c = getc_unlocked(r->f);
		if (c != EOF && c != '\n') {
			if (len + 1 == sizeof(line)) {
				r->line++;
				return refuse(r, E_TOO_LONG, "the line is too long", NULL);
			}
			line[len++] = (char)c;
			continue;
		}
		line[len] = '\0';
		r->line += c == '\n' || len > 0;
		err = read_line(r, line, len);
		if (err != E_OK)
			return err;
		len = 0;
	} while (c != EOF);
	if (!ferror(r->f))
		return E_OK;
	(void)snprintf(r->why, IPSET_WHY_MAX, "%s: %s", r->file, strerror(errno));
	return E_SYSTEM;
}

int ipset_read(struct ipset *s, FILE *f, const char *file, uint32_t now_s, size_t *n, char *why)
{
	const struct ipset_options like = {
		.has_ttl = true,
		.has_max = true,
		.ttl_s = atomic_load_explicit(&s->ttl_s, memory_order_relaxed),
		.max = atomic_load_explicit(&s->max, memory_order_relaxed),
	};
	struct reading r = { .f = f, .file = file, .now_s = now_s, .why = why };
	int err = ipsets_open(s->all, &r.into, &like);

	if (err != E_OK) {
		(void)snprintf(why, IPSET_WHY_MAX, "%s: %s", file, err_text(err));
		return err;
	}
	err = read_lines(&r);
	if (err == E_OK) {
		*n = (size_t)ipset_count(r.into); /* a line may repeat another */
		err = ipset_take(s, r.into);
		if (err != E_OK)
			(void)snprintf(why, IPSET_WHY_MAX, "%s: more entries than max allows",
				       file);
	}
	/* What was tried aside is not the metrics' business. */
	atomic_store_explicit(&r.into->adds, 0, memory_order_relaxed);
	atomic_store_explicit(&r.into->refusals, 0, memory_order_relaxed);
	ipset_put(r.into);
	return err;
}
