#include "recursor/watch/anchor_commands.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/check.h"
#include "common/conf.h"
#include "common/log.h"
#include "common/rdata_text.h"
#include "common/rrtype.h"
#include "recursor/resolve/dnssec/algorithm.h"
#include "recursor/resolve/dnssec/anchors.h"
#include "recursor/watch/change.h"

enum { WORDS_MAX = 1024, NTA_TTL_MAX = 31536000 };

static int read_name(uint8_t name[NAME_MAX_LEN], const char *word)
{
	int err = name_from_text(name, word);

	if (err == E_OK)
		(void)name_lower(name, name);
	return err;
}

/* With dnssec=off anchors mean nothing; who changes them then is mistaken about something. */
static bool is_off(struct command_call *call, const char *instead)
{
	char *mode = call->env->setting(call->env->ctx, "dnssec");
	bool off = mode != NULL && strcmp(mode, "off") == 0;

	free(mode);
	if (off)
		fprintf(call->out, "DNSSEC is disabled in the configuration%s\n", instead);
	return off;
}

/* The arguments from `first` on, a blank between. */
static bool join(char out[WORDS_MAX], const struct command_call *call, int first)
{
	size_t len = 0;

	out[0] = '\0';
	for (int i = first; i < call->argc; i++) {
		int n = snprintf(out + len, WORDS_MAX - len, "%s%s", i > first ? " " : "",
				 call->argv[i]);

		if (n < 0 || (size_t)n >= WORDS_MAX - len)
			return false;
		len += (size_t)n;
	}
	return true;
}

/* ---- one anchor more ---- */

struct addition {
	uint8_t name[NAME_MAX_LEN];
	const char *reason; /* negative */
	uint32_t expires_s;
	const char *ds; /* as text */
	char wrong[RDATA_TEXT_WHY_MAX];
};

static int put_nta(void *arg, struct anchors *copy)
{
	const struct addition *a = arg;

	return anchors_add_nta(copy, a->name, a->reason, a->expires_s);
}

static int put_ta(void *arg, struct anchors *copy)
{
	struct addition *a = arg;

	return anchors_add_text(copy, a->name, a->ds, a->wrong);
}

/* How long it lasts: ttl=SECONDS behind the name, or nta-lifetime; 0: for ever.  *first is where the
 * reason begins. */
static bool read_lifetime(struct command_call *call, int *first, uint32_t *seconds)
{
	static const char word[] = "ttl=";
	long long value = 0;

	if (call->argc > 1 && strncmp(call->argv[1], word, strlen(word)) == 0) {
		if (conf_int(call->argv[1] + strlen(word), 0, NTA_TTL_MAX, &value) != E_OK) {
			fprintf(call->out, "Can't add Negative Trust Anchor: '%s' is no time\n",
				call->argv[1]);
			return false;
		}
		*first = 2;
	} else {
		char *text = call->env->setting(call->env->ctx, "nta-lifetime");

		if (text == NULL || conf_int(text, 0, NTA_TTL_MAX, &value) != E_OK)
			value = 0;
		free(text);
		*first = 1;
	}
	*seconds = (uint32_t)value;
	return true;
}

int add_nta(struct command_call *call)
{
	char why[ENV_WHY_MAX], words[WORDS_MAX], text[NAME_TEXT_MAX];
	struct addition a = { .reason = words };
	uint32_t lifetime_s;
	int first, err;

	if (is_off(call, ", not adding a Negative Trust Anchor"))
		return 1;
	err = read_name(a.name, call->argv[0]);
	if (err != E_OK) {
		fprintf(call->out, "Can't add Negative Trust Anchor: '%s' is no domain name: %s\n",
			call->argv[0], err_text(err));
		return 1;
	}
	if (!read_lifetime(call, &first, &lifetime_s))
		return 1;
	if (!join(words, call, first) || strlen(words) >= ANCHORS_REASON_MAX) {
		fprintf(call->out, "Can't add Negative Trust Anchor: the reason is too long\n");
		return 1;
	}
	if (lifetime_s != 0)
		a.expires_s = call->env->wall_s(call->env->ctx) + lifetime_s;
	if (call->env->edit_anchors(call->env->ctx, put_nta, &a, why) != E_OK) {
		fprintf(call->out, "Can't add Negative Trust Anchor: %s\n", why);
		return 1;
	}
	fprintf(call->out, "Added Negative Trust Anchor for %s with reason '%s'\n",
		name_to_text_undotted(text, a.name), words);
	json_object_set_new(call->json, "name", command_json_text(text));
	json_object_set_new(call->json, "reason", command_json_text(words));
	json_object_set_new(call->json, "lifetime", json_integer((json_int_t)lifetime_s));
	return 0;
}

