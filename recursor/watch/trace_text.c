#include "recursor/watch/trace_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/resolve/cache.h"

/* ---- one event as a line ---- */

/* How the fields stand around the sentence.  %S sentence, %n name, %o other name, %t type,
 * %s server, %p transport, %r RTT, %c rcode, %k record counts, %z size,
 * %l TTL, %b budget, %m how many.  What stands in brackets is left out when a field in it does not apply. */
static const char *const layouts[] = {
	[EVENT_GOAL] = "%S %n[ %t]",
	[EVENT_JOINED] = "%n[ %t]: %S",
	[EVENT_SPECIAL] = "[%n: ]%S",
	[EVENT_AUTH_ZONE] = "%S[: %n]",
	[EVENT_LOCAL_COPY] = "%S[ %o][: %n][ %t]",
	[EVENT_COPY_REFUSED] = "%S[: %n][ %t]",
	[EVENT_CACHE_HIT] = "%S[: %n][ %t][, %l s left]",
	[EVENT_CACHE_NEGATIVE] = "%S[: %n][ %t][, %l s left]",
	[EVENT_CACHE_FAILURE] = "%S[: %n][ %t][, %l s left]",
	[EVENT_CACHE_MISS] = "%S[: %n][ %t]",
	[EVENT_CUT] = "%S[: %n][, %l s left]",
	[EVENT_FORWARD] = "[%n ]%S",
	[EVENT_ZONES_CHANGED] = "[%n: ]%S",
	[EVENT_ADDRESS_KNOWN] = "%S[: %n][ (%o)][: %s][: %m of them]",
	[EVENT_ADDRESS_WANTED] = "%S[: %n][ %t]",
	[EVENT_ADDRESS_NONE] = "%S[: %n][ %t]",
	[EVENT_THROTTLED] = "[%s ][(%o) ]%S",
	[EVENT_POLICY] = "[%s: ]%S",
	[EVENT_UNROUTED] = "[%s ][(%o) ]%S",
	[EVENT_NETWORK_DOWN] = "%S",
	[EVENT_DONT_QUERY] = "[%s ][(%o) ]%S",
	[EVENT_ASKED] = "%S %s[ (%o)][ for %n][ %t] over %p[, %b left]",
	[EVENT_TIMEOUT] = "[%s: ]%S",
	[EVENT_UNREACHABLE] = "[%s ]%S",
	[EVENT_NO_RESOURCES] = "[%s: ]%S",
	[EVENT_NEAR_MISS] = "[%s: ]%S",
	[EVENT_SPOOFED] = "[%s: ]%S",
	[EVENT_ANSWERED] = "[%s ]%S in %r: %c, %k records, %z bytes",
	[EVENT_GARBLED] = "[%s: ]%S",
	[EVENT_TRUNCATED] = "[%s: ]%S",
	[EVENT_NO_EDNS] = "[%s: ]%S",
	[EVENT_BAD_RCODE] = "[%s ]%S: %c",
	[EVENT_LAME] = "[%s ]%S[ %o]",
	[EVENT_OUT_OF_BAILIWICK] = "[%n ][%t: ]%S",
	[EVENT_REFERRAL] = "%S[ %n][ (%o)][, %l s]",
	[EVENT_ANSWER] = "%S[ %n][ %t][, %l s]",
	[EVENT_CNAME] = "[%n ]%S[ %o]",
	[EVENT_DNAME] = "[%n ]%S[ %o]",
	[EVENT_NODATA] = "[%n ]%S[ %t]",
	[EVENT_NXDOMAIN] = "[%n ]%S",
	[EVENT_STEP_SHARED] = "%n[ %t]: %S",
	[EVENT_MINIMISED_ON] = "[%n: ]%S",
	[EVENT_MINIMISE_OFF] = "%S",
	[EVENT_PARENT_AGAIN] = "[%n: ]%S",
	[EVENT_HARVEST] = "[%n][ %t: ]%S",
	[EVENT_REFRESH] = "[%n][ %t: ]%S",
	[EVENT_STALE] = "%S[: %n][ %t][, expired %l s ago]",
	[EVENT_STALE_CUT] = "[%n: ]%S",
	[EVENT_TRUST] = "%S[: %n]",
	[EVENT_AGGRESSIVE] = "%S[: %n][ %t]",
	[EVENT_VERIFIED] = "%n[ %t] %S[ by %o][ (%K)][, by a DS of digest type %D][, valid %V]",
	[EVENT_NOT_VERIFIED] = "%n[ %t] %S[ by %o][ (%K)][, valid %V]",
	[EVENT_PROVED] = "%n[ %t] %S[ by %o]",
	[EVENT_NOT_PROVED] = "%n[ %t] %S[ by %o]",
	[EVENT_WANTING] = "%S[: %n]",
	[EVENT_DS] = "%n %S[ (%K)][, digest type %D]",
	[EVENT_DNSKEY] = "%n %S[ (%K)][, flags %m]",
	[EVENT_BOGUS] = "%S[: %n][ %t]",
	[EVENT_CYCLE] = "[%n][ %t: ]%S",
	[EVENT_LIMIT] = "%S",
	[EVENT_LEFT_OUT] = "%m %S",
	[EVENT_FAILED] = "%S",
	[EVENT_DONE] = "%S: %c",
};
static_assert(ARRAY_LEN(layouts) == EVENT_KINDS, "a layout for each kind of event");

