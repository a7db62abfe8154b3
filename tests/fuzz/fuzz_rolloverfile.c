/*
 * A trustanchor-state-file of any bytes, with and without the right last line: what is read is
 * written, and read again as the same.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "recursor/files/rolloverfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rollovers read, again;
static char why[ROLLOVERFILE_WHY_MAX];

static void write_and_read(void)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ASSERT(f != NULL && rolloverfile_write(f, &read) == E_OK);
	ASSERT(fclose(f) == 0);
	ASSERT(rolloverfile_parse(&again, text, len, why) == E_OK);
	ASSERT(again.n == read.n);
	for (size_t i = 0; i < read.n; i++) {
		struct rrset *a = NULL, *b = NULL;

		ASSERT(again.zones[i].n == read.zones[i].n);
		ASSERT(again.zones[i].print == read.zones[i].print);
		ASSERT(rollover_trusted(&a, &read.zones[i]) == E_OK);
		ASSERT(rollover_trusted(&b, &again.zones[i]) == E_OK);
		ASSERT((a == NULL) == (b == NULL));
		ASSERT(a == NULL || rrset_equal_data(a, b));
		rrset_put(a);
		rrset_put(b);
	}
	rollovers_deinit(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 32);

	ASSERT(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (rolloverfile_parse(&read, text, size, why) == E_OK)
		write_and_read();
	rollovers_deinit(&read);
	if (size > 0)
		memcpy(text, data, size);
	(void)sprintf(text + size, "end %08x\n", crc32c(0, text, size));
	if (rolloverfile_parse(&read, text, size + strlen(text + size), why) == E_OK)
		write_and_read();
	rollovers_deinit(&read);
	free(text);
	return 0;
}
