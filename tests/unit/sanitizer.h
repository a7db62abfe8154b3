/* sanitizer: which of them a test runs under, for tests that are too much for one. */
#ifndef TEST_UNIT_SANITIZER_H
#define TEST_UNIT_SANITIZER_H

#ifndef __has_feature
#define __has_feature(x) 0
#endif

/* Errors of scripts leave by longjmp() from within Lua's library, past frames of ours that this one takes
 * for open ever after; at 65,536 of them it dies, and before that it is slow. */
#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define IS_TSAN 1
#else
#define IS_TSAN 0
#endif

/* Where nothing is to be told of times. */
#if IS_TSAN || defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define IS_SLOW 1
#else
#define IS_SLOW 0
#endif

#endif
