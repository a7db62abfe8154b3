#include "recursor/watch/dnstap_frame.h"

#include <endian.h>
#include <string.h>

/* Numbers of fields, and how each is written. */
enum {
	VARINT = 0,
	BYTES = 2,
	FIXED32 = 5,
	WIRE_TYPE_BITS = 3,
	NUMBER_LEN = 3,
	NS = 1000000000,
};

enum dnstap_field { /* message Dnstap */
		    IDENTITY = 1,
		    VERSION = 2,
		    MESSAGE = 14,
		    TYPE = 15,
};
enum message_field { /* message Message */
		     MESSAGE_TYPE = 1,
		     SOCKET_FAMILY = 2,
		     SOCKET_PROTOCOL = 3,
		     QUERY_ADDRESS = 4,
		     RESPONSE_ADDRESS = 5,
		     QUERY_PORT = 6,
		     RESPONSE_PORT = 7,
		     QUERY_TIME_SEC = 8,
		     QUERY_TIME_NSEC = 9,
		     QUERY_MESSAGE = 10,
		     RESPONSE_TIME_SEC = 12,
		     RESPONSE_TIME_NSEC = 13,
		     RESPONSE_MESSAGE = 14,
};
enum { TYPE_MESSAGE = 1, FAMILY_INET = 1, FAMILY_INET6 = 2, PROTOCOL_UDP = 1, PROTOCOL_TCP = 2 };

/* `len` bytes of a word, the lowest first.  There is room for all eight: one store, and what is too
 * much is written over. */
static inline uint8_t *put_word(uint8_t *at, uint64_t word, size_t len)
{
	word = htole64(word);
	memcpy(at, &word, sizeof(word));
	return at + len;
}

/* All numbers of fields are below 16: one byte. */
static inline uint64_t key(unsigned field, unsigned wire_type)
{
	return field << WIRE_TYPE_BITS | wire_type;
}

/* A varint, seven bits a byte.  It may be longer than it has to be: those of one width, below 2^21
 * and in NUMBER_LEN bytes, are written without a look at how large they are. */
static inline uint64_t number(size_t n)
{
	return (n & 0x7f) | (n & 0x3f80) << 1 | (n & 0x1fc000) << 2 | 0x8080;
}

static inline uint8_t *put_number(uint8_t *at, uint64_t field_key, size_t n)
{
	return put_word(at, field_key | number(n) << 8, 1 + NUMBER_LEN);
}

/* Before what is there already. */
static inline void put_length(uint8_t *before, uint64_t field_key, size_t len)
{
	uint32_t word = htole32((uint32_t)(field_key | number(len) << 8));

	memcpy(before - sizeof(word), &word, sizeof(word));
}

static uint8_t *put_text(uint8_t *at, unsigned field, const char *text, size_t len)
{
	at = put_number(at, key(field, BYTES), len);
	memcpy(at, text, len);
	return at + len;
}

/* Seconds take five bytes, as they have to since 1978 and till 3058. */
static inline uint8_t *put_time(uint8_t *at, unsigned field_sec, unsigned field_nsec, uint64_t ns)
{
	uint64_t s = ns / NS;
	uint64_t word = (s & 0x7f) | (s & 0x3f80) << 1 | (s & 0x1fc000) << 2 |
			(s & 0xfe00000) << 3 | (s & 0x7f0000000) << 4 | 0x80808080;

	word = key(field_sec, VARINT) | word << 8 | key(field_nsec, FIXED32) << 48;
	return put_word(put_word(at, word, 7), ns % NS, 4);
}

void dnstap_head_make(struct dnstap_head *out, const char *identity, const char *version)
{
	size_t identity_len = strnlen(identity, DNSTAP_WORDS_MAX);
	size_t version_len = strnlen(version, DNSTAP_WORDS_MAX);
	uint8_t *at = out->bytes;

	if (identity_len > 0)
		at = put_text(at, IDENTITY, identity, identity_len);
	if (version_len > 0)
		at = put_text(at, VERSION, version, version_len);
	at = put_word(at, key(TYPE, VARINT) | TYPE_MESSAGE << 8, 2);
	out->len = (size_t)(at - out->bytes);
}

static bool is_query(enum dnstap_type type)
{
	return type == DNSTAP_CLIENT_QUERY || type == DNSTAP_RESOLVER_QUERY ||
	       type == DNSTAP_FORWARDER_QUERY;
}

static inline uint8_t *put_end(uint8_t *at, const struct addr *end, size_t ip_len,
			       enum message_field address, enum message_field port)
{
	at = put_word(at, key(address, BYTES) | ip_len << 8, 2);
	/* As put_word(): a copy of fixed length is a move. */
	memcpy(at, end->ip, sizeof(end->ip));
	return put_number(at + ip_len, key(port, VARINT), end->port);
}

/* A message has one family. */
static inline uint8_t *put_ends(uint8_t *at, const struct addr *from, const struct addr *to,
				bool tcp)
{
	unsigned family = 0;
	size_t ip_len;

	if (from != NULL)
		family = from->family;
	if (family == 0 && to != NULL)
		family = to->family;
	if (family == 0)
		return at;
	ip_len = family == 4 ? 4 : 16;
	at = put_word(at,
		      key(SOCKET_FAMILY, VARINT) |
			      (uint64_t)(family == 4 ? FAMILY_INET : FAMILY_INET6) << 8 |
			      key(SOCKET_PROTOCOL, VARINT) << 16 |
			      (uint64_t)(tcp ? PROTOCOL_TCP : PROTOCOL_UDP) << 24,
		      4);
	if (from != NULL && from->family == family)
		at = put_end(at, from, ip_len, QUERY_ADDRESS, QUERY_PORT);
	if (to != NULL && to->family == family)
		at = put_end(at, to, ip_len, RESPONSE_ADDRESS, RESPONSE_PORT);
	return at;
}

size_t dnstap_frame_write(uint8_t *out, const struct dnstap_head *head,
			  const struct dnstap_message *message)
{
	/* A copy stays in registers: the compiler cannot know that `out` is not in it. */
	const struct dnstap_message m = *message;
	uint8_t *body = out + head->len + 1 + NUMBER_LEN, *at = body;

	memcpy(out, head->bytes, head->len);
	at = put_word(at, key(MESSAGE_TYPE, VARINT) | (uint64_t)m.type << 8, 2);
	at = put_ends(at, m.from, m.to, m.tcp);
	if (m.query_ns != 0)
		at = put_time(at, QUERY_TIME_SEC, QUERY_TIME_NSEC, m.query_ns);
	if (m.response_ns != 0)
		at = put_time(at, RESPONSE_TIME_SEC, RESPONSE_TIME_NSEC, m.response_ns);
	at = put_number(at, key(is_query(m.type) ? QUERY_MESSAGE : RESPONSE_MESSAGE, BYTES), m.len);
	memcpy(at, m.wire, m.len);
	at += m.len;
	put_length(body, key(MESSAGE, BYTES), (size_t)(at - body));
	return (size_t)(at - out);
}
