#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/log.h"
#include "recursor/settings/settings.h"
#include "tests/unit/tmpdir.h"

static char dir[TMPDIR_MAX];
static char warnings[8192];
static char why[SETTINGS_WHY_MAX];

static void make_dir(void)
{
	tmpdir_make(dir);
	warnings[0] = '\0';
	why[0] = '\0';
}

static void remove_dir(void)
{
	tmpdir_remove(dir);
}

static void write_bytes(const char *name, const char *bytes, size_t len)
{
	char path[200];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

static void write_file(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

/* "@" in an expected text stands for the directory. */
static const char *with_dir(const char *text)
{
	static char out[8192];
	size_t len = 0;

	for (; *text != '\0'; text++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, *text == '@' ? "%s" : "%.1s",
					*text == '@' ? dir : text);
	out[len] = '\0';
	return out;
}

static void note_warning(void *ctx, const char *line)
{
	ck_assert_ptr_eq(ctx, warnings);
	ck_assert_uint_lt(strlen(warnings) + strlen(line) + 2, sizeof(warnings));
	strcat(warnings, line);
	strcat(warnings, "\n");
}

/* Loads `conf` as recursor.conf, NULL: what is there; with two options or fewer. */
static int load(struct settings **s, const char *conf, const char *first, const char *second)
{
	char config_dir[100], one[200], two[200];
	char *argv[] = { "recursor", config_dir, one, two, NULL };
	int argc = 2 + (first != NULL) + (second != NULL);

	warnings[0] = '\0';
	if (conf != NULL)
		write_file("recursor.conf", conf);
	(void)snprintf(config_dir, sizeof(config_dir), "--config-dir=%s", dir);
	(void)snprintf(one, sizeof(one), "%s", first != NULL ? first : "");
	(void)snprintf(two, sizeof(two), "%s", second != NULL ? second : "");
	argv[argc] = NULL;
	return settings_load(s, argc, argv, note_warning, warnings, why);
}

static struct settings *good(const char *conf)
{
	struct settings *s = NULL;

	ck_assert_msg(load(&s, conf, NULL, NULL) == E_OK, "%s: %s", conf, why);
	return s;
}

static bool allows(const struct netset *set, const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_from_text(&a, text, 0), E_OK);
	return netset_match(set, &a);
}

/* ---- values ---- */

START_TEST(defaults)
{
	struct settings *s = good("");
	char text[ADDR_TEXT_MAX], host[256] = "";

	ck_assert_str_eq(warnings, "");
	ck_assert_uint_eq(s->local_address.n, 2);
	ck_assert_str_eq(addr_text(text, &s->local_address.a[0]), "127.0.0.1:53");
	ck_assert_str_eq(addr_text(text, &s->local_address.a[1]), "[::1]:53");
	ck_assert_uint_eq(s->query_local_address.n, 2);
	ck_assert_str_eq(addr_text(text, &s->query_local_address.a[0]), "0.0.0.0:0");
	ck_assert_str_eq(addr_text(text, &s->query_local_address.a[1]), "[::]:0");
	ck_assert(allows(s->allow_from, "100.64.0.1"));
	ck_assert(!allows(s->allow_from, "192.0.2.1"));
	ck_assert(allows(s->dont_query, "192.168.1.1"));
	ck_assert(allows(s->dont_query, "::ffff:192.0.9.1"));
	ck_assert(!allows(s->dont_query, "192.0.9.1"));
	ck_assert_uint_eq(s->threads, 2);
	ck_assert_uint_eq(s->max_qperq, 50);
	ck_assert_uint_eq(s->n_udp_source_port_avoid, 2);
	ck_assert_uint_eq(s->udp_source_port_avoid[0], 4791);
	ck_assert_uint_eq(s->udp_source_port_avoid[1], 11211);
	ck_assert(s->quiet);
	ck_assert_int_eq((int)s->loglevel, LOG_LEVEL_INFO);
	ck_assert_str_eq(s->nothing_below_nxdomain, "dnssec");
	ck_assert_str_eq(s->dnssec, "process");
	ck_assert_uint_eq(s->dnssec_disabled_algorithms.bits[0], 0);
	ck_assert_int_eq(gethostname(host, sizeof(host) - 1), 0);
	ck_assert_str_eq(s->server_id, host);
	ck_assert_ptr_nonnull(strstr(s->socket_dir, "/pdns-recursor"));
	ck_assert_ptr_null(settings_text(s, "no-such-setting"));
	ck_assert_ptr_null(settings_text(s, "help"));
	ck_assert_str_eq(settings_text(s, "max-qperq"), "50");
	settings_free(s);
	settings_free(NULL);
}
END_TEST

START_TEST(numbers_have_bases)
{
	struct settings *s = good("threads=0x10\nmax-qperq=070\nmax-mthreads=\n");

	ck_assert_uint_eq(s->threads, 16);
	ck_assert_uint_eq(s->max_qperq, 56);
	ck_assert_uint_eq(s->max_mthreads, 2048); /* empty: the default */
	settings_free(s);
}
END_TEST

START_TEST(local_ports_are_filled_in)
{
	/* The order of the two does not matter. */
	struct settings *s = good("local-address=127.0.0.1, 127.0.0.2:54 [::1]:55,::1\n"
				  "local-port=5300\n");
	static const uint16_t ports[] = { 5300, 54, 55, 5300 };

	ck_assert_uint_eq(s->local_address.n, 4);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_uint_eq(s->local_address.a[i].port, ports[i]);
	settings_free(s);
}
END_TEST

START_TEST(levels)
{
	static const struct {
		const char *conf;
		int level;
	} rows[] = {
		{ "loglevel=0\n", LOG_LEVEL_ERROR },
		{ "loglevel=4\n", LOG_LEVEL_WARNING },
		{ "loglevel=9\n", LOG_LEVEL_DEBUG },
		{ "loglevel=3\nquiet=no\n", LOG_LEVEL_INFO },
		{ "loglevel=7\nquiet=no\n", LOG_LEVEL_DEBUG },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings *s = good(rows[i].conf);

		ck_assert_int_eq((int)s->loglevel, rows[i].level);
		settings_free(s);
	}
}
END_TEST

START_TEST(socket_dir_is_within_chroot)
{
	struct settings *s = good("chroot=/srv/root\nsocket-dir=run\n");

	ck_assert_str_eq(s->socket_dir, "/srv/root/run");
	settings_free(s);
	s = good("chroot=/srv/root\n");
	ck_assert_str_eq(s->socket_dir, "/srv/root/");
	settings_free(s);
	s = good("socket-dir=/tmp\n");
	ck_assert_str_eq(s->socket_dir, "/tmp");
	settings_free(s);
}
END_TEST

START_TEST(shards_become_a_power_of_two)
{
	struct settings *s = good("record-cache-shards=33\n");

	ck_assert_uint_eq(s->record_cache_shards, 64);
	settings_free(s);
	s = good("record-cache-shards=64\n");
	ck_assert_uint_eq(s->record_cache_shards, 64);
	settings_free(s);
}
END_TEST

START_TEST(allow_from_file_takes_over)
{
	static const char with_nul[] = "192.0.2.0/24\n!192.0.2.0/28\0, !192.0.2.64/28\n";
	struct settings *s;
	char conf[300];

	write_file("acl", "# clients\n192.0.2.0/24 # a\n\n2001:db8::/32\n!192.0.2.9\n");
	(void)snprintf(conf, sizeof(conf), "allow-from=10.0.0.0/8\nallow-from-file=%s/acl\n", dir);
	s = good(conf);
	ck_assert(allows(s->allow_from, "192.0.2.1"));
	ck_assert(allows(s->allow_from, "2001:db8::1"));
	ck_assert(!allows(s->allow_from, "192.0.2.9"));
	ck_assert(!allows(s->allow_from, "10.0.0.1"));
	settings_free(s);

	write_file("acl", "192.0.2.0/24\n192.0.2.0/99\n");
	s = NULL;
	ck_assert_int_eq(load(&s, conf, NULL, NULL), E_RANGE);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:2: allow-from-file=@/acl: "
				       "line 2: '192.0.2.0/99' is not a netmask"));
	ck_assert_ptr_null(s);

	/* What stands behind a NUL must not be passed over. */
	write_bytes("acl", with_nul, sizeof(with_nul) - 1);
	ck_assert_int_eq(load(&s, conf, NULL, NULL), E_MALFORMED);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:2: allow-from-file=@/acl: "
				       "a NUL byte in the file"));

	/* A file without end. */
	ck_assert_int_eq(load(&s, "allow-from-file=/dev/zero\n", NULL, NULL), E_TOO_LONG);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:1: allow-from-file=/dev/zero: "
				       "longer than 67108864 bytes"));
}
END_TEST

