/*
 * The control protocol's parts: a header and the words of a request, from any bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/ctl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 8 };

static void split(const uint8_t *data, size_t size)
{
	char text[1024], *words[WORDS];
	int n;

	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	n = ctl_split(text, words, WORDS);
	ASSERT(n == E_LIMIT || (n >= 0 && n <= WORDS));
	for (int i = 0; i < n; i++) {
		ASSERT(words[i] >= text && words[i] + strlen(words[i]) <= text + size);
		ASSERT(words[i][0] != '\0' && strpbrk(words[i], " \t") == NULL);
		ASSERT(i == 0 || words[i] > words[i - 1]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl_header h;
	uint8_t again[CTL_HEADER_LEN];

	if (size < CTL_HEADER_LEN) {
		split(data, size);
		return 0;
	}
	if (ctl_get_header(data, CTL_REQUEST_MAX, &h) == E_OK) {
		ASSERT(h.length <= CTL_REQUEST_MAX);
		ctl_put_header(again, &h);
		ASSERT(memcmp(again, data, CTL_HEADER_LEN) == 0);
	}
	split(data + CTL_HEADER_LEN, size - CTL_HEADER_LEN);
	return 0;
}
