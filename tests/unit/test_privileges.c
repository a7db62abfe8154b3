/* Much of this needs root; an ordinary user tests that nothing is pretended. */
#include <check.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/check.h"
#include "recursor/host/privileges.h"
#include "tests/unit/in_child.h"

enum { NOBODY = 65534 };

static char why[SETTINGS_WHY_MAX];
static char root_dir[] = "/tmp/unit_privileges_XXXXXX";

static struct settings *configured(const char *user, const char *group)
{
	char one[64], two[64];
	char *argv[] = { "recursor", "--config-dir=/nowhere", one, two, NULL };
	struct settings *s = NULL;

	(void)snprintf(one, sizeof(one), "--setuid=%s", user);
	(void)snprintf(two, sizeof(two), "--setgid=%s", group);
	ck_assert_msg(settings_load(&s, 4, argv, NULL, NULL, why) == E_OK, "%s", why);
	return s;
}

static int identity_of(struct identity *who, const char *user, const char *group)
{
	struct settings *s = configured(user, group);
	int err = privileges_identity(who, s, why);

	settings_free(s);
	return err;
}

START_TEST(finds_users_and_groups)
{
	struct identity who;

	ck_assert_int_eq(identity_of(&who, "", ""), E_OK);
	ck_assert(!who.has_user && !who.has_group);
	ck_assert_uint_eq(who.uid, geteuid());

	ck_assert_int_eq(identity_of(&who, "root", ""), E_OK);
	ck_assert(who.has_user && who.has_group);
	ck_assert_uint_eq(who.uid, 0);
	ck_assert_str_eq(who.name, "root");

	ck_assert_int_eq(identity_of(&who, "0", "4321"), E_OK);
	ck_assert_str_eq(who.name, "root");
	ck_assert_uint_eq(who.gid, 4321);

	ck_assert_int_eq(identity_of(&who, "", "root"), E_OK);
	ck_assert(!who.has_user && who.has_group);
	ck_assert_uint_eq(who.gid, 0);

	/* A number without an entry. */
	ck_assert_int_eq(identity_of(&who, "4242", "4321"), E_OK);
	ck_assert_uint_eq(who.uid, 4242);
	ck_assert_str_eq(who.name, "");
	ck_assert_int_eq(identity_of(&who, "4242", ""), E_NOT_FOUND);
	ck_assert_str_eq(why, "setuid=4242: the user has no entry: say setgid too");
}
END_TEST

START_TEST(a_root_that_is_none)
{
	static const struct {
		const char *argument, *line;
	} wrong[] = {
		{ "--chroot=/nowhere/at/all", "chroot=/nowhere/at/all: No such file or directory" },
		{ "--chroot=/dev/null", "chroot=/dev/null: Not a directory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		char argument[64];
		char *argv[] = { "recursor", "--config-dir=/nowhere", argument, NULL };
		struct settings *s = NULL;
		struct identity who;

		(void)snprintf(argument, sizeof(argument), "%s", wrong[i].argument);
		ck_assert_msg(settings_load(&s, 3, argv, NULL, NULL, why) == E_OK, "%s", why);
		ck_assert_int_eq(privileges_identity(&who, s, why), E_SYSTEM);
		ck_assert_str_eq(why, wrong[i].line);
		settings_free(s);
	}
}
END_TEST

static int drops(void)
{
	struct identity who = { .has_user = true, .has_group = true, .uid = NOBODY, .gid = NOBODY };
	gid_t groups[8];

	if (privileges_drop(&who, "", why) != E_OK)
		return 1;
	if (getuid() != NOBODY || geteuid() != NOBODY || getgid() != NOBODY)
		return 2;
	if (getgroups(8, groups) != 1 || groups[0] != NOBODY)
		return 3;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0)
		return 4;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 5;
}

static int drops_into_chroot(void)
{
	struct identity who = { .has_user = true, .has_group = true, .uid = NOBODY, .gid = NOBODY };
	char cwd[64] = "";

	if (privileges_drop(&who, root_dir, why) != E_OK)
		return 2;
	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, "/") != 0)
		return 3;
	return access("/tmp", F_OK) != 0 && geteuid() == NOBODY ? 0 : 4;
}

static int bad_chroot(void)
{
	struct identity who = { .uid = geteuid(), .gid = getegid() };

	return privileges_drop(&who, "/nowhere/at/all", why) == E_SYSTEM ? 0 : 1;
}

static int keeps_user(void)
{
	struct identity who = { .uid = geteuid(), .gid = getegid() };

	if (privileges_drop(&who, "", why) != E_OK)
		return 1;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 2;
}

static int user_cannot_change(void)
{
	struct identity who = { .has_user = true, .has_group = true, .uid = 4242, .gid = 4242 };

	if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0))
		return 1;
	return privileges_drop(&who, "", why) == E_SYSTEM ? 0 : 2;
}

START_TEST(drop)
{
	ck_assert_int_eq(in_child(keeps_user), 0);
	ck_assert_int_eq(in_child(user_cannot_change), 0);
	ck_assert_int_eq(in_child(bad_chroot), 0);
	if (geteuid() != 0)
		return;
	ck_assert_int_eq(in_child(drops), 0);
	ck_assert_ptr_nonnull(mkdtemp(root_dir));
	ck_assert_int_eq(in_child(drops_into_chroot), 0);
	ck_assert_int_eq(rmdir(root_dir), 0);
}
END_TEST

Suite *suite_privileges(void)
{
	Suite *s = suite_create("privileges");
	TCase *tc = tcase_create("privileges");

	tcase_add_test(tc, finds_users_and_groups);
	tcase_add_test(tc, a_root_that_is_none);
	tcase_add_test(tc, drop);
	suite_add_tcase(s, tc);
	return s;
}
