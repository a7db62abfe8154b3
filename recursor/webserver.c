#include "recursor/webserver.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "recursor/watch/web/credential.h"

static_assert((int)WEB_WHY_MAX <= (int)SETTINGS_WHY_MAX, "its line fits");

static int hash_one(struct settings **s, const char *name, char why[SETTINGS_WHY_MAX])
{
	const char *text = settings_text(*s, name);
	char hash[CREDENTIAL_TEXT_MAX];
	struct settings *hashed = NULL;
	int err;

	if (*text == '\0' || credential_is_hashed(text))
		return E_OK;
	err = credential_hash(hash, text, CREDENTIAL_WORK_FACTOR);
	if (err != E_OK) {
		(void)snprintf(why, SETTINGS_WHY_MAX, "%s cannot be hashed: %s", name,
			       err_text(err));
		return err;
	}
	err = settings_change(&hashed, *s, name, hash, why);
	if (err != E_OK)
		return err;
	/* The texts are the snapshot's own, and nobody else has it yet. */
	explicit_bzero((char *)(uintptr_t)text, strlen(text));
	settings_free(*s);
	*s = hashed;
	return E_OK;
}

int webserver_hash_secrets(struct settings **s, char why[SETTINGS_WHY_MAX])
{
	int err = E_OK;

	if (!(*s)->webserver_hash_plaintext_credentials)
		return err;
	err = hash_one(s, "webserver-password", why);
	return err == E_OK ? hash_one(s, "api-key", why) : err;
}

static enum web_log log_of(const char *word)
{
	if (strcmp(word, "none") == 0)
		return WEB_LOG_NONE;
	return strcmp(word, "detailed") == 0 ? WEB_LOG_DETAILED : WEB_LOG_NORMAL;
}

int webserver_open(struct web **out, const struct settings *s, struct watch_web *counters,
		   char why[SETTINGS_WHY_MAX])
{
	struct web_options o = {
		.addresses = s->webserver_address.a,
		.n_addresses = s->webserver_address.n,
		.allow_from = s->webserver_allow_from,
		.password = s->webserver_password,
		.key = s->api_key,
		.readonly = s->api_readonly,
		.cross_origin = s->cross_origin_request_header,
		.log = log_of(s->webserver_loglevel),
		.max_body = (size_t)s->webserver_max_request_size << 20,
		.max_header = s->webserver_max_header_size,
		.max_connections = s->webserver_max_connections,
		.max_per_client = s->webserver_max_connections_per_client,
		.request_ms = s->webserver_request_timeout_s * 1000ULL,
		.idle_ms = s->webserver_idle_timeout_s * 1000ULL,
		.counters = counters,
	};

	return s->webserver ? web_open(out, &o, why) : E_OK;
}
