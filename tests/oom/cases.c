/* cases: see oom.h: what reads settings, zones, lists, and every command of rec_control. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "common/netset.h"
#include "common/rrset.h"
#include "common/rrtype.h"
#include "common/zonefile.h"
#include "recursor/files/anchorload.h"
#include "recursor/files/cachefile.h"
#include "recursor/files/hints.h"
#include "recursor/files/rolloverfile.h"
#include "recursor/files/zoneload.h"
#include "recursor/local.h"
#include "recursor/policy/ipset.h"
#include "recursor/policy/shelf.h"
#include "recursor/resolve/dnssec/aggressive.h"
#include "recursor/settings/settings.h"
#include "recursor/settings/settings_table.h"
#include "recursor/watch/carbon.h"
#include "recursor/watch/commands.h"
#include "recursor/watch/dnstap.h"
#include "recursor/watch/secpoll.h"
#include "recursor/watch/web/web.h"
#include "tests/oom/alloc.h"
#include "tests/oom/oom.h"
#include "tests/unit/api_call.h"
#include "tests/unit/api_dir.h"
#include "tests/unit/fake_env.h"

/* ---- files to read ---- */

enum { PATH_LEN = 64, OOM_NOW_S = 1700000000 };

static char dir[PATH_LEN], file[PATH_LEN + 16];

