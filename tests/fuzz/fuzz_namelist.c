/*
 * A file of names for newDSFromFile(), from any bytes.  What is refused has a reason with file and
 * line; each name that was taken is found, and so is what lies below it.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/name.h"
#include "common/namelist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line without its comment that is a name, as the list must have read it. */
static void look_up(const struct namelist *l, char *line)
{
	uint8_t name[NAME_MAX_LEN], below[NAME_MAX_LEN + 2] = { 1, 'x' };
	char *save = NULL, *word;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, " \t\r", &save);
	if (word == NULL)
		return;
	ASSERT(name_from_text(name, word) == E_OK);
	ASSERT(namelist_encloses(l, name));
	if (name_len(name) + 2 > NAME_MAX_LEN)
		return;
	name_copy(below + 2, name);
	ASSERT(namelist_encloses(l, below));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *copy = malloc(size + 1), *save = NULL;
	char why[NAMELIST_WHY_MAX] = "";
	struct namelist *l = NULL;

	ASSERT(text != NULL && copy != NULL);
	hash_key_set(1, 2);
	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(copy, text, size + 1);
	if (namelist_read(&l, text, size, "list", why) == E_OK) {
		for (char *line = strtok_r(copy, "\n", &save); line != NULL;
		     line = strtok_r(NULL, "\n", &save))
			look_up(l, line);
		ASSERT(namelist_count(l) <= size);
	} else {
		ASSERT(l == NULL && strncmp(why, "list:", 5) == 0 && strchr(why, '\n') == NULL);
	}
	namelist_free(l);
	free(text);
	free(copy);
	return 0;
}
