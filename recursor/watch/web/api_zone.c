#include "recursor/watch/web/api_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "recursor/resolve/authzone.h"
#include "recursor/watch/web/api_impl.h"

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static int refuse(char *why, const char *format, const char *what)
{
	(void)snprintf(why, ENV_WHY_MAX, format, what);
	return E_MALFORMED;
}

/* ---- ids ---- */

char *api_zone_id(char out[API_ID_MAX], const uint8_t *name)
{
	char text[NAME_TEXT_MAX];
	size_t n = 0;

	if (name_is_root(name))
		return strcpy(out, "=2E");
	name_to_text(text, name);
	for (const char *p = text; *p != '\0'; p++) {
		if (strchr(LETTERS_AND_DIGITS "-.", *p) != NULL)
			out[n++] = *p;
		else
			n += (size_t)sprintf(out + n, "=%02X", (unsigned char)*p);
	}
	out[n] = '\0';
	return out;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c);

	return at == NULL ? -1 : (int)(at - digits);
}

int api_zone_name(uint8_t out[NAME_MAX_LEN], const char *id)
{
	uint8_t name[NAME_MAX_LEN];
	char text[NAME_TEXT_MAX];
	size_t n = 0;

	for (; *id != '\0'; id++) {
		char c = *id;

		if (c == '=') {
			int high = hex_digit(id[1]), low = high < 0 ? -1 : hex_digit(id[2]);

			if (low < 0 || high * 16 + low == 0)
				return E_MALFORMED;
			c = (char)(high * 16 + low);
			id += 2;
		}
		if (n == sizeof(text) - 1)
			return E_MALFORMED;
		text[n++] = c;
	}
	text[n] = '\0';
	if (n == 0 || name_from_text(name, text) != E_OK)
		return E_MALFORMED;
	name_lower(out, name);
	return E_OK;
}

/* ---- reading ---- */

static int read_name(struct api_zone *z, const json_t *body, const uint8_t *name, char *why)
{
	const char *text = json_string_value(json_object_get(body, "name"));

	if (name != NULL)
		name_copy(z->name, name);
	if (text == NULL)
		return name != NULL ? E_OK
				    : refuse(why, "%s", "Key 'name' not present or not a String");
	if (text[strspn(text, LETTERS_AND_DIGITS "-_./")] != '\0')
		return refuse(why, "Name '%.200s' contains unsupported characters", text);
	if (*text == '\0' || name_from_text(z->name, text) != E_OK)
		return refuse(why, "'%.200s' is no domain name", text);
	name_lower(z->name, z->name);
	if (name != NULL && !name_equal(z->name, name))
		return refuse(why, "The name '%.200s' is not the one in the path", text);
	return E_OK;
}

static int read_bool(bool *out, const json_t *body, const char *key, char *why)
{
	const json_t *value = json_object_get(body, key);

	if (value != NULL && !json_is_boolean(value))
		return refuse(why, "Key '%s' is not a Bool", key);
	*out = json_is_true(value);
	return E_OK;
}

static int read_servers(struct api_zone *z, const json_t *body, char *why)
{
	const json_t *list = json_object_get(body, "servers"), *value;
	size_t i;

	if (list != NULL && !json_is_array(list))
		return refuse(why, "%s", "Key 'servers' is not an Array");
	if (json_array_size(list) == 0)
		return refuse(why, "%s", "Need at least one upstream server when forwarding");
	if (json_array_size(list) > ZONES_SERVERS_MAX)
		return refuse(why, "%s", "Too many upstream servers");
	json_array_foreach((json_t *)list, i, value)
	{
		const char *text = json_string_value(value);
		struct addr *a = &z->servers[i];

		if (text == NULL || *text == '\0')
			return refuse(why, "%s", "Forwarded-to server must not be an empty string");
		if (addr_from_text(a, text, 53) != E_OK || a->port == 0)
			return refuse(why, "'%.200s' is no address of a server", text);
	}
	z->n_servers = json_array_size(list);
	return E_OK;
}

static int read_target(struct api_zone *z, const json_t *body, char *why)
{
	const json_t *value = json_object_get(body, "single_target_ip");
	const char *text = json_string_value(value);

	if (value == NULL || (text != NULL && *text == '\0'))
		return E_OK;
	if (text == NULL || addr_from_text(&z->target, text, 0) != E_OK || z->target.family != 4 ||
	    z->target.port != 0)
		return refuse(why, "Single IP target '%.200s' is invalid",
			      text != NULL ? text : "?");
	return E_OK;
}

