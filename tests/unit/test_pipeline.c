/*
 * pipeline and worker: a whole server in this process, on addresses of 127/8 that belong to this
 * process alone, asks a root server that is a thread of the test.
 *
 * That something gets no answer is shown without waiting: a question about version.bind is sent
 * behind it from the same socket, and its answer is the next to come.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/hash.h"
#include "common/msg.h"
#include "common/rrtype.h"
#include "recursor/visit.h"
#include "recursor/watch/metrics.h"
#include "recursor/worker.h"
#include "tests/unit/own_address.h"

enum { PORT = 15353, ROOT_PORT = 15354, PATIENCE_MS = 5000 };

/* ---- the root server ---- */

static struct {
	int fd;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint questions;
} root;

#define ADDRESS "\xc0\0\2\1"
#define SOA "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\x3c" /* root, root, 1 2 3 4 60 */

static int put_record(struct wire_writer *w, const uint8_t *owner, uint16_t type, uint32_t ttl,
		      const void *data, uint16_t len)
{
	int err = wire_write_name(w, owner);

	if (err == E_OK)
		err = wire_write_u16(w, type);
	if (err == E_OK)
		err = wire_write_u16(w, CLASS_IN);
	if (err == E_OK)
		err = wire_write_u32(w, ttl);
	if (err == E_OK)
		err = wire_write_u16(w, len);
	if (err == E_OK)
		err = wire_write_bytes(w, data, len);
	return err;
}

/* silent.: nothing; root NS; alias. CNAME; big. a TXT of 900 bytes; txt. no A; none. NXDOMAIN;
 * any other name: A 192.0.2.1. */
static size_t root_answer(const struct msg *m, uint8_t *out, size_t cap)
{
	static const uint8_t header[WIRE_HEADER_LEN], ns[] = "\2ns";
	unsigned answers = 0, authority = 0, additional = 0, rcode = 0;
	uint8_t big[900], address[4];
	struct wire_writer w;
	struct addr a;
	int err;

	if (name_equal(m->qname, (const uint8_t *)"\6silent"))
		return 0;
	own_address(&a, 2, ROOT_PORT);
	memcpy(address, a.ip, 4);
	wire_writer_init(&w, out, cap);
	err = wire_write_bytes(&w, header, sizeof(header));
	if (err == E_OK)
		err = wire_write_name(&w, m->qname);
	if (err == E_OK)
		err = wire_write_u16(&w, m->qtype);
	if (err == E_OK)
		err = wire_write_u16(&w, m->qclass);
	if (name_is_root(m->qname) && m->qtype == TYPE_NS) {
		answers = additional = 1;
		err |= put_record(&w, name_root, TYPE_NS, 3600, ns, sizeof(ns));
		err |= put_record(&w, ns, TYPE_A, 3600, address, 4);
	} else if (name_equal(m->qname, (const uint8_t *)"\5alias")) {
		answers = 1;
		err |= put_record(&w, m->qname, TYPE_CNAME, 3600, "\3www", 5);
	} else if (name_equal(m->qname, (const uint8_t *)"\3big") && m->qtype == TYPE_TXT) {
		answers = 1;
		memset(big, 'x', sizeof(big));
		for (size_t i = 0; i < sizeof(big); i += 225)
			big[i] = 224;
		err |= put_record(&w, m->qname, TYPE_TXT, 3600, big, sizeof(big));
	} else if (m->qtype == TYPE_A && !name_equal(m->qname, (const uint8_t *)"\4none") &&
		   !name_equal(m->qname, (const uint8_t *)"\3txt")) {
		answers = 1;
		err |= put_record(&w, m->qname, TYPE_A, 3600, ADDRESS, 4);
	} else {
		authority = 1;
		rcode = name_equal(m->qname, (const uint8_t *)"\4none") ? RCODE_NXDOMAIN : 0;
		err |= put_record(&w, name_root, TYPE_SOA, 60, SOA, sizeof(SOA) - 1);
	}
	if (err != E_OK)
		return 0;
	wire_put_u16(out, m->id);
	wire_put_u16(out + 2, (uint16_t)(MSG_QR | MSG_AA | rcode));
	wire_put_u16(out + 4, 1);
	wire_put_u16(out + 6, (uint16_t)answers);
	wire_put_u16(out + 8, (uint16_t)authority);
	wire_put_u16(out + 10, (uint16_t)additional);
	return w.len;
}

