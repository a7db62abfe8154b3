/*
 * lab: a small Internet on loopback addresses: authoritative servers with zones from plain
 * files, faults that can be switched on while it runs, counters, and a Lua hook that may answer
 * a question itself.
 *
 *     packet -> serve.c: count, ask the hook (hook.c), ask the zones (zone.c), spoil the answer
 *               (fault.c) -> one or more packets, now or later -> net.c sends them
 *
 * Files:   main.c     options, and the client `lab ctl`
 *          config.c   which address serves which zone
 *          net.c      sockets, the poll loop, delayed packets
 *          serve.c    a question and its answer
 *          fault.c    the table of faults
 *          hook.c     the Lua hook
 *          control.c  commands: the table of them
 *
 * One thread; everything belongs to struct lab.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <ldns/ldns.h>

#include "common/addr.h"
#include "common/err.h"
#include "tools/lab/zone.h"

enum {
	LAB_SERVERS_MAX = 256,
	LAB_ZONES_MAX = 16, /* of one server */
	LAB_FILES_MAX = 256,
	LAB_QUERIES_KEPT = 4096, /* for the command `queries` */
	LAB_PATH_MAX = 1024,
	LAB_WHY_MAX = 2048,
};

/* name, has a value, help */
#define FAULT_TABLE(X)                                                                             \
	X(DELAY, "delay", true, "answer MS milliseconds later")                                    \
	X(LOSS, "loss", true, "lose PERCENT of the answers")                                       \
	X(SILENT, "silent", false, "answer nothing")                                               \
	X(LAME, "lame", false, "refer to the root, whatever is asked")                             \
	X(REFUSED, "refused", false, "answer REFUSED")                                             \
	X(SERVFAIL, "servfail", false, "answer SERVFAIL")                                          \
	X(RATE, "rate", true, "answer N questions a second, lose the others")                      \
	X(HUGE, "huge", true, "refer to N name servers without address")                           \
	X(TRUNCATED, "truncated", false, "set TC in every answer over UDP")                        \
	X(GARBLED, "garbled", false, "answer rubbish")                                             \
	X(FORMERR, "formerr", false, "answer FORMERR to questions with EDNS")                      \
	X(SPOOFED, "spoofed", true, "send N answers with wrong ids before the true one")           \
	X(MISMATCH, "mismatch", false, "answer another question than was asked")                   \
	X(LOWERCASE, "lowercase", false, "spell the name in lower case in the answer")             \
	X(NO_TCP, "no-tcp", false, "close TCP connections at once")

enum fault {
#define FAULT_ENUM(name, word, has_value, help) FAULT_##name,
	FAULT_TABLE(FAULT_ENUM)
#undef FAULT_ENUM
		FAULTS
};

struct server {
	struct addr addr; /* with port */
	bool optional;    /* no error when the address cannot be bound */
	const struct zone *zones[LAB_ZONES_MAX];
	unsigned n_zones;
	int udp, tcp; /* descriptors, -1: none */
	bool has_fault[FAULTS];
	uint32_t fault_value[FAULTS];
	uint64_t rate_second;
	uint32_t rate_used;
	uint64_t n_udp, n_tcp, n_answers;
	uint64_t n_connections;
};

enum lab_transport { LAB_UDP, LAB_TCP };

/* A question as it came. */
struct lab_query {
	struct server *server;
	struct addr client;
	enum lab_transport transport;
	const uint8_t *wire;
	size_t len;
	const ldns_pkt *pkt;
	const ldns_rr *question;
};

/* One packet to go out in answer, perhaps later. */
typedef void (*lab_send_cb)(void *ctx, const uint8_t *wire, size_t len, uint32_t delay_ms);

struct kept_query {
	uint64_t at_ms;
	unsigned server;
	enum lab_transport transport;
	uint16_t port, id; /* the asker's */
	char *text;        /* "www.example. A" */
};

struct hook;
struct net;

struct lab {
	struct server *servers[LAB_SERVERS_MAX];
	unsigned n_servers;
	struct {
		char *path;
		struct zone *zone;
	} files[LAB_FILES_MAX];
	unsigned n_files;
	struct hook *hook; /* or NULL */
	struct net *net;
	struct kept_query queries[LAB_QUERIES_KEPT]; /* a ring */
	uint64_t n_queries;
	uint64_t began_ms;
	uint64_t random;
	bool stop;
};

/* ---- config.c ---- */

/* Reads lab.conf in a directory, or such a file; `port` is the one that addresses get. */
int config_read(struct lab *lab, const char *path, uint16_t port, char why[LAB_WHY_MAX]) MUST_USE;
void config_free(struct lab *lab);
struct server *config_find(struct lab *lab, const struct addr *a); /* by IP; or NULL */
/* The root's name servers as a hint file. */
void config_print_hints(const struct lab *lab, FILE *f);

/* ---- serve.c ---- */

void serve(struct lab *lab, const struct lab_query *q, lab_send_cb send, void *ctx);
uint64_t lab_now_ms(void);
uint32_t lab_random_below(struct lab *lab, uint32_t bound);
/* A reply with the question copied; QR set, EDNS as the question has it. */
ldns_pkt *serve_reply_new(const struct lab_query *q, ldns_pkt_rcode rcode);

/* ---- fault.c ---- */

const char *fault_word(enum fault f);
/* "delay 100", "silent", "none"; E_MALFORMED with `why`. */
int fault_set(struct server *s, const char *word, const char *value,
	      char why[LAB_WHY_MAX]) MUST_USE;
void fault_print(const struct server *s, FILE *f);
void fault_print_help(FILE *f);

/* Is the question lost before anybody looks at it? */
bool fault_swallows(struct lab *lab, struct server *s);
/* An answer instead of the true one, or NULL. */
ldns_pkt *fault_answer(const struct lab_query *q);
/* Changes the true answer. */
void fault_spoil(const struct lab_query *q, ldns_pkt *reply);
/* Sends it: garbled, after spoofs, late. */
void fault_send(struct lab *lab, const struct lab_query *q, uint8_t *wire, size_t len,
		lab_send_cb send, void *ctx);

/* ---- hook.c ---- */

int hook_load(struct hook **out, const char *path, char why[LAB_WHY_MAX]) MUST_USE;
void hook_free(struct hook *h);

enum hook_verdict { HOOK_PASS, HOOK_ANSWER, HOOK_RAW, HOOK_SILENT };
struct hook_answer {
	ldns_pkt *reply; /* ANSWER: the caller's */
	uint8_t *raw;    /* RAW: the caller's, malloc */
	size_t raw_len;
	uint32_t delay_ms;
};
enum hook_verdict hook_ask(struct hook *h, const struct lab_query *q, struct hook_answer *out);

/* ---- control.c ---- */

/* Carries a command out: the reply's text goes to `f`; 0 or 1, as `lab ctl` will exit. */
int control_run(struct lab *lab, char *command, FILE *f);
void control_print_help(FILE *f);

/* ---- net.c ---- */

int net_new(struct lab *lab, const char *control_path, char why[LAB_WHY_MAX]) MUST_USE;
void net_run(struct lab *lab);
/* Closes the TCP connections of those who ask. */
void net_hang_up(struct lab *lab);
void net_free(struct lab *lab);

#endif
