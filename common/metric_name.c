#include "common/metric_name.h"

#include <stddef.h>
#include <string.h>

/* Where the number at the end begins; the length when there is none. */
static size_t stem_len(const char *name)
{
	size_t len = strlen(name);

	while (len > 0 && name[len - 1] >= '0' && name[len - 1] <= '9')
		len--;
	return len;
}

static int compare_digits(const char *a, const char *b)
{
	size_t len_a, len_b;

	a += strspn(a, "0");
	b += strspn(b, "0");
	len_a = strlen(a);
	len_b = strlen(b);
	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	return strcmp(a, b);
}

int metric_name_compare(const char *a, const char *b)
{
	size_t stem_a = stem_len(a), stem_b = stem_len(b);
	int order = memcmp(a, b, stem_a < stem_b ? stem_a : stem_b);

	if (order == 0 && stem_a != stem_b)
		order = stem_a < stem_b ? -1 : 1;
	if (order == 0)
		order = compare_digits(a + stem_a, b + stem_b);
	return order != 0 ? order : strcmp(a, b); /* le-020 is another name than le-20 */
}
