#include "recursor/watch/carbon.h"

#include <ctype.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/log.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/metrics.h"
#include "recursor/watch/own_thread.h"

enum { HOST_MAX = 256, USUAL_INTERVAL_S = 30, USUAL_TIMEOUT_MS = 1500 };

struct carbon {
	const struct watch_env *env;
	struct own_thread thread;
	int poke_fd; /* an eventfd */
	_Atomic uint64_t pushes, errors, timeouts;
};

/* ---- what is sent ---- */

static uint32_t setting_number(const struct watch_env *env, const char *name, uint32_t otherwise)
{
	char *text = env->setting(env->ctx, name);
	uint32_t value = text == NULL || *text == '\0' ? otherwise
						       : (uint32_t)strtoul(text, NULL, 0);

	free(text);
	return value;
}

/* carbon-ourname as it is, or this host's name with no dots: each would be a level in Graphite's
 * tree. */
static char *our_name(const struct watch_env *env)
{
	char *name = env->setting(env->ctx, "carbon-ourname");

	if (name != NULL && *name != '\0')
		return name;
	free(name);
	name = calloc(1, HOST_MAX + 1);
	if (name != NULL && (gethostname(name, HOST_MAX) != 0 || *name == '\0')) {
		log_error("carbon: nothing is sent: this host has no name; set carbon-ourname");
		free(name);
		return NULL;
	}
	for (char *at = name; at != NULL && *at != '\0'; at++)
		if (*at == '.')
			*at = '_';
	return name;
}

/* "pdns.ns1.recursor."; a blank would end the path in its middle. */
static char *make_prefix(const struct watch_env *env)
{
	char *space = env->setting(env->ctx, "carbon-namespace"), *name = our_name(env);
	char *instance = env->setting(env->ctx, "carbon-instance"), *prefix = NULL;

	if (space != NULL && name != NULL && instance != NULL &&
	    asprintf(&prefix, "%s.%s.%s.", space, name, instance) < 0)
		prefix = NULL;
	for (char *at = prefix; at != NULL && *at != '\0'; at++)
		if (isspace((unsigned char)*at) || iscntrl((unsigned char)*at))
			*at = '_';
	free(space);
	free(name);
	free(instance);
	return prefix;
}

struct text {
	FILE *f;
	const char *prefix;
	uint32_t now_s;
};

static void add_line(void *ctx, const struct metric_sample *s)
{
	const struct text *t = ctx;

	fprintf(t->f, "%s%s %llu %lu\r\n", t->prefix, s->name, (unsigned long long)s->value,
		(unsigned long)t->now_s);
}

char *carbon_text(const struct watch_env *env, size_t *len)
{
	char *prefix = make_prefix(env), *text = NULL;
	struct text t = { .prefix = prefix, .now_s = env->wall_s(env->ctx) };

	if (prefix != NULL)
		t.f = open_memstream(&text, len);
	if (t.f != NULL)
		metrics_visit(env, "stats-carbon-disabled-list", add_line, &t);
	if (t.f != NULL && fclose(t.f) != 0) {
		free(text);
		text = NULL;
	}
	free(prefix);
	return text;
}

/* ---- to whom ---- */

struct reading {
	struct carbon_peer *peers;
	unsigned n;
	char *why;
};

static int add_server(void *ctx, const char *word, size_t len)
{
	struct reading *r = ctx;
	char text[ADDR_TEXT_MAX];

	if (r->n == CARBON_SERVERS_MAX) {
		(void)snprintf(r->why, ENV_WHY_MAX, "more than %d servers", CARBON_SERVERS_MAX);
		return E_LIMIT;
	}
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, word);
	r->peers[r->n] = (struct carbon_peer) { .fd = -1 };
	if (len >= sizeof(text) || addr_from_text(&r->peers[r->n].to, text, CARBON_PORT) != E_OK) {
		(void)snprintf(r->why, ENV_WHY_MAX, "'%s': not an address", text);
		return E_MALFORMED;
	}
	r->n++;
	return E_OK;
}

int carbon_read_servers(struct carbon_peer peers[CARBON_SERVERS_MAX], unsigned *n, const char *list,
			char *why)
{
	struct reading r = { .peers = peers, .why = why };
	int err = conf_each_word(list, add_server, &r);

	if (err == E_OK)
		*n = r.n;
	return err;
}

static void count(void *ctx, const struct carbon_peer *p)
{
	struct carbon *c = ctx;
	char to[ADDR_TEXT_MAX];

	switch (p->outcome) {
	case CARBON_SENT:
		c->pushes++;
		break;
	case CARBON_TIMEOUT:
		c->timeouts++;
		log_warning("Timeout connecting/writing carbon data to %s", addr_text(to, &p->to));
		break;
	case CARBON_ERROR:
		c->errors++;
		log_warning("Error writing carbon data to %s: %s", addr_text(to, &p->to),
			    strerror(p->error));
		break;
	case CARBON_UNDER_WAY:
	case CARBON_STOPPED:
		break;
	}
}