static void *root_run(void *unused)
{
	(void)unused;
	while (!atomic_load(&root.stop)) {
		struct pollfd p = { .fd = root.fd, .events = POLLIN };
		struct sockaddr_storage from;
		socklen_t from_len = sizeof(from);
		uint8_t in[512], out[1500];
		struct msg m;
		ssize_t n;
		size_t len;

		if (poll(&p, 1, 20) != 1)
			continue;
		n = recvfrom(root.fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);
		if (n < 0 || msg_open_question(&m, in, (size_t)n) != E_OK)
			continue;
		atomic_fetch_add(&root.questions, 1);
		len = root_answer(&m, out, sizeof(out));
		if (len > 0)
			(void)sendto(root.fd, out, len, 0, (struct sockaddr *)&from, from_len);
	}
	return NULL;
}

static int socket_at(int type, unsigned last, uint16_t port, bool to)
{
	struct sockaddr_storage ss;
	struct addr a;
	socklen_t len;
	int fd = socket(AF_INET, type, 0);

	own_address(&a, last, port);
	len = addr_to_sockaddr(&a, &ss);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(to ? connect(fd, (struct sockaddr *)&ss, len)
			    : bind(fd, (struct sockaddr *)&ss, len),
			 0);
	return fd;
}

/* ---- the server ---- */

static struct {
	struct settings *settings;
	struct server *server;
	char hints[64];
} test;

/* There is no recursor.conf. */
static void ignore_warning(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

static void write_hints(void)
{
	char text[ADDR_TEXT_MAX];
	struct addr a;
	FILE *f;

	own_address(&a, 2, 0);
	snprintf(test.hints, sizeof(test.hints), "/tmp/test-hints.%d", (int)getpid());
	f = fopen(test.hints, "w");
	ck_assert_ptr_nonnull(f);
	fprintf(f, ". 3600 IN NS ns.\nns. 3600 IN A %s\n", addr_ip_text(text, &a));
	ck_assert_int_eq(fclose(f), 0);
}

/* `more` settings, NULL after the last. */
static void start(const char *const *more)
{
	char local[96], hints[96], text[ADDR_TEXT_MAX], why[SETTINGS_WHY_MAX] = "";
	char *argv[32] = { (char *)"recursor",
			   local,
			   hints,
			   (char *)"--local-port=15353",
			   (char *)"--outgoing-port=15354",
			   (char *)"--dont-query=",
			   (char *)"--allow-from=127.0.0.0/8",
			   (char *)"--threads=1",
			   (char *)"--config-dir=/nonexistent",
			   (char *)"--version-string=the test",
			   (char *)"--qname-minimization=no" };
	int argc = 11;
	struct addr a;

	hash_key_init();
	write_hints();
	own_address(&a, 1, 0);
	snprintf(local, sizeof(local), "--local-address=%s", addr_ip_text(text, &a));
	snprintf(hints, sizeof(hints), "--hint-file=%s", test.hints);
	while (more != NULL && *more != NULL)
		argv[argc++] = (char *)*more++;
	atomic_store(&root.stop, false);
	atomic_store(&root.questions, 0);
	root.fd = socket_at(SOCK_DGRAM, 2, ROOT_PORT, false);
	ck_assert_int_eq(pthread_create(&root.thread, NULL, root_run, NULL), 0);
	ck_assert_msg(settings_load(&test.settings, argc, argv, ignore_warning, NULL, why) == E_OK,
		      "%s", why);
	ck_assert_msg(server_new(&test.server, test.settings, NULL, why) == E_OK, "%s", why);
	ck_assert_int_eq(server_start(test.server), E_OK);
}

/* As the daemon does it. */
static void drain(void)
{
	const struct timespec step = { .tv_nsec = 10 * 1000000L };
	uint64_t until_ms = loop_now_us() / 1000 + server_patience_ms(test.settings);

	server_stop_listening(test.server);
	do {
		(void)nanosleep(&step, NULL);
	} while (server_is_busy(test.server) && loop_now_us() / 1000 < until_ms);
}

static void stop(void)
{
	server_stop(test.server);
	server_free(test.server);
	settings_free(test.settings);
	atomic_store(&root.stop, true);
	pthread_join(root.thread, NULL);
	close(root.fd);
	unlink(test.hints);
}

static uint64_t count_of(size_t member)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < test.server->n_workers; i++)
		n += counter_get(
			(const counter *)(const void *)((const char *)&test.server->workers[i]
								.counters +
							member));
	return n;
}
#define COUNTED(member) count_of(offsetof(struct counters, member))

