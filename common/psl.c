/* psl: see psl.h. */
#include "common/psl.h"

#include <libpsl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/conf.h"
#include "common/name.h"
#include "common/psl_filter.h"

struct psl {
	psl_ctx_t *owned;       /* NULL: libpsl's own rules */
	const psl_ctx_t *rules; /* the same, or those */
	uint64_t serial;        /* no two of a process have the same: for memos */
	_Atomic unsigned refs;
	struct psl_filter *filter; /* NULL: their names are not known */
};

/* ---- making it ---- */

static int load(struct psl *p, const char *path, char *why, size_t why_cap)
{
	static const char dafsa[] = ".DAFSA";
	psl_ctx_t *rules = NULL;
	char *text = NULL;
	FILE *f = NULL;
	size_t len;
	int err = conf_load_file(path, &text, &len);

	if (err != E_OK) {
		(void)snprintf(why, why_cap, "%s", err_why(err));
		return err;
	}
	/* What libpsl has compiled (a DAFSA) it reads as it is, whatever stands there. */
	err = E_MALFORMED;
	if (len > 0 && memchr(text, '\0', len) == NULL &&
	    strncmp(text, dafsa, strlen(dafsa)) != 0) {
		f = fmemopen(text, len, "r");
		if (f == NULL) {
			err = E_NOMEM;
			goto out;
		}
		rules = psl_load_fp(f);
	}
	if (rules != NULL && psl_suffix_count(rules) > 0)
		err = psl_filter_new(&p->filter, text);
	if (err == E_OK) {
		p->owned = rules;
		rules = NULL;
	}
out:
	if (err != E_OK)
		(void)snprintf(why, why_cap, "%s",
			       err == E_MALFORMED ? "no public suffix in it" : err_text(err));
	psl_free(rules);
	if (f != NULL)
		(void)fclose(f);
	free(text);
	return err;
}

/* The distribution's list, as text, beside the compiled one that psl_latest() would take; false: that
 * is not there, or is older than what libpsl was built with. */
static bool load_dist(struct psl *p)
{
	static const char compiled[] = ".dafsa", text[] = ".dat";
	const char *dist = psl_dist_filename();
	size_t len = strlen(dist), end = len - (sizeof(compiled) - 1);
	char path[PATH_MAX], why[128];
	struct stat st;

	if (len < sizeof(compiled) || len >= sizeof(path) || strcmp(dist + end, compiled) != 0)
		return false;
	memcpy(path, dist, end);
	memcpy(path + end, text, sizeof(text));
	return stat(path, &st) == 0 && st.st_mtime >= psl_builtin_file_time() &&
	       load(p, path, why, sizeof(why)) == E_OK;
}

