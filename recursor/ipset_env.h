/*
 * ipset_env: the process's sets of addresses as the operator's commands and metrics reach them.
 */
#ifndef RECURSOR_IPSET_ENV_H
#define RECURSOR_IPSET_ENV_H

#include "recursor/policy/ipset.h"
#include "recursor/watch/env.h"

/* `sets` lives as long as what is filled in. */
void ipset_env_fill(struct watch_ipset_ops *out, struct ipsets *sets);

#endif