/* Kinds that mean trouble, and kinds that mean knowledge gained: what the eye looks for. */
static bool is_bad(unsigned kind)
{
	switch (kind) {
	case EVENT_CACHE_FAILURE:
	case EVENT_ADDRESS_NONE:
	case EVENT_THROTTLED:
	case EVENT_UNROUTED:
	case EVENT_NETWORK_DOWN:
	case EVENT_DONT_QUERY:
	case EVENT_TIMEOUT:
	case EVENT_UNREACHABLE:
	case EVENT_NO_RESOURCES:
	case EVENT_NEAR_MISS:
	case EVENT_SPOOFED:
	case EVENT_GARBLED:
	case EVENT_BAD_RCODE:
	case EVENT_LAME:
	case EVENT_OUT_OF_BAILIWICK:
	case EVENT_STALE:
	case EVENT_STALE_CUT:
	case EVENT_NOT_VERIFIED:
	case EVENT_NOT_PROVED:
	case EVENT_WANTING:
	case EVENT_BOGUS:
	case EVENT_CYCLE:
	case EVENT_LIMIT:
	case EVENT_FAILED:
		return true;
	default:
		return false;
	}
}

static bool is_good(unsigned kind)
{
	return kind == EVENT_CACHE_HIT || kind == EVENT_ANSWER || kind == EVENT_REFERRAL ||
	       kind == EVENT_CNAME || kind == EVENT_DNAME || kind == EVENT_VERIFIED ||
	       kind == EVENT_PROVED;
}

static const char *transport_text(unsigned transport)
{
	return transport == TRANSPORT_TCP ? "TCP" : "UDP";
}

/* The port only where it is not the usual one. */
static char *server_text(char out[ADDR_TEXT_MAX], const struct addr *a)
{
	return a->port == 53 ? addr_ip_text(out, a) : addr_text(out, a);
}

static bool name_field(char *out, const struct trace *t, uint16_t offset)
{
	const uint8_t *name = trace_name(t, offset);

	if (name == NULL)
		return false;
	name_to_text(out, name);
	return true;
}

enum { FIELD_MAX = NAME_TEXT_MAX };

/* RFC 4034 3.1.5: from when until when, as zone files have it (3.2). */
static void validity_text(char out[FIELD_MAX], const struct event *e)
{
	const time_t from = (time_t)e->us, until = (time_t)e->ttl;
	char first[20], last[20];
	struct tm tm;

	strftime(first, sizeof(first), "%Y%m%d%H%M%S", gmtime_r(&from, &tm));
	strftime(last, sizeof(last), "%Y%m%d%H%M%S", gmtime_r(&until, &tm));
	snprintf(out, FIELD_MAX, "%s to %s", first, last);
}

