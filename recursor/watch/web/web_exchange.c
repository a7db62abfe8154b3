/* An exchange: what a request is for, whether it may, its body, its handler. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/web/asset.h"
#include "recursor/watch/web/web_impl.h"

enum {
	/* So much of a body that is too long is read and thrown away, for a client that does not
	 * listen before it has sent it all. */
	BODY_SLACK = 1 << 20,
};

/* ---- what is asked for ---- */

void *exchange_see_uri(void *web, const char *uri, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct exchange *x = info != NULL ? info->socket_context : NULL;

	(void)web;
	/* Decoded it would end there, and be another path than a proxy has let pass. */
	if (x != NULL)
		x->bad_uri = strstr(uri, "%00") != NULL;
	return NULL;
}

/* One that cannot be taken makes the request a bad one. */
static enum MHD_Result take_parameter(void *ctx, enum MHD_ValueKind kind, const char *name,
				      size_t name_len, const char *value, size_t value_len)
{
	struct exchange *x = ctx;
	const char *text = value != NULL ? value : "";

	(void)kind;
	if (x->call.n_parameters == WEB_PARAMETERS_MAX || strlen(name) != name_len ||
	    (value != NULL && strlen(text) != value_len)) {
		x->bad_uri = true;
		return MHD_NO;
	}
	x->parameters[x->call.n_parameters++] = (struct endpoint_parameter) { name, text };
	return MHD_YES;
}

static void take_secrets(struct exchange *x)
{
	char *user;

	x->given.key = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "X-API-Key");
	/* As 3.7's page has it, which knows the old paths only. */
	if (x->given.key == NULL && (x->match.old_path || strcmp(x->uri, "/jsonstat") == 0))
		x->given.key = endpoint_parameter(&x->call, "api-key");
	user = MHD_basic_auth_get_username_password(x->connection, &x->password);
	if (user != NULL)
		MHD_free(user);
	x->given.password = x->password;
}

/* For the log: printable, and without what a proxy could take for a line of its own. */
static void keep_text(char *out, size_t cap, const char *text)
{
	size_t n = 0;

	for (; n + 1 < cap && text[n] != '\0'; n++) {
		bool plain = text[n] > ' ' && text[n] < 0x7f && text[n] != '"' && text[n] != '\\';

		out[n] = plain ? text[n] : '.';
	}
	out[n] = '\0';
}

static bool accepts_gzip(const struct exchange *x)
{
	const char *list = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
						       "Accept-Encoding");
	const char *at = list != NULL ? strcasestr(list, "gzip") : NULL;

	/* "gzip;q=0" says that it does not (RFC 9110 12.5.3). */
	return at != NULL && strncmp(at + 4, ";q=0", 4) != 0;
}

/* 0, or the status of the refusal. */
static unsigned find_target(struct exchange *x, const char *path, const char *method)
{
	bool is_get = strcmp(method, "GET") == 0;

	x->asset = is_get ? asset_find(path, accepts_gzip(x)) : NULL;
	if (x->asset == NULL && is_get)
		x->asset = asset_find(path, false);
	if (x->asset != NULL) {
		/* The page is the same for everybody, and asks for key or password itself. */
		x->need = ENDPOINT_OPEN;
		return 0;
	}
	if (!endpoint_find(&x->match, method, path)) {
		if (x->match.methods[0] == '\0' && asset_find(path, false) != NULL)
			(void)strcpy(x->match.methods, "GET");
		return x->match.methods[0] != '\0' ? MHD_HTTP_METHOD_NOT_ALLOWED
						   : MHD_HTTP_NOT_FOUND;
	}
	if (x->web->options.readonly && !is_get)
		return MHD_HTTP_METHOD_NOT_ALLOWED;
	x->need = x->match.endpoint->auth;
	return 0;
}

