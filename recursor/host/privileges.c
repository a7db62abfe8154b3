#include "recursor/host/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/conf.h"

static int refuse(char *why, int err, const char *name, const char *value, const char *reason)
{
	(void)snprintf(why, SETTINGS_WHY_MAX, "%s=%.200s: %s", name, value, reason);
	return err;
}

static int find_user(struct identity *who, const char *text, char *why)
{
	const struct passwd *pw = getpwnam(text);
	long long number;

	if (pw == NULL && conf_int(text, 0, UINT32_MAX - 1, &number) == E_OK) {
		pw = getpwuid((uid_t)number);
		who->uid = (uid_t)number;
	} else if (pw == NULL) {
		return refuse(why, E_NOT_FOUND, "setuid", text, "no such user");
	}
	who->has_user = true;
	if (pw == NULL)
		return E_OK;
	who->uid = pw->pw_uid;
	who->gid = pw->pw_gid;
	who->has_group = true;
	(void)snprintf(who->name, sizeof(who->name), "%s", pw->pw_name);
	return E_OK;
}

static int find_group(struct identity *who, const char *text, char *why)
{
	const struct group *gr = getgrnam(text);
	long long number;

	if (gr != NULL)
		who->gid = gr->gr_gid;
	else if (conf_int(text, 0, UINT32_MAX - 1, &number) == E_OK)
		who->gid = (gid_t)number;
	else
		return refuse(why, E_NOT_FOUND, "setgid", text, "no such group");
	who->has_group = true;
	return E_OK;
}

static int check_root(const char *dir, char *why)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		return refuse(why, E_SYSTEM, "chroot", dir, strerror(errno));
	return S_ISDIR(st.st_mode) ? E_OK : refuse(why, E_SYSTEM, "chroot", dir, strerror(ENOTDIR));
}

int privileges_identity(struct identity *out, const struct settings *s, char why[SETTINGS_WHY_MAX])
{
	struct identity who = { .uid = geteuid(), .gid = getegid() };
	int err = E_OK;

	if (*s->setuid != '\0')
		err = find_user(&who, s->setuid, why);
	if (err == E_OK && *s->setgid != '\0')
		err = find_group(&who, s->setgid, why);
	/* A number that the system does not know has no group of its own, and to keep root's
	 * would keep much of what is to be given up. */
	if (err == E_OK && who.has_user && !who.has_group)
		err = refuse(why, E_NOT_FOUND, "setuid", s->setuid,
			     "the user has no entry: say setgid too");
	if (err == E_OK && *s->chroot != '\0')
		err = check_root(s->chroot, why);
	if (err == E_OK)
		*out = who;
	return err;
}

static int system_refused(char *why, const char *what)
{
	(void)snprintf(why, SETTINGS_WHY_MAX, "cannot drop privileges: %s: %s", what,
		       strerror(errno));
	return E_SYSTEM;
}

static int set_groups(const struct identity *who, char *why)
{
	int rc;

	if (geteuid() == 0) {
		rc = who->name[0] != '\0' ? initgroups(who->name, who->gid)
					  : setgroups(1, &who->gid);
		if (rc != 0)
			return system_refused(why, "setting the groups");
	}
	if (setresgid(who->gid, who->gid, who->gid) != 0)
		return system_refused(why, "setgid");
	return E_OK;
}

/* In all three places. */
static bool is_identity(const struct identity *who)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	return getresuid(&r, &e, &s) == 0 && r == who->uid && e == who->uid && s == who->uid &&
	       getresgid(&rg, &eg, &sg) == 0 && rg == who->gid && eg == who->gid && sg == who->gid;
}

/* What is dropped must be gone, and not to be had again. */
static bool is_dropped(const struct identity *who, uid_t old_uid, gid_t old_gid)
{
	if (!is_identity(who))
		return false;
	if (who->uid == 0)
		return true;
	return setuid(0) != 0 && (old_uid == who->uid || seteuid(old_uid) != 0) &&
	       (old_gid == who->gid || setegid(old_gid) != 0);
}

static int change_user(const struct identity *who, char *why)
{
	uid_t old_uid = geteuid();
	gid_t old_gid = getegid();
	int err = E_OK;

	/* Whoever started us did it, and may have forbidden the calls, too. */
	if (old_uid != 0 && is_identity(who))
		return E_OK;
	if (who->has_group)
		err = set_groups(who, why);
	if (err != E_OK || !who->has_user)
		return err;
	if (setresuid(who->uid, who->uid, who->uid) != 0)
		return system_refused(why, "setuid");
	errno = EPERM;
	return is_dropped(who, old_uid, old_gid) ? E_OK
						 : system_refused(why, "they could be had again");
}

/* A user's own, such as systemd gives for port 53.  Root's go with root. */
static int drop_capabilities(char *why)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (geteuid() == 0)
		return E_OK;
	return syscall(SYS_capset, &header, none) == 0 ? E_OK
						       : system_refused(why, "the capabilities");
}

int privileges_drop(const struct identity *who, const char *chroot_dir, char why[SETTINGS_WHY_MAX])
{
	int err;

	if (*chroot_dir != '\0' && (chroot(chroot_dir) != 0 || chdir("/") != 0)) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "chroot=%.200s: %s", chroot_dir,
			       strerror(errno));
		return E_SYSTEM;
	}
	err = change_user(who, why);
	if (err == E_OK)
		err = drop_capabilities(why);
	if (err == E_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		err = system_refused(why, "PR_SET_NO_NEW_PRIVS");
	return err;
}