static bool is_heard(const struct settings *s, const char *zone)
{
	uint8_t name[NAME_MAX_LEN];

	ck_assert_int_eq(name_from_text(name, zone), E_OK);
	return nameset_encloses(s->allow_notify_for, name);
}

START_TEST(notify_lists_and_their_files)
{
	struct settings *s = good(""), *t = NULL;
	char conf[400];

	ck_assert(!is_heard(s, "a.example") && !is_heard(s, "."));
	ck_assert(!allows(s->allow_notify_from, "127.0.0.1"));
	settings_free(s);

	write_file("from", "192.0.2.1\n");
	write_file("for", "# zones\nexample.org # one\nexample.net\n");
	(void)snprintf(conf, sizeof(conf),
		       "allow-notify-from=10.0.0.0/8\nallow-notify-from-file=%s/from\n"
		       "allow-notify-for=example.com, test\nallow-notify-for-file=%s/for\n",
		       dir, dir);
	s = good(conf);
	ck_assert(allows(s->allow_notify_from, "192.0.2.1"));
	ck_assert(!allows(s->allow_notify_from, "10.0.0.1"));
	ck_assert(is_heard(s, "example.com") && is_heard(s, "a.example.net"));
	ck_assert(is_heard(s, "b.test") && !is_heard(s, "com"));
	write_file("for", "x..y\n");
	ck_assert_int_eq(settings_change(&t, s, "quiet", "no", why), E_OK);
	settings_free(s);
	ck_assert(is_heard(t, "example.org"));
	settings_free(t);

	s = NULL;
	ck_assert_int_eq(load(&s, conf, NULL, NULL), E_MALFORMED);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:4: allow-notify-for-file=@/for: "
				       "line 1: 'x..y' is no domain name"));
	ck_assert_int_eq(load(&s, "allow-notify-for=a..b\n", NULL, NULL), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, "'a..b' is no domain name"));
}
END_TEST