int add_ta(struct command_call *call)
{
	char why[ENV_WHY_MAX], words[WORDS_MAX], text[NAME_TEXT_MAX];
	struct addition a = { .ds = words };
	const char *wrong = NULL;

	if (is_off(call, ", not adding a Trust Anchor"))
		return 1;
	if (read_name(a.name, call->argv[0]) != E_OK) {
		fprintf(call->out, "Can't add Trust Anchor: '%s' is no domain name\n",
			call->argv[0]);
		return 1;
	}
	(void)name_to_text_undotted(text, a.name);
	if (!join(words, call, 1))
		wrong = err_text(E_TOO_LONG);
	else if (call->env->edit_anchors(call->env->ctx, put_ta, &a, why) != E_OK)
		wrong = a.wrong[0] != '\0' ? a.wrong : why;
	if (wrong != NULL) {
		fprintf(call->out, "Unable to add Trust Anchor for %s: %s\n", text, wrong);
		return 1;
	}
	fprintf(call->out, "Added Trust Anchor for %s with data %s\n", text, words);
	json_object_set_new(call->json, "name", command_json_text(text));
	json_object_set_new(call->json, "ds", command_json_text(words));
	return 0;
}

/* ---- some less ---- */

struct removal {
	const struct command_call *call;
	uint8_t (*names)[NAME_MAX_LEN];
	bool all;
	bool (*clear)(struct anchors *a, const uint8_t *name);
};

static int take_out(void *arg, struct anchors *copy)
{
	const struct removal *r = arg;

	for (int i = 0; !r->all && i < r->call->argc; i++)
		(void)r->clear(copy, r->names[i]);
	if (r->all)
		anchors_clear_all(copy, r->clear);
	return E_OK;
}

/* False: one is none, and `none_removed` closes the line that says so. */
static bool read_names(struct command_call *call, struct removal *r, const char *none_removed)
{
	r->call = call;
	r->names = calloc((size_t)call->argc, sizeof(*r->names));
	if (r->names == NULL) {
		fprintf(call->out, "Error: %s. %s\n", err_text(E_NOMEM), none_removed);
		return false;
	}
	for (int i = 0; i < call->argc; i++) {
		int err = read_name(r->names[i], call->argv[i]);

		if (err == E_OK)
			continue;
		fprintf(call->out, "Error: '%s' is no domain name: %s. %s\n", call->argv[i],
			err_text(err), none_removed);
		return false;
	}
	return true;
}

static void list_names(struct command_call *call, const struct removal *r)
{
	json_t *names = json_array();
	char text[NAME_TEXT_MAX];

	for (int i = 0; i < call->argc; i++) {
		fprintf(call->out, "%s %s", i > 0 ? "," : "",
			name_to_text_undotted(text, r->names[i]));
		json_array_append_new(names, command_json_text(text));
	}
	fprintf(call->out, "\n");
	json_object_set_new(call->json, "removed", names);
}

static int remove_names(struct command_call *call, struct removal *r)
{
	char why[ENV_WHY_MAX];

	if (call->env->edit_anchors(call->env->ctx, take_out, r, why) == E_OK)
		return 0;
	fprintf(call->out, "Error: %s. No Anchors removed\n", why);
	return 1;
}

