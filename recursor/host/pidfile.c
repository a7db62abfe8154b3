#include "recursor/host/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"

int pidfile_make_dir(const char *dir, uid_t uid, gid_t gid)
{
	if (mkdir(dir, 0755) != 0)
		return errno == EEXIST ? E_OK : E_SYSTEM;
	if ((uid != geteuid() || gid != getegid()) && chown(dir, uid, gid) != 0)
		return E_SYSTEM;
	return E_OK;
}

/* A new file in the place of the old one: whoever reads sees one or the other, and an old file
 * of another user is no hindrance. */
static int write_new(const struct pidfile *p, const char *text)
{
	char temporary[sizeof(p->name) + 8];
	size_t len = strlen(text);
	int fd;

	(void)snprintf(temporary, sizeof(temporary), "%s.new", p->name);
	(void)unlinkat(p->dir_fd, temporary, 0);
	fd = openat(p->dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return E_SYSTEM;
	if (write(fd, text, len) != (ssize_t)len || close(fd) != 0 ||
	    renameat(p->dir_fd, temporary, p->dir_fd, p->name) != 0) {
		int saved = errno;

		(void)unlinkat(p->dir_fd, temporary, 0);
		errno = saved;
		return E_SYSTEM;
	}
	return E_OK;
}

int pidfile_write(struct pidfile *out, const char *dir, const char *config_name)
{
	struct pidfile p;
	char text[32];
	int n = snprintf(p.name, sizeof(p.name), "pdns_recursor%s%s.pid",
			 *config_name != '\0' ? "-" : "", config_name);
	int err;

	if (n < 0 || (size_t)n >= sizeof(p.name))
		return E_TOO_LONG;
	p.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p.dir_fd < 0)
		return E_SYSTEM;
	(void)snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	err = write_new(&p, text);
	if (err != E_OK) {
		int saved = errno;

		(void)close(p.dir_fd);
		errno = saved;
		return err;
	}
	*out = p;
	return E_OK;
}

/* Another process may have taken the name over meanwhile. */
static bool is_ours(const struct pidfile *p)
{
	char text[32] = "";
	int fd = openat(p->dir_fd, p->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	return n > 0 && strtol(text, NULL, 10) == (long)getpid();
}

void pidfile_remove(struct pidfile *p)
{
	if (p->name[0] == '\0')
		return;
	if (is_ours(p) && unlinkat(p->dir_fd, p->name, 0) != 0)
		log_warning("cannot remove '%s': %s", p->name, strerror(errno));
	(void)close(p->dir_fd);
	p->name[0] = '\0';
}
