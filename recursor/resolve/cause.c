#include "recursor/resolve/cause.h"

#include "common/check.h"

_Static_assert(CAUSE_N <= UINT8_MAX && METRICS_N_REASONS <= UINT8_MAX, "both are kept in a byte");

const struct cause_row *cause_row(unsigned cause)
{
	static const struct cause_row rows[] = {
#define CAUSE_ROW(name, code, what, why)                                                           \
	[CAUSE_##name] = { .text = (what), .ede = EDE_##code, .reason = REASON_##why },
		CAUSES(CAUSE_ROW)
#undef CAUSE_ROW
	};

	return &rows[EXPECT(cause < CAUSE_N) ? cause : CAUSE_NONE];
}