static void file_write(const char *text)
{
	FILE *f;

	snprintf(dir, sizeof(dir), "/tmp/oom_XXXXXX");
	ASSERT(mkdtemp(dir) != NULL);
	snprintf(file, sizeof(file), "%s/recursor.conf", dir);
	f = fopen(file, "we");
	ASSERT(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void file_remove(void)
{
	unlink(file);
	rmdir(dir);
}

/* Success, or a failure with its reason; success when nothing fails. */
static const char *judge(int err, const char *why, bool nothing_fails)
{
	static char text[SETTINGS_WHY_MAX + 64];

	if (err == E_OK || (!nothing_fails && why[0] != '\0'))
		return NULL;
	snprintf(text, sizeof(text), "error %d, \"%s\"", err, why);
	return text;
}

static void warn(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static const char *settings_case(const char *text, bool nothing_fails)
{
	char option[PATH_LEN + 16], program[] = "recursor", qperq[] = "--max-qperq=7";
	char *argv[] = { program, option, qperq };
	struct settings *s = NULL, *changed = NULL;
	char why[SETTINGS_WHY_MAX] = "";
	int err;

	file_write(text);
	snprintf(option, sizeof(option), "--config-dir=%s", dir);
	err = settings_load(&s, 3, argv, warn, NULL, why);
	if (err == E_OK)
		err = settings_change(&changed, s, "max-qperq", "8", why);
	settings_free(changed);
	settings_free(s);
	file_remove();
	return judge(err, why, nothing_fails);
}

static int count_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
			const uint8_t *rdata, uint16_t rdlen)
{
	size_t *n = ctx;

	(void)owner;
	(void)type;
	(void)ttl;
	(void)rdata;
	(void)rdlen;
	++*n;
	return E_OK;
}

static const char *zonefile_case(const char *text, bool nothing_fails)
{
	char why[SETTINGS_WHY_MAX] = "";
	size_t n = 0;
	int err;

	file_write(text);
	err = zonefile_read(file, NULL, count_record, &n, why, sizeof(why));
	file_remove();
	return judge(err, why, nothing_fails);
}

/* A secure set of "example", signed as it should be but for the signature. */
static struct rrset *secure_set(const uint8_t *owner, uint16_t type, uint8_t labels,
				const void *rdata, size_t len)
{
	uint8_t bytes[] = "\0\0\15\0\0\0\16\20\177\0\0\0\0\0\0\0\0\0\7example\0";
	struct rdata rr = { .data = rdata, .len = (uint16_t)len };
	struct rdata sig = { .data = bytes, .len = sizeof(bytes) };
	struct rrset *s = NULL;

	bytes[1] = (uint8_t)type;
	bytes[3] = labels;
	if (rrset_new(&s, owner, type, 3600, OOM_NOW_S, RANK_AUTH_AUTHORITY, &rr, 1, &sig, 1) ==
	    E_OK)
		rrset_set_security(s, SEC_SECURE, 0);
	return s;
}

/* One NSEC, which denies all names of its zone, and data of a wildcard: kept, used, wiped. */
static const char *aggressive_case(const char *text, bool nothing_fails)
{
	static const uint8_t zone[] = "\7example", name[] = "\1b\7example";
	static const uint8_t soa[] = "\2ns\0\4host\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\1\54";
	const struct aggressive_config cfg = { .max_entries = 10 };
	struct rrset *sets[] = {
		secure_set(zone, TYPE_SOA, 1, soa, sizeof(soa) - 1),
		secure_set(zone, TYPE_NSEC, 1, "\7example\0\0\1\42", 12),
		secure_set(name, TYPE_A, 1, "\300\0\2\1", 4),
	};
	enum aggressive_hit denial = AGGRESSIVE_NONE, data = AGGRESSIVE_NONE;
	struct rrset *out[2] = { NULL, NULL };
	struct aggressive *a = NULL;

	(void)text;
	if (aggressive_new(&a, &cfg) == E_OK) {
		for (size_t i = 1; i < ARRAY_LEN(sets); i++)
			if (sets[i] != NULL)
				aggressive_put(a, zone, sets[i], sets[0], OOM_NOW_S);
		denial = aggressive_look(a, name, TYPE_TXT, OOM_NOW_S, NULL, &out[0]);
		data = aggressive_look(a, name, TYPE_A, OOM_NOW_S, NULL, &out[1]);
		(void)aggressive_wipe(a, name, true);
	}
	aggressive_free(a);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		rrset_put(sets[i]);
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		rrset_put(out[i]);
	if (nothing_fails && (denial != AGGRESSIVE_NSEC || data != AGGRESSIVE_NSEC_WILDCARD))
		return "it answers nothing";
	return NULL;
}

/* Forwards, and a file that is a zone's and, line by line, one of hosts. */
static const char *zones_case(const char *text, bool nothing_fails)
{
	char program[] = "recursor", option[PATH_LEN + 32], auth[PATH_LEN + 48];
	char exported[] = "--export-etc-hosts=yes", hosts[PATH_LEN + 48];
	char forwards[] = "--forward-zones=a=192.0.2.1;192.0.2.2,b=::1";
	char *argv[] = { program, option, auth, exported, hosts, forwards, NULL };
	static const struct hosts_warn to = { .line = warn };
	char why[SETTINGS_WHY_MAX] = "";
	struct settings *s = NULL;
	struct zones *z = NULL;
	int err;

	file_write(text);
	snprintf(option, sizeof(option), "--config-dir=%s/none", dir);
	snprintf(auth, sizeof(auth), "--auth-zones=example.com=%s", file);
	snprintf(hosts, sizeof(hosts), "--etc-hosts-file=%s", file);
	err = settings_load(&s, 6, argv, warn, NULL, why);
	if (err == E_OK)
		err = zoneload(&z, s, &to, NULL, why);
	zones_put(z);
	settings_free(s);
	file_remove();
	return judge(err, why, nothing_fails);
}

/* trustanchorfile, or, where the text is Lua's, lua-config-file. */
static const char *anchors_case(const char *text, bool nothing_fails)
{
	const bool is_lua = strncmp(text, "--", 2) == 0;
	const struct settings s = {
		.trustanchorfile = is_lua ? "" : file,
		.lua_config_file = is_lua ? file : "",
		.negative_trustanchors = "a.example, b.example",
	};
	char why[SETTINGS_WHY_MAX] = "";
	struct anchorload loaded = { 0 };
	int err;

	file_write(text);
	err = anchorload(&loaded, &s, why);
	anchorload_clear(&loaded);
	file_remove();
	return judge(err, why, nothing_fails);
}

static const char *rollovers_case(const char *text, bool nothing_fails)
{
	static struct rollovers r;
	struct rollover other = { 0 };
	char why[ROLLOVERFILE_WHY_MAX] = "", *copy;
	FILE *null = NULL;
	int err;

	alloc_pause(true);
	copy = strdup(text);
	null = fopen("/dev/null", "w");
	alloc_pause(false);
	err = rolloverfile_parse(&r, copy, strlen(copy), why);
	if (err == E_OK)
		err = rolloverfile_write(null, &r);
	if (err == E_OK)
		err = rollover_copy(&other, &r.zones[0]);
	/* Of a good file nothing else is said. */
	if (err == E_NOMEM)
		(void)snprintf(why, sizeof(why), "%s", err_text(err));
	else
		why[0] = '\0';
	alloc_pause(true);
	rollovers_deinit(&r);
	rollover_deinit(&other);
	(void)fclose(null);
	free(copy);
	alloc_pause(false);
	return judge(err, why, nothing_fails);
}

/* CH TXT about ourselves: an answer without data would say that there is no anchor. */
static const char *local_case(const char *text, bool nothing_fails)
{
	const struct settings s = { .version_string = "a", .allow_trust_anchor_query = true };
	uint8_t wire[QUERY_HEAD_MAX] = { 0 };
	struct query q = { .wire = wire, .type = TYPE_TXT, .class = CLASS_CH };
	struct anchors *anchors = NULL;
	struct local_answer out;
	bool failed;

	ASSERT(name_from_text(wire + WIRE_HEADER_LEN, text) == E_OK);
	q.question_end = (uint16_t)(WIRE_HEADER_LEN + name_len(query_name(&q)) + 4);
	if (anchors_new_builtin(&anchors) != E_OK)
		return judge(E_NOMEM, "no memory", nothing_fails);
	(void)local_look(&out, &q, false, &s, anchors, OOM_NOW_S);
	anchors_put(anchors);
	failed = out.rcode == RCODE_SERVFAIL && out.cause == CAUSE_MEMORY;
	if ((out.set == NULL) != failed)
		return "neither data nor SERVFAIL";
	rrset_put(out.set);
	return judge(failed ? E_NOMEM : E_OK, "no memory", nothing_fails);
}

static const char *hints_case(const char *text, bool nothing_fails)
{
	char why[SETTINGS_WHY_MAX] = "";
	struct rrset **sets = NULL;
	size_t n = 0;
	int err;

	file_write(text);
	err = hints_load(&sets, &n, file, 1700000000, why);
	if (err == E_OK)
		hints_free(sets, n);
	file_remove();
	return judge(err, why, nothing_fails);
}

static const char *netset_case(const char *text, bool nothing_fails)
{
	char bad[ADDR_TEXT_MAX] = "";
	struct netset *s = NULL;
	int err = netset_new(&s);

	if (err == E_OK)
		err = netset_add_list(s, text, bad);
	netset_free(s);
	return judge(err, "no memory", nothing_fails);
}

/* ---- commands ---- */

/* In the rings, and among who costs. */
static void env_note(struct fake_env *f)
{
	const struct cost cost = { .cpu_us = 10, .outqueries = 1, .wait_us = 100 };
	const struct addr remote = { .family = 4, .ip = { 192, 0, 2, 1 } };

	for (unsigned i = 0; i < RING_COUNT; i++)
		rings_note(f->rings[0], (enum ring_kind)i,
			   &(struct ring_note) { .remote = &remote,
						 .name = (const uint8_t *)"\1a\1b\3com",
						 .name_len = 9,
						 .type = 1 });
	costs_charge_client(f->costs[1], f->psl, &remote, (const uint8_t *)"\1a\1b\3com", &cost);
	costs_charge_server(f->costs[1], &remote, &cost);
}

static void env_fill(struct fake_env *f)
{
	static const uint8_t address[] = { 192, 0, 2, 1 };

	fake_env_open(f);
	fake_env_put(f, "www.example.com", 1, 300, RANK_AUTH_ANSWER, address, sizeof(address));
	fake_env_put_negative(f, RRSET_NXDOMAIN, "nx.example.com", 0, 300);
	fake_env_put_packet(f, 0, "www.example.com", 1, 300, false);
	env_note(f);
}

/* A refusal, too, is an answer. */
static const char *command_case(const char *line, bool nothing_fails)
{
	static struct fake_env f;
	static struct command_request rq;
	struct command_reply reply = { .status = 0 };
	char text[256];
	int file_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool is_answered;

	(void)nothing_fails;
	alloc_pause(true);
	env_fill(&f);
	snprintf(text, sizeof(text), "%s", line);
	command_parse(&rq, text, strlen(text));
	rq.file = file_fd;
	alloc_pause(false);
	command_run(&f.env, &rq, &reply);
	alloc_pause(true);
	is_answered = reply.text == NULL || strlen(reply.text) == reply.len;
	command_reply_free(&reply);
	fake_env_close(&f);
	alloc_pause(false);
	close(file_fd);
	return is_answered ? NULL : "a reply that is not as long as it says";
}

/* ---- the HTTP API ---- */

static int (*reload_of_env)(void *ctx, const char *const *names, size_t n, char *why);
static int (*reload_zones_of_env)(void *ctx, const char *const *more, size_t n, char *why);

/* What files and zones need when they are read has cases of its own. */
static int reload_quietly(void *ctx, const char *const *names, size_t n, char *why)
{
	int err;

	alloc_pause(true);
	err = reload_of_env(ctx, names, n, why);
	alloc_pause(false);
	return err;
}

static int reload_zones_quietly(void *ctx, const char *const *more, size_t n, char *why)
{
	int err;

	alloc_pause(true);
	err = reload_zones_of_env(ctx, more, n, why);
	alloc_pause(false);
	return err;
}

/* "METHOD path?parameters" and a body behind a newline.  What was not done has left no file. */
static const char *api_case(const char *request, bool nothing_fails)
{
	static struct fake_env f;
	static struct api_dir at;
	const int level = log_level();
	char text[512], *body, *target;
	json_t *reply = NULL;
	unsigned status, left;

	alloc_pause(true);
	api_dir_open(&at);
	env_fill(&f);
	fake_env_configure(&f, at.top);
	reload_of_env = f.env.reload;
	f.env.reload = reload_quietly;
	reload_zones_of_env = f.env.reload_zones;
	f.env.reload_zones = reload_zones_quietly;
	log_set_level(LOG_LEVEL_CRIT); /* of each change that is made */
	snprintf(text, sizeof(text), "%s", request);
	body = strchr(text, '\n');
	if (body != NULL)
		*body++ = '\0';
	target = strchr(text, ' ');
	*target++ = '\0';
	alloc_pause(false);
	status = api_call(&f.env, text, target, body, &reply);
	json_decref(reply);
	alloc_pause(true);
	left = api_dir_count(&at);
	fake_env_close(&f);
	api_dir_close(&at);
	log_set_level(level);
	alloc_pause(false);
	if (nothing_fails && status >= 300)
		return "it is refused";
	/* A zone that is there whose reply could not be made is there all the same. */
	return status == 422 && left > 0 ? "files of a change that was not made" : NULL;
}

/* ---- the web server ---- */

static const char *web_case(const char *key, bool nothing_fails)
{
	static const struct addr address = { .family = 4, .ip = { 127, 0, 0, 1 } };
	struct web_options o = {
		.addresses = &address,
		.n_addresses = 1,
		.password = "x",
		.key = key,
		.cross_origin = "",
	};
	char why[WEB_WHY_MAX] = "";
	struct web *w = NULL;
	int err = web_open(&w, &o, why);

	web_stop(w);
	return judge(err, why, nothing_fails);
}

/* ---- cache-file ---- */

static void take_set(void *ctx, struct rrset *s, bool as_delegation, uint64_t zone)
{
	struct fake_env *f = ctx;

	(void)zone;
	cache_share_proofs(f->env.cache, s, FAKE_WALL_S);
	(void)cache_restore(f->env.cache, s, as_delegation, FAKE_WALL_S);
}

static void take_server(void *ctx, const struct server_dump *s)
{
	struct fake_env *f = ctx;

	(void)servers_restore(f->env.servers, s, FAKE_NOW_MS);
}

/* A denial with its proof, and a server. */
static void keepable_fill(struct fake_env *f)
{
	static const uint8_t name[] = "\2no\7example", zone[] = "\7example", rdata[22] = { 0 };
	const struct rdata rr = { rdata, sizeof(rdata) };
	struct rrset *soa = NULL, *s = NULL;
	struct addr a = { .family = 4, .port = 53, .ip = { 192, 0, 2, 1 } };

	env_fill(f);
	ASSERT(rrset_new(&soa, zone, 6, 300, FAKE_WALL_S, RANK_AUTH_AUTHORITY, &rr, 1, NULL, 0) ==
	       E_OK);
	ASSERT(rrset_new_negative(&s, RRSET_NXDOMAIN, name, 0, 300, FAKE_WALL_S, RANK_AUTH_ANSWER,
				  &soa, 1, 0) == E_OK);
	ASSERT(cache_put(f->env.cache, s, 0, FAKE_WALL_S) == CACHE_STORED);
	rrset_put(soa);
	rrset_put(s);
	servers_answered(f->env.servers, &a, 1000, true, FAKE_NOW_MS);
	servers_set_name(f->env.servers, &a, name);
}

static const char *cachefile_case(const char *argument, bool nothing_fails)
{
	static struct fake_env f;
	static char bytes[4096];
	struct cachefile_source from = {
		.now_s = FAKE_WALL_S,
		.now_ms = FAKE_NOW_MS,
		.max_sets = UINT64_MAX,
		.max_bytes = UINT64_MAX,
	};
	struct cachefile_sink to = {
		.ctx = &f,
		.now_s = FAKE_WALL_S,
		.set = take_set,
		.server = take_server,
	};
	struct cachefile_counts counts = { 0 };
	struct cachefile_info info;
	char why[CACHEFILE_WHY_MAX] = "no memory";
	FILE *file_in_memory = fmemopen(bytes, sizeof(bytes), "w+");
	int err;

	(void)argument;
	ASSERT(file_in_memory != NULL);
	alloc_pause(true);
	keepable_fill(&f);
	from.cache = f.env.cache;
	from.servers = f.env.servers;
	from.max_bytes = sizeof(bytes);
	alloc_pause(false);
	err = cachefile_write(file_in_memory, &from, &counts);
	alloc_pause(true);
	cache_wipe(f.env.cache, name_root, 0, true);
	servers_clear(f.env.servers, true, 0);
	alloc_pause(false);
	rewind(file_in_memory);
	if (err == E_OK)
		err = cachefile_read(file_in_memory, &to, &info, why);
	alloc_pause(true);
	fake_env_close(&f);
	alloc_pause(false);
	(void)fclose(file_in_memory);
	return judge(err, why, nothing_fails);
}

/* ---- what tells others ---- */

static char *any_setting(void *ctx, const char *name)
{
	(void)ctx;
	return strdup(strncmp(name, "carbon-", 7) == 0 ? "x" : "");
}

static const char *carbon_case(const char *argument, bool nothing_fails)
{
	static struct fake_env f;
	struct carbon *c = NULL;
	size_t len;
	char *text;
	int err = carbon_new(&c);

	(void)argument;
	carbon_free(c);
	if (err != E_OK)
		return judge(err, "no memory", nothing_fails);
	alloc_pause(true);
	env_fill(&f);
	f.env.setting = any_setting;
	alloc_pause(false);
	text = carbon_text(&f.env, &len);
	err = text == NULL ? E_NOMEM : E_OK;
	alloc_pause(true);
	fake_env_close(&f);
	alloc_pause(false);
	free(text);
	return judge(err, "no memory", nothing_fails);
}

static const char *secpoll_case(const char *text, bool nothing_fails)
{
	struct secpoll_said said;
	struct secpoll *p = NULL;
	int err = secpoll_new(&p, "1.0.0", "");

	secpoll_free(p);
	if (err == E_OK)
		err = secpoll_read(&said, (const uint8_t *)text, strlen(text));
	return judge(err, "no memory", nothing_fails);
}

static const char *dnstap_case(const char *servers, bool nothing_fails)
{
	const struct dnstap_options o = { .servers = servers,
					  .messages = DNSTAP_MESSAGES,
					  .identity = "ns1",
					  .version = "",
					  .n_workers = 2 };
	struct dnstap *d = NULL;
	int err = dnstap_new(&d, &o);

	dnstap_free(d);
	return judge(err, "no memory", nothing_fails);
}

/* ---- what scripts share ---- */

static const char *ipset_case(const char *text, bool nothing_fails)
{
	static const struct ipsets_config cfg = { .n_readers = 1,
						  .max_sets = 4,
						  .max_entries = 1000 };
	const struct ipset_options o = { .name = "a", .has_ttl = true, .ttl_s = 60 };
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	struct ipsets *all = NULL, *tried = NULL;
	struct ipset *s = NULL, *over = NULL;
	char why[IPSET_WHY_MAX] = "no memory";
	struct ipset_stats *list = NULL;
	size_t n = 0;
	int err;

	ASSERT(f != NULL);
	err = ipsets_new(&all, &cfg);
	if (err == E_OK)
		err = ipsets_open(all, &s, &o);
	if (err == E_OK)
		err = ipset_read(s, f, "list", 1000, &n, why);
	if (err == E_OK)
		err = ipsets_new_overlay(&tried, all);
	if (err == E_OK)
		err = ipsets_open(tried, &over, &o);
	for (uint8_t i = 0; i < 100 && err == E_OK; i++)
		err = ipset_add(over, &(struct addr) { .family = 4, .ip = { 10, 0, 0, i } }, 5,
				1000);
	if (err == E_OK)
		err = ipsets_list(all, &list, &n);
	oom_free(list);
	ipset_put(over);
	ipsets_free(tried);
	ipset_put(s);
	ipsets_free(all);
	(void)fclose(f);
	return judge(err, why, nothing_fails);
}

static const char *shelf_case(const char *text, bool nothing_fails)
{
	const struct ratelimit_config limit = { .qps = 1, .max = 10 };
	struct shelf_item *names = NULL, *again = NULL, *limited = NULL;
	char why[NAMELIST_WHY_MAX] = "no memory";
	struct shelf *s = NULL;
	int err;

	file_write(text);
	err = shelf_new(&s);
	if (err == E_OK)
		err = shelf_get_names(s, &names, file, why);
	if (err == E_OK)
		err = shelf_get_names(s, &again, file, why);
	if (err == E_OK)
		err = shelf_get_ratelimit(s, &limited, "a", &limit);
	shelf_put(names);
	shelf_put(again);
	shelf_put(limited);
	shelf_free(s);
	file_remove();
	return judge(err, why, nothing_fails);
}

/* ---- the list ---- */

static const char conf[] = "local-address=127.0.0.1, ::1\nlocal-port=5353\n"
			   "allow-from=10.0.0.0/8, !10.1.0.0/16, 2001:db8::/32\n"
			   "allow-from+=192.168.0.0/16\ndont-query=!127.0.0.1\nthreads=2\n"
			   "max-cache-entries=1000\nhint-file=no\nwebserver=no\nquiet=no\n"
			   "# a comment\nserver-id=a\\\nb\nversion-string=x\n";

static const char zone[] =
	"$ORIGIN example.com.\n$TTL 1h\n@ IN SOA ns1 hostmaster 1 2 3 4 5\n"
	"  NS ns1\nns1 A 192.0.2.1\n  AAAA 2001:db8::1\n"
	"txt 5 TXT ( \"one\"\n \"two\" )\n*.wild CNAME www\nx TYPE300 \\# 2 0102\n"
	"$GENERATE 1-2 h$ A 192.0.2.$\n192.0.2.7 A 192.0.2.8\n";

static const char root_hints[] = ". 3600 NS a.root.\n. 3600 NS b.root.\na.root. A 192.0.2.1\n"
				 "b.root. AAAA 2001:db8::1\n";

static const char trust_anchors[] = "a. DS 1 13 99 00\na. DS 2 13 99 00\nb. DNSKEY 257 3 13 AAAA\n";
static const char lua_config[] = "-- of trust\naddTA('c', '1 13 99 00') addNTA('d', 'why') "
				 "clearTA('.') pdnslog('x', pdns.loglevels.Debug)\n";
static const char rollovers[] = "recursor trust anchors 1\nzone . 1 2 3 4\n"
				"key trusted 1 0 dnskey 0101030d00\nkey adding 1 0 ds 4f66086300\n"
				"end cfa8cf31\n";

static const char script[] =
	"local bad, nets, names = newCAS(), newNMG({ '192.0.2.0/24' }), newDS()\n"
	"bad:add('192.0.2.9') names:add({ 'b.example', 'c.example' })\n"
	"local seen = getMetric('seen')\n"
	"function ipfilter(remote) return bad:check(remote) and 1 or -1 end\n"
	"function gettag(remote) return 1, { 'a', 'b' }, { x = 1 }, 'r', 'd' end\n"
	"function postresolve(dq)\n"
	"seen:inc() dq.data = { nets:match(dq.remoteaddr), names:check(dq.qname) }\n"
	"for i = 1, 2 do dq:addAnswer(pdns.TXT, '\"x\"', 60, newDN('x.example')) end\n"
	"dq.rcode = pdns.REFUSED dq.followupFunction = 'udpQueryResponse'\n"
	"dq.udpQuery = 'x' dq.udpQueryDest = newCA('192.0.2.1:5') dq.udpCallback = 'back'\n"
	"return true end\n"
	"function back(dq) dq:getRecords() return false end\n";

static const struct oom_case cases[] = {
	{ "aggressive cache", aggressive_case, "" },
	{ "settings", settings_case, conf },
	{ "zone file", zonefile_case, zone },
	{ "zones", zones_case, zone },
	{ "hints", hints_case, root_hints },
	{ "anchors", anchors_case, trust_anchors },
	{ "lua-config-file", anchors_case, lua_config },
	{ "reload-lua-config", oom_reload_case,
	  "addTA('c', '1 13 99 00') zoneToCache('d', 'file', '/none')" },
	{ "a copy of a zone", oom_copy_case, "d. 60 SOA a. b. 1 2 3 1000000 5\nd. 60 NS a.\n" },
	{ "rollovers", rollovers_case, rollovers },
	{ "version", local_case, "version.bind" },
	{ "anchors shown", local_case, "trustanchor.server" },
	{ "cache file", cachefile_case, NULL },
	{ "carbon", carbon_case, "" },
	{ "secpoll", secpoll_case, "\0041 OK" },
	{ "dnstap", dnstap_case, "/run/dnstap.sock, 127.0.0.1:6000" },
	{ "addresses", ipset_case, "192.0.2.1\n2001:db8::1 5\n# none\n192.0.2.2 0\n" },
	{ "addresses of a large table", oom_large_set_case, NULL },
	{ "a large cache's table", oom_sieve_case, NULL },
	{ "names", shelf_case, "a.example\nb.example # b\n\nc.example\n" },
	{ "script", oom_script_case, script },
	{ "web server", web_case, "$scrypt$ln=1,p=1,r=8$TmFDbA==$TmFDbA==" },
	{ "networks", netset_case, "10.0.0.0/8, 10.1.0.0/16, !10.1.2.0/24, 2001:db8::/32, ::1" },
	{ "signed data", oom_dnssec_case, NULL },
	{ "API: server", api_case, "GET /servers/localhost" },
	{ "API: statistics", api_case, "GET /servers/localhost/statistics?statistic=uptime" },
	{ "API: forward", api_case,
	  "POST /servers/localhost/zones\n"
	  "{\"name\": \"a.\", \"kind\": \"Forwarded\", \"servers\": [\"192.0.2.1\"]}" },
	{ "API: zone", api_case,
	  "POST /servers/localhost/zones\n"
	  "{\"name\": \"a.\", \"kind\": \"Native\", \"single_target_ip\": \"192.0.2.1\"}" },
	{ "API: clients", api_case,
	  "PUT /servers/localhost/config/allow-from\n{\"value\": [\"::1\", \"192.0.2.1\"]}" },
	{ "API: search", api_case, "GET /servers/localhost/search-data?q=a" },
	{ "API: ring", api_case,
	  "GET /servers/localhost/rings/queries?group=suffix&client=::/0&within=a" },
	{ "API: jsonstat", api_case, "GET /jsonstat?command=get-query-ring&name=queries" },
	{ "API: explain", api_case, "GET /servers/localhost/explain?name=localhost" },
};

enum { WAYS = 6 };

size_t oom_cases_count(void)
{
	return ARRAY_LEN(cases) + WAYS * commands_count();
}

/* Each command with arguments of several kinds; which of them it refuses is no matter. */
const struct oom_case *oom_cases_at(size_t i)
{
	static const char *const arguments[WAYS] = { "",
						     " www.example.com",
						     " A example.com$ b$",
						     " uptime cache-entries",
						     " known 192.0.2.1 2001:db8::1",
						     " known FILE" };
	static struct oom_case c;
	static char line[256];
	const char *way;

	if (i < ARRAY_LEN(cases))
		return &cases[i];
	i -= ARRAY_LEN(cases);
	way = arguments[i % WAYS];
	if (strcmp(commands_at(i / WAYS)->word, "top-cost") == 0)
		way = " remotes-domains";
	snprintf(line, sizeof(line), "%s%s%s", i % 2 == 1 ? "--json " : "",
		 commands_at(i / WAYS)->word, way);
	c = (struct oom_case) { line, command_case, line };
	return &c;
}
