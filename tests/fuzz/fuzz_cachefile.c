/*
 * The reader of cache-file.  The first byte says what the rest is: 0, a whole file; 1 or 2, the
 * items of a block of sets or servers, around which a right head, checksum and end are put, since
 * no fuzzer finds those; the second byte then is the number of items.
 */
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/rrset_pack.h"
#include "common/wire.h"
#include "recursor/files/cachefile.h"

enum { NOW = 1700000000, HEAD = 32, BLOCK_HEAD = 20, FILE_MAX = 1 << 18 };

static uint8_t file[FILE_MAX];
static uint64_t sets, servers_seen;

/* What was taken for good can be packed, and comes back the same. */
static void see_set(void *ctx, struct rrset *s, bool delegation, uint64_t zone)
{
	static uint8_t packed[RRSET_PACKED_MAX], again[RRSET_PACKED_MAX];
	static struct rrset_unpacker unpacker;
	struct rrset *back = NULL;
	size_t len, again_len;
	struct wire_reader r = { .msg = packed };

	(void)ctx;
	(void)delegation;
	(void)zone;
	sets++;
	ASSERT(rrset_is_packable(s));
	ASSERT(rrset_pack(s, packed, sizeof(packed), &len) == E_OK);
	r.len = len;
	ASSERT(rrset_unpack(&back, &unpacker, &r) == E_OK && r.pos == len);
	ASSERT(rrset_pack(back, again, sizeof(again), &again_len) == E_OK);
	ASSERT(len == again_len && memcmp(packed, again, len) == 0);
	rrset_put(back);
}

static void see_server(void *ctx, const struct server_dump *s)
{
	(void)ctx;
	servers_seen++;
	ASSERT(s->addr.family == 4 || s->addr.family == 6);
	ASSERT(s->srtt_us <= SERVERS_RTT_MAX_US && s->edns_left_s <= SERVERS_EDNS_NONE_S);
}

static void read_file(size_t len)
{
	const struct cachefile_sink sink = { .now_s = NOW, .set = see_set, .server = see_server };
	char why[CACHEFILE_WHY_MAX];
	struct cachefile_info info;
	FILE *f;

	if (len == 0)
		return;
	f = fmemopen(file, len, "r");
	if (f == NULL)
		return;
	sets = servers_seen = 0;
	if (cachefile_read(f, &sink, &info, why) == E_OK)
		ASSERT(info.counts.sets == sets && info.counts.servers == servers_seen);
	(void)fclose(f);
}

static size_t block_add(size_t at, uint32_t number, uint32_t kind, uint32_t n, const uint8_t *items,
			size_t len)
{
	uint8_t *block = file + at;

	wire_put_u32(block, kind);
	wire_put_u32(block + 4, number);
	wire_put_u32(block + 8, n);
	wire_put_u32(block + 12, (uint32_t)len);
	memcpy(block + BLOCK_HEAD, items, len);
	wire_put_u32(block + 16, crc32c(crc32c(0, block, BLOCK_HEAD - 4), block + BLOCK_HEAD, len));
	return at + BLOCK_HEAD + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t end[16] = { 0 };
	size_t at = HEAD;

	if (size < 2 || size > FILE_MAX / 2)
		return 0;
	if (data[0] == 0) {
		memcpy(file, data + 1, size - 1);
		read_file(size - 1);
		return 0;
	}
	memset(file, 0, HEAD);
	memcpy(file, "RECURSOR", 8);
	wire_put_u32(file + 8, CACHEFILE_VERSION);
	wire_put_u32(file + 16, NOW);
	wire_put_u32(file + HEAD - 4, crc32c(0, file, HEAD - 4));
	at = block_add(at, 0, data[0] & 1 ? 1 : 2, data[1], data + 2, size - 2);
	wire_put_u32(end + (data[0] & 1 ? 4 : 12), data[1]);
	at = block_add(at, 1, 3, 1, end, sizeof(end));
	read_file(at);
	return 0;
}
