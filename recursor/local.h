/*
 * local: questions that are answered, or refused, for what they are, before a resolver is asked.
 *
 *     class CH   TXT of version.bind, version.pdns (version-string) and of id.server,
 *                hostname.bind (server-id); with allow-trust-anchor-query of
 *                trustanchor.server ("zone tag tag...", one each) and
 *                negativetrustanchor.server ("zone reason"); a setting that is empty, "disabled"
 *                or off, and any other name: REFUSED
 *     class      other than IN and CH: REFUSED
 *     AXFR IXFR  REFUSED: there is no zone here to hand out
 *     OPT TSIG TKEY, type 0 and 128-248: FORMERR: no such thing can be asked for
 *     MAILA MAILB, and the private type the record cache uses for itself: NOTIMP
 *     ANY        over UDP TC, when any-to-tcp is set; else see local_any()
 */
#ifndef RECURSOR_LOCAL_H
#define RECURSOR_LOCAL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/rrset.h"
#include "recursor/query.h"
#include "recursor/resolve/cause.h"
#include "recursor/settings/settings.h"

struct anchors;

enum local_verdict {
	LOCAL_RESOLVE,  /* an ordinary question */
	LOCAL_ANSWER,   /* here is the answer */
	LOCAL_TRUNCATE, /* to be asked again over TCP */
};

struct local_answer {
	uint16_t rcode;
	enum cause cause;
	struct rrset *set; /* NULL, or a reference for the caller */
};

enum local_verdict local_look(struct local_answer *out, const struct query *q, bool tcp,
			      const struct settings *s, const struct anchors *anchors,
			      uint32_t now_s);

/* What a name has, for ANY (RFC 8482 4.2): the one HINFO record that says that nobody will list
 * it all.  A reference, or NULL: out of memory. */
struct rrset *local_any(const struct query *q, uint32_t now_s);

#endif
