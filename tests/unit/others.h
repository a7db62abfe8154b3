/* Has tests/signer/others sign a zone. */
#ifndef TESTS_UNIT_OTHERS_H
#define TESTS_UNIT_OTHERS_H

#include <stdbool.h>

/* `zone` of the directory, into `out` and `parent` of it; the words are those of the script.  False:
 * that program is not installed, which is said. */
bool others_sign(const char *dir, const char *program, const char *algorithms, const char *denial);

#endif
