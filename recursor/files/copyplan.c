/* copyplan: see copyplan.h. */
#include "recursor/files/copyplan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRIMARY_PORT = 53, MEGABYTE = 1 << 20 };

static int refuse(char *why, int err, const char *what, const char *words)
{
	(void)snprintf(why, LUACONFIG_WHY_MAX, "%s%s'%.200s'", words, *words != '\0' ? " " : "",
		       what);
	return err;
}

static int read_wish(enum copy_wish *out, const char *text, const char *key, char *why)
{
	static const char *const words[] = { "ignore", "validate", "require" };

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0) {
			*out = (enum copy_wish)i;
			return E_OK;
		}
	(void)snprintf(why, LUACONFIG_WHY_MAX, "%s is ignore, validate or require, not '%.100s'",
		       key, text);
	return E_MALFORMED;
}

/* The servers, in the order in which they are asked; with a space between them. */
static int read_primaries(struct copy_plan *p, const char *text, char *why)
{
	char word[ADDR_TEXT_MAX];
	int n;

	for (; sscanf(text, " %63s%n", word, &n) == 1; text += n) {
		struct addr *a = &p->primaries[p->n_primaries];

		if (p->n_primaries == COPY_PRIMARIES_MAX)
			return refuse(why, E_LIMIT, word, "too many servers:");
		if (addr_from_text(a, word, PRIMARY_PORT) != E_OK || a->port == 0)
			return refuse(why, E_MALFORMED, word, "no address of a server:");
		p->n_primaries++;
	}
	return p->n_primaries > 0 ? E_OK : refuse(why, E_MALFORMED, text, "no source:");
}

static bool has_family(const struct copy_plan *p, unsigned family)
{
	for (unsigned i = 0; i < p->n_primaries; i++)
		if (p->primaries[i].family == family)
			return true;
	return false;
}

static int read_source(struct copy_plan *p, const struct luaconfig_copy *w, char *why)
{
	size_t len = strlen(w->source);
	int err = E_OK;

	if (strcmp(w->method, "url") == 0)
		return refuse(why, E_UNSUPPORTED, w->source,
			      "the method url is not served here: have curl(1) fetch the zone, and "
			      "read it with the method file, in the place of");
	p->is_file = strcmp(w->method, "file") == 0;
	if (!p->is_file && strcmp(w->method, "axfr") != 0)
		return refuse(why, E_MALFORMED, w->method, "the method is axfr or file, not");
	if (len == 0 || len >= sizeof(p->source))
		return refuse(why, E_MALFORMED, w->source, "no source:");
	memcpy(p->source, w->source, len + 1);
	if (p->is_file && w->sources > 1)
		return refuse(why, E_MALFORMED, w->source, "more than one file:");
	if (!p->is_file)
		err = read_primaries(p, w->source, why);
	if (err != E_OK)
		return err;
	if (w->local_address != NULL && (addr_from_text(&p->local, w->local_address, 0) != E_OK ||
					 p->local.port != 0 || !has_family(p, p->local.family)))
		return refuse(why, E_MALFORMED, w->local_address,
			      "localAddress is no address to reach the server from:");
	return E_OK;
}

static int read_tsig(struct copy_plan *p, const struct luaconfig_copy *w, char *why)
{
	char reason[TSIG_WHY_MAX];
	int err;

	if (w->tsig_name == NULL && w->tsig_algorithm == NULL && w->tsig_secret == NULL)
		return E_OK;
	if (w->tsig_name == NULL || w->tsig_algorithm == NULL || w->tsig_secret == NULL)
		return refuse(why, E_MALFORMED, "tsigsecret", "tsigname needs tsigalgo and");
	err = tsig_key_read(&p->tsig, w->tsig_name, w->tsig_algorithm, w->tsig_secret, reason);
	if (err != E_OK)
		(void)snprintf(why, LUACONFIG_WHY_MAX, "%s", reason);
	return err;
}

static int read_plan(struct copy_plan *p, const struct luaconfig_copy *w, char *why)
{
	int err = *w->zone == '\0' ? E_MALFORMED : name_from_text(p->zone, w->zone);

	if (err != E_OK)
		return refuse(why, err, w->zone, "no domain name:");
	(void)name_lower(p->zone, p->zone);
	p->timeout_s = w->timeout_s;
	p->refresh_s = w->refresh_s;
	p->retry_s = w->retry_s;
	p->max_bytes = (size_t)w->max_megabytes * MEGABYTE;
	err = read_source(p, w, why);
	if (err == E_OK)
		err = read_tsig(p, w, why);
	if (err == E_OK)
		err = read_wish(&p->zonemd, w->zonemd, "zonemd", why);
	if (err == E_OK)
		err = read_wish(&p->dnssec, w->dnssec, "dnssec", why);
	return err;
}

int copyplans_add(struct copyplans *to, const struct luaconfig_copy *wanted, char *why)
{
	struct copy_plan *more, *p;
	int err;

	if (to->n == COPIES_MAX)
		return refuse(why, E_LIMIT, wanted->zone, "too many zones:");
	more = realloc(to->plans, (to->n + 1) * sizeof(to->plans[0]));
	if (more == NULL)
		return refuse(why, E_NOMEM, wanted->zone, err_text(E_NOMEM));
	to->plans = more;
	p = &more[to->n];
	memset(p, 0, sizeof(*p));
	err = read_plan(p, wanted, why);
	for (size_t i = 0; err == E_OK && i < to->n; i++)
		if (name_equal(more[i].zone, p->zone))
			err = refuse(why, E_EXISTS, wanted->zone, "a second copy of");
	to->n += err == E_OK;
	return err;
}

void copyplans_clear(struct copyplans *p)
{
	free(p->plans);
	*p = (struct copyplans) { .n = 0 };
}
