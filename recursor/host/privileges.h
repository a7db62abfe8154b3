/*
 * privileges: from the user who may bind to port 53 to the one who serves, with no way back.
 *
 * Order: users, groups and the root are looked up, then chroot, groups, group, user; then it is tried
 * whether the old ones can be had again; a user's capabilities go; and that no program run later
 * can gain any is set.  All but root come out of it without a capability.
 */
#ifndef RECURSOR_PRIVILEGES_H
#define RECURSOR_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"
#include "recursor/settings/settings.h"

/* Whom setuid and setgid name. */
struct identity {
	bool has_user, has_group;
	uid_t uid;
	gid_t gid;
	char name[64]; /* of the user, for its other groups; "" when it is a mere number */
};

/* Looks at the root directory, too: nothing is opened below one that is none.  E_NOT_FOUND, E_SYSTEM with
 * one line in `why`. */
int privileges_identity(struct identity *out, const struct settings *s,
			char why[SETTINGS_WHY_MAX]) MUST_USE;

/* E_SYSTEM with one line in `why`: the process must end then. */
int privileges_drop(const struct identity *who, const char *chroot_dir,
		    char why[SETTINGS_WHY_MAX]) MUST_USE;

#endif
