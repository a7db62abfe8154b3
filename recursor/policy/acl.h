/*
 * acl: who may ask (allow-from).
 *
 * Who may not gets no answer at all, not even a refusal: a resolver that answers strangers
 * can be aimed at a third party.  An empty set allows everybody (settings.c warns).
 */
#ifndef POLICY_ACL_H
#define POLICY_ACL_H

#include <stdbool.h>

#include "common/addr.h"
#include "common/netset.h"

bool acl_allows(const struct netset *allow_from, const struct addr *client);

#endif
