/*
 * Transfers: the first byte says what is done, the rest are messages as TCP brings them.  What makes a
 * zone is digested, and asked about; its replies are messages.
 */
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/resolve/axfr.h"
#include "recursor/resolve/dnssec/limits.h"
#include "recursor/resolve/dnssec/tsig.h"
#include "recursor/resolve/dnssec/zonemd.h"

enum { MAX_BYTES = 1 << 20, TIME_S = 1700000000, RECORDS = 32 };

struct walk {
	struct zonemd_digest *digest;
	const struct zonecopy *copy;
	unsigned n;
};

static uint8_t message[WIRE_MSG_MAX], reply[WIRE_MSG_MAX];

static void ask(const struct zonecopy *copy, const uint8_t *name, uint16_t type)
{
	const struct dnssec_limits limits = DNSSEC_LIMITS_DEFAULTS;
	size_t len = 0;
	struct msg m;

	if (zonecopy_reply(copy, name, type, &limits, reply, sizeof(reply), &len) != E_OK)
		return;
	ASSERT(len <= sizeof(reply));
	ASSERT(msg_open(&m, reply, len) == E_OK);
}

static void take_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
			const struct rdata *rr)
{
	struct walk *w = ctx;
	uint8_t below[NAME_MAX_LEN] = "\1x";

	zonemd_record(w->digest, owner, type, ttl, rr);
	if (w->n++ >= RECORDS)
		return;
	ask(w->copy, owner, type);
	ask(w->copy, owner, TYPE_DS);
	if (name_len(owner) + 2 > sizeof(below))
		return;
	(void)name_copy(below + 2, owner);
	ask(w->copy, below, TYPE_A);
}

static void use(const struct zonecopy *copy)
{
	struct walk w = { .copy = copy };
	struct rrset *set = NULL;
	struct soa soa;

	zonecopy_soa(copy, &soa);
	if (zonecopy_set(copy, zonecopy_apex(copy), TYPE_ZONEMD, TIME_S, &set) != E_OK)
		set = NULL;
	ASSERT(zonemd_new(&w.digest, zonecopy_apex(copy), soa.serial, set) == E_OK);
	ASSERT(zonecopy_walk(copy, NULL, take_record, &w) == E_OK);
	(void)zonemd_end(w.digest);
	rrset_put(set);
}

/* Without or with a signature on each message. */
static int take(struct axfr *x, struct tsig *t, const uint8_t *data, size_t len)
{
	char why[ZONECOPY_WHY_MAX], words[TSIG_WHY_MAX];
	int err = E_OK;

	memcpy(message, data, len);
	if (t != NULL)
		err = tsig_verify(t, message, &len, TIME_S, words);
	return err == E_OK ? axfr_take(x, message, len, why) : err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t zones[2][9] = { "", "\7example" };
	static const struct tsig_key key = { .name = "\1k", .algorithm = 3, .secret_len = 4 };
	char why[ZONECOPY_WHY_MAX];
	struct zonecopy *copy = NULL;
	struct tsig *t = NULL;
	struct axfr x;
	int err = E_OK;

	if (size < 1)
		return 0;
	hash_key_set(1, 2);
	ASSERT(zonecopy_new(&copy, zones[data[0] & 1], MAX_BYTES) == E_OK);
	if ((data[0] & 2) != 0)
		ASSERT(tsig_new(&t, &key) == E_OK);
	axfr_init(&x, copy, 0);
	data++;
	size--;
	while (err == E_OK && !x.is_done && size >= 2) {
		size_t len = wire_get_u16(data);

		if (len > size - 2)
			break;
		err = take(&x, t, data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	if (x.is_done && zonecopy_finish(copy, NULL, why) == E_OK)
		use(copy);
	zonecopy_put(copy);
	tsig_free(t);
	return 0;
}
