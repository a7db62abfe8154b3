/*
 * check: assertions in three grades.
 *
 * ASSERT   always compiled in; for memory safety and ownership: going on would be worse.
 * EXPECT   evaluates to the condition; false is counted and the caller must handle it:
 *          for logic of ours that a running resolver can survive.
 * DASSERT  only with -DDEBUG_CHECKS (make sanitize): expensive invariants.
 *
 * What comes from the network or from a file is checked, never asserted.
 */
#ifndef COMMON_CHECK_H
#define COMMON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* Who is told what is printed to stderr, too: a line with its newline, from any thread, whatever that
 * was doing and whichever locks it has.  NULL: nobody. */
void check_set_teller(void (*tell)(char *line, size_t len));

/* Prints where and what to stderr, then aborts. */
_Noreturn void check_fail(const char *what, const char *file, int line);

/* Counts a survived surprise; logs the first and then at most one a minute. */
bool check_unexpected(const char *what, const char *file, int line);

/* Surprises survived since start, over all threads. */
unsigned long check_surprises(void);

#define ASSERT(x) ((x) ? (void)0 : check_fail(#x, __FILE__, __LINE__))
#define EXPECT(x) ((x) ? true : check_unexpected(#x, __FILE__, __LINE__))
#ifdef DEBUG_CHECKS
#define DASSERT(x) ASSERT(x)
#else
#define DASSERT(x) ((void)sizeof(x))
#endif

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
