/* $GENERATE: a range on the first line, a template on the second; any bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/generate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *template, out[512];
	struct generate_range r = { 0, 0, 1 };

	ASSERT(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	template = text;
	(void)strsep(&template, "\n");
	if (generate_read_range(&r, text) == E_OK)
		ASSERT(r.step > 0 && r.first <= r.last && generate_count(&r) > 0);
	if (template != NULL && generate_expand(out, sizeof(out), template, r.last) == E_OK)
		ASSERT(strnlen(out, sizeof(out)) < sizeof(out));
	free(text);
	return 0;
}