int api_zone_read(struct api_zone *z, const json_t *body, const uint8_t *name, char *why)
{
	const char *kind = json_string_value(json_object_get(body, "kind"));
	int err;

	*z = (struct api_zone) { .n_servers = 0 };
	err = read_name(z, body, name, why);
	if (err == E_OK && kind == NULL)
		err = refuse(why, "%s", "Key 'kind' not present or not a String");
	if (err == E_OK)
		err = read_bool(&z->recurse, body, "recursion_desired", why);
	if (err == E_OK)
		err = read_bool(&z->notify, body, "notify_allowed", why);
	if (err != E_OK)
		return err;
	z->is_forward = strcasecmp(kind, "Forwarded") == 0;
	if (z->is_forward)
		return read_servers(z, body, why);
	if (strcasecmp(kind, "Native") != 0)
		return refuse(why, "invalid kind '%.100s'", kind);
	if (z->recurse)
		return refuse(why, "%s",
			      "kind=Native and recursion_desired are mutually exclusive");
	if (z->notify)
		return refuse(why, "%s", "kind=Native and notify_allowed are mutually exclusive");
	return read_target(z, body, why);
}

/* ---- writing ---- */

static void file_name(char out[API_ID_MAX + 16], const uint8_t *name, const char *ending)
{
	char id[API_ID_MAX];

	(void)snprintf(out, API_ID_MAX + 16, "zone-%s%s", api_zone_id(id, name), ending);
}

static int put(struct api_files *f, const struct api_zone *z, const char *ending,
	       void (*print)(FILE *out, const struct api_zone *z, const char *dir), char *why)
{
	char file[API_ID_MAX + 16], *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err = E_NOMEM;

	file_name(file, z->name, ending);
	if (out != NULL) {
		print(out, z, f->dir);
		if (fclose(out) == 0)
			err = api_files_put(f, file, text, len, why);
	}
	if (err == E_NOMEM)
		(void)snprintf(why, ENV_WHY_MAX, "%s", err_text(err));
	free(text);
	return err;
}

static void print_conf(FILE *out, const struct api_zone *z, const char *dir)
{
	char name[NAME_TEXT_MAX], text[ADDR_TEXT_MAX], file[API_ID_MAX + 16];

	name_to_text(name, z->name);
	fprintf(out, "# Generated by the HTTP API of the recursor, do not edit\n");
	if (!z->is_forward) {
		file_name(file, z->name, ".zone");
		fprintf(out, "auth-zones+=%s=%s/%s\n", name, dir, file);
		return;
	}
	fprintf(out, "%s+=%s%s=", z->recurse ? "forward-zones-recurse" : "forward-zones",
		z->notify ? "^" : "", name);
	for (size_t i = 0; i < z->n_servers; i++)
		fprintf(out, "%s%s", i > 0 ? ";" : "", addr_text(text, &z->servers[i]));
	fputc('\n', out);
}

static void print_zone(FILE *out, const struct api_zone *z, const char *dir)
{
	char name[NAME_TEXT_MAX], ip[ADDR_TEXT_MAX];
	const char *below;

	(void)dir;
	name_to_text(name, z->name);
	below = name_is_root(z->name) ? "" : name;
	fprintf(out, "; Generated by the HTTP API of the recursor, do not edit\n");
	fprintf(out, "%s\t3600\tIN\tSOA\tlocal.zone. hostmaster.%s 1 1 1 1 1\n", name, below);
	if (z->target.family == 0)
		return;
	addr_ip_text(ip, &z->target);
	fprintf(out, "%s\t3600\tIN\tA\t%s\n*.%s\t3600\tIN\tA\t%s\n", name, ip, below, ip);
}

int api_zone_write(const struct api_zone *z, struct api_files *f, char *why)
{
	char zone_file[API_ID_MAX + 16];
	int err;

	/* A kill may come between the two: whatever .conf is there names a .zone that is there too,
	 * or the daemon would not start again. */
	file_name(zone_file, z->name, ".zone");
	err = z->is_forward ? E_OK : put(f, z, ".zone", print_zone, why);
	if (err == E_OK)
		err = put(f, z, ".conf", print_conf, why);
	return err == E_OK && z->is_forward ? api_files_remove(f, zone_file, why) : err;
}

bool api_zone_is_ours(const struct api_files *f, const uint8_t *name)
{
	char conf[API_ID_MAX + 16];

	file_name(conf, name, ".conf");
	return api_files_has(f, conf);
}

int api_zone_remove(const uint8_t *name, struct api_files *f, char *why)
{
	char file[API_ID_MAX + 16];
	int err;

	file_name(file, name, ".conf");
	err = api_files_remove(f, file, why);
	file_name(file, name, ".zone");
	return err == E_OK ? api_files_remove(f, file, why) : err;
}

/* ---- compared with what is ---- */

bool api_zone_is(const struct api_zone *z, const struct configured_zone *configured)
{
	if (configured == NULL || (configured->auth == NULL) != z->is_forward)
		return false;
	if (!z->is_forward)
		return authzone_records(configured->auth) == (z->target.family == 0 ? 1U : 3U);
	if (configured->n_servers != z->n_servers || configured->recurse != z->recurse ||
	    configured->notify != z->notify)
		return false;
	for (size_t i = 0; i < z->n_servers; i++)
		if (!addr_equal(&configured->servers[i], &z->servers[i]))
			return false;
	return true;
}