int clear_nta(struct command_call *call)
{
	struct removal r = { .clear = anchors_clear_nta };
	int status = 1;

	if (is_off(call, ", not removing a Negative Trust Anchor"))
		return 1;
	r.all = call->argc == 1 && strcmp(call->argv[0], "*") == 0;
	if (r.all) {
		status = remove_names(call, &r);
		if (status == 0)
			fprintf(call->out, "Cleared all Negative Trust Anchors.\n");
		json_object_set_new(call->json, "removed", json_string("*"));
		return status;
	}
	if (read_names(call, &r, "No Negative Anchors removed"))
		status = remove_names(call, &r);
	if (status == 0) {
		fprintf(call->out, "Removed Negative Trust Anchors for ");
		list_names(call, &r);
	}
	free(r.names);
	return status;
}

int clear_ta(struct command_call *call)
{
	struct removal r = { .clear = anchors_clear };
	int status = 1;

	if (is_off(call, ", not removing a Trust Anchor"))
		return 1;
	if (!read_names(call, &r, "No Anchors removed"))
		goto out;
	for (int i = 0; i < call->argc; i++)
		if (name_is_root(r.names[i])) {
			fprintf(call->out,
				"Refusing to remove root Trust Anchor, no Anchors removed\n");
			goto out;
		}
	status = remove_names(call, &r);
	if (status == 0) {
		fprintf(call->out, "Removed Trust Anchor(s) for");
		list_names(call, &r);
	}
out:
	free(r.names);
	return status;
}

/* ---- lists ---- */

static void show_nta(struct command_call *call, json_t *list, const struct anchor *at)
{
	uint32_t now_s = call->env->wall_s(call->env->ctx);
	const struct nta *nta = at->nta;
	char text[NAME_TEXT_MAX];
	json_t *row;

	if (nta == NULL)
		return;
	row = json_object();
	fprintf(call->out, "%s\t%s", name_to_text_undotted(text, nta->name), nta->reason);
	json_object_set_new(row, "name", command_json_text(text));
	json_object_set_new(row, "reason", command_json_text(nta->reason));
	if (nta->expires_s != 0) {
		uint32_t left_s = nta->expires_s > now_s ? nta->expires_s - now_s : 0;

		fprintf(call->out, "\t(ends in %u seconds)", left_s);
		json_object_set_new(row, "ends_in", json_integer((json_int_t)left_s));
	}
	fprintf(call->out, "\n");
	json_array_append_new(list, row);
}

static void show_ta(struct command_call *call, json_t *list, const struct anchor *at)
{
	char text[NAME_TEXT_MAX];
	json_t *row, *data;
	struct rdata rr;

	if (at->ds == NULL && at->lost == NULL)
		return;
	row = json_object();
	data = json_array();
	fprintf(call->out, "%s\n", name_to_text_undotted(text, at->name));
	json_object_set_new(row, "name", command_json_text(text));
	if (at->ds == NULL) {
		fprintf(call->out, "\t\tnone: all its keys are revoked\n");
		json_object_set_new(row, "revoked", json_true());
	}
	for (size_t pos = 0; at->ds != NULL && rrset_next(at->ds, &pos, &rr);) {
		char *line = rdata_to_text(TYPE_DS, rr.data, rr.len);

		fprintf(call->out, "\t\t%s\n", line != NULL ? line : err_text(E_NOMEM));
		json_array_append_new(data, command_json_text(line != NULL ? line : ""));
		free(line);
	}
	json_object_set_new(row, "ds", data);
	json_array_append_new(list, row);
}

/* `show` passes over a name that has none of its kind. */
static int show_all(struct command_call *call, const char *heading, const char *key,
		    void (*show)(struct command_call *call, json_t *list, const struct anchor *at))
{
	json_t *list = call->json != NULL ? json_array() : NULL;
	struct anchors *anchors;

	if (is_off(call, "")) {
		json_decref(list);
		return 1;
	}
	anchors = call->env->anchors(call->env->ctx);
	fprintf(call->out, "%s:\n", heading);
	for (size_t i = 0; i < anchors_count(anchors); i++)
		show(call, list, anchors_at(anchors, i));
	json_object_set_new(call->json, key, list);
	anchors_put(anchors);
	return 0;
}