/* What a server is slow to take must be taken before the next push. */
static void push(struct carbon *c, uint32_t interval_s)
{
	const struct watch_env *env = c->env;
	char *list = env->setting(env->ctx, "carbon-server");
	struct carbon_peer peers[CARBON_SERVERS_MAX];
	struct carbon_send_options o = {
		.ended = count,
		.ctx = c,
		.idle_ms = setting_number(env, "network-timeout", USUAL_TIMEOUT_MS),
		.total_ms = interval_s * 1000,
		.stop_fd = c->thread.stop_fd,
	};
	char why[ENV_WHY_MAX], *text;
	unsigned n = 0;

	/* The list was read before, when it was set. */
	if (list == NULL || carbon_read_servers(peers, &n, list, why) != E_OK || n == 0) {
		free(list);
		return;
	}
	free(list);
	carbon_connect(peers, n);
	text = carbon_text(env, &o.len);
	o.text = text;
	if (text == NULL) { /* the connections are closed */
		o.len = 0;
		o.ended = NULL;
	}
	carbon_send(peers, n, &o);
	free(text);
}

/* ---- the thread ---- */

/* False: it is time to end. */
static bool wait_until(const struct carbon *c, uint64_t due_ms)
{
	uint64_t now_ms = clock_now_ms(), poked;
	struct pollfd fds[2] = {
		{ .fd = c->thread.stop_fd, .events = POLLIN },
		{ .fd = c->poke_fd, .events = POLLIN },
	};

	(void)poll(fds, 2, due_ms > now_ms ? (int)(due_ms - now_ms) : 0);
	if (fds[1].revents != 0)
		ASSERT(read(c->poke_fd, &poked, sizeof(poked)) == sizeof(poked));
	return fds[0].revents == 0;
}

static void *run(void *ctx)
{
	struct carbon *c = ctx;
	uint64_t due_ms;

	do {
		uint32_t interval_s = setting_number(c->env, "carbon-interval", USUAL_INTERVAL_S);

		due_ms = clock_now_ms() + (uint64_t)interval_s * 1000;
		push(c, interval_s);
	} while (wait_until(c, due_ms));
	return NULL;
}

/* ---- its life ---- */

int carbon_new(struct carbon **out)
{
	struct carbon *c = calloc(1, sizeof(*c));
	int err;

	if (c == NULL)
		return E_NOMEM;
	c->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = own_thread_init(&c->thread);
	if (err == E_OK && c->poke_fd < 0)
		err = E_SYSTEM;
	if (err == E_OK)
		*out = c;
	else
		carbon_free(c);
	return err;
}

int carbon_start(struct carbon *c, const struct watch_env *env)
{
	c->env = env;
	return own_thread_start(&c->thread, run, c, "rec/carbon");
}

void carbon_stop(struct carbon *c)
{
	own_thread_stop(&c->thread);
}

void carbon_free(struct carbon *c)
{
	if (c == NULL)
		return;
	carbon_stop(c);
	own_thread_deinit(&c->thread);
	if (c->poke_fd >= 0)
		(void)close(c->poke_fd);
	free(c);
}

void carbon_poke(struct carbon *c)
{
	uint64_t one = 1;

	/* It cannot fail: the counter holds more than that. */
	if (c != NULL)
		ASSERT(write(c->poke_fd, &one, sizeof(one)) == sizeof(one));
}

void carbon_stats(const struct carbon *c, struct carbon_stats *out)
{
	*out = (struct carbon_stats) { 0 };
	if (c == NULL)
		return;
	out->pushes = c->pushes;
	out->errors = c->errors;
	out->timeouts = c->timeouts;
}

/* ---- the command ---- */

static int change(struct command_call *call, const char *setting, const char *value)
{
	char why[ENV_WHY_MAX];

	if (call->env->change(call->env->ctx, setting, value, why) == E_OK)
		return E_OK;
	fprintf(call->out, "%s\n", why);
	return E_RANGE;
}

/* The server comes last: nothing is sent to it under the name before. */
int set_carbon_server(struct command_call *call)
{
	static const char *const settings[] = { "carbon-server", "carbon-ourname",
						"carbon-namespace", "carbon-instance" };
	const char *server = call->argc > 0 ? call->argv[0] : "";
	struct carbon_peer peers[CARBON_SERVERS_MAX];
	char why[ENV_WHY_MAX] = "";
	unsigned n;

	if (carbon_read_servers(peers, &n, server, why) != E_OK) {
		fprintf(call->out, "carbon-server stays as it is: %s\n", why);
		return 1;
	}
	for (int i = (int)ARRAY_LEN(settings) - 1; i > 0; i--)
		if (i < call->argc && change(call, settings[i], call->argv[i]) != E_OK)
			return 1;
	if (change(call, settings[0], server) != E_OK)
		return 1;
	carbon_poke(call->env->carbon);
	if (call->argc == 0)
		fprintf(call->out, "cleared carbon-server setting\n");
	json_object_set_new(call->json, settings[0], command_json_text(server));
	for (int i = 0; i < call->argc && i < (int)ARRAY_LEN(settings); i++) {
		fprintf(call->out, "set %s to '%s'\n", settings[i], call->argv[i]);
		json_object_set_new(call->json, settings[i], command_json_text(call->argv[i]));
	}
	return 0;
}
