/*
 * err: the one list of errors.
 *
 * A function that can fail returns 0 (E_OK) or one of these negative numbers; the text
 * for a person comes from err_text().  An outcome (what a step decided) is another kind
 * of value and has an enum of its own in its module; a bug of ours is an assertion.
 *
 * To add an error is to add a row.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

/* clang-format off */
#define ERR_TABLE(X)                                                                             \
	X(E_OK, 0, "no error")                                                                   \
	X(E_NOMEM, -1, "out of memory")                                                          \
	X(E_TRUNCATED, -2, "the data end too early")                                             \
	X(E_MALFORMED, -3, "the data are malformed")                                             \
	X(E_TOO_LONG, -4, "too long for its place")                                              \
	X(E_END, -5, "nothing more to read")                                                     \
	X(E_RANGE, -6, "out of range")                                                           \
	X(E_NOT_FOUND, -7, "not found")                                                          \
	X(E_EXISTS, -8, "exists already")                                                        \
	X(E_LIMIT, -9, "a limit was reached")                                                    \
	X(E_SYSTEM, -10, "the system refused")                                                   \
	X(E_UNSUPPORTED, -11, "not supported")                                                   \
	X(E_NOT_FILE, -12, "not a plain file")                                                   \
	X(E_STOPPED, -13, "broken off")
/* clang-format on */

enum err {
#define ERR_ENUM(name, value, text) name = (value),
	ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
};

/* The text of an error; never NULL, "unknown error" for a number not in the list. */
const char *err_text(int err);
/* The same, but of E_SYSTEM what errno says, still of that failure; good until the next strerror(). */
const char *err_why(int err);

#define MUST_USE __attribute__((warn_unused_result))

#endif
