#include "common/addr.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/hash.h"

static_assert(sizeof(struct addr) == 20, "struct addr is compared with memcmp: no padding");

static size_t ip_len(const struct addr *a)
{
	return a->family == 4 ? 4 : 16;
}

/* Decimal digits to the end of the text, 1 to 65535. */
static bool read_port(const char *text, uint16_t *port)
{
	unsigned value = 0;
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 5 || text[n] != '\0')
		return false;
	for (; *text != '\0'; text++)
		value = value * 10 + (unsigned)(*text - '0');
	if (value == 0 || value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	return true;
}

int addr_from_text(struct addr *out, const char *text, uint16_t default_port)
{
	struct addr a = { .port = default_port };
	char ip[ADDR_TEXT_MAX];
	const char *end, *port = NULL;
	bool brackets = text[0] == '[';

	if (brackets) {
		text++;
		end = strchr(text, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return E_MALFORMED;
		if (end[1] == ':')
			port = end + 2;
	} else {
		/* One colon parts an IPv4 address from its port; more make it IPv6. */
		end = strchr(text, ':');
		if (end != NULL && strchr(end + 1, ':') == NULL)
			port = end + 1;
		else
			end = text + strlen(text);
	}
	if ((size_t)(end - text) >= sizeof(ip))
		return E_MALFORMED;
	memcpy(ip, text, (size_t)(end - text));
	ip[end - text] = '\0';

	if (!brackets && inet_pton(AF_INET, ip, a.ip) == 1)
		a.family = 4;
	else if ((brackets || port == NULL) && inet_pton(AF_INET6, ip, a.ip) == 1)
		a.family = 6;
	else
		return E_MALFORMED;
	if (port != NULL && !read_port(port, &a.port))
		return E_MALFORMED;
	*out = a;
	return E_OK;
}

/* Decimal digits to the end of the text. */
static bool read_prefix_len(const char *text, unsigned *len)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n > 3 || text[n] != '\0')
		return false;
	*len = 0;
	for (; *text != '\0'; text++)
		*len = *len * 10 + (unsigned)(*text - '0');
	return true;
}

int addr_prefix_from_text(struct addr *out, unsigned *bits, const char *text)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char ip[ADDR_TEXT_MAX];
	struct addr a;
	unsigned most, wanted;

	if (len >= sizeof(ip) || text[0] == '[')
		return E_MALFORMED;
	memcpy(ip, text, len);
	ip[len] = '\0';
	if (addr_from_text(&a, ip, 0) != E_OK || a.port != 0)
		return E_MALFORMED;
	wanted = most = a.family == 4 ? 32 : 128;
	if (slash != NULL && !read_prefix_len(slash + 1, &wanted))
		return E_MALFORMED;
	if (wanted > most)
		return E_RANGE;
	*out = a;
	*bits = wanted;
	return E_OK;
}

char *addr_ip_text(char out[ADDR_TEXT_MAX], const struct addr *a)
{
	if ((a->family != 4 && a->family != 6) ||
	    inet_ntop(a->family == 4 ? AF_INET : AF_INET6, a->ip, out, ADDR_TEXT_MAX) == NULL)
		strcpy(out, "none");
	return out;
}

char *addr_text(char out[ADDR_TEXT_MAX], const struct addr *a)
{
	char ip[ADDR_TEXT_MAX];

	(void)snprintf(out, ADDR_TEXT_MAX, a->family == 6 ? "[%.46s]:%u" : "%.46s:%u",
		       addr_ip_text(ip, a), (unsigned)a->port);
	return out;
}

int addr_from_sockaddr(struct addr *out, const struct sockaddr *sa)
{
	struct addr a = { 0 };

	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		a.family = 4;
		a.port = ntohs(in.sin_port);
		memcpy(a.ip, &in.sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		a.port = ntohs(in6.sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr)) {
			a.family = 4;
			memcpy(a.ip, in6.sin6_addr.s6_addr + 12, 4);
		} else {
			a.family = 6;
			memcpy(a.ip, &in6.sin6_addr, 16);
		}
	} else {
		return E_UNSUPPORTED;
	}
	*out = a;
	return E_OK;
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (a->family == 4) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(a->port) };

		memcpy(&in.sin_addr, a->ip, 4);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	ASSERT(a->family == 6);
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(a->port) };

	memcpy(&in6.sin6_addr, a->ip, 16);
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

int addr_from_rdata(struct addr *out, const uint8_t *rdata, size_t len, uint16_t port)
{
	struct addr a = { .port = port };

	if (len != 4 && len != 16)
		return E_MALFORMED;
	/* A mapped address in an AAAA record stays IPv6, so that a list with ::ffff:0:0/96
	 * catches it. */
	a.family = len == 4 ? 4 : 6;
	memcpy(a.ip, rdata, len);
	*out = a;
	return E_OK;
}

void addr_truncate(struct addr *a, unsigned bits)
{
	for (unsigned i = 0; i < sizeof(a->ip); i++) {
		unsigned left = bits > 8 * i ? bits - 8 * i : 0;

		if (left < 8)
			a->ip[i] &= (uint8_t)(0xff00U >> left);
	}
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool addr_equal_ip(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, ip_len(a)) == 0;
}

uint64_t addr_hash(const struct addr *a)
{
	uint64_t high, low;

	memcpy(&high, a->ip, 8);
	memcpy(&low, a->ip + 8, 8);
	return hash_mix(hash_mix(high, low), (uint64_t)a->family << 16 | a->port);
}
