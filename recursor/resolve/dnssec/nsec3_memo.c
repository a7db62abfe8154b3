#include "recursor/resolve/dnssec/nsec3_memo.h"

#include <string.h>

static size_t slot_of(const struct nsec3_param *param, const uint8_t *name)
{
	return (name_hash(name) + param->iterations) % NSEC3_MEMO_SLOTS;
}

const uint8_t *nsec3_memo_find(const struct nsec3_memo *m, const struct nsec3_param *param,
			       const uint8_t *name)
{
	const struct nsec3_remembered *s;

	if (m == NULL)
		return NULL;
	s = &m->slots[slot_of(param, name)];
	return s->name_len != 0 && s->iterations == param->iterations &&
			       s->salt_len == param->salt_len &&
			       memcmp(s->salt, param->salt, param->salt_len) == 0 &&
			       name_equal(s->name, name)
		       ? s->hash
		       : NULL;
}

void nsec3_memo_keep(struct nsec3_memo *m, const struct nsec3_param *param, const uint8_t *name,
		     const uint8_t hash[NSEC3_HASH_LEN])
{
	struct nsec3_remembered *s;

	if (m == NULL || name_len(name) > NSEC3_MEMO_NAME_MAX ||
	    param->salt_len > NSEC3_MEMO_SALT_MAX)
		return;
	s = &m->slots[slot_of(param, name)];
	s->iterations = param->iterations;
	s->salt_len = param->salt_len;
	memcpy(s->salt, param->salt, param->salt_len);
	memcpy(s->hash, hash, NSEC3_HASH_LEN);
	s->name_len = (uint8_t)name_lower(s->name, name);
}

int nsec3_memo_hash(struct nsec3_memo *m, uint8_t out[NSEC3_HASH_LEN],
		    const struct nsec3_param *param, const uint8_t *name)
{
	const uint8_t *known = nsec3_memo_find(m, param, name);
	int err;

	if (known != NULL) {
		memcpy(out, known, NSEC3_HASH_LEN);
		return E_OK;
	}
	err = nsec3_hash(out, param, name);
	if (err == E_OK)
		nsec3_memo_keep(m, param, name, out);
	return err;
}
