/*
 * base64: bytes out of text (RFC 4648 4), with its padding and nothing else: no space, no end of line.
 *
 * Limits:  BASE64_MAX characters.
 * Threads: any.
 */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BASE64_MAX = 512 };

/* `len` characters of `text`; false: they are not base64, or more than `cap` bytes, or none. */
bool base64_read(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len);

#endif
