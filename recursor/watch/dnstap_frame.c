#include "recursor/watch/dnstap_frame.h"

#include <string.h>

#include "common/check.h"

/* Numbers of fields, and how each is written. */
enum {
	VARINT = 0,
	BYTES = 2,
	FIXED32 = 5,
	WIRE_TYPE_BITS = 3,
	BODY_MAX = 96, /* all of a Message but its wire */
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

static uint8_t *put_number(uint8_t *at, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		*at++ = (uint8_t)(n | 0x80);
	*at++ = (uint8_t)n;
	return at;
}

/* All numbers of fields are below 16: one byte. */
static uint8_t *put_key(uint8_t *at, unsigned field, unsigned wire_type)
{
	*at++ = (uint8_t)(field << WIRE_TYPE_BITS | wire_type);
	return at;
}

static uint8_t *put_varint(uint8_t *at, unsigned field, uint64_t n)
{
	return put_number(put_key(at, field, VARINT), n);
}

static uint8_t *put_bytes(uint8_t *at, unsigned field, const void *bytes, size_t len)
{
	at = put_number(put_key(at, field, BYTES), len);
	memcpy(at, bytes, len);
	return at + len;
}

static uint8_t *put_time(uint8_t *at, unsigned field_sec, unsigned field_nsec, uint64_t ns)
{
	uint32_t rest = (uint32_t)(ns % NS);

	if (ns == 0)
		return at;
	at = put_varint(at, field_sec, ns / NS);
	at = put_key(at, field_nsec, FIXED32);
	for (unsigned i = 0; i < sizeof(rest); i++)
		*at++ = (uint8_t)(rest >> 8 * i);
	return at;
}

void dnstap_head_make(struct dnstap_head *out, const char *identity, const char *version)
{
	size_t identity_len = strnlen(identity, DNSTAP_WORDS_MAX);
	size_t version_len = strnlen(version, DNSTAP_WORDS_MAX);
	uint8_t *at = out->bytes;

	if (identity_len > 0)
		at = put_bytes(at, IDENTITY, identity, identity_len);
	if (version_len > 0)
		at = put_bytes(at, VERSION, version, version_len);
	at = put_varint(at, TYPE, TYPE_MESSAGE);
	out->len = (size_t)(at - out->bytes);
}

static uint8_t *put_addresses(uint8_t *at, const struct dnstap_message *m)
{
	/* One of the two may be missing. */
	unsigned family = m->from.family != 0 ? m->from.family : m->to.family;
	size_t len = family == 4 ? 4 : 16;

	if (family == 0)
		return at;
	at = put_varint(at, SOCKET_FAMILY, family == 4 ? FAMILY_INET : FAMILY_INET6);
	at = put_varint(at, SOCKET_PROTOCOL, m->tcp ? PROTOCOL_TCP : PROTOCOL_UDP);
	if (m->from.family == family) {
		at = put_bytes(at, QUERY_ADDRESS, m->from.ip, len);
		at = put_varint(at, QUERY_PORT, m->from.port);
	}
	if (m->to.family == family) {
		at = put_bytes(at, RESPONSE_ADDRESS, m->to.ip, len);
		at = put_varint(at, RESPONSE_PORT, m->to.port);
	}
	return at;
}

static bool is_query(enum dnstap_type type)
{
	return type == DNSTAP_CLIENT_QUERY || type == DNSTAP_RESOLVER_QUERY ||
	       type == DNSTAP_FORWARDER_QUERY;
}

size_t dnstap_frame_write(uint8_t *out, const struct dnstap_head *head,
			  const struct dnstap_message *m)
{
	uint8_t body[BODY_MAX], *end = body, *at = out;

	end = put_varint(end, MESSAGE_TYPE, m->type);
	end = put_addresses(end, m);
	end = put_time(end, QUERY_TIME_SEC, QUERY_TIME_NSEC, m->query_ns);
	end = put_time(end, RESPONSE_TIME_SEC, RESPONSE_TIME_NSEC, m->response_ns);
	end = put_key(end, is_query(m->type) ? QUERY_MESSAGE : RESPONSE_MESSAGE, BYTES);
	end = put_number(end, m->len);
	DASSERT((size_t)(end - body) <= sizeof(body));
	memcpy(at, head->bytes, head->len);
	at = put_key(at + head->len, MESSAGE, BYTES);
	at = put_number(at, (uint64_t)(end - body) + m->len);
	memcpy(at, body, (size_t)(end - body));
	at += end - body;
	memcpy(at, m->wire, m->len);
	return (size_t)(at - out) + m->len;
}
