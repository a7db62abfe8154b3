/*
 * shell: os.execute(), as Lua has it, for a process with threads.
 *
 * system(3), which Lua's own is made of, has the whole process ignore SIGINT and SIGQUIT for as
 * long as a command runs: with a script that runs one after the other the daemon would not end
 * when its operator presses Ctrl-C.  Here the command alone is concerned: it begins with no signal
 * blocked and none ignored, whatever the daemon does with its own.
 */
#include <errno.h>
#include <lauxlib.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recursor/policy/lua/engine.h"

static int spawn(pid_t *pid, const char *command)
{
	char *const argv[] = { (char[]) { "sh" }, (char[]) { "-c" }, (char *)(uintptr_t)command,
			       NULL };
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	rc = posix_spawnattr_init(&attr);
	if (rc != 0)
		return rc;
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(pid, "/bin/sh", NULL, &attr, argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	return rc;
}

int shell_execute(lua_State *L)
{
	const char *command = luaL_optstring(L, 1, NULL);
	int status = 0;
	pid_t pid = 0, ended;

	if (command == NULL) { /* is there a shell? */
		lua_pushboolean(L, access("/bin/sh", X_OK) == 0);
		return 1;
	}
	errno = spawn(&pid, command);
	if (errno != 0)
		return luaL_fileresult(L, 0, NULL);
	do
		ended = waitpid(pid, &status, 0);
	while (ended == -1 && errno == EINTR);
	if (ended == -1)
		return luaL_fileresult(L, 0, NULL);
	errno = 0; /* which luaL_execresult() looks at */
	return luaL_execresult(L, status);
}
