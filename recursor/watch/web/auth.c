#include "recursor/watch/web/auth.h"

#include <stdlib.h>

#include "common/check.h"
#include "recursor/watch/web/credential.h"

enum { CLIENT_SLOTS = 256 };

/* Tries in the second that began at `since_ms`. */
struct tries {
	uint64_t since_ms;
	unsigned n;
};

struct auth {
	struct credential *password, *key; /* NULL: none is configured */
	struct tries all;
	struct tries clients[CLIENT_SLOTS]; /* by address; some share a slot */
};

int auth_new(struct auth **out, const char *password, const char *key)
{
	struct auth *a = calloc(1, sizeof(*a));
	int err = a == NULL ? E_NOMEM : E_OK;

	if (err == E_OK && *password != '\0')
		err = credential_new(&a->password, password);
	if (err == E_OK && *key != '\0')
		err = credential_new(&a->key, key);
	if (err == E_OK)
		*out = a;
	else
		auth_free(a);
	return err;
}

void auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	credential_free(a->password);
	credential_free(a->key);
	free(a);
}

bool auth_has_password(const struct auth *a)
{
	return a->password != NULL;
}

static bool has_room(struct tries *t, unsigned limit, uint64_t now_ms)
{
	if (t->n == 0 || now_ms >= t->since_ms + 1000)
		*t = (struct tries) { .since_ms = now_ms };
	return t->n < limit;
}

static bool may_try(struct auth *a, const struct addr *from, uint64_t now_ms)
{
	struct addr who = *from;
	struct tries *client;

	who.port = 0;
	/* Whoever has a /64 has as many addresses as he likes. */
	if (who.family == 6)
		addr_truncate(&who, 64);
	client = &a->clients[addr_hash(&who) % CLIENT_SLOTS];
	if (!has_room(client, AUTH_TRIES_PER_CLIENT, now_ms) ||
	    !has_room(&a->all, AUTH_TRIES_PER_SECOND, now_ms))
		return false;
	client->n++;
	a->all.n++;
	return true;
}

/* Which secret decides, and what was given for it.  False: `*open` says whether none is needed. */
static bool choose(const struct auth *a, enum endpoint_auth need, const struct auth_given *given,
		   struct credential **credential, const char **secret, bool *open)
{
	bool by_key = need == ENDPOINT_KEY ||
		      (need == ENDPOINT_KEY_OR_PASSWORD && a->key != NULL && given->key != NULL);

	*credential = by_key ? a->key : a->password;
	*secret = by_key ? given->key : given->password;
	*open = need == ENDPOINT_OPEN || (!by_key && a->password == NULL);
	return !*open && *credential != NULL && *secret != NULL;
}

enum auth_verdict auth_look(struct auth *a, enum endpoint_auth need, const struct auth_given *given,
			    const struct addr *from, uint64_t now_ms)
{
	struct credential *credential;
	const char *secret;
	bool open;

	if (!choose(a, need, given, &credential, &secret, &open))
		return open ? AUTH_GRANTED : AUTH_REFUSED;
	switch (credential_look(credential, secret)) {
	case CREDENTIAL_RIGHT:
		return AUTH_GRANTED;
	case CREDENTIAL_WRONG:
		return AUTH_REFUSED;
	case CREDENTIAL_UNKNOWN:
		return may_try(a, from, now_ms) ? AUTH_VERIFY : AUTH_LATER;
	}
	return AUTH_REFUSED;
}

enum auth_verdict auth_verify(struct auth *a, enum endpoint_auth need,
			      const struct auth_given *given)
{
	struct credential *credential;
	const char *secret;
	bool open;

	if (!choose(a, need, given, &credential, &secret, &open))
		return open ? AUTH_GRANTED : AUTH_REFUSED;
	return credential_verify(credential, secret) == CREDENTIAL_RIGHT ? AUTH_GRANTED
									 : AUTH_REFUSED;
}