START_TEST(open_resolvers_are_warned_of)
{
	struct settings *s = good("allow-from=\nlocal-address=127.0.0.1,::1\n");

	ck_assert_str_eq(warnings, "");
	ck_assert(netset_is_empty(s->allow_from));
	settings_free(s);
	s = good("allow-from=\nlocal-address=0.0.0.0\n");
	ck_assert(strncmp(warnings, "allow-from is empty", 19) == 0);
	settings_free(s);
}
END_TEST

START_TEST(what_is_always_done_is_warned_of)
{
	struct settings *s = good("save-parent-ns-set=yes\n");

	ck_assert_str_eq(warnings, "");
	settings_free(s);
	s = good("save-parent-ns-set=no\n");
	ck_assert_str_eq(warnings, "save-parent-ns-set=no has no effect: name servers that a "
				   "parent names are always asked when the zone's own fail\n");
	settings_free(s);
}
END_TEST

START_TEST(a_log_to_nowhere_is_warned_of)
{
	settings_free(good("daemon\n"));
	ck_assert_str_eq(warnings, "");
	settings_free(good("disable-syslog\n"));
	ck_assert_str_eq(warnings, "");
	settings_free(good("daemon\ndisable-syslog\n"));
	ck_assert_str_eq(warnings,
			 "daemon and disable-syslog are both set: nothing will be logged\n");
}
END_TEST

START_TEST(memory_that_cannot_be_filled_is_warned_of)
{
	settings_free(good("max-cache-memory=1468M\n"));
	ck_assert_str_eq(warnings, "");
	settings_free(good("max-cache-memory=1469M\n"));
	ck_assert_str_eq(warnings, "max-cache-memory is more than max-cache-entries=1000000 and "
				   "max-packetcache-entries=500000 can fill: raise these, too\n");
	settings_free(good("max-cache-memory=1469M\nmax-cache-entries=2000000\n"));
	ck_assert_str_eq(warnings, "");
	settings_free(good("max-cache-entries=1\n"));
	ck_assert_str_eq(warnings, "");
}
END_TEST

/* ---- what += does ---- */

START_TEST(an_api_that_cannot_change_anything_is_warned_of)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "api-config-dir=/nowhere\n", "/nowhere: No such file or directory" },
		{ "api-config-dir=/dev/null\n", "/dev/null: Not a directory" },
		{ "api-config-dir=/tmp/a b\n", "/tmp/a b: a path with blanks or commas" },
		{ "api-config-dir=/dev\n", "/dev: it is not include-dir, and would not be read" },
		{ "include-dir=/dev\napi-config-dir=/\n",
		  "/: it is not include-dir, and would not be read" },
		{ "chroot=/nowhere\napi-config-dir=/x\n", "/x: there is a chroot" },
	};
	char expected[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings *s = NULL;

		warnings[0] = '\0';
		ck_assert_int_eq(load(&s, rows[i].text, NULL, NULL), E_OK);
		(void)snprintf(expected, sizeof(expected),
			       "api-config-dir=%s: the API changes nothing\n", rows[i].why);
		ck_assert_str_eq(warnings, expected);
		settings_free(s);
	}
	warnings[0] = '\0';
	settings_free(good("include-dir=/dev\napi-config-dir=/dev/\n"));
	ck_assert_str_eq(warnings, "");
}
END_TEST

