/*
 * A hosts file of any bytes, with a suffix: never an error, each line that is left out told of in
 * words that do not steer a terminal, and each zone that comes of it answers.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "recursor/files/hosts.h"
#include "recursor/resolve/authzone.h"
#include "recursor/settings/settings.h"

static void warn(void *ctx, const char *line)
{
	(void)ctx;
	ASSERT(*line != '\0');
	for (; *line != '\0'; line++)
		ASSERT((unsigned char)*line >= ' ' && *line != 0x7f);
}

struct visit {
	const struct zones *zones;
};

static int ask(void *ctx, const uint8_t *name)
{
	static const uint16_t types[] = { TYPE_SOA, TYPE_A, TYPE_AAAA, TYPE_PTR };
	const struct visit *v = ctx;
	const struct configured_zone *z = zones_exact(v->zones, name);

	ASSERT(z != NULL && z->auth != NULL);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct auth_answer a;

		ASSERT(authzone_look(z->auth, name, types[i], 0, &a) == E_OK);
		ASSERT(a.kind == AUTH_DATA || (a.kind == AUTH_NODATA && types[i] != TYPE_SOA));
		rrset_put(a.set);
		rrset_put(a.dname);
	}
	return E_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hosts_warn to = { .line = warn };
	static const uint8_t suffix[] = "\4home\7example";
	char why[SETTINGS_WHY_MAX], *text = malloc(size + 1);
	struct visit v = { .zones = NULL };
	struct zones *zones = NULL;

	ASSERT(text != NULL && zones_new(&zones) == E_OK);
	memcpy(text, data, size);
	text[size] = '\0';
	v.zones = zones;
	ASSERT(hosts_add_text(zones, text, "fuzz", suffix, &to, why) == E_OK);
	ASSERT(zones_diff(NULL, zones, ask, &v) == E_OK);
	zones_put(zones);
	free(text);
	return 0;
}
