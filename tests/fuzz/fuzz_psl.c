/*
 * A list of public suffixes of any bytes, and a name: with a memo or without, at once or again, the
 * answer is the same, and is some of the name's labels.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/check.h"
#include "common/name.h"
#include "common/psl.h"

/* The list: a file without a name. */
static const char *write_list(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("list", MFD_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	ASSERT(fd >= 0 && ftruncate(fd, 0) == 0);
	ASSERT(pwrite(fd, data, size, 0) == (ssize_t)size);
	return path;
}

static void ask(const struct psl *p, const uint8_t *name)
{
	unsigned labels = name_labels(name), n = psl_registrable(p, name);
	struct psl_memo *memo;

	ASSERT(labels <= 2 ? n == labels : n >= 2 && n <= labels);
	ASSERT(psl_memo_new(&memo) == E_OK);
	for (unsigned i = 0; i < 2; i++)
		for (const uint8_t *at = name; *at != 0; at = name_parent(at))
			ASSERT(psl_registrable_memo(memo, p, at, name_hash(at)) ==
			       psl_registrable(p, at));
	psl_memo_free(memo);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct psl *p = NULL;
	char why[128] = "";
	size_t len;

	if (name_check(data, size, &len) != E_OK)
		return 0;
	if (psl_new(&p, write_list(data + len, size - len), why, sizeof(why)) == E_OK)
		ask(p, data);
	else
		ASSERT(why[0] != '\0');
	psl_put(p);
	return 0;
}
