/*
 * A list of networks, of any bytes, as allow-from-file has them: what is taken is found again, and
 * prints as a list that makes an equal set.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/netset.h"

enum { ADDRS = 4 };

/* Addresses out of the input itself, so that some lie in what it lists. */
static void check_equal(const struct netset *a, const struct netset *b, const uint8_t *data,
			size_t size)
{
	for (size_t i = 0; i < ADDRS && size >= 17 * (i + 1); i++) {
		struct addr addr = { .family = data[17 * i] & 1 ? 4 : 6, .port = 53 };

		memcpy(addr.ip, data + 17 * i + 1, addr.family == 4 ? 4 : 16);
		ASSERT(netset_match(a, &addr) == netset_match(b, &addr));
	}
}

static void print_and_read(const struct netset *s, const uint8_t *data, size_t size)
{
	size_t cap = netset_count(s) * (ADDR_TEXT_MAX + 8) + 1;
	char *text = malloc(cap), bad[ADDR_TEXT_MAX];
	struct netset *again = NULL;

	ASSERT(text != NULL && netset_new(&again) == E_OK);
	(void)netset_text(s, text, cap);
	ASSERT(netset_add_list(again, text, bad) == E_OK);
	ASSERT(netset_count(again) == netset_count(s));
	check_equal(s, again, data, size);
	netset_free(again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), bad[ADDR_TEXT_MAX] = "";
	struct netset *s = NULL;

	ASSERT(text != NULL && netset_new(&s) == E_OK);
	memcpy(text, data, size);
	text[size] = '\0';
	for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
		if (netset_add_list(s, line, bad) != E_OK)
			ASSERT(strnlen(bad, sizeof(bad)) < sizeof(bad));
	print_and_read(s, data, size);
	netset_free(s);
	free(text);
	return 0;
}