/* A field's text; false when it does not apply to this event. */
static bool field_text(char out[FIELD_MAX], const struct trace *t, const struct event *e, char what)
{
	char buf[RRTYPE_TEXT_MAX];

	out[0] = '\0';
	switch (what) {
	case 'S':
		snprintf(out, FIELD_MAX, "%s", event_sentence(e->kind));
		return true;
	case 'n':
		return name_field(out, t, e->name);
	case 'o':
		return name_field(out, t, e->other);
	case 't':
		snprintf(out, FIELD_MAX, "%s",
			 e->type == CACHE_TRUST ? "(chain of trust)"
						: rrtype_to_text(e->type, buf));
		return e->type != 0;
	case 'K':
		snprintf(out, FIELD_MAX, "key %u, algorithm %u", e->rcode, e->records[0]);
		return e->records[0] != 0;
	case 'D':
		snprintf(out, FIELD_MAX, "%u", e->records[1]);
		return e->records[1] != 0;
	case 'V':
		validity_text(out, e);
		return e->records[0] != 0;
	case 's':
		if (e->server.family == 0)
			return false;
		server_text(out, &e->server);
		return true;
	case 'p':
		snprintf(out, FIELD_MAX, "%s", transport_text(e->transport));
		return true;
	case 'r':
		snprintf(out, FIELD_MAX, "%u.%u ms", e->us / 1000, e->us / 100 % 10);
		return true;
	case 'c':
		snprintf(out, FIELD_MAX, "%s", rcode_to_text(e->rcode, buf));
		return true;
	case 'k':
		snprintf(out, FIELD_MAX, "%u+%u+%u", e->records[0], e->records[1], e->records[2]);
		return true;
	case 'z':
		snprintf(out, FIELD_MAX, "%u", e->size);
		return true;
	case 'l':
		snprintf(out, FIELD_MAX, "%u", e->ttl);
		return e->ttl != 0;
	case 'b':
		snprintf(out, FIELD_MAX, "%u", e->budget);
		return e->budget != UINT16_MAX;
	case 'm':
		snprintf(out, FIELD_MAX, "%u", e->size);
		return e->size != 0;
	default:
		return false;
	}
}

/* Does every field between `at` and `end` apply? */
static bool all_apply(const struct trace *t, const struct event *e, const char *at, const char *end)
{
	char field[FIELD_MAX];

	for (; at < end; at++)
		if (*at == '%' && !field_text(field, t, e, *++at))
			return false;
	return true;
}

static void print_fields(FILE *out, const struct trace *t, const struct event *e, const char *at,
			 const char *end)
{
	char field[FIELD_MAX];

	for (; at < end; at++) {
		if (*at != '%')
			fputc(*at, out);
		else
			fputs(field_text(field, t, e, *++at) ? field : "?", out);
	}
}

static void print_event(FILE *out, const struct trace *t, const struct event *e)
{
	const char *at = e->kind < EVENT_KINDS ? layouts[e->kind] : "%S";

	while (*at != '\0') {
		const char *end = at + strcspn(at, *at == '[' ? "]" : "[");

		if (*at == '[') {
			if (all_apply(t, e, at + 1, end))
				print_fields(out, t, e, at + 1, end);
			at = end + 1;
		} else {
			print_fields(out, t, e, at, end);
			at = end;
		}
	}
	if (e->note != NULL)
		fprintf(out, ": %s", e->note);
}

/* ---- the tree ---- */

enum {
	NOBODY = UINT16_MAX,
	DEPTH_MAX = 32,
	NODES_MAX = TRACE_EVENTS_MAX + 1,
	ADDRESSES_DRAWN = 3,
};
static_assert(NODES_MAX < NOBODY, "an index fits");

/* A goal and its steps in order; node 0 is whoever asked. */
struct node {
	uint16_t goal;
	uint16_t first, last; /* events */
	bool drawn;
};

struct tree {
	FILE *out;
	const struct trace *t;
	const struct trace_style *style;
	unsigned n_nodes;
	struct node nodes[NODES_MAX];
	uint16_t next[TRACE_EVENTS_MAX]; /* the next step in the same node */
	bool closes[DEPTH_MAX];          /* at that depth the last step was drawn */
};

static struct node *find_node(struct tree *tree, uint16_t goal)
{
	for (unsigned i = 0; i < tree->n_nodes; i++)
		if (tree->nodes[i].goal == goal)
			return &tree->nodes[i];
	return NULL;
}

