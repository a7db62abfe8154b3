/*
 * What of ours reads bytes for the web server: a path, matched against the table of endpoints; a
 * secret as it is configured, which may be a hash; ready-test-name.  HTTP itself is
 * libmicrohttpd's to read.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/name.h"
#include "recursor/watch/health.h"
#include "recursor/watch/web/credential.h"
#include "recursor/watch/web/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 2 * ENDPOINT_PATH_MAX };

/* What stood for <> is a part of the path, and the row that was found is for that path alone. */
static void check_match(const struct endpoint_match *m, const char *path)
{
	size_t n = 0;

	for (const char *at = m->endpoint->path; (at = strstr(at, "<>")) != NULL; at += 2) {
		ASSERT(n < ENDPOINT_ARGS_MAX && m->args[n] != NULL);
		ASSERT(*m->args[n] != '\0' && strchr(m->args[n], '/') == NULL);
		ASSERT(strstr(path, m->args[n]) != NULL);
		n++;
	}
	ASSERT(n == ENDPOINT_ARGS_MAX || m->args[n] == NULL);
	if (n == 0)
		ASSERT(strcmp(path, m->endpoint->path) == 0 ||
		       strcmp(path + 7, m->endpoint->path) == 0);
}

static void look_at_path(const char *path)
{
	static const char *const methods[] = { "GET", "PUT", "POST", "DELETE", "BREW" };

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct endpoint_match m;

		if (!endpoint_find(&m, methods[i], path))
			continue;
		ASSERT(strstr(m.methods, methods[i]) != NULL);
		check_match(&m, path);
	}
}

static void look_at_secret(const char *text)
{
	char why[CREDENTIAL_WHY_MAX] = "";
	struct credential *c = NULL;
	bool good = credential_check(text, why) == E_OK;

	if (*text == '\0')
		return;
	ASSERT(good || *why != '\0');
	ASSERT((credential_new(&c, text) == E_OK) == good);
	if (!good)
		return;
	/* A hash is not the secret that it is of. */
	ASSERT(credential_look(c, text) ==
	       (credential_is_hashed(text) ? CREDENTIAL_UNKNOWN : CREDENTIAL_RIGHT));
	credential_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t name[NAME_MAX_LEN];
	char text[TEXT_MAX];
	uint16_t type;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	look_at_path(text);
	look_at_secret(text);
	if (health_read_test(text, name, &type) == E_OK)
		ASSERT(name_len(name) >= 1);
	return 0;
}
