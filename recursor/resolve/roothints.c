/* roothints: the root's name servers as they were when this was written (RFC 9609; the list is
 * published as root.hints by IANA); priming replaces them by what they themselves say. */
#include "recursor/resolve/roothints.h"

#include "common/addr.h"
#include "common/check.h"
#include "common/rrtype.h"

static const struct {
	const char *name, *v4, *v6;
} servers[] = {
	{ "a.root-servers.net.", "198.41.0.4", "2001:503:ba3e::2:30" },
	{ "b.root-servers.net.", "170.247.170.2", "2801:1b8:10::b" },
	{ "c.root-servers.net.", "192.33.4.12", "2001:500:2::c" },
	{ "d.root-servers.net.", "199.7.91.13", "2001:500:2d::d" },
	{ "e.root-servers.net.", "192.203.230.10", "2001:500:a8::e" },
	{ "f.root-servers.net.", "192.5.5.241", "2001:500:2f::f" },
	{ "g.root-servers.net.", "192.112.36.4", "2001:500:12::d0d" },
	{ "h.root-servers.net.", "198.97.190.53", "2001:500:1::53" },
	{ "i.root-servers.net.", "192.36.148.17", "2001:7fe::53" },
	{ "j.root-servers.net.", "192.58.128.30", "2001:503:c27::2:30" },
	{ "k.root-servers.net.", "193.0.14.129", "2001:7fd::1" },
	{ "l.root-servers.net.", "199.7.83.42", "2001:500:9f::42" },
	{ "m.root-servers.net.", "202.12.27.33", "2001:dc3::35" },
};

enum { HINTS_TTL = 3600000 };

static int address_add(struct rrset **out, const uint8_t *name, const char *text)
{
	struct addr a;
	struct rdata rr = { a.ip, 4 };
	int err = addr_from_text(&a, text, 53);

	if (err != E_OK)
		return err;
	if (a.family == 6)
		rr.len = 16;
	return rrset_new(out, name, a.family == 6 ? TYPE_AAAA : TYPE_A, HINTS_TTL, 0, RANK_LOCAL,
			 &rr, 1, NULL, 0);
}

int roothints_make(struct rrset *out[ROOTHINTS_MAX], size_t *n)
{
	uint8_t names[ARRAY_LEN(servers)][NAME_MAX_LEN];
	struct rdata ns[ARRAY_LEN(servers)];
	size_t made = 0;
	int err = E_OK;

	for (size_t i = 0; i < ARRAY_LEN(servers) && err == E_OK; i++) {
		err = name_from_text(names[i], servers[i].name);
		if (err == E_OK) {
			ns[i] = (struct rdata) { names[i], (uint16_t)name_len(names[i]) };
			err = address_add(&out[made], names[i], servers[i].v4);
		}
		made += err == E_OK;
		if (err == E_OK)
			err = address_add(&out[made], names[i], servers[i].v6);
		made += err == E_OK;
	}
	if (err == E_OK)
		err = rrset_new(&out[made], name_root, TYPE_NS, HINTS_TTL, 0, RANK_LOCAL, ns,
				ARRAY_LEN(servers), NULL, 0);
	if (err == E_OK) {
		*n = made + 1;
		return E_OK;
	}
	while (made > 0)
		rrset_put(out[--made]);
	return err;
}