static bool opens_goal(const struct event *e)
{
	return e->kind == EVENT_GOAL || e->kind == EVENT_JOINED;
}

static void plant(struct tree *tree)
{
	tree->nodes[tree->n_nodes++] = (struct node) { .goal = 0, .first = NOBODY };
	for (unsigned i = 0; i < tree->t->n_events; i++) {
		const struct event *e = &tree->t->events[i];
		uint16_t goal = opens_goal(e) ? e->parent : e->goal;
		struct node *node = find_node(tree, goal);

		if (node == NULL) {
			node = &tree->nodes[tree->n_nodes++];
			*node = (struct node) { .goal = goal, .first = NOBODY };
		}
		tree->next[i] = NOBODY;
		if (node->first == NOBODY)
			node->first = (uint16_t)i;
		else
			tree->next[node->last] = (uint16_t)i;
		node->last = (uint16_t)i;
	}
}

/* [unicode][at the step itself][the last one at that depth] */
static const char *const rails[2][2][2] = {
	{ { "|  ", "   " }, { "|- ", "`- " } },
	{ { "│  ", "   " }, { "├─ ", "└─ " } },
};

static void draw_margin(const struct tree *tree, const struct event *e, unsigned depth)
{
	const struct trace_style *s = tree->style;

	fprintf(tree->out, s->colour ? "\33[2m%5u ms  " : "%5u ms  ", e->at_ms);
	for (unsigned i = 1; i <= depth; i++)
		fputs(rails[s->unicode][i == depth][tree->closes[i]], tree->out);
	fputs(s->colour ? "\33[0m" : "", tree->out);
}

static void draw_line(const struct tree *tree, const struct event *e, unsigned depth)
{
	const char *colour = is_bad(e->kind) ? "\33[31m" : is_good(e->kind) ? "\33[32m" : "";
	bool coloured = tree->style->colour && colour[0] != '\0';

	draw_margin(tree, e, depth);
	fputs(coloured ? colour : "", tree->out);
	print_event(tree->out, tree->t, e);
	fputs(coloured ? "\33[0m\n" : "\n", tree->out);
}

/* The root has 26 addresses: of a long run of them the first few are drawn, and how many more
 * there are.  Returns the run's last step. */
static uint16_t draw_addresses(struct tree *tree, uint16_t i, unsigned depth)
{
	unsigned n = 0, drawn;
	uint16_t last = i;

	for (uint16_t j = i; j != NOBODY && tree->t->events[j].kind == EVENT_ADDRESS_KNOWN;
	     j = tree->next[j]) {
		last = j;
		n++;
	}
	for (drawn = 0; drawn < n && (n <= ADDRESSES_DRAWN + 1 || drawn < ADDRESSES_DRAWN);
	     drawn++, i = tree->next[i]) {
		tree->closes[depth] = tree->next[i] == NOBODY;
		draw_line(tree, &tree->t->events[i], depth);
	}
	tree->closes[depth] = tree->next[last] == NOBODY;
	if (drawn < n) {
		draw_margin(tree, &tree->t->events[last], depth);
		fprintf(tree->out, "and %u more addresses\n", n - drawn);
	}
	return last;
}

static void draw_node(struct tree *tree, struct node *node, unsigned depth)
{
	unsigned below = depth + 1 < DEPTH_MAX ? depth + 1 : depth;

	node->drawn = true;
	for (uint16_t i = node->first; i != NOBODY; i = tree->next[i]) {
		const struct event *e = &tree->t->events[i];
		struct node *child = opens_goal(e) ? find_node(tree, e->goal) : NULL;

		if (e->kind == EVENT_ADDRESS_KNOWN) {
			i = draw_addresses(tree, i, depth);
			continue;
		}
		tree->closes[depth] = tree->next[i] == NOBODY;
		draw_line(tree, e, depth);
		if (child != NULL && !child->drawn)
			draw_node(tree, child, below);
	}
}

