/*
 * recursor.conf's syntax: any bytes.  What comes out must be words without stray blanks, and
 * reading it again as an option must give the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/conf.h"
#include "common/netset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count_word(void *ctx, const char *word, size_t len)
{
	size_t *n = ctx;

	ASSERT(len > 0 && memchr(word, ',', len) == NULL && memchr(word, ' ', len) == NULL);
	++*n;
	return E_OK;
}

static bool ends_in_blank(const char *text)
{
	size_t len = strlen(text);

	return len > 0 &&
	       (strchr(" \t\r\n", text[0]) != NULL || strchr(" \t\r\n", text[len - 1]) != NULL);
}

static int look_at(void *ctx, const struct conf_item *item)
{
	unsigned *last_line = ctx;
	struct netset *set = NULL;
	char bad[ADDR_TEXT_MAX], text[ADDR_TEXT_MAX];
	struct addr a, again;
	long long number;
	size_t words = 0;

	ASSERT(!ends_in_blank(item->name) && !ends_in_blank(item->value));
	ASSERT(strchr(item->name, '=') == NULL);
	ASSERT(item->line > *last_line);
	*last_line = item->line;

	(void)conf_bool(item->value);
	if (conf_int(item->value, 0, 100, &number) == E_OK)
		ASSERT(number >= 0 && number <= 100);
	ASSERT(conf_each_word(item->value, count_word, &words) == E_OK);
	if (addr_from_text(&a, item->value, 53) == E_OK)
		ASSERT(addr_from_text(&again, addr_text(text, &a), 53) == E_OK &&
		       addr_equal(&a, &again));
	ASSERT(netset_new(&set) == E_OK);
	if (netset_add_list(set, item->value, bad) == E_OK)
		ASSERT(netset_count(set) <= words);
	else
		ASSERT(strlen(bad) < ADDR_TEXT_MAX);
	netset_free(set);
	return E_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[100] = "";
	unsigned last_line = 0;
	int err = conf_read_text((const char *)data, size, "fuzz", look_at, &last_line, why,
				 sizeof(why));

	ASSERT((err == E_OK) == (why[0] == '\0'));
	return 0;
}
