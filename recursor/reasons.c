#include "recursor/reasons.h"

enum metrics_reason reason_of_answer(const struct answer *a)
{
	if (a->is_remembered)
		return REASON_CACHED_FAILURE;
	return (enum metrics_reason)cause_row(a->cause)->reason;
}

enum metrics_reason reason_of_script(const struct answer *a)
{
	enum metrics_reason reason = reason_of_answer(a);

	return reason == REASON_OTHER ? REASON_SCRIPT : reason;
}
