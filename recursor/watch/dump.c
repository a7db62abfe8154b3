#include "recursor/watch/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/cause.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/watch/clock.h"
#include "recursor/watch/passed_file.h"

/* ---- the file ---- */

/* What every walk's callback returns: a failed write ends the walk. */
static int go_on(const struct passed_file *s)
{
	return s->error == 0 ? E_OK : E_SYSTEM;
}

/* ---- the record cache ---- */

enum { RECORD_TEXT_MAX = 300 * 1024 }; /* 64 KB of rdata, each byte as \DDD, and some */

struct cache_dump {
	struct passed_file *sink;
	bool negative; /* which half is being written */
	uint32_t now_s;
	size_t n;
	char *text;
};

static const char *rank_text(const struct rrset *s)
{
	static const char *const texts[] = {
		[RANK_NONE] = "none",
		[RANK_ADDITIONAL] = "additional",
		[RANK_REFERRAL] = "referral",
		[RANK_ANSWER] = "answer",
		[RANK_AUTH_AUTHORITY] = "auth-authority",
		[RANK_AUTH_ANSWER] = "auth-answer",
		[RANK_LOCAL] = "local",
	};

	return s->rank < ARRAY_LEN(texts) ? texts[s->rank] : "?";
}

static void dump_records(struct cache_dump *d, const struct rrset *s, bool delegation)
{
	uint32_t left = rrset_ttl_left(s, d->now_s);
	char zone[NAME_TEXT_MAX];
	struct rdata rr;
	size_t at = 0;

	name_to_text(zone, rrset_zone(s));
	while (rrset_next(s, &at, &rr)) {
		char *rest;

		if (rrset_record_text(s, &rr, left, d->text, RECORD_TEXT_MAX) != E_OK)
			continue;
		/* name, then the TTL it came with, then the rest: the TTL left and the data */
		rest = d->text + strcspn(d->text, " \t");
		fprintf(d->sink->stream, "%.*s %u%s ; (%s) auth=%d zone=%s rank=%s%s\n",
			(int)(rest - d->text), d->text, s->ttl, rest,
			security_text(rrset_security(s)), s->rank >= RANK_AUTH_AUTHORITY, zone,
			rank_text(s), delegation ? " delegation" : "");
		d->n++;
	}
}

