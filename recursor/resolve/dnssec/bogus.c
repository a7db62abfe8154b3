#include "recursor/resolve/dnssec/bogus.h"

#include "common/check.h"

static const char *const reasons[] = {
#define REASON_ROW(symbol, suffix) [BOGUS_REASON_##symbol] = (suffix),
	BOGUS_REASONS(REASON_ROW)
#undef REASON_ROW
};

static const struct bogus_row rows[] = {
	[BOGUS_NONE] = { "bogus", EDE_DNSSEC_BOGUS, BOGUS_REASON_NO_VALID_RRSIG },
#define BOGUS_ROW(symbol, code, words, why)                                                        \
	[BOGUS_##symbol] = { .text = (words), .ede = EDE_##code, .reason = BOGUS_REASON_##why },
	BOGUS_TABLE(BOGUS_ROW)
#undef BOGUS_ROW
};

const struct bogus_row *bogus_row(unsigned bogus)
{
	return &rows[bogus < ARRAY_LEN(rows) ? bogus : BOGUS_NONE];
}

const char *bogus_reason_text(enum bogus_reason reason)
{
	ASSERT(reason < BOGUS_REASON_N);
	return reasons[reason];
}
