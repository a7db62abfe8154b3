#include "tools/graphs/web.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "recursor/watch/web/asset.h"
#include "tools/graphs/api.h"
#include "tools/graphs/receiver.h"

#include "gen/graphs_assets.h"

enum { THREADS = 2, CONNECTIONS_MAX = 128, ADDRESS_MAX = 64, TIMEOUT_S = 15, REQUEST_MAX = 16384 };

struct web {
	struct store *store;
	const struct netset *allow;
	struct MHD_Daemon *daemon;
};

static const struct asset *find_asset(const char *path, bool gzip)
{
	for (size_t i = 0; i < sizeof(assets) / sizeof(assets[0]); i++)
		if (assets[i].gzip == gzip && strcmp(assets[i].path, path) == 0)
			return &assets[i];
	return NULL;
}

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
	(void)MHD_add_response_header(r, name, value);
}

static enum MHD_Result send_response(struct MHD_Connection *c, unsigned status,
				     struct MHD_Response *r)
{
	enum MHD_Result result;

	if (r == NULL)
		return MHD_NO;
	add_header(r, "Content-Security-Policy", ASSET_POLICY);
	add_header(r, "X-Content-Type-Options", "nosniff");
	add_header(r, "Referrer-Policy", "no-referrer");
	result = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return result;
}

static struct MHD_Response *constant(const void *bytes, size_t len)
{
	/* The library only reads it. */
	return MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes,
					       MHD_RESPMEM_PERSISTENT);
}

static enum MHD_Result refuse_method(struct MHD_Connection *c)
{
	struct MHD_Response *r = constant("", 0);

	if (r != NULL)
		add_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	return send_response(c, MHD_HTTP_METHOD_NOT_ALLOWED, r);
}

static bool has_header(struct MHD_Connection *c, const char *name, const char *what)
{
	const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

	return value != NULL && strstr(value, what) != NULL;
}

static enum MHD_Result send_asset(struct MHD_Connection *c, const struct asset *a)
{
	bool is_known = has_header(c, MHD_HTTP_HEADER_IF_NONE_MATCH, a->etag);
	struct MHD_Response *r = is_known ? constant("", 0) : constant(a->bytes, a->len);

	if (r == NULL)
		return MHD_NO;
	if (!is_known) {
		add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
		if (a->gzip)
			add_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	}
	add_header(r, MHD_HTTP_HEADER_ETAG, a->etag);
	add_header(r, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	add_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	return send_response(c, is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, r);
}

static const char *parameter(void *ctx, const char *name)
{
	return MHD_lookup_connection_value(ctx, MHD_GET_ARGUMENT_KIND, name);
}

static enum MHD_Result send_answer(struct web *w, struct MHD_Connection *c, const char *path)
{
	struct api_call call = { w->store, time(NULL), parameter, c };
	json_t *json = NULL;
	unsigned status = api_answer(&call, path, &json);
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));
	struct MHD_Response *r;

	json_decref(json);
	if (text == NULL)
		return MHD_NO;
	r = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (r == NULL) {
		free(text);
		return MHD_NO;
	}
	add_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
	add_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	return send_response(c, status, r);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_size, void **state)
{
	static int seen;
	const struct asset *a;

	(void)version;
	(void)upload;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse_method(c);
	/* The first call is for the headers; a body is thrown away. */
	if (*state == NULL) {
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	a = find_asset(path, has_header(c, MHD_HTTP_HEADER_ACCEPT_ENCODING, "gzip"));
	return a != NULL ? send_asset(c, a) : send_answer(ctx, c, path);
}

static enum MHD_Result on_connection(void *ctx, const struct sockaddr *sa, socklen_t len)
{
	const struct web *w = ctx;
	struct addr a;

	(void)len;
	if (addr_from_sockaddr(&a, sa) == E_OK && netset_match(w->allow, &a))
		return MHD_YES;
	return MHD_NO;
}

int web_start(struct web **out, struct store *store, const struct addr *listen,
	      const struct netset *allow)
{
	struct web *w = calloc(1, sizeof(*w));
	int fd = w == NULL ? -1 : receiver_listen(listen);

	if (w == NULL)
		return E_NOMEM;
	w->store = store;
	w->allow = allow;
	if (fd >= 0)
		w->daemon = MHD_start_daemon(
			MHD_USE_EPOLL_INTERNAL_THREAD, 0, on_connection, w, on_request, w,
			MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
			(unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
			MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)ADDRESS_MAX,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX, MHD_OPTION_END);
	if (w->daemon == NULL) {
		free(w); /* the socket is closed with the program */
		return E_SYSTEM;
	}
	*out = w;
	return E_OK;
}

void web_stop(struct web *w)
{
	if (w == NULL)
		return;
	MHD_stop_daemon(w->daemon); /* closes the socket */
	free(w);
}