static void dump_negative(struct cache_dump *d, const struct rrset *s)
{
	char name[NAME_TEXT_MAX], auth[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	uint32_t left = rrset_ttl_left(s, d->now_s);

	name_to_text(name, rrset_owner(s));
	rrtype_to_text(s->type, type);
	fprintf(d->sink->stream, "%s %u IN %s ", name, left, rrtype_to_text(s->type, type));
	if (s->kind == RRSET_FAILURE)
		fprintf(d->sink->stream, "FAILED %s", ede_to_text(cause_row(s->cause)->ede));
	else
		fprintf(d->sink->stream, "VIA %s",
			s->n_proofs == 0 ? "-"
					 : name_to_text(auth, rrset_owner(rrset_proofs(s)[0])));
	fprintf(d->sink->stream, " ; (%s) origttl=%u\n", security_text(rrset_security(s)), s->ttl);
	d->n++;
}

static int dump_set(void *ctx, const struct rrset *s, bool delegation)
{
	struct cache_dump *d = ctx;

	if (d->negative != (s->kind == RRSET_DATA) && !rrset_is_expired(s, d->now_s)) {
		if (d->negative)
			dump_negative(d, s);
		else
			dump_records(d, s, delegation);
	}
	return go_on(d->sink);
}

static size_t dump_record_cache(struct command_call *call, struct passed_file *sink, bool negative)
{
	struct cache_dump d = {
		.sink = sink,
		.negative = negative,
		.now_s = call->env->wall_s(call->env->ctx),
		.text = malloc(RECORD_TEXT_MAX),
	};
	const char *what = negative ? "negcache" : "main record cache";

	if (d.text == NULL) {
		sink->error = ENOMEM;
		return 0;
	}
	fprintf(sink->stream, "; %s dump follows\n;\n", what);
	/* A walk that ends early has its reason in the sink. */
	(void)cache_walk(call->env->cache, dump_set, &d);
	fprintf(sink->stream, "; %s: %zu records\n", what, d.n);
	free(d.text);
	return d.n;
}

static int dump_proof(void *ctx, const struct rrset *s)
{
	struct cache_dump *d = ctx;

	if (!rrset_is_expired(s, d->now_s))
		dump_records(d, s, false);
	return go_on(d->sink);
}

/* NSEC and NSEC3 records that answer for other names, and what wildcards have. */
static size_t dump_aggressive(struct command_call *call, struct passed_file *sink)
{
	struct cache_dump d = {
		.sink = sink,
		.now_s = call->env->wall_s(call->env->ctx),
		.text = malloc(RECORD_TEXT_MAX),
	};

	if (d.text == NULL) {
		sink->error = ENOMEM;
		return 0;
	}
	fprintf(sink->stream, "; aggressive NSEC cache dump follows\n;\n");
	(void)aggressive_walk(call->env->aggressive, dump_proof, &d);
	fprintf(sink->stream, "; aggressive NSEC cache: %zu records\n", d.n);
	free(d.text);
	return d.n;
}

/* ---- the packet caches ---- */

struct packet_row {
	uint8_t name[NAME_MAX_LEN];
	uint16_t type;
	uint32_t ttl, tag;
	bool tcp;
};

enum { PACKET_ROWS = 256 };

/* What one visit brings: the rows of a slice. */
struct packet_visit {
	size_t cursor;
	uint32_t now_s;
	bool more;
	unsigned n;
	struct packet_row rows[PACKET_ROWS];
};

static int note_packet(void *ctx, const struct packetcache_view *packet)
{
	struct packet_visit *v = ctx;
	struct packet_row *row = &v->rows[v->n];

	name_copy(row->name, packet->qname);
	row->type = packet->qtype;
	row->ttl = packet->ttl_left;
	row->tag = packet->tag;
	row->tcp = packet->tcp;
	v->n++;
	return E_OK;
}

static void visit_packets(void *arg, const struct watch_worker *w)
{
	struct packet_visit *v = arg;

	v->n = 0;
	v->more = packetcache_walk_some(w->packetcache, &v->cursor, PACKET_ROWS, note_packet, v,
					v->now_s);
}

static size_t dump_packetcache(struct command_call *call, struct passed_file *sink, unsigned worker)
{
	struct packet_visit *v = calloc(1, sizeof(*v));
	char name[NAME_TEXT_MAX], type[RRTYPE_TEXT_MAX];
	size_t n = 0;

	if (v == NULL) {
		sink->error = ENOMEM;
		return 0;
	}
	v->now_s = call->env->wall_s(call->env->ctx);
	v->cursor = SIZE_MAX;
	v->more = true;
	fprintf(sink->stream, "; packet cache dump from worker-%u follows\n;\n", worker);
	while (v->more && go_on(sink) == E_OK) {
		if (call->env->on_worker(call->env->ctx, worker, visit_packets, v) != E_OK)
			break; /* it has stopped, and its packet cache with it */
		for (unsigned i = 0; i < v->n; i++)
			fprintf(sink->stream, "%s %u %s  ; tag %u %s\n",
				name_to_text(name, v->rows[i].name), v->rows[i].ttl,
				rrtype_to_text(v->rows[i].type, type), v->rows[i].tag,
				v->rows[i].tcp ? "tcp" : "udp");
		n += v->n;
	}
	free(v);
	return n;
}

int dump_cache_command(struct command_call *call)
{
	bool all = call->argc == 0, parts[256] = { false };
	struct passed_file sink;
	size_t n = 0;

	for (int i = 0; i < call->argc; i++) {
		if (strlen(call->argv[i]) != 1 || strchr("rnpa", call->argv[i][0]) == NULL) {
			fprintf(call->out, "dump-cache: r, n, p and a are parts, '%s' is none\n",
				call->argv[i]);
			return 1;
		}
		parts[(unsigned char)call->argv[i][0]] = true;
	}
	if (!passed_file_write(&sink, call))
		return 1;
	if (all || parts['r'])
		n += dump_record_cache(call, &sink, false);
	if (all || parts['n'])
		n += dump_record_cache(call, &sink, true);
	for (unsigned i = 0; i < call->env->n_workers; i++)
		if (all || parts['p'])
			n += dump_packetcache(call, &sink, i);
	if (all || parts['a'])
		n += dump_aggressive(call, &sink);
	return passed_file_end(&sink, call, "", n);
}

/* ---- the server table ---- */

struct servers_dump {
	struct passed_file *sink;
	uint32_t wall_s;
	size_t n;
};

static int dump_server(void *ctx, const struct server_dump *s)
{
	struct servers_dump *d = ctx;
	char name[NAME_TEXT_MAX] = "-", ip[ADDR_TEXT_MAX], when[CLOCK_TEXT_MAX];

	if (s->ns_name != NULL)
		name_to_text(name, s->ns_name);
	clock_text(when, (time_t)d->wall_s - (time_t)(s->age_ms / 1000));
	fprintf(d->sink->stream, "%s\t%s\t%s/", name, when, addr_ip_text(ip, &s->addr));
	if (s->view.measured)
		fprintf(d->sink->stream, "%u.%03u", s->view.srtt_us / 1000, s->view.srtt_us % 1000);
	else
		fputc('-', d->sink->stream);
	fprintf(d->sink->stream, "/%u/%u%s%s\n", s->view.timeout_ms, s->view.fails,
		s->view.down ? "/down" : "", s->view.edns == EDNS_NONE ? "/noedns" : "");
	d->n++;
	return go_on(d->sink);
}

static int dump_throttle(void *ctx, const struct throttle_dump *t)
{
	struct servers_dump *d = ctx;
	char name[NAME_TEXT_MAX] = "-", ip[ADDR_TEXT_MAX], when[CLOCK_TEXT_MAX];
	char type[RRTYPE_TEXT_MAX];

	if (t->name != NULL)
		name_to_text(name, t->name);
	clock_text(when, (time_t)d->wall_s + (time_t)(t->ms_left / 1000));
	fprintf(d->sink->stream, "%s\t%s\t%s\t%u\t%s\t%s\n", addr_ip_text(ip, &t->addr), name,
		t->name == NULL ? "-" : rrtype_to_text(t->type, type), t->tries_left, when,
		throttle_reason_text(t->why));
	d->n++;
	return go_on(d->sink);
}

int dump_nsspeeds_command(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct passed_file sink;
	struct servers_dump d = { .sink = &sink, .wall_s = env->wall_s(env->ctx) };

	if (!passed_file_write(&sink, call))
		return 1;
	fprintf(sink.stream,
		"; nsspeed dump follows\n"
		"; nsname\ttimestamp\tip/smoothed-ms/timeout-ms/failures[/down][/noedns]\n");
	(void)servers_walk(env->servers, dump_server, &d, env->now_ms(env->ctx));
	return passed_file_end(&sink, call, "dump-nsspeeds: ", d.n);
}

int dump_throttles_command(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct passed_file sink;
	struct servers_dump d = { .sink = &sink, .wall_s = env->wall_s(env->ctx) };

	if (!passed_file_write(&sink, call))
		return 1;
	fprintf(sink.stream, "; throttle map dump follows\n"
			     "; remote IP\tqname\tqtype\tcount\tttd\treason\n");
	(void)servers_walk_throttles(env->servers, dump_throttle, &d, env->now_ms(env->ctx));
	return passed_file_end(&sink, call, "dump-throttlemap: ", d.n);
}

static int dump_edns(void *ctx, const struct server_dump *s)
{
	struct servers_dump *d = ctx;
	char ip[ADDR_TEXT_MAX], when[CLOCK_TEXT_MAX];

	if (s->view.edns != EDNS_NONE)
		return E_OK;
	clock_text(when, (time_t)d->wall_s + (time_t)s->edns_left_s);
	fprintf(d->sink->stream, "%s\tNoEDNS\t%s\n", addr_ip_text(ip, &s->addr), when);
	d->n++;
	return go_on(d->sink);
}

static int dump_failed(void *ctx, const struct server_dump *s)
{
	struct servers_dump *d = ctx;
	char ip[ADDR_TEXT_MAX], when[CLOCK_TEXT_MAX];

	if (s->view.fails == 0)
		return E_OK;
	clock_text(when, (time_t)d->wall_s - (time_t)(s->age_ms / 1000));
	fprintf(d->sink->stream, "%s\t%u\t%s\n", addr_ip_text(ip, &s->addr), s->view.fails, when);
	d->n++;
	return go_on(d->sink);
}

static int dump_unresolved(void *ctx, const struct unresolved_dump *u)
{
	struct servers_dump *d = ctx;
	char name[NAME_TEXT_MAX], when[CLOCK_TEXT_MAX];

	clock_text(when, (time_t)d->wall_s - (time_t)(u->age_ms / 1000));
	fprintf(d->sink->stream, "%s\t%u\t%s\n", name_to_text(name, u->ns_name), u->fails, when);
	d->n++;
	return go_on(d->sink);
}

int dump_edns_command(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct passed_file sink;
	struct servers_dump d = { .sink = &sink, .wall_s = env->wall_s(env->ctx) };

	if (!passed_file_write(&sink, call))
		return 1;
	fprintf(sink.stream, "; edns dump follows\n; ip\tstatus\tttd\n");
	(void)servers_walk(env->servers, dump_edns, &d, env->now_ms(env->ctx));
	return passed_file_end(&sink, call, "dump-edns: ", d.n);
}

int dump_failed_command(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct passed_file sink;
	struct servers_dump d = { .sink = &sink, .wall_s = env->wall_s(env->ctx) };

	if (!passed_file_write(&sink, call))
		return 1;
	fprintf(sink.stream, "; failed servers dump follows\n; remote IP\tcount\ttimestamp\n");
	(void)servers_walk(env->servers, dump_failed, &d, env->now_ms(env->ctx));
	return passed_file_end(&sink, call, "dump-failedservers: ", d.n);
}

int dump_non_resolving_command(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct passed_file sink;
	struct servers_dump d = { .sink = &sink, .wall_s = env->wall_s(env->ctx) };

	if (!passed_file_write(&sink, call))
		return 1;
	fprintf(sink.stream, "; non-resolving nameserver dump follows\n; name\tcount\ttimestamp\n");
	(void)servers_walk_unresolved(env->servers, dump_unresolved, &d, env->now_ms(env->ctx));
	return passed_file_end(&sink, call, "dump-non-resolving: ", d.n);
}

/* ---- delegations ---- */

struct parents_dump {
	struct passed_file *sink;
	struct cache *cache;
	uint32_t now_s;
	size_t n;
};

static int dump_parent(void *ctx, const struct rrset *s, bool delegation)
{
	struct parents_dump *d = ctx;
	char name[NAME_TEXT_MAX];
	struct rrset *own;
	struct rdata rr;
	size_t at = 0;

	if (!delegation || s->type != TYPE_NS || s->kind != RRSET_DATA ||
	    rrset_is_expired(s, d->now_s))
		return E_OK;
	own = cache_get(d->cache, rrset_owner(s), TYPE_NS, RANK_AUTH_AUTHORITY, d->now_s);
	if (own != NULL && own->kind == RRSET_DATA && !rrset_equal_data(own, s)) {
		fprintf(d->sink->stream, "%s\t%u\t", name_to_text(name, rrset_owner(s)),
			rrset_ttl_left(s, d->now_s));
		while (rrset_next(s, &at, &rr))
			fprintf(d->sink->stream, " %s", name_to_text(name, rr.data));
		fputc('\n', d->sink->stream);
		d->n++;
	}
	rrset_put(own);
	return go_on(d->sink);
}

int dump_parents_command(struct command_call *call)
{
	const struct watch_env *env = call->env;
	struct passed_file sink;
	struct parents_dump d = { .sink = &sink,
				  .cache = env->cache,
				  .now_s = env->wall_s(env->ctx) };

	if (!passed_file_write(&sink, call))
		return 1;
	fprintf(sink.stream, "; saved parent nameserver sets dump follows\n; domain\tttl\tnames\n");
	(void)cache_walk(env->cache, dump_parent, &d);
	return passed_file_end(&sink, call, "dump-saved-parent-ns-sets: ", d.n);
}