int psl_new(struct psl **out, const char *path, char *why, size_t why_cap)
{
	static _Atomic uint64_t serials;
	struct psl *p = calloc(1, sizeof(*p));
	int err = E_OK;

	if (p == NULL) {
		(void)snprintf(why, why_cap, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	if (*path != '\0')
		err = load(p, path, why, why_cap);
	else if (!load_dist(p))
		p->owned = psl_latest(NULL);
	/* Who has no list of his own lives with the one that libpsl has, perhaps none: every top-level
	 * domain then is a suffix, and nothing else. */
	p->rules = p->owned != NULL ? p->owned : psl_builtin();
	if (err != E_OK) {
		free(p);
		return err;
	}
	p->serial = atomic_fetch_add(&serials, 1) + 1;
	atomic_init(&p->refs, 1);
	*out = p;
	return E_OK;
}

struct psl *psl_get(struct psl *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void psl_put(struct psl *p)
{
	if (p == NULL || atomic_fetch_sub(&p->refs, 1) > 1)
		return;
	psl_filter_free(p->filter);
	psl_free(p->owned); /* accepts libpsl's own, which psl_latest() may return */
	free(p);
}

/* ---- asking it ---- */

/* The last labels of a name, as libpsl reads them. */
struct tail {
	const uint8_t *wire[PSL_LABELS_MAX]; /* from the longest to the last label alone */
	const char *text[PSL_LABELS_MAX];
	char buf[PSL_LABELS_MAX * (NAME_MAX_LABEL + 1)];
};

/* Of what is no host name's, a dot within a label above all, no rule knows anything: a blank stands in
 * none, since libpsl ends a rule there. */
static char plain(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + 'a' - 'A');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		return (char)c;
	return ' ';
}

/* Returns how many labels were taken. */
static unsigned take_tail(struct tail *t, const uint8_t *name)
{
	char *at = t->buf;
	unsigned n = 0;

	for (const uint8_t *label = name_suffix(name, PSL_LABELS_MAX);
	     *label != 0 && n < PSL_LABELS_MAX; label += *label + 1) {
		t->wire[n] = label;
		t->text[n++] = at;
		for (unsigned i = 1; i <= *label; i++)
			*at++ = plain(label[i]);
		*at++ = '.';
	}
	if (n > 0)
		at[-1] = '\0';
	return n;
}

static unsigned registrable(unsigned labels, unsigned suffix)
{
	return suffix < labels ? suffix + 1 : labels;
}

static bool is_suffix(const struct psl *p, const char *text)
{
	return p->rules != NULL && psl_is_public_suffix(p->rules, text);
}

unsigned psl_registrable(const struct psl *p, const uint8_t *name)
{
	unsigned labels = name_labels(name), n;
	struct tail t;

	if (labels <= 2)
		return labels;
	n = take_tail(&t, name);
	for (unsigned i = 0; i + 1 < n; i++)
		if (is_suffix(p, t.text[i]))
			return registrable(labels, n - i);
	return 2;
}

/* ---- remembering ---- */

enum { MEMO_ENTRIES = 4096, MEMO_LABELS = 127 };

struct psl_memo {
	uint64_t serial; /* of the psl that it is about */
	/* A name's hash but for the last seven bits: those are the labels of its public suffix, 0
	 * in an entry that is empty. */
	uint64_t entries[MEMO_ENTRIES];
};

int psl_memo_new(struct psl_memo **out)
{
	struct psl_memo *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return E_NOMEM;
	*out = m;
	return E_OK;
}

void psl_memo_free(struct psl_memo *m)
{
	free(m);
}

static uint64_t *entry_of(struct psl_memo *m, uint64_t hash)
{
	return &m->entries[hash >> 32 & (MEMO_ENTRIES - 1)];
}

/* The labels of the public suffix, 0: not known. */
static unsigned recall(struct psl_memo *m, uint64_t hash)
{
	uint64_t known = *entry_of(m, hash);

	return ((known ^ hash) & ~(uint64_t)MEMO_LABELS) == 0 ? known & MEMO_LABELS : 0;
}

static void note(struct psl_memo *m, uint64_t hash, unsigned suffix)
{
	*entry_of(m, hash) = (hash & ~(uint64_t)MEMO_LABELS) | suffix;
}

/* Is the name with hashes[i] a suffix?  The text of the names is made when libpsl has to be asked
 * for the first time. */
static bool is_known_suffix(const struct psl *p, struct tail *t, const uint8_t *whole,
			    const uint64_t *hashes, unsigned i)
{
	if (p->filter != NULL && psl_filter_knows(whole) &&
	    !psl_filter_may_be_suffix(p->filter, hashes[i], hashes[i + 1]))
		return false;
	if (t->text[0] == NULL)
		(void)take_tail(t, whole);
	return is_suffix(p, t->text[i]);
}

unsigned psl_registrable_memo(struct psl_memo *m, const struct psl *p, const uint8_t *name,
			      uint64_t hash)
{
	unsigned labels = name_labels(name), n = labels < PSL_LABELS_MAX ? labels : PSL_LABELS_MAX;
	const uint8_t *whole = name_suffix(name, n), *at = whole;
	uint64_t hashes[PSL_LABELS_MAX];
	unsigned suffix, last = 0; /* of the hashes */
	struct tail t;

	if (labels <= 2)
		return labels;
	if (m->serial != p->serial) {
		memset(m->entries, 0, sizeof(m->entries));
		m->serial = p->serial;
	}
	memset(t.text, 0, sizeof(t.text));
	hashes[0] = n == labels ? hash : name_hash(whole);
	suffix = recall(m, hashes[0]);
	/* What is no suffix has its parent's, the last label is always one. */
	while (suffix == 0 && last + 1 < n) {
		at = name_parent(at);
		hashes[++last] = name_hash(at);
		if (is_known_suffix(p, &t, whole, hashes, last - 1))
			suffix = n - last + 1;
		else
			suffix = recall(m, hashes[last]);
	}
	if (suffix == 0)
		suffix = 1;
	/* A name that libpsl was not asked about is found as fast again: those met once stay out. */
	for (unsigned i = t.text[0] == NULL; i <= last && i <= n - suffix; i++)
		note(m, hashes[i], suffix);
	return registrable(labels, suffix);
}
