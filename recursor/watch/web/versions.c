/*
 * What a client asks first: which API this is, and where its servers are.
 */
#include "recursor/watch/web/endpoint.h"
#include "recursor/watch/web/endpoint_table.h"

int api_versions(struct endpoint_call *c)
{
	return endpoint_reply_json(c, json_pack("[{s:i, s:s}]", "version", 1, "url", "/api/v1"));
}

int api_v1(struct endpoint_call *c)
{
	return endpoint_reply_json(c, json_pack("[{s:s, s:[]}]", "server_url",
						"/api/v1/servers{/server}", "api_features"));
}
