/* prime: the root's name servers, asked of one of them (RFC 9609). */
#include <stdlib.h>

#include "recursor/resolve/goal.h"

enum { PRIME_RETRY_MS = 5000 };

struct priming {
	void (*done)(void *ctx, bool ok);
	void *ctx;
};

static void primed(void *ctx, const struct answer *a)
{
	struct priming *p = ctx;

	if (p->done != NULL)
		p->done(p->ctx, a->rcode == RCODE_NOERROR && a->n_sets > 0);
	free(p);
}

void resolver_prime(struct resolver *r, void (*done)(void *ctx, bool ok), void *ctx)
{
	struct question q = {
		.name = name_root,
		.type = TYPE_NS,
		.no_cache = true,
		.no_stale = true,
	};
	struct priming *p = malloc(sizeof(*p));

	if (p == NULL) {
		if (done != NULL)
			done(ctx, false);
		return;
	}
	*p = (struct priming) { done, ctx };
	r->prime_after_ms = r->world.now_ms(r->world.ctx) + PRIME_RETRY_MS;
	COUNT(r->counters, primings);
	resolver_ask(r, &q, primed, p);
}

void resolver_prime_soon(struct resolver *r)
{
	if (r->cfg.prime && r->world.now_ms(r->world.ctx) >= r->prime_after_ms)
		resolver_prime(r, NULL, NULL);
}
