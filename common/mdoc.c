/* mdoc: see mdoc.h. */
#include "common/mdoc.h"

void mdoc_print(FILE *f, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\e", f);
		else if (*text == '-')
			fputs("\\-", f);
		else
			fputc(*text, f);
	}
}