START_TEST(append)
{
	struct settings *s = good("allow-from+=192.0.2.0/24\n");

	/* A default that is not empty is added to. */
	ck_assert(allows(s->allow_from, "127.0.0.1"));
	ck_assert(allows(s->allow_from, "192.0.2.1"));
	settings_free(s);

	s = good("allow-from=\nallow-from+=192.0.2.0/24\nallow-from+=198.51.100.0/24\n");
	ck_assert(!allows(s->allow_from, "127.0.0.1"));
	ck_assert_str_eq(settings_text(s, "allow-from"), "192.0.2.0/24, 198.51.100.0/24");
	settings_free(s);

	s = good("local-address=127.0.0.1\nlocal-address+=127.0.0.2\n");
	ck_assert_uint_eq(s->local_address.n, 2);
	settings_free(s);

	/* Known ones of the kind of a list too. */
	s = good("forward-zones=a=192.0.2.1\nforward-zones+=b=192.0.2.2\n");
	ck_assert_str_eq(settings_text(s, "forward-zones"), "a=192.0.2.1, b=192.0.2.2");
	settings_free(s);
}
END_TEST

START_TEST(command_line_wins)
{
	struct settings *s = NULL;

	ck_assert_int_eq(load(&s, "threads=3\nallow-from=10.0.0.0/8\n", "--threads=4",
			      "--allow-from+=192.0.2.0/24"),
			 E_OK);
	ck_assert_uint_eq(s->threads, 4);
	ck_assert(allows(s->allow_from, "10.0.0.1"));
	ck_assert(allows(s->allow_from, "192.0.2.1"));
	ck_assert_str_eq(settings_text(s, "config-dir"), dir);
	settings_free(s);

	s = NULL;
	ck_assert_int_eq(load(&s, "allow-from+=10.0.0.0/8\n", "--allow-from=192.0.2.0/24", NULL),
			 E_OK);
	ck_assert(!allows(s->allow_from, "10.0.0.1"));
	settings_free(s);
}
END_TEST

/* ---- files ---- */

START_TEST(included_in_order)
{
	struct settings *s;
	char conf[200];

	(void)snprintf(conf, sizeof(conf), "include-dir=%s\nthreads=9\n", with_dir("@/inc"));
	(void)snprintf(why, sizeof(why), "%s/inc", dir);
	ck_assert_int_eq(mkdir(why, 0700), 0);
	write_file("inc/b.conf", "threads=3\nserver-id=b\nlocal-address+=127.0.0.9\n");
	write_file("inc/A.conf", "threads=2\nserver-id=a\nlocal-address=127.0.0.8\n");
	write_file("inc/C.conf", "threads=4\n");
	write_file("inc/.d.conf", "threads=5\n");
	write_file("inc/z.txt", "threads=6\n");
	write_file("inc/.conf", "threads=7\n");
	s = good(conf);
	ck_assert_uint_eq(s->threads, 4);
	ck_assert_str_eq(s->server_id, "b");
	ck_assert_uint_eq(s->local_address.n, 2);
	ck_assert_str_eq(warnings, "");
	settings_free(s);

	write_file("inc/C.conf", "include-dir=/nowhere\n");
	s = good(conf);
	ck_assert_str_eq(warnings, with_dir("@/inc/C.conf:1: an included file cannot include, "
					    "'include-dir' is ignored\n"));
	settings_free(s);

	write_file("inc/C.conf", "\n\nthreads=none\n");
	s = NULL;
	ck_assert_int_eq(load(&s, conf, NULL, NULL), E_MALFORMED);
	ck_assert_str_eq(why, with_dir("@/inc/C.conf:3: threads=none: not a number"));
}
END_TEST

START_TEST(include_dir_on_command_line)
{
	struct settings *s = NULL;
	char option[200];

	write_file("x.conf", "threads=7\n");
	write_file("recursor.conf", "include-dir=/nowhere\n");
	(void)snprintf(option, sizeof(option), "--include-dir=%s", dir);
	ck_assert_int_eq(load(&s, NULL, option, NULL), E_OK);
	ck_assert_uint_eq(s->threads, 7);
	settings_free(s);

	s = NULL;
	ck_assert_int_eq(load(&s, NULL, NULL, NULL), E_SYSTEM);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:1: include-dir=/nowhere: "
				       "No such file or directory"));
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(missing_file_is_a_warning)
{
	struct settings *s = NULL;

	ck_assert_int_eq(load(&s, NULL, "--threads=3", NULL), E_OK);
	ck_assert_str_eq(warnings, with_dir("Unable to read configuration file "
					    "'@/recursor.conf': No such file or directory\n"));
	ck_assert_uint_eq(s->threads, 3);
	settings_free(s);
}
END_TEST

