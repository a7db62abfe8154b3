/* Replies: status, headers, body, and their line in the log. */
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/web/asset.h"
#include "recursor/watch/web/web_impl.h"

struct header {
	const char *name, *value;
};

static const struct header always[] = {
	{ "Connection", "close" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "X-Frame-Options", "deny" },
	{ "X-Permitted-Cross-Domain-Policies", "none" },
	{ "X-XSS-Protection", "1; mode=block" },
};

static const char api_policy[] = "default-src 'self'; style-src 'self' 'unsafe-inline'";
static const char type_json[] = "application/json";
static const char type_text[] = "text/plain; charset=utf-8";

static bool add(struct MHD_Response *r, const char *name, const char *value)
{
	return MHD_add_response_header(r, name, value) == MHD_YES;
}

static bool add_common(struct exchange *x, struct MHD_Response *r, const char *policy)
{
	const char *origin = x->web->options.cross_origin;
	bool ok = add(r, "Content-Security-Policy", policy);

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		ok = ok && add(r, always[i].name, always[i].value);
	return ok && (*origin == '\0' || add(r, "Access-Control-Allow-Origin", origin));
}

static void count(struct exchange *x, unsigned status)
{
	struct web *w = x->web;

	web_count(w, requests);
	if (status == MHD_HTTP_UNAUTHORIZED || status == MHD_HTTP_TOO_MANY_REQUESTS)
		web_count(w, unauthorized);
	else if (status == MHD_HTTP_CONTENT_TOO_LARGE)
		web_count(w, too_large);
	else if (status >= 400)
		web_count(w, errors);
}

static enum MHD_Result log_header(void *ctx, enum MHD_ValueKind kind, const char *name,
				  const char *value)
{
	bool secret = strcasecmp(name, "X-API-Key") == 0 ||
		      strcasecmp(name, "Authorization") == 0 || strcasecmp(name, "Cookie") == 0;

	(void)ctx;
	(void)kind;
	log_info("webserver:   %s: %s", name, secret ? "***" : value != NULL ? value : "");
	return MHD_YES;
}

static void note(const struct exchange *x, unsigned status, size_t len)
{
	char from[ADDR_TEXT_MAX];

	if (x->web->options.log == WEB_LOG_NONE)
		return;
	log_info("webserver: %s \"%s %s\" %u %zu", addr_text(from, &x->from), x->method, x->uri,
		 status, len);
	if (x->web->options.log == WEB_LOG_DETAILED)
		(void)MHD_get_connection_values(x->connection, MHD_HEADER_KIND, log_header, NULL);
}

/* Sends it and lets go of it; `ok` false: something of it could not be made. */
static enum MHD_Result send_response(struct exchange *x, struct MHD_Response *r, unsigned status,
				     size_t len, bool ok)
{
	enum MHD_Result sent = MHD_NO;

	if (ok)
		sent = MHD_queue_response(x->connection, status, r);
	MHD_destroy_response(r);
	if (sent == MHD_YES) {
		x->phase = EXCHANGE_ANSWERING;
		x->began_ms = clock_now_ms();
		count(x, status);
		note(x, status, len);
	}
	return sent;
}

/* Takes `text`, which is for free(). */
static enum MHD_Result reply_text(struct exchange *x, unsigned status, char *text, size_t len,
				  const char *type, const struct header *more)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);
	bool ok;

	if (r == NULL) {
		free(text);
		return MHD_NO;
	}
	ok = add_common(x, r, api_policy) && add(r, "Cache-Control", "no-store");
	if (len > 0)
		ok = ok && add(r, "Content-Type", type);
	for (; more != NULL && more->name != NULL; more++)
		ok = ok && add(r, more->name, more->value);
	return send_response(x, r, status, len, ok);
}

static enum MHD_Result reply_json(struct exchange *x, unsigned status, json_t *json,
				  const struct header *more)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (text == NULL)
		return MHD_NO;
	return reply_text(x, status, text, strlen(text), type_json, more);
}

enum MHD_Result reply_error(struct exchange *x, unsigned status, const char *text)
{
	static const struct header later[] = { { "Retry-After", "1" }, { NULL, NULL } };
	static const struct header key = { "WWW-Authenticate", "X-API-Key realm=\"PowerDNS\"" };
	static const struct header basic = { "WWW-Authenticate", "Basic realm=\"PowerDNS\"" };
	struct header more[3] = { { NULL, NULL } };
	json_t *json = json_pack("{s:s}", "error", text);
	enum MHD_Result sent;
	size_t n = 0;

	if (status == MHD_HTTP_UNAUTHORIZED) {
		if (x->need != ENDPOINT_KEY && auth_has_password(x->web->auth))
			more[n++] = basic;
		if (x->need != ENDPOINT_PASSWORD)
			more[n++] = key;
	} else if (status == MHD_HTTP_TOO_MANY_REQUESTS || status == MHD_HTTP_SERVICE_UNAVAILABLE) {
		more[n++] = later[0];
	} else if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		more[n++] = (struct header) { "Allow", x->match.methods };
	}
	more[n] = (struct header) { NULL, NULL };
	sent = reply_json(x, status, json, more);
	json_decref(json);
	return sent;
}

enum MHD_Result reply_options(struct exchange *x, const char *methods)
{
	const struct header more[] = {
		{ "Access-Control-Allow-Headers", "Content-Type, X-API-Key" },
		{ "Access-Control-Allow-Methods", methods },
		{ "Access-Control-Max-Age", "3600" },
		{ NULL, NULL },
	};
	char *nothing = calloc(1, 1);

	return nothing == NULL ? MHD_NO : reply_text(x, MHD_HTTP_OK, nothing, 0, type_text, more);
}

enum MHD_Result reply_asset(struct exchange *x)
{
	const struct asset *a = x->asset;
	const char *known = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
							"If-None-Match");
	bool same = known != NULL && (strstr(known, a->etag) != NULL || strcmp(known, "*") == 0);
	size_t len = same ? 0 : a->len;
	struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)(uintptr_t)a->bytes,
								 MHD_RESPMEM_PERSISTENT);
	bool ok;

	if (r == NULL)
		return MHD_NO;
	ok = add_common(x, r, ASSET_POLICY) && add(r, "ETag", a->etag) &&
	     add(r, "Cache-Control", "no-cache") && add(r, "Vary", "Accept-Encoding");
	if (!same)
		ok = ok && add(r, "Content-Type", a->type) &&
		     (!a->gzip || add(r, "Content-Encoding", "gzip"));
	return send_response(x, r, same ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, len, ok);
}

enum MHD_Result reply_call(struct exchange *x)
{
	struct endpoint_call *c = &x->call;
	unsigned status = c->status == 0 ? MHD_HTTP_OK : c->status;
	char *text;

	if (c->json != NULL)
		return reply_json(x, status, c->json, NULL);
	text = c->text != NULL ? c->text : calloc(1, 1);
	c->text = NULL;
	if (text == NULL)
		return MHD_NO;
	return reply_text(x, status, text, c->text_len,
			  c->content_type != NULL ? c->content_type : type_text, NULL);
}