static uint64_t metric(const char *name)
{
	uint64_t value = 0;

	ck_assert_msg(metrics_get(&test.server->own_env, name, &value), "no metric '%s'", name);
	return value;
}

/* ---- the client ---- */

struct packet {
	uint8_t wire[WIRE_MSG_MAX];
	size_t len;
};

static void make_question(struct packet *p, uint16_t id, uint16_t flags, const char *name,
			  uint16_t type, uint16_t class)
{
	memset(p->wire, 0, WIRE_HEADER_LEN);
	wire_put_u16(p->wire, id);
	wire_put_u16(p->wire + 2, flags);
	p->wire[5] = 1;
	ck_assert_int_eq(name_from_text(p->wire + WIRE_HEADER_LEN, name), E_OK);
	p->len = WIRE_HEADER_LEN + name_len(p->wire + WIRE_HEADER_LEN);
	wire_put_u16(p->wire + p->len, type);
	wire_put_u16(p->wire + p->len + 2, class);
	p->len += 4;
}

static void add_opt(struct packet *p, uint16_t payload, uint8_t version)
{
	static const uint8_t opt[11] = { 0, 0, TYPE_OPT };

	memcpy(p->wire + p->len, opt, sizeof(opt));
	wire_put_u16(p->wire + p->len + 3, payload);
	p->wire[p->len + 6] = version;
	p->len += sizeof(opt);
	p->wire[11] = 1;
}

static void send_packet(int fd, const struct packet *p)
{
	ck_assert_int_eq(send(fd, p->wire, p->len, 0), (ssize_t)p->len);
}

static void receive(int fd, struct packet *p, struct msg *m)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	ck_assert_int_eq(poll(&poll_fd, 1, PATIENCE_MS), 1);
	n = recv(fd, p->wire, sizeof(p->wire), 0);
	ck_assert_int_ge(n, WIRE_HEADER_LEN);
	p->len = (size_t)n;
	ck_assert_int_eq(msg_open(m, p->wire, p->len), E_OK);
}

static void exchange(int fd, struct packet *p, struct msg *m)
{
	uint16_t id = wire_get_u16(p->wire);

	send_packet(fd, p);
	receive(fd, p, m);
	ck_assert_uint_eq(m->id, id);
	ck_assert(m->flags & MSG_QR);
}

/* See the head of this file. */
static void expect_silence(int fd)
{
	struct packet p;
	struct msg m;

	make_question(&p, 0x5151, MSG_RD, "version.bind", TYPE_TXT, CLASS_CH);
	exchange(fd, &p, &m);
}

static void send_tcp(int fd, const struct packet *p)
{
	uint8_t size[2];

	wire_put_u16(size, (uint16_t)p->len);
	ck_assert_int_eq(send(fd, size, 2, MSG_MORE), 2);
	send_packet(fd, p);
}

static void receive_tcp(int fd, struct packet *p, struct msg *m)
{
	uint8_t size[2];
	size_t got = 0;

	ck_assert_int_eq(recv(fd, size, 2, MSG_WAITALL), 2);
	p->len = wire_get_u16(size);
	while (got < p->len) {
		ssize_t n = recv(fd, p->wire + got, p->len - got, 0);

		ck_assert_int_gt(n, 0);
		got += (size_t)n;
	}
	ck_assert_int_eq(msg_open(m, p->wire, p->len), E_OK);
}

