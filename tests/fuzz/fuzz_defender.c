/*
 * defender-config-file of any bytes: rules within their bounds come out, or one line that says why
 * not.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "recursor/policy/defender_rules.h"

static void count_warning(const char *line)
{
	ASSERT(*line != '\0' && strchr(line, '\n') == NULL);
}

static void check_action(const struct defender_action *a)
{
	char text[DEFENDER_ACTION_TEXT_MAX];

	ASSERT(a->effect < DEFENDER_EFFECTS && a->otherwise < DEFENDER_ALLOW);
	ASSERT(a->ipv4_bits <= 32 && a->ipv6_bits <= 128);
	ASSERT(a->effect != DEFENDER_SLIP || a->slip > 0);
	ASSERT(a->effect != DEFENDER_RATE_LIMIT || a->qps > 0);
	ASSERT(a->effect != DEFENDER_ROUTE || a->pool[0] != '\0');
	ASSERT(*defender_action_text(text, a) != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[DEFENDER_WHY_MAX] = "";
	struct defender_rules *rules = NULL;
	int err = defender_rules_read(&rules, (const char *)data, size, "fuzz", count_warning, why);

	ASSERT((err == E_OK) == (rules != NULL));
	if (err != E_OK) {
		ASSERT(why[0] != '\0');
		return 0;
	}
	ASSERT(rules->n <= DEFENDER_RULES_MAX);
	for (size_t i = 0; i < rules->n; i++) {
		const struct defender_rule *r = &rules->rules[i];

		ASSERT(r->window_s > 0 && r->window_s <= DEFENDER_WINDOW_MAX);
		ASSERT(r->min_failure_ratio >= 0 && r->min_failure_ratio <= 1);
		ASSERT(r->n_policies <= DEFENDER_POLICIES_MAX);
		check_action(&r->action);
		for (size_t p = 0; p < r->n_policies; p++)
			check_action(&r->policies[p].action);
	}
	defender_rules_put(rules);
	return 0;
}
