/* acl: see acl.h. */
#include "recursor/policy/acl.h"

bool acl_allows(const struct netset *allow_from, const struct addr *client)
{
	return netset_is_empty(allow_from) || netset_match(allow_from, client);
}
