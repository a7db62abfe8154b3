/*
 * crc32c: the checksum of blocks in files (Castagnoli's polynomial, as in RFC 3720 12.1).
 *
 *     uint32_t crc = crc32c(crc32c(0, head, head_len), body, body_len);
 *
 * It finds accidents; it keeps nobody out.
 */
#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
