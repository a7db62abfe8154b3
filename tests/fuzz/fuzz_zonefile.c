/*
 * A zone file of any bytes: what comes out are records whose owner is a name within bounds; they
 * go into a zone of ours, which then answers for each of them, and into hints.  What is refused has
 * one line that says why.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/zonefile.h"
#include "recursor/files/hints.h"
#include "recursor/resolve/authzone.h"
#include "recursor/settings/settings.h"

enum { RECORDS_MAX = 2000, ASKED_MAX = 50 };

struct filling {
	struct authzone *zone;
	unsigned n, n_asked;
	uint8_t asked[ASKED_MAX][NAME_MAX_LEN];
	uint16_t types[ASKED_MAX];
};

static const uint8_t apex[] = "\7example\3com";

static int take(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl, const uint8_t *rdata,
		uint16_t rdlen)
{
	struct filling *f = ctx;
	char why[AUTHZONE_WHY_MAX] = "";
	size_t len;

	ASSERT(name_check(owner, NAME_MAX_LEN, &len) == E_OK);
	ASSERT(ttl <= INT32_MAX && !rrtype_is_meta(type));
	/* A $GENERATE makes many. */
	if (++f->n > RECORDS_MAX)
		return E_LIMIT;
	if (authzone_add(f->zone, owner, type, ttl, rdata, rdlen, why) != E_OK) {
		ASSERT(why[0] != '\0');
		return E_OK;
	}
	if (f->n_asked < ASKED_MAX) {
		name_copy(f->asked[f->n_asked], owner);
		f->types[f->n_asked++] = type;
	}
	return E_OK;
}

static void ask(const struct filling *f)
{
	for (unsigned i = 0; i < f->n_asked; i++) {
		struct auth_answer a = { .set = NULL };

		if (!name_is_within(f->asked[i], apex) ||
		    authzone_look(f->zone, f->asked[i], f->types[i], 0, &a) != E_OK)
			continue;
		/* It is there, or what hides it is. */
		ASSERT(a.kind != AUTH_NXDOMAIN);
		ASSERT(a.set != NULL || a.dname != NULL);
		rrset_put(a.set);
		rrset_put(a.dname);
	}
}

static void read_hints(const char *path)
{
	char why[SETTINGS_WHY_MAX] = "";
	struct rrset **sets = NULL;
	size_t n = 0;

	if (hints_load(&sets, &n, path, 0, why) == E_OK)
		hints_free(sets, n);
	else
		ASSERT(why[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[SETTINGS_WHY_MAX] = "", path[64];
	struct filling *f = calloc(1, sizeof(*f));
	int fd = memfd_create("zone", MFD_CLOEXEC), err;

	ASSERT(f != NULL && fd >= 0 && authzone_new(&f->zone, apex) == E_OK);
	ASSERT(write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = zonefile_read(path, apex, take, f, why, sizeof(why));
	ASSERT(err == E_OK || why[0] != '\0');
	if (authzone_finish(f->zone, why) == E_OK)
		ask(f);
	read_hints(path);
	authzone_free(f->zone);
	close(fd);
	free(f);
	return 0;
}