void trace_print(FILE *out, const struct trace *t, const struct trace_style *style)
{
	struct tree *tree = calloc(1, sizeof(*tree));

	if (tree == NULL) {
		fprintf(out, "%s\n", err_text(E_NOMEM));
		return;
	}
	tree->out = out;
	tree->t = t;
	tree->style = style;
	plant(tree);
	/* Node 0 and what hangs on it; then goals whose beginning was lost. */
	for (unsigned i = 0; i < tree->n_nodes; i++)
		if (!tree->nodes[i].drawn)
			draw_node(tree, &tree->nodes[i], 0);
	if (t->lost > 0)
		fprintf(out, "          %u more steps did not fit the trace\n", t->lost);
	free(tree);
}

/* ---- for machines ---- */

static void set_name(json_t *o, const char *key, const struct trace *t, uint16_t offset)
{
	char text[NAME_TEXT_MAX];

	if (name_field(text, t, offset))
		json_object_set_new(o, key, json_string(text));
}

static void set_number(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)value));
}

/* Of a step taken now; one on record has none of it. */
static bool is_signature(const struct event *e)
{
	return e->kind == EVENT_VERIFIED || e->kind == EVENT_NOT_VERIFIED;
}

static void set_signature(json_t *o, const struct event *e)
{
	if (e->records[0] == 0)
		return;
	set_number(o, "key-tag", e->rcode);
	set_number(o, "algorithm", e->records[0]);
	if (e->records[1] != 0)
		set_number(o, "digest-type", e->records[1]);
	set_number(o, "inception", e->us);
	set_number(o, "expiration", e->ttl);
}

static bool is_key(const struct event *e)
{
	return e->kind == EVENT_DS || e->kind == EVENT_DNSKEY;
}

static void set_key(json_t *o, const struct event *e)
{
	set_number(o, "key-tag", e->rcode);
	set_number(o, "algorithm", e->records[0]);
	if (e->kind == EVENT_DS)
		set_number(o, "digest-type", e->records[1]);
	else
		set_number(o, "flags", e->size);
}

static void set_answer(json_t *o, const struct event *e)
{
	set_number(o, "rtt-us", e->us);
	set_number(o, "bytes", e->size);
	json_object_set_new(o, "records",
			    json_pack("[i,i,i]", e->records[0], e->records[1], e->records[2]));
}

static json_t *event_json(const struct trace *t, const struct event *e)
{
	char buf[ADDR_TEXT_MAX];
	json_t *o = json_object();

	json_object_set_new(o, "event", json_string(event_word(e->kind)));
	set_number(o, "at-ms", e->at_ms);
	set_number(o, "goal", e->goal);
	if (opens_goal(e))
		set_number(o, "parent", e->parent);
	set_name(o, "name", t, e->name);
	set_name(o, "other", t, e->other);
	if (e->type != 0)
		json_object_set_new(o, "type", json_string(rrtype_to_text(e->type, buf)));
	if (e->server.family != 0)
		json_object_set_new(o, "server", json_string(addr_text(buf, &e->server)));
	if (e->kind == EVENT_ASKED || e->kind == EVENT_ANSWERED)
		json_object_set_new(o, "transport", json_string(transport_text(e->transport)));
	if (e->kind == EVENT_ANSWERED)
		set_answer(o, e);
	if (e->kind == EVENT_ANSWERED || e->kind == EVENT_BAD_RCODE || e->kind == EVENT_DONE ||
	    e->kind == EVENT_FAILED)
		json_object_set_new(o, "rcode", json_string(rcode_to_text(e->rcode, buf)));
	if (is_key(e))
		set_key(o, e);
	if (is_signature(e))
		set_signature(o, e);
	else if (e->ttl != 0)
		set_number(o, "ttl", e->ttl);
	if (e->kind == EVENT_ASKED && e->budget != UINT16_MAX)
		set_number(o, "budget", e->budget);
	if ((e->kind == EVENT_ADDRESS_KNOWN || e->kind == EVENT_LEFT_OUT) && e->size != 0)
		set_number(o, "count", e->size);
	if (e->note != NULL)
		json_object_set_new(o, "note", json_string(e->note));
	return o;
}

json_t *trace_json(const struct trace *t)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < t->n_events; i++)
		json_array_append_new(list, event_json(t, &t->events[i]));
	return list;
}