static void exchange_tcp(struct packet *p, struct msg *m)
{
	int fd = socket_at(SOCK_STREAM, 1, PORT, true);

	send_tcp(fd, p);
	receive_tcp(fd, p, m);
	close(fd);
}

static int client(void)
{
	return socket_at(SOCK_DGRAM, 1, PORT, true);
}

/* Every question ends in one account: the head of account.h. */
/* Reasons add up, in whatever a test has provoked. */
static void check_accounts(void)
{
	for (size_t i = 0; i < metrics_n_sums; i++) {
		const struct metric_sum *sum = &metrics_sums[i];
		uint64_t parts = 0;

		for (size_t k = 0; k < sum->n_parts; k++)
			parts += metric(sum->parts[k]);
		ck_assert_msg(metric(sum->total) == parts, "%s is %llu, its parts are %llu",
			      sum->total, (unsigned long long)metric(sum->total),
			      (unsigned long long)parts);
	}
}

/* ---- the tests ---- */

START_TEST(a_question_is_resolved_then_copied)
{
	struct packet p;
	struct msg_rr rr;
	struct msg m;
	unsigned asked = 0;
	int fd;

	start(NULL);
	fd = client();
	for (uint16_t id = 1; id <= 3; id++) {
		make_question(&p, id, MSG_RD, id == 2 ? "wWw." : "www.", TYPE_A, CLASS_IN);
		exchange(fd, &p, &m);
		ck_assert_uint_eq(m.flags, MSG_QR | MSG_RD | MSG_RA);
		ck_assert_uint_eq(m.count[SECTION_ANSWER], 1);
		ck_assert_uint_eq(p.wire[WIRE_HEADER_LEN + 2], id == 2 ? 'W' : 'w');
		ck_assert_int_eq(msg_next(&m, &rr), E_OK);
		ck_assert_mem_eq(p.wire + rr.rdata, ADDRESS, 4);
		ck_assert(rr.ttl <= 3600 && rr.ttl > 3590);
		if (id == 1)
			asked = atomic_load(&root.questions);
	}
	ck_assert_uint_eq(atomic_load(&root.questions), asked);
	/* from the root, from the record cache, from the packet cache */
	ck_assert_uint_eq(COUNTED(cache_misses), 1);
	ck_assert_uint_eq(COUNTED(cache_hits), 1);
	ck_assert_uint_eq(COUNTED(packetcache_hits), 1);
	ck_assert_uint_eq(metric("noerror-answers"), 3);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

START_TEST(denials_have_the_soa)
{
	static const struct {
		const char *name;
		uint16_t rcode;
	} rows[] = { { "none.", RCODE_NXDOMAIN }, { "txt.", RCODE_NOERROR } };
	struct packet p;
	struct msg_rr rr;
	struct msg m;
	int fd;

	start(NULL);
	fd = client();
	for (size_t i = 0; i < 6; i++) {
		make_question(&p, (uint16_t)i, MSG_RD, rows[i % 2].name, TYPE_A, CLASS_IN);
		exchange(fd, &p, &m);
		ck_assert_uint_eq(m.rcode, rows[i % 2].rcode);
		ck_assert_uint_eq(m.count[SECTION_ANSWER], 0);
		ck_assert_uint_eq(m.count[SECTION_AUTHORITY], 1);
		ck_assert_int_eq(msg_next(&m, &rr), E_OK);
		ck_assert_uint_eq(rr.type, TYPE_SOA);
		ck_assert_uint_le(rr.ttl, 60);
	}
	ck_assert_uint_eq(COUNTED(packetcache_hits), 2);
	ck_assert_uint_eq(metric("nxdomain-answers"), 3);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

START_TEST(failures_are_remembered)
{
	static const char *const more[] = { "--network-timeout=100", "--max-total-msec=300", NULL };
	unsigned asked = 0;
	struct packet p;
	struct msg m;
	int fd;

	start(more);
	fd = client();
	for (uint16_t id = 1; id <= 3; id++) {
		make_question(&p, id, MSG_RD, "silent.", TYPE_A, CLASS_IN);
		add_opt(&p, 1232, 0);
		exchange(fd, &p, &m);
		ck_assert_uint_eq(m.rcode, RCODE_SERVFAIL);
		ck_assert_uint_gt(m.edns.options_len, 0); /* why: RFC 8914 */
		if (id == 1)
			asked = atomic_load(&root.questions);
	}
	ck_assert_uint_eq(atomic_load(&root.questions), asked);
	ck_assert_uint_eq(metric("servfail-answers"), 3);
	ck_assert_uint_eq(COUNTED(packetcache_hits), 1);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

/* How long a packet stays, and which setting says so. */
static const struct {
	const char *setting, *name;
	uint32_t ttl;
} stays[] = {
	{ "--quiet=yes", "www.", 3600 },
	{ "--packetcache-ttl=100", "www.", 100 },
	{ "--max-cache-ttl=50", "www.", 50 },
	{ "--minimum-ttl-override=7200", "www.", 7200 },
	{ "--packetcache-negative-ttl=20", "none.", 20 },
	{ "--packetcache-ttl=19", "none.", 19 },
	{ "--max-negative-ttl=10", "none.", 10 },
	{ "--packetcache-servfail-ttl=3", "silent.", 3 },
	{ "--packetcache-ttl=2", "silent.", 2 },
	{ "--refresh-on-ttl-perc=50", "www.", 1800 },
};

static int note_stay(void *ctx, const struct packetcache_view *v)
{
	*(uint32_t *)ctx = v->ttl_left;
	return 0;
}

static void look_at_stay(struct worker *w, void *stay)
{
	size_t cursor = SIZE_MAX;

	(void)packetcache_walk_some(w->packetcache, &cursor, 10, note_stay, stay, loop_wall_s());
}

START_TEST(packets_stay_as_long_as_they_may)
{
	const char *const more[] = { "--network-timeout=100", "--max-total-msec=300",
				     stays[_i].setting, NULL };
	uint32_t stay = 0;
	struct packet p;
	struct msg m;
	int fd;

	start(more);
	fd = client();
	for (uint16_t id = 1; id <= 3; id++) {
		make_question(&p, id, MSG_RD, stays[_i].name, TYPE_A, CLASS_IN);
		exchange(fd, &p, &m);
	}
	ck_assert_int_eq(visit_worker(&test.server->workers[0], look_at_stay, &stay), E_OK);
	/* A busy machine takes its time. */
	ck_assert_uint_le(stay, stays[_i].ttl);
	ck_assert_uint_gt(stay + 60, stays[_i].ttl);
	ck_assert(stay > 0 || stays[_i].ttl < 60);
	close(fd);
	stop();
}
END_TEST

START_TEST(what_is_no_query_is_counted_by_its_reason)
{
	struct packet p;
	struct msg m;
	int fd;

	start(NULL);
	fd = client();
	/* an answer, and less than a header: nothing */
	make_question(&p, 1, MSG_QR | MSG_RD, "www.", TYPE_A, CLASS_IN);
	send_packet(fd, &p);
	p.len = WIRE_HEADER_LEN - 1;
	send_packet(fd, &p);
	expect_silence(fd);
	ck_assert_uint_eq(COUNTED(ignored_packets), 1);
	ck_assert_uint_eq(metric("client-parse-errors"), 1);
	/* another opcode: NOTIMP, the header alone */
	make_question(&p, 2, OPCODE_UPDATE << 11, "www.", TYPE_A, CLASS_IN);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(p.len, WIRE_HEADER_LEN);
	ck_assert_uint_eq(m.rcode, RCODE_NOTIMP);
	ck_assert_uint_eq(m.opcode, OPCODE_UPDATE);
	ck_assert_uint_eq(metric("notimp-queries"), 1);
	/* no question, half a question: FORMERR, the header alone */
	make_question(&p, 3, MSG_RD, "www.", TYPE_A, CLASS_IN);
	p.wire[5] = 0;
	exchange(fd, &p, &m);
	ck_assert_uint_eq(p.len, WIRE_HEADER_LEN);
	ck_assert_uint_eq(m.rcode, RCODE_FORMERR);
	ck_assert_uint_eq(metric("empty-queries"), 1);
	make_question(&p, 4, MSG_RD, "www.", TYPE_A, CLASS_IN);
	p.len--;
	exchange(fd, &p, &m);
	ck_assert_uint_eq(p.len, WIRE_HEADER_LEN);
	ck_assert_uint_eq(m.rcode, RCODE_FORMERR);
	ck_assert_uint_eq(metric("client-parse-errors"), 2);

	ck_assert_uint_eq(COUNTED(questions), 1); /* version.bind */
	check_accounts();
	close(fd);
	stop();
}
END_TEST

START_TEST(strangers_get_nothing)
{
	static const char *const more[] = { "--allow-from=192.0.2.0/24", NULL };
	struct pollfd answered = { .events = POLLIN };
	struct packet p;
	char byte;
	int tcp;

	start(more);
	answered.fd = client();
	make_question(&p, 1, MSG_RD, "www.", TYPE_A, CLASS_IN);
	send_packet(answered.fd, &p);
	tcp = socket_at(SOCK_STREAM, 1, PORT, true);
	ck_assert_int_le(recv(tcp, &byte, 1, 0), 0); /* closed */
	while (COUNTED(unauthorized_udp) == 0)
		(void)poll(NULL, 0, 1); /* the test's time-out ends it */
	ck_assert_int_eq(poll(&answered, 1, 0), 0);
	ck_assert_uint_eq(COUNTED(unauthorized_tcp), 1);
	ck_assert_uint_eq(COUNTED(questions), 0);
	close(tcp);
	close(answered.fd);
	stop();
}
END_TEST

START_TEST(edns_versions)
{
	struct packet p;
	struct msg m;
	int fd;

	start(NULL);
	fd = client();
	make_question(&p, 1, MSG_RD, "www.", TYPE_A, CLASS_IN);
	add_opt(&p, 1232, 1);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(m.rcode, RCODE_BADVERS);
	ck_assert(m.edns.present);
	ck_assert_uint_eq(m.edns.version, 0);
	make_question(&p, 2, MSG_RD, "www.", TYPE_A, CLASS_IN);
	add_opt(&p, 1232, 0);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(m.rcode, RCODE_NOERROR);
	ck_assert(m.edns.present);
	ck_assert_uint_eq(m.edns.payload, 1232);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

START_TEST(a_large_answer_takes_tcp_or_edns)
{
	struct packet p;
	struct msg m;
	int fd;

	start(NULL);
	fd = client();
	for (uint16_t i = 0; i < 2; i++) {
		make_question(&p, i, MSG_RD, "big.", TYPE_TXT, CLASS_IN);
		exchange(fd, &p, &m);
		ck_assert(m.flags & MSG_TC);
		ck_assert_uint_eq(m.count[SECTION_ANSWER], 0);
	}
	ck_assert_uint_eq(COUNTED(truncated_answers), 2);
	make_question(&p, 3, MSG_RD, "big.", TYPE_TXT, CLASS_IN);
	add_opt(&p, 4096, 0);
	exchange(fd, &p, &m);
	ck_assert(!(m.flags & MSG_TC));
	ck_assert_uint_gt(p.len, 900);
	for (uint16_t i = 0; i < 2; i++) {
		make_question(&p, i, MSG_RD, "big.", TYPE_TXT, CLASS_IN);
		exchange_tcp(&p, &m);
		ck_assert_uint_gt(p.len, 900);
	}
	ck_assert_uint_eq(COUNTED(tcp_questions), 2);
	ck_assert_uint_eq(COUNTED(packetcache_hits), 1);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

START_TEST(any_is_a_subset)
{
	static const struct {
		const char *name;
		uint16_t rcode, type;
	} rows[] = { { "www.", RCODE_NOERROR, TYPE_A },
		     { "txt.", RCODE_NOERROR, TYPE_HINFO },
		     { "alias.", RCODE_NOERROR, TYPE_CNAME },
		     { "none.", RCODE_NXDOMAIN, TYPE_SOA } };
	struct packet p;
	struct msg_rr rr;
	struct msg m;
	int fd;

	start(NULL);
	fd = client();
	make_question(&p, 1, MSG_RD, "www.", TYPE_ANY, CLASS_IN);
	exchange(fd, &p, &m);
	ck_assert(m.flags & MSG_TC);
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		make_question(&p, 1, MSG_RD, rows[i / 2].name, TYPE_ANY, CLASS_IN);
		exchange_tcp(&p, &m);
		ck_assert_uint_eq(m.rcode, rows[i / 2].rcode);
		ck_assert_int_eq(msg_next(&m, &rr), E_OK);
		ck_assert_uint_eq(rr.type, rows[i / 2].type);
		ck_assert_int_eq(msg_next(&m, &rr), E_END);
	}
	check_accounts();
	close(fd);
	stop();
}
END_TEST

START_TEST(without_rd)
{
	static const char *const more[] = { "--allow-no-rd=yes", NULL };
	struct packet p;
	struct msg m;
	int fd;

	start(_i == 0 ? NULL : more);
	fd = client();
	make_question(&p, 1, 0, "www.", TYPE_A, CLASS_IN);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(m.rcode, RCODE_REFUSED);
	ck_assert_uint_eq(metric("no-rd-refused"), 1);
	make_question(&p, 2, MSG_RD, "www.", TYPE_A, CLASS_IN);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(m.count[SECTION_ANSWER], 1);
	make_question(&p, 3, 0, "www.", TYPE_A, CLASS_IN);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(m.rcode, _i == 0 ? RCODE_REFUSED : RCODE_NOERROR);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

START_TEST(above_max_mthreads_only_what_is_known)
{
	static const char *const more[] = { "--max-mthreads=1", "--disable-packetcache=yes", NULL };
	struct packet p;
	struct msg m;
	int fd;

	start(more);
	fd = client();
	for (uint16_t id = 1; id <= 2; id++) {
		make_question(&p, id, MSG_RD, id == 1 ? "www." : "alias.", TYPE_A, CLASS_IN);
		exchange(fd, &p, &m);
	}
	make_question(&p, 3, MSG_RD, "silent.", TYPE_A, CLASS_IN);
	send_packet(fd, &p);
	/* not known: dropped; and so is an alias whose target is not */
	make_question(&p, 4, MSG_RD, "new.", TYPE_A, CLASS_IN);
	send_packet(fd, &p);
	make_question(&p, 5, MSG_RD, "alias.", TYPE_AAAA, CLASS_IN);
	send_packet(fd, &p);
	expect_silence(fd);
	ck_assert_uint_eq(COUNTED(over_capacity_drops), 2);
	make_question(&p, 6, MSG_RD, "www.", TYPE_A, CLASS_IN);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(m.count[SECTION_ANSWER], 1);
	make_question(&p, 7, MSG_RD, "alias.", TYPE_A, CLASS_IN);
	exchange(fd, &p, &m);
	ck_assert_uint_eq(m.count[SECTION_ANSWER], 2);
	/* what was being resolved when the server stops is answered */
	server_stop(test.server);
	receive(fd, &p, &m);
	ck_assert_uint_eq(m.id, 3);
	ck_assert_uint_eq(m.rcode, RCODE_SERVFAIL);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

static bool is_in_flight(void)
{
	for (unsigned i = 0; i < test.server->n_workers; i++)
		if (atomic_load(&test.server->workers[i].gauges.in_flight) > 0)
			return true;
	return false;
}

/* _i: over TCP; drained first. */
START_TEST(the_end_answers_what_is_in_flight)
{
	static const char *const more[] = { "--network-timeout=300", "--max-total-msec=2000",
					    NULL };
	bool tcp = _i & 1;
	struct packet p;
	struct msg m;
	int fd;

	start(more);
	fd = socket_at(tcp ? SOCK_STREAM : SOCK_DGRAM, 1, PORT, true);
	make_question(&p, 77, MSG_RD, "silent.", TYPE_A, CLASS_IN);
	if (tcp)
		send_tcp(fd, &p);
	else
		send_packet(fd, &p);
	while (!is_in_flight())
		(void)poll(NULL, 0, 1);
	if (_i & 2) {
		drain();
		ck_assert(!is_in_flight());
	}
	server_stop(test.server);
	if (tcp)
		receive_tcp(fd, &p, &m);
	else
		receive(fd, &p, &m);
	ck_assert_uint_eq(m.id, 77);
	ck_assert_uint_eq(m.rcode, RCODE_SERVFAIL);
	check_accounts();
	close(fd);
	stop();
}
END_TEST

/* ---- seen by the operator ---- */

static void count_requests(void *arg, const struct watch_worker *w)
{
	struct resolver_stats stats;

	resolver_stats(w->resolver, &stats);
	*(size_t *)arg += stats.requests;
}

static bool has_client(void *ctx, const struct request_view *v)
{
	struct watch_env *env = ctx;
	struct watch_client c;

	if (!env->client_of(env->ctx, v, &c)) /* the priming */
		return true;
	ck_assert_uint_eq(c.remote.family, 4);
	ck_assert(!c.tcp);
	ck_assert(name_equal(v->name, (const uint8_t *)"\6silent"));
	env->ctx = NULL; /* found */
	return false;
}

static void find_client(void *arg, const struct watch_worker *w)
{
	resolver_walk(w->resolver, has_client, arg);
}

START_TEST(the_operators_view)
{
	static const char *const more[] = { "--threads=2", NULL };
	struct watch_env env, found;
	struct packet p;
	size_t requests = 0;
	char *threads;
	int fd;

	start(more);
	fd = client();
	server_watch(test.server, &env, NULL, NULL);
	ck_assert_uint_eq(env.n_workers, 2);
	threads = env.setting(env.ctx, "threads");
	ck_assert_str_eq(threads, "2");
	free(threads);
	make_question(&p, 1, MSG_RD, "silent.", TYPE_A, CLASS_IN);
	send_packet(fd, &p);
	expect_silence(fd);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(env.on_worker(env.ctx, i, count_requests, &requests), E_OK);
	ck_assert_uint_ge(requests, 1);
	found = env;
	for (unsigned i = 0; i < 2 && found.ctx != NULL; i++)
		ck_assert_int_eq(env.on_worker(env.ctx, i, find_client, &found), E_OK);
	ck_assert_ptr_null(found.ctx);
	close(fd);
	stop();
}
END_TEST

START_TEST(a_taken_address_is_named)
{
	static const char *const settings[] = { "--reuseport=no", "--reuseport=yes",
						"--threads=2" };
	const char *const more[] = { settings[_i], NULL };
	char why[SETTINGS_WHY_MAX] = "";
	struct server *second = NULL;
	int err;

	start(more);
	err = server_new(&second, test.settings, NULL, why);
	ck_assert_int_ne(err, E_OK);
	ck_assert_ptr_null(second);
	ck_assert_ptr_nonnull(strstr(why, "127."));
	ck_assert_ptr_nonnull(strstr(why, strerror(EADDRINUSE)));
	stop();
}
END_TEST

Suite *suite_pipeline(void)
{
	Suite *s = suite_create("pipeline");
	TCase *tc = tcase_create("pipeline");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, a_question_is_resolved_then_copied);
	tcase_add_test(tc, denials_have_the_soa);
	tcase_add_test(tc, failures_are_remembered);
	tcase_add_loop_test(tc, packets_stay_as_long_as_they_may, 0,
			    (int)(sizeof(stays) / sizeof(*stays)));
	tcase_add_test(tc, what_is_no_query_is_counted_by_its_reason);
	tcase_add_test(tc, strangers_get_nothing);
	tcase_add_test(tc, edns_versions);
	tcase_add_test(tc, a_large_answer_takes_tcp_or_edns);
	tcase_add_test(tc, any_is_a_subset);
	tcase_add_loop_test(tc, without_rd, 0, 2);
	tcase_add_test(tc, above_max_mthreads_only_what_is_known);
	tcase_add_loop_test(tc, the_end_answers_what_is_in_flight, 0, 4);
	tcase_add_test(tc, the_operators_view);
	tcase_add_loop_test(tc, a_taken_address_is_named, 0, 3);
	suite_add_tcase(s, tc);
	return s;
}