START_TEST(unreadable_file_is_an_error)
{
	struct settings *s = NULL;
	char path[200];

	(void)snprintf(path, sizeof(path), "%s/recursor.conf", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(load(&s, NULL, NULL, NULL), E_SYSTEM);
	ck_assert_str_eq(why, with_dir("@/recursor.conf: Is a directory"));
}
END_TEST

START_TEST(config_name_chooses_the_file)
{
	struct settings *s = NULL;

	write_file("recursor-two.conf", "threads=5\n");
	ck_assert_int_eq(load(&s, "threads=4\n", "--config-name=two", NULL), E_OK);
	ck_assert_uint_eq(s->threads, 5);
	ck_assert_str_eq(s->config_name, "two");
	settings_free(s);
}
END_TEST

START_TEST(command_line_only)
{
	struct settings *s = good("config-name=x\nhelp\n");

	ck_assert_str_eq(warnings,
			 with_dir("@/recursor.conf:1: setting 'config-name' has a meaning on the "
				  "command line only, ignored\n"
				  "@/recursor.conf:2: 'help' is an option for the command line, "
				  "ignored\n"));
	ck_assert_str_eq(s->config_name, "");
	settings_free(s);

	s = NULL;
	ck_assert_int_eq(load(&s, "", "start", NULL), E_OK);
	ck_assert_str_eq(warnings, "command line: 'start' is not an option, ignored\n");
	settings_free(s);
}
END_TEST

/* ---- errors ---- */

START_TEST(errors_name_the_place)
{
	static const struct {
		const char *conf, *why;
	} rows[] = {
		{ "\nfrobnicate=1\n", ":2: frobnicate=1: unknown setting" },
		{ "frobnicate\n", ":1: frobnicate=: unknown setting" },
		{ "Threads=1\n", ":1: Threads=1: unknown setting" },
		{ "=1\n", ":1: =1: unknown setting" },
		{ "threads=0\n", ":1: threads=0: must be 1 to 256" },
		{ "threads=2x\n", ":1: threads=2x: not a number" },
		{ "threads=1\nthreads=no\nthreads=2\n", ":2: threads=no: not a number" },
		{ "max-cache-memory=8191k\n",
		  ":1: max-cache-memory=8191k: must be 0, or 8M or more" },
		{ "max-cache-memory=1.5G\n", ":1: max-cache-memory=1.5G: not a number" },
		{ "max-cache-memory=-1\n",
		  ":1: max-cache-memory=-1: must be 0 to 1125899906842624" },
		{ "threads+=1\n", ":1: threads+=1: only a list can be added to" },
		{ "include-dir+=/x\n", ":1: include-dir+=/x: only a list can be added to" },
		{ "ignore-unknown-settings+=x\n",
		  ":1: ignore-unknown-settings+=x: there is nothing to add to" },
		{ "allow-from=10.0.0.0/8,10.0.0.0/33\n",
		  ":1: allow-from=10.0.0.0/8,10.0.0.0/33: '10.0.0.0/33': the prefix is too long" },
		{ "allow-from+=me\n", ":1: allow-from+=me: 'me': not a netmask" },
		{ "local-address=localhost\n",
		  ":1: local-address=localhost: 'localhost': not an address" },
		{ "local-address=\n", ":1: local-address=: no address" },
		{ "local-address=127.0.0.1:53 127.0.0.1\n",
		  ":1: local-address=127.0.0.1:53 127.0.0.1: an address twice" },
		{ "query-local-address=\n", ":1: query-local-address=: no address" },
		{ "query-local-address=127.0.0.1:53\n",
		  ":1: query-local-address=127.0.0.1:53: a port is not for here: see "
		  "udp-source-port-min" },
		{ "local-port=65536\n", ":1: local-port=65536: must be 1 to 65535" },
		{ "logging-facility=8\n",
		  ":1: logging-facility=8: must be one of 0 1 2 3 4 5 6 7" },
		{ "nothing-below-nxdomain=maybe\n",
		  ":1: nothing-below-nxdomain=maybe: must be one of no dnssec yes" },
		{ "nothing-below-nxdomain=\n",
		  ":1: nothing-below-nxdomain=: must be one of no dnssec yes" },
		{ "nothing-below-nxdomain=no dnssec\n",
		  ":1: nothing-below-nxdomain=no dnssec: must be one of no dnssec yes" },
		{ "setuid=no-such-user\n", ":1: setuid=no-such-user: no such user" },
		{ "setgid=no-such-group\n", ":1: setgid=no-such-group: no such group" },
		{ "socket-mode=0689\n", ":1: socket-mode=0689: not an octal mode up to 777" },
		{ "socket-mode=1777\n", ":1: socket-mode=1777: not an octal mode up to 777" },
		{ "dnssec=maybe\n",
		  ":1: dnssec=maybe: must be one of off process-no-validate process "
		  "log-fail validate" },
		{ "dnssec-disabled-algorithms=5, 256\n",
		  ":1: dnssec-disabled-algorithms=5, 256: must be 0 to 255" },
		{ "udp-source-port-avoid=53,x\n", ":1: udp-source-port-avoid=53,x: not a number" },
		{ "udp-source-port-min=5000\nudp-source-port-max=4000\n",
		  ":1: udp-source-port-min=5000: is above udp-source-port-max, which is 4000" },
		{ "udp-source-port-min=4791\nudp-source-port-max=4791\n",
		  "default: udp-source-port-avoid=4791, 11211: leaves no port to ask from" },
		{ "allow-from-file=/nowhere/acl\n",
		  ":1: allow-from-file=/nowhere/acl: No such file or directory" },
		{ "\ninclude-dir=/nowhere\n",
		  ":2: include-dir=/nowhere: No such file or directory" },
		{ "include-dir=/dev/null\n", ":1: include-dir=/dev/null: Not a directory" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings *s = NULL;
		char expected[SETTINGS_WHY_MAX];

		ck_assert_msg(load(&s, rows[i].conf, NULL, NULL) < 0, "taken: %s", rows[i].conf);
		ck_assert_ptr_null(s);
		(void)snprintf(expected, sizeof(expected), "%s%s",
			       rows[i].why[0] == ':' ? with_dir("@/recursor.conf") : "",
			       rows[i].why);
		ck_assert_str_eq(why, expected);
	}
}
END_TEST

START_TEST(errors_on_the_command_line)
{
	struct settings *s = NULL;

	ck_assert_int_lt(load(&s, "", "--threads=none", NULL), 0);
	ck_assert_str_eq(why, "command line: threads=none: not a number");
	ck_assert_int_lt(load(&s, "", "-frobnicate", NULL), 0);
	ck_assert_str_eq(why, "command line: frobnicate=: unknown setting");
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(long_values_are_cut)
{
	struct settings *s = NULL;
	char conf[3000];

	memset(conf, 'x', sizeof(conf) - 1);
	memcpy(conf, "threads=", 8);
	conf[sizeof(conf) - 1] = '\0';
	ck_assert_int_eq(load(&s, conf, NULL, NULL), E_MALFORMED);
	ck_assert_ptr_nonnull(strstr(why, ": not a number"));
}
END_TEST

START_TEST(unknown_may_be_ignored)
{
	/* Wherever the list stands. */
	struct settings *s = good("frob=1\nignore-unknown-settings=nob, frob\nnob=2\n");

	ck_assert_str_eq(warnings,
			 with_dir("@/recursor.conf:1: frob=1: unknown setting, ignored\n"
				  "@/recursor.conf:3: nob=2: unknown setting, ignored\n"));
	settings_free(s);

	s = NULL;
	ck_assert_int_eq(load(&s, "ignore-unknown-settings=nob, frob\nfro=1\n", NULL, NULL),
			 E_NOT_FOUND);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:2: fro=1: unknown setting"));
}
END_TEST

START_TEST(many_addresses_are_refused)
{
	struct settings *s = NULL;
	char conf[4096] = "local-address=127.0.0.1\n";

	for (int i = 2; i <= SETTINGS_ADDRS_MAX + 1; i++)
		(void)snprintf(conf + strlen(conf), sizeof(conf) - strlen(conf),
			       "local-address+=127.0.0.%d\n", i);
	ck_assert_int_eq(load(&s, conf, NULL, NULL), E_LIMIT);
	ck_assert_ptr_nonnull(strstr(why, "recursor.conf:65: local-address=127.0.0.1, 127"));
	ck_assert_ptr_nonnull(strstr(why, ": more than 64 addresses"));
}
END_TEST

/* ---- change ---- */

START_TEST(change_makes_another)
{
	struct settings *s = good("threads=3\nlocal-port=5300\n"), *t = NULL;

	ck_assert_int_eq(settings_change(&t, s, "quiet", "no", why), E_OK);
	ck_assert(s->quiet && !t->quiet);
	ck_assert_uint_eq(t->threads, 3);
	ck_assert_uint_eq(t->local_address.a[0].port, 5300);
	ck_assert_str_eq(settings_text(t, "quiet"), "no");
	settings_free(t);

	t = NULL;
	ck_assert_int_eq(settings_change(&t, s, "threads", "0", why), E_RANGE);
	ck_assert_str_eq(why, "threads=0: must be 1 to 256");
	ck_assert_int_eq(settings_change(&t, s, "frobnicate", "0", why), E_NOT_FOUND);
	ck_assert_ptr_null(t);
	settings_free(s);
}
END_TEST

START_TEST(merge_takes_what_is_named)
{
	static const char *const names[] = { "auth-zones", "serve-rfc1918" };
	struct settings *s = good("threads=3\nserve-rfc1918=yes\n");
	struct settings *with = good("threads=5\nserve-rfc1918=no\nauth-zones=a=b\n"), *t = NULL;

	ck_assert_int_eq(settings_merge(&t, s, with, names, ARRAY_LEN(names), why), E_OK);
	ck_assert_uint_eq(t->threads, 3);
	ck_assert(!t->serve_rfc1918);
	ck_assert_str_eq(t->auth_zones, "a=b");
	settings_free(with);
	settings_free(s);
	settings_free(t);
}
END_TEST

/* The file is not read again for the sake of another setting. */
START_TEST(change_looks_at_no_file)
{
	struct settings *s, *t = NULL;
	char conf[300];

	write_file("acl", "192.0.2.0/24\n");
	(void)snprintf(conf, sizeof(conf), "allow-from-file=%s/acl\n", dir);
	s = good(conf);
	write_file("acl", "half a li");
	ck_assert_int_eq(settings_change(&t, s, "quiet", "no", why), E_OK);
	settings_free(s);
	ck_assert(allows(t->allow_from, "192.0.2.1"));
	ck_assert(!allows(t->allow_from, "127.0.0.1"));
	settings_free(t);
}
END_TEST

struct walk {
	unsigned n;
	char last[64];
	bool has_quiet;
};

static void note_setting(void *ctx, const char *name, const char *value)
{
	struct walk *w = ctx;

	ck_assert_int_lt(strcmp(w->last, name), 0);
	(void)snprintf(w->last, sizeof(w->last), "%s", name);
	w->n++;
	w->has_quiet = w->has_quiet || (strcmp(name, "quiet") == 0 && strcmp(value, "no") == 0);
}

START_TEST(all_in_order_of_name)
{
	struct settings *s = good("quiet=no\n");
	struct walk w = { .n = 0 };

	settings_each(s, note_setting, &w);
	ck_assert_uint_gt(w.n, 100);
	ck_assert(w.has_quiet);
	settings_free(s);
}
END_TEST

START_TEST(references_are_counted)
{
	struct settings *s = good("server-id=abc");
	const struct settings *t = settings_get(s);

	ck_assert_ptr_eq(s, t);
	settings_free(s);
	ck_assert_str_eq(t->server_id, "abc");
	settings_free(t);
}
END_TEST

/* ---- reload ---- */

static const char *const acls[] = { "allow-from", "allow-from-file" };

static int reload(struct settings **out, const struct settings *s, const char *conf)
{
	char config_dir[100];
	char *argv[] = { "recursor", config_dir, NULL };

	warnings[0] = '\0';
	if (conf != NULL)
		write_file("recursor.conf", conf);
	(void)snprintf(config_dir, sizeof(config_dir), "--config-dir=%s", dir);
	return settings_reload(out, s, 2, argv, acls, ARRAY_LEN(acls), note_warning, warnings, why);
}

START_TEST(reload_takes_what_it_is_for)
{
	struct settings *s = good("allow-from=10.0.0.0/8\nthreads=3\nmax-qperq=20\n");
	struct settings *changed = NULL, *t = NULL;

	ck_assert_int_eq(settings_change(&changed, s, "max-qperq", "30", why), E_OK);
	settings_free(s);
	ck_assert_int_eq(reload(&t, changed,
				"allow-from=192.0.2.0/24\nthreads=9\nlua-maintenance-"
				"interval=2\n"),
			 E_OK);
	settings_free(changed);
	ck_assert_str_eq(warnings, "");
	ck_assert(allows(t->allow_from, "192.0.2.1"));
	ck_assert(!allows(t->allow_from, "10.0.0.1"));
	ck_assert_uint_eq(t->threads, 3);
	ck_assert_uint_eq(t->max_qperq, 30);
	ck_assert_str_eq(settings_text(t, "allow-from"), "192.0.2.0/24");
	settings_free(t);
}
END_TEST

START_TEST(reload_reads_files_again)
{
	struct settings *s, *t = NULL;
	char conf[300];

	write_file("acl", "192.0.2.0/24\n");
	(void)snprintf(conf, sizeof(conf), "allow-from-file=%s/acl\n", dir);
	s = good(conf);
	write_file("acl", "198.51.100.0/24\n");
	ck_assert_int_eq(reload(&t, s, NULL), E_OK);
	ck_assert(allows(t->allow_from, "198.51.100.1"));
	ck_assert(!allows(t->allow_from, "192.0.2.1"));
	settings_free(t);

	t = NULL;
	write_file("acl", "198.51.100.0/24\nx\n");
	ck_assert_int_eq(reload(&t, s, NULL), E_MALFORMED);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:1: allow-from-file=@/acl: "
				       "line 2: 'x' is not a netmask"));
	ck_assert_ptr_null(t);
	ck_assert(allows(s->allow_from, "192.0.2.1"));
	settings_free(s);
}
END_TEST

START_TEST(reload_refuses_what_is_wrong)
{
	struct settings *s = good("allow-from=10.0.0.0/8\n"), *t = NULL;
	char path[200];

	/* Wrong anywhere: who knows what else went wrong in the editor. */
	ck_assert_int_eq(reload(&t, s, "allow-from=10.0.0.0/8\nthreads=0\n"), E_RANGE);
	ck_assert_str_eq(why, with_dir("@/recursor.conf:2: threads=0: must be 1 to 256"));
	ck_assert_int_eq(reload(&t, s, "allow-from=10.0.0.0/8\nfrob=0\n"), E_NOT_FOUND);

	/* Without the file the defaults would let strangers in. */
	(void)snprintf(path, sizeof(path), "%s/recursor.conf", dir);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(reload(&t, s, NULL), E_SYSTEM);
	ck_assert_ptr_nonnull(strstr(why, "No such file"));
	ck_assert_ptr_null(t);
	settings_free(s);
}
END_TEST

START_TEST(reload_without_a_file_from_the_start)
{
	struct settings *s = NULL, *t = NULL;

	ck_assert_int_eq(load(&s, NULL, NULL, NULL), E_OK);
	ck_assert_int_eq(reload(&t, s, NULL), E_OK);
	settings_free(s);
	ck_assert_int_eq(reload(&s, t, "allow-from=192.0.2.0/24"), E_OK);
	ck_assert(allows(s->allow_from, "192.0.2.1"));
	settings_free(t);
	settings_free(s);
}
END_TEST

Suite *suite_settings(void)
{
	Suite *s = suite_create("settings");
	TCase *tc = tcase_create("settings");

	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_test(tc, defaults);
	tcase_add_test(tc, numbers_have_bases);
	tcase_add_test(tc, local_ports_are_filled_in);
	tcase_add_test(tc, levels);
	tcase_add_test(tc, socket_dir_is_within_chroot);
	tcase_add_test(tc, shards_become_a_power_of_two);
	tcase_add_test(tc, allow_from_file_takes_over);
	tcase_add_test(tc, notify_lists_and_their_files);
	tcase_add_test(tc, open_resolvers_are_warned_of);
	tcase_add_test(tc, what_is_always_done_is_warned_of);
	tcase_add_test(tc, a_log_to_nowhere_is_warned_of);
	tcase_add_test(tc, memory_that_cannot_be_filled_is_warned_of);
	tcase_add_test(tc, an_api_that_cannot_change_anything_is_warned_of);
	tcase_add_test(tc, append);
	tcase_add_test(tc, command_line_wins);
	tcase_add_test(tc, included_in_order);
	tcase_add_test(tc, include_dir_on_command_line);
	tcase_add_test(tc, missing_file_is_a_warning);
	tcase_add_test(tc, unreadable_file_is_an_error);
	tcase_add_test(tc, config_name_chooses_the_file);
	tcase_add_test(tc, command_line_only);
	tcase_add_test(tc, errors_name_the_place);
	tcase_add_test(tc, errors_on_the_command_line);
	tcase_add_test(tc, long_values_are_cut);
	tcase_add_test(tc, unknown_may_be_ignored);
	tcase_add_test(tc, many_addresses_are_refused);
	tcase_add_test(tc, change_makes_another);
	tcase_add_test(tc, merge_takes_what_is_named);
	tcase_add_test(tc, change_looks_at_no_file);
	tcase_add_test(tc, all_in_order_of_name);
	tcase_add_test(tc, references_are_counted);
	tcase_add_test(tc, reload_takes_what_it_is_for);
	tcase_add_test(tc, reload_reads_files_again);
	tcase_add_test(tc, reload_refuses_what_is_wrong);
	tcase_add_test(tc, reload_without_a_file_from_the_start);
	suite_add_tcase(s, tc);
	return s;
}
