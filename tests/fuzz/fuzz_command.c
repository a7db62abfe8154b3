/*
 * A request of the control socket, from any bytes: read, run on a daemon without threads
 * (tests/unit/fake_env.h), and answered.  What is asked for in JSON is answered in JSON.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/ctl.h"
#include "common/rrtype.h"
#include "recursor/watch/commands.h"
#include "tests/unit/fake_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_daemon(struct fake_env *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake_env_keep_suffixes();
	fake_env_open(fake);
	fake->idle = true;
	fake_env_put(fake, "www.example.", TYPE_A, 300, RANK_AUTH_ANSWER, "\xc0\0\2\1", 4);
	fake_env_put_negative(fake, RRSET_NXDOMAIN, "none.example.", TYPE_A, 60);
	fake_env_put_packet(fake, 0, "www.example.", TYPE_A, 300, false);
}

static void check_reply(const struct command_request *rq, const struct command_reply *reply)
{
	json_t *json;

	ASSERT(reply->text != NULL && strlen(reply->text) == reply->len);
	ASSERT(reply->status == 0 || reply->status == 1);
	ASSERT(reply->status == 0 || rq->command == NULL || reply->len > 0);
	if (!rq->json)
		return;
	json = json_loads(reply->text, 0, NULL);
	ASSERT(json_is_object(json));
	ASSERT((json_object_get(json, "error") != NULL) >= (reply->status != 0));
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command_request *rq = malloc(sizeof(*rq));
	static struct fake_env fake;
	struct command_reply reply;
	char *text;

	if (size > CTL_REQUEST_MAX)
		size = CTL_REQUEST_MAX;
	text = malloc(size + 1);
	ASSERT(rq != NULL && text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';

	command_parse(rq, text, size);
	open_daemon(&fake);
	command_run(&fake.env, rq, &reply);
	check_reply(rq, &reply);

	command_reply_free(&reply);
	fake_env_close(&fake);
	free(text);
	free(rq);
	return 0;
}