static const char *reason_of(unsigned status)
{
	switch (status) {
	case MHD_HTTP_BAD_REQUEST:
		return "Bad Request";
	case MHD_HTTP_UNAUTHORIZED:
		return "Unauthorized";
	case MHD_HTTP_NOT_FOUND:
		return "Not Found";
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		return "Method Not Allowed";
	case MHD_HTTP_CONTENT_TOO_LARGE:
		return "Content Too Large";
	case MHD_HTTP_TOO_MANY_REQUESTS:
		return "Too many secrets to look at, try again";
	default:
		return "The server ends";
	}
}

static enum MHD_Result refuse(struct exchange *x, unsigned status)
{
	return reply_error(x, status, reason_of(status));
}

/* What a page from elsewhere asks before it may: the methods that the path has, to anybody. */
static enum MHD_Result tell_options(struct exchange *x, const char *path)
{
	char methods[96];

	(void)find_target(x, path, "GET");
	if (x->match.methods[0] == '\0' && x->asset == NULL)
		return refuse(x, MHD_HTTP_NOT_FOUND);
	(void)snprintf(methods, sizeof(methods), "%s, OPTIONS",
		       x->asset != NULL ? "GET" : x->match.methods);
	return reply_options(x, methods);
}

/* ---- may it ---- */

/* At the end there is nobody to hand over to, and libmicrohttpd does not stop with suspended
 * connections. */
static enum MHD_Result hand_over(struct exchange *x, enum exchange_work work)
{
	if (x->web->stopping)
		return refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE);
	x->work = work;
	x->phase = EXCHANGE_WORKING;
	MHD_suspend_connection(x->connection);
	web_work_add(x->web, x);
	return MHD_YES;
}

/* A body that says how long it is, and is too long. */
static bool is_announced_too_large(struct exchange *x)
{
	const char *text = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND,
						       "Content-Length");
	const char *expect = MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, "Expect");
	unsigned long long len = text != NULL ? strtoull(text, NULL, 10) : 0;

	if (len <= x->web->options.max_body)
		return false;
	x->too_large = true;
	return expect != NULL || len - x->web->options.max_body > BODY_SLACK;
}

static enum MHD_Result admit(struct exchange *x)
{
	if (!x->verified)
		x->verdict = auth_look(x->web->auth, x->need, &x->given, &x->from, clock_now_ms());
	switch (x->verdict) {
	case AUTH_VERIFY:
		return x->verified ? refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE)
				   : hand_over(x, WORK_VERIFY);
	case AUTH_REFUSED:
		return refuse(x, MHD_HTTP_UNAUTHORIZED);
	case AUTH_LATER:
		return refuse(x, MHD_HTTP_TOO_MANY_REQUESTS);
	case AUTH_GRANTED:
		break;
	}
	if (is_announced_too_large(x))
		return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE);
	x->accepted = true;
	return MHD_YES;
}

static enum MHD_Result begin(struct exchange *x, const char *url, const char *method)
{
	unsigned status;

	keep_text(x->method, sizeof(x->method), method);
	keep_text(x->uri, sizeof(x->uri), url);
	x->head = strcmp(method, "HEAD") == 0;
	if (x->head)
		method = "GET";
	x->call = (struct endpoint_call) {
		.env = x->web->env,
		.parameters = x->parameters,
		.stop_fd = x->web->stop_fd,
	};
	(void)MHD_get_connection_values_n(x->connection, MHD_GET_ARGUMENT_KIND, take_parameter, x);
	if (x->bad_uri)
		return refuse(x, MHD_HTTP_BAD_REQUEST);
	if (strcmp(method, "OPTIONS") == 0)
		return tell_options(x, url);
	status = find_target(x, url, method);
	if (status != 0)
		return refuse(x, status);
	take_secrets(x);
	return admit(x);
}

/* ---- its body ---- */

/* MHD_NO closes the connection, and nothing more is said. */
static enum MHD_Result take_body(struct exchange *x, const char *bytes, size_t len)
{
	size_t max = x->web->options.max_body;
	char *more;

