/* A server's answer, byte for byte: whatever it is, what comes of it stays within the zone asked and
 * within the limits, and nothing leaks.  The first byte chooses the question. */
#include <stdlib.h>

#include "common/check.h"
#include "common/hash.h"
#include "common/rrtype.h"
#include "recursor/resolve/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t *const names[] = {
		(const uint8_t *)"\3www\7example\3com",
		(const uint8_t *)"\7example\3com",
		(const uint8_t *)"\1a\1b\3www\7example\3com",
	};
	static const uint16_t types[] = { TYPE_A, TYPE_NS, TYPE_DS, TYPE_CNAME };
	static struct reply_scratch *scratch;
	struct counters counters = { 0 };
	struct resolver_config cfg;
	struct reply reply;
	struct msg m;

	if (scratch == NULL) {
		hash_key_set(1, 2);
		scratch = reply_scratch_new();
	}
	if (scratch == NULL || size < 1)
		return 0;
	resolver_config_defaults(&cfg);
	struct reply_question q = {
		.name = names[(data[0] & 3) % ARRAY_LEN(names)],
		.type = types[(data[0] >> 2 & 3) % ARRAY_LEN(types)],
		.zone = data[0] & 16 ? names[1] : name_root,
		.now_s = 1700000000,
		.has_delegation = (data[0] & 32) != 0,
		.delegation_expires_s = 1700000100,
	};
	if (msg_open(&m, data + 1, size - 1) != E_OK)
		return 0;
	if (reply_read(&reply, scratch, &m, &q, &cfg, &counters) != E_OK)
		return 0;
	for (unsigned i = 0; i < reply.n_keep; i++) {
		const struct rrset *s = reply.keep[i].set;

		ASSERT(name_is_within(rrset_owner(s), q.zone));
		ASSERT(s->n_rr <= cfg.max_rrset_records);
		ASSERT(s->ttl <= cfg.max_ttl);
	}
	ASSERT((reply.kind == REPLY_ANSWER || reply.kind == REPLY_ALIAS) == (reply.answer != NULL));
	ASSERT((reply.kind == REPLY_NODATA || reply.kind == REPLY_NXDOMAIN) ==
	       (reply.negative != NULL));
	ASSERT((reply.kind == REPLY_REFERRAL) == (reply.referral != NULL));
	reply_clear(&reply);
	return 0;
}
