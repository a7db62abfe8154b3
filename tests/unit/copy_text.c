#include "tests/unit/copy_text.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/zonefile.h"
#include "recursor/resolve/zonecopy.h"
#include "tests/unit/wire_name.h"

static char reason[ZONECOPY_WHY_MAX];

static int take(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
		uint16_t rdlen)
{
	return zonecopy_add(ctx, owner, type, ttl, rdata, rdlen, reason);
}

struct zonecopy *copy_file(const char *zone, const char *path)
{
	const struct zonefile_options o = { .origin = wire(zone), .reason = reason };
	struct zonecopy *z = NULL;
	char why[512] = "";

	ck_assert_int_eq(zonecopy_new(&z, wire(zone), 0), E_OK);
	ck_assert_msg(zonefile_read_with(path, &o, take, z, why, sizeof(why)) == E_OK, "%s", why);
	ck_assert_msg(zonecopy_finish(z, NULL, reason) == E_OK, "%s", reason);
	return z;
}

struct zonecopy *copy_text(const char *zone, const char *text)
{
	int fd = memfd_create("zone", MFD_CLOEXEC);
	struct zonecopy *z;
	char path[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	z = copy_file(zone, path);
	close(fd);
	return z;
}