	if (x->too_large || len > max - x->body_len) {
		x->too_large = true;
		x->body_len += len;
		if (x->body_len <= max + BODY_SLACK)
			return MHD_YES;
		web_count(x->web, too_large);
		exchange_doom(x, "413 Content Too Large");
		return MHD_NO;
	}
	if (x->body_len + len > x->body_cap) {
		size_t cap = x->body_cap * 2 > x->body_len + len ? x->body_cap * 2
								 : x->body_len + len;

		more = realloc(x->body, cap);
		if (more == NULL)
			return MHD_NO;
		x->body = more;
		x->body_cap = cap;
	}
	memcpy(x->body + x->body_len, bytes, len);
	x->body_len += len;
	web_note_most(&x->web->options.counters->body_peak, x->body_len);
	return MHD_YES;
}

/* ---- its handler ---- */

static bool parse_body(struct exchange *x)
{
	json_error_t error;

	if (x->body_len == 0 || x->match.endpoint->method[0] == 'G')
		return true;
	x->call.body = json_loadb(x->body, x->body_len, JSON_REJECT_DUPLICATES, &error);
	if (x->call.body != NULL)
		return true;
	(void)endpoint_fail(&x->call, MHD_HTTP_BAD_REQUEST, "no JSON, line %d: %s", error.line,
			    error.text);
	return false;
}

static void run(struct exchange *x)
{
	struct endpoint_call *c = &x->call;

	c->method = x->match.endpoint->method;
	memcpy(c->args, x->match.args, sizeof(c->args));
	c->old_path = x->match.old_path;
	if (parse_body(x))
		(void)x->match.endpoint->run(c);
	if (c->json != NULL) {
		free(c->text);
		c->text = json_dumps(c->json, JSON_COMPACT);
		c->text_len = c->text != NULL ? strlen(c->text) : 0;
		if (c->text == NULL)
			c->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
		c->content_type = "application/json";
		json_decref(c->json);
		c->json = NULL;
	}
	x->is_done = true;
}

void exchange_work(struct exchange *x)
{
	if (x->work == WORK_RUN) {
		run(x);
		return;
	}
	x->verdict = auth_verify(x->web->auth, x->need, &x->given);
	x->verified = true;
}

static enum MHD_Result answer(struct exchange *x)
{
	if (x->too_large)
		return refuse(x, MHD_HTTP_CONTENT_TOO_LARGE);
	if (x->asset != NULL)
		return reply_asset(x);
	if (x->is_done)
		return reply_call(x);
	if (x->web->stopping)
		return refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE);
	if (x->match.endpoint->auth != ENDPOINT_OPEN)
		return hand_over(x, WORK_RUN);
	run(x);
	return reply_call(x);
}

enum MHD_Result exchange_take(void *web, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_len, void **context)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct exchange *x = info != NULL ? info->socket_context : NULL;
	enum MHD_Result result;

	(void)web;
	(void)version;
	(void)context;
	if (x == NULL || x->doomed)
		return MHD_NO;
	x->connection = connection;
	if (x->method[0] == '\0')
		return begin(x, url, method);
	if (!x->accepted)
		return admit(x);
	if (*upload_len == 0)
		return answer(x);
	result = take_body(x, upload, *upload_len);
	*upload_len = 0;
	return result;
}

void exchange_doom(struct exchange *x, const char *status_line)
{
	char text[128];
	int len;

	if (x->doomed)
		return;
	x->doomed = true;
	/* libmicrohttpd has no words for a request that is not whole. */
	len = snprintf(text, sizeof(text),
		       "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
		       status_line);
	if (x->phase == EXCHANGE_RECEIVING)
		(void)send(x->fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(x->fd, SHUT_RDWR);
}

void exchange_free(struct exchange *x)
{
	endpoint_call_free(&x->call);
	if (x->password != NULL)
		MHD_free(x->password);
	free(x->body);
	free(x);
}