int get_ntas(struct command_call *call)
{
	return show_all(call, "Configured Negative Trust Anchors", "negative-trust-anchors",
			show_nta);
}

int get_tas(struct command_call *call)
{
	return show_all(call, "Configured Trust Anchors", "trust-anchors", show_ta);
}

/* ---- and kin ---- */

enum { ALGORITHMS_MAX = 32 };

static int note_disabled(void *ctx, const char *word, size_t len)
{
	uint32_t *disabled = ctx;
	char text[16];
	long long number;

	if (len >= sizeof(text))
		return E_OK;
	memcpy(text, word, len);
	text[len] = '\0';
	if (conf_int(text, 0, ALGORITHMS_MAX - 1, &number) == E_OK)
		*disabled |= 1U << number;
	return E_OK;
}

int list_dnssec_algos(struct command_call *call)
{
	char *setting = call->env->setting(call->env->ctx, "dnssec-disabled-algorithms");
	json_t *list = json_array();
	uint32_t disabled = 0, usable = algorithms_usable();
	const char *between = "";

	/* What is no number in it was refused when it was set. */
	if (setting != NULL && conf_each_word(setting, note_disabled, &disabled) != E_OK)
		disabled = 0;
	free(setting);
	for (unsigned i = 0; i < ALGORITHMS_MAX; i++) {
		bool off = (disabled >> i & 1) != 0;

		if ((usable >> i & 1) == 0)
			continue;
		fprintf(call->out, "%s%s%s", between, algorithm_text(i), off ? "(disabled)" : "");
		if (!off)
			json_array_append_new(list, command_json_text(algorithm_text(i)));
		between = " ";
	}
	fprintf(call->out, "\n");
	json_object_set_new(call->json, "algorithms", list);
	return 0;
}

int reload_lua_config(struct command_call *call)
{
	char why[ENV_WHY_MAX], path[ENV_WHY_MAX];

	if (call->env->reload_anchors(call->env->ctx, call->argc > 0 ? call->argv[0] : NULL, path,
				      why) != E_OK) {
		/* No file was said, and recursor.conf did not get as far as to say one. */
		if (path[0] == '\0')
			fprintf(call->out, "reload-lua-config: nothing changed: %s\n", why);
		else
			fprintf(call->out, "Unable to load Lua script from '%s': %s\n", path, why);
		return 1;
	}
	fprintf(call->out, "Reloaded Lua configuration file '%s'\n", path);
	json_object_set_new(call->json, "file", command_json_text(path));
	command_warn(call, why);
	return 0;
}

int set_dnssec_log_bogus(struct command_call *call)
{
	static const char setting[] = "dnssec-log-bogus";
	const char *word = call->argv[0];
	bool on = strcasecmp(word, "on") == 0 || strcasecmp(word, "yes") == 0;
	char why[ENV_WHY_MAX], *now;
	bool was;

	if (is_off(call, ", not changing the Bogus logging setting"))
		return 1;
	if (!on && strcasecmp(word, "off") != 0 && strcasecmp(word, "no") != 0) {
		fprintf(call->out, "Unknown DNSSEC Bogus setting: '%s'\n", word);
		return 1;
	}
	now = call->env->setting(call->env->ctx, setting);
	was = now != NULL && conf_bool(now);
	free(now);
	if (was != on &&
	    call->env->change(call->env->ctx, setting, on ? "yes" : "no", why) != E_OK) {
		fprintf(call->out, "%s\n", why);
		return 1;
	}
	fprintf(call->out, "DNSSEC Bogus logging %s%s\n", was == on ? "was already " : "",
		on ? "enabled" : "disabled");
	json_object_set_new(call->json, setting, json_boolean(on));
	return 0;
}
