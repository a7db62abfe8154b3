/*
 * A file for load-ipset, from any bytes.  What is refused has a reason that names file and line and
 * leaves the set as it was; what is taken is the same after it was written and read again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "recursor/policy/ipset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1000 };

static struct ipset *open_set(struct ipsets *all, const char *name)
{
	const struct ipset_options o = { .name = name, .has_ttl = true, .ttl_s = 60 };
	struct ipset *s = NULL;

	ASSERT(ipsets_open(all, &s, &o) == E_OK);
	return s;
}

static int read_set(struct ipset *s, const void *data, size_t size, size_t *n, char *why)
{
	FILE *f = fmemopen((void *)data, size, "r");
	int err;

	ASSERT(f != NULL);
	err = ipset_read(s, f, "list", NOW, n, why);
	(void)fclose(f);
	return err;
}

static int compare(void *ctx, const struct addr *a, uint32_t left_s)
{
	struct ipset *other = ctx;

	ASSERT(ipset_has(other, NULL, a, NOW));
	ASSERT(left_s == 0 || !ipset_has(other, NULL, a, NOW + left_s));
	ASSERT(ipset_has(other, NULL, a, NOW + (left_s == 0 ? 1000000000 : left_s - 1)));
	return E_OK;
}

static void write_and_read(struct ipset *s, struct ipset *other, size_t n)
{
	char why[IPSET_WHY_MAX], *text = NULL;
	size_t len, written = 0, again = 0;
	FILE *f = open_memstream(&text, &len);

	ASSERT(f != NULL && ipset_write(s, f, NOW, &written) == E_OK && fclose(f) == 0);
	ASSERT(written == n);
	ASSERT(read_set(other, text, len, &again, why) == E_OK && again == n);
	ASSERT(ipset_walk(s, NOW, compare, other) == E_OK);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ipsets_config cfg = { .max_sets = 2, .max_entries = 100 };
	const struct addr known = { .family = 4, .ip = { 192, 0, 2, 99 } };
	char why[IPSET_WHY_MAX] = "";
	struct ipsets *all = NULL;
	struct ipset *s, *other;
	size_t n = 0;

	if (size == 0)
		return 0;
	hash_key_set(1, 2);
	ASSERT(ipsets_new(&all, &cfg) == E_OK);
	s = open_set(all, "a");
	other = open_set(all, "b");
	ASSERT(ipset_add(s, &known, 0, NOW) == E_OK);
	if (read_set(s, data, size, &n, why) == E_OK) {
		ASSERT(n == ipset_count(s));
		if (n <= 40)
			write_and_read(s, other, n);
	} else {
		ASSERT(strncmp(why, "list:", 5) == 0 && strchr(why, '\n') == NULL);
		ASSERT(ipset_count(s) == 1 && ipset_has(s, NULL, &known, NOW));
	}
	ipset_put(s);
	ipset_put(other);
	ipsets_free(all);
	return 0;
}
