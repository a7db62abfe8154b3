/*
 * /ready and /live: for load balancers and supervisors, which know no password.  They tell nothing
 * but whether, and why not; webserver-allow-from holds for them too.
 */
#include "recursor/watch/health.h"
#include "recursor/watch/web/endpoint.h"
#include "recursor/watch/web/endpoint_table.h"

static int tell(struct endpoint_call *c, const char *what, bool is_so, const char *why)
{
	c->status = is_so ? 200 : 503;
	if (is_so)
		return endpoint_reply_json(c, json_pack("{s:b}", what, 1));
	return endpoint_reply_json(c, json_pack("{s:b, s:s}", what, 0, "reason", why));
}

int health_ready(struct endpoint_call *c)
{
	char why[HEALTH_WHY_MAX] = "starting";
	bool ready = c->env->health != NULL && health_is_ready(c->env->health, why);

	return tell(c, "ready", ready, why);
}

int health_live(struct endpoint_call *c)
{
	char why[HEALTH_WHY_MAX] = "";
	bool live = c->env->health == NULL || health_is_alive(c->env->health, why);

	return tell(c, "live", live, why);
}
