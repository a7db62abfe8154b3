/* A record of an rrset as a line of text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rdata_text.h"
#include "common/rrset.h"
#include "common/rrtype.h"

int rrset_record_text(const struct rrset *s, const struct rdata *rr, uint32_t ttl, char *out,
		      size_t cap)
{
	char owner[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	char *rdata, *line = NULL;
	int n, err = E_OK;

	rdata = rdata_to_text(s->type, rr->data, rr->len);
	if (rdata == NULL)
		return E_NOMEM;
	n = asprintf(&line, "%s %u IN %s %s", name_to_text(owner, rrset_owner(s)), (unsigned)ttl,
		     rrtype_to_text(s->type, type), rdata);
	if (n < 0) {
		err = E_NOMEM;
		goto out;
	}
	if ((size_t)n >= cap)
		err = E_TOO_LONG;
	else
		memcpy(out, line, (size_t)n + 1);
	free(line);
out:
	free(rdata);
	return err;
}
