/* partial: see partial.h. */
#include "recursor/net/partial.h"

#include <stdlib.h>
#include <string.h>

void partial_free(struct partial *p)
{
	free(p->buf);
	*p = (struct partial) { 0 };
}

bool partial_keep(struct partial *p, const uint8_t *buf, size_t taken, size_t have)
{
	size_t rest = have - taken;

	if (rest == 0) {
		partial_free(p);
		return true;
	}
	if (p->buf == NULL) {
		p->buf = malloc(PARTIAL_BUFFER);
		if (p->buf == NULL)
			return false;
		memcpy(p->buf, buf + taken, rest);
	} else if (taken > 0) {
		memmove(p->buf, buf + taken, rest);
	}
	p->len = rest;
	return true;
}
