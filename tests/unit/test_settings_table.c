/* Walks of the table of settings: each row, and what is printed from it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "recursor/settings/settings_table.h"

static char warning[SETTINGS_WHY_MAX];

static void note_warning(void *ctx, const char *line)
{
	(void)ctx;
	(void)snprintf(warning, sizeof(warning), "%s", line);
}

/* What two options make of the defaults. */
static struct settings *from_options(const char *first, const char *second)
{
	char *argv[] = { "recursor", "--config-dir=/nowhere", NULL, NULL, NULL };
	char one[256], two[256], why[SETTINGS_WHY_MAX];
	struct settings *s = NULL;

	(void)snprintf(one, sizeof(one), "%s", first);
	(void)snprintf(two, sizeof(two), "%s", second);
	argv[2] = one;
	argv[3] = two;
	ck_assert_msg(settings_load(&s, 4, argv, note_warning, NULL, why) == E_OK, "%s", why);
	return s;
}

START_TEST(each_row_is_whole)
{
	char host[SETTINGS_HOST_MAX], reason[SETTINGS_WHY_MAX];

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];

		ck_assert_ptr_eq(setting_find(row->name), row);
		ck_assert_uint_gt(strlen(row->help), 3);
		ck_assert_uint_lt(strlen(row->help), 400);
		ck_assert_ptr_nonnull(row->initial);
		if (row->status != SETTING_NO_USE)
			ck_assert_uint_ge(strlen(row->since), 3);
		ck_assert_msg(setting_check(row, setting_initial(row, host), reason) == E_OK,
			      "%s: its default: %s", row->name, reason);
		if (row->status == SETTING_OURS)
			ck_assert_int_eq(row->help[strlen(row->help) - 1], '.');
	}
	ck_assert_ptr_null(setting_find("no-such-setting"));
	ck_assert_ptr_null(setting_find("Threads"));
	ck_assert_ptr_null(setting_find("thread"));
}
END_TEST

START_TEST(each_number_has_its_limits)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];
		char text[32], reason[SETTINGS_WHY_MAX], expected[100];

		if (row->type != SET_INT && row->type != SET_BIG && row->type != SET_PORT)
			continue;
		if (row->status != SETTING_OURS)
			continue;
		ck_assert_int_lt(row->min, row->max);
		(void)snprintf(expected, sizeof(expected), "must be %lld to %lld", row->min,
			       row->max);
		(void)snprintf(text, sizeof(text), "%lld", row->max);
		ck_assert_int_eq(setting_check(row, text, reason), E_OK);
		(void)snprintf(text, sizeof(text), "%lld", row->max + 1);
		ck_assert_int_eq(setting_check(row, text, reason), E_RANGE);
		ck_assert_str_eq(reason, expected);
		(void)snprintf(text, sizeof(text), "%lld", row->min - 1);
		ck_assert_int_eq(setting_check(row, text, reason), E_RANGE);
		ck_assert_int_eq(setting_check(row, "many", reason), E_MALFORMED);
		ck_assert_str_eq(reason, "not a number");
	}
}
END_TEST

/* What a setting is given is what settings_text() and its member have. */
START_TEST(each_number_reads_back)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];
		char option[100];
		const char *member;
		struct settings *s;

		if (row->status != SETTING_OURS || (row->type != SET_INT && row->type != SET_BIG))
			continue;
		/* These are raised or lowered on purpose. */
		if (strcmp(row->name, "loglevel") == 0 ||
		    strcmp(row->name, "record-cache-shards") == 0)
			continue;
		(void)snprintf(option, sizeof(option), "--%s=0x%llx", row->name, row->max - 1);
		s = from_options("--threads=2", option);
		ck_assert_str_eq(settings_text(s, row->name), strchr(option, '=') + 1);
		member = (const char *)s + row->offset;
		if (row->type == SET_BIG) {
			uint64_t value;

			memcpy(&value, member, sizeof(value));
			ck_assert_uint_eq(value, (uint64_t)row->max - 1);
		} else {
			uint32_t value;

			memcpy(&value, member, sizeof(value));
			ck_assert_uint_eq(value, (uint32_t)(row->max - 1));
		}
		settings_free(s);
	}
}
END_TEST

/* Sizes have units, and bytes come of them. */
START_TEST(sizes_are_bytes)
{
	static const struct {
		const char *option;
		uint64_t bytes;
	} rows[] = {
		{ "--max-cache-memory=0", 0 },
		{ "--max-cache-memory=8388608", 8 << 20 },
		{ "--max-cache-memory=9000k", 9000 << 10 },
		{ "--max-cache-memory=64M", 64 << 20 },
		{ "--max-cache-memory=3G", 3ULL << 30 },
		{ "--max-cache-memory=1T", 1ULL << 40 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct settings *s = from_options("--threads=2", rows[i].option);

		ck_assert_uint_eq(s->max_cache_memory, rows[i].bytes);
		ck_assert_str_eq(settings_text(s, "max-cache-memory"),
				 strchr(rows[i].option, '=') + 1);
		settings_free(s);
	}
}
END_TEST

START_TEST(each_boolean_turns)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];
		static const char *const values[] = { "no", "off", "yes", "", "false" };

		if (row->status != SETTING_OURS || row->type != SET_BOOL ||
		    row->offset == SETTING_NO_MEMBER)
			continue;
		ck_assert(strcmp(row->initial, "yes") == 0 || strcmp(row->initial, "no") == 0);
		for (size_t k = 0; k < ARRAY_LEN(values); k++) {
			char option[100];
			struct settings *s;

			(void)snprintf(option, sizeof(option), "--%s=%s", row->name, values[k]);
			s = from_options("--threads=2", option);
			ck_assert_int_eq(*((const bool *)s + row->offset), k >= 2);
			settings_free(s);
		}
	}
}
END_TEST

START_TEST(each_later_one_is_warned_of)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];
		char option[100], expected[SETTINGS_WHY_MAX];
		struct settings *s;

		if (row->status != SETTING_LATER && row->status != SETTING_NO_USE)
			continue;
		(void)snprintf(option, sizeof(option), "--%s=x", row->name);
		s = from_options(option, "--threads=3");
		if (row->status == SETTING_LATER) {
			(void)snprintf(expected, sizeof(expected),
				       "command line: setting '%s' is known but not supported yet, "
				       "ignored",
				       row->name);
			ck_assert_str_eq(settings_text(s, row->name), "x");
		} else {
			(void)snprintf(expected, sizeof(expected),
				       "command line: setting '%s' is known but has no use here "
				       "(%s), ignored",
				       row->name, row->help);
			ck_assert_ptr_null(settings_text(s, row->name));
		}
		ck_assert_str_eq(warning, expected);
		ck_assert_uint_eq(s->threads, 3);
		settings_free(s);
	}
}
END_TEST

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Every setting of ECS, and of nothing else, is left out by design (README). */
START_TEST(ecs_is_left_out)
{
	static const char design[] = "what subnet a client is in is told to nobody: ECS is left "
				     "out by design";
	unsigned n = 0;

	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i];
		bool is_ecs = begins(row->name, "ecs-") || strstr(row->name, "edns-subnet") != NULL;

		ck_assert_msg((strcmp(row->help, design) == 0) == is_ecs, "%s: %s", row->name,
			      row->help);
		if (is_ecs)
			ck_assert_int_eq(row->status, SETTING_NO_USE);
		n += is_ecs;
	}
	ck_assert_uint_eq(n, 14); /* as many as PowerDNS has had */
}
END_TEST

/* Nobody is sent from a name that has no use to another such. */
START_TEST(a_newer_name_is_of_use)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i], *now;
		const char *name = row->help;

		if (row->status != SETTING_NO_USE || !begins(name, "now "))
			continue;
		name += begins(name, "now part of ") ? strlen("now part of ") : strlen("now ");
		now = setting_find(name);
		ck_assert_msg(now != NULL &&
				      (now->status == SETTING_OURS || now->status == SETTING_LATER),
			      "%s: %s", row->name, row->help);
	}
}
END_TEST

/* An older name does what the one of today does. */
START_TEST(each_alias_stands_for_a_row)
{
	for (size_t i = 0; i < settings_count; i++) {
		const struct setting *row = &settings_table[i], *now = setting_of_alias(row);
		const char *value = "x";
		char option[100], expected[SETTINGS_WHY_MAX];
		struct settings *s;

		if (row->status != SETTING_ALIAS) {
			ck_assert_ptr_eq(now, row);
			continue;
		}
		ck_assert_ptr_nonnull(now);
		ck_assert_int_eq(now->status, SETTING_OURS);
		if (now->type == SET_PORT)
			value = "4711";
		else if (now->type == SET_ADDRS)
			value = "127.0.0.9";
		else if (strcmp(now->name, "api-config-dir") == 0)
			value = "/dev";
		(void)snprintf(option, sizeof(option), "--%s=%s", row->name, value);
		s = from_options(option, "--include-dir=/dev");
		(void)snprintf(expected, sizeof(expected),
			       "command line: setting '%s' is called '%s' now", row->name,
			       now->name);
		ck_assert_str_eq(warning, expected);
		ck_assert_str_eq(settings_text(s, now->name), value);
		ck_assert_ptr_null(settings_text(s, row->name));
		settings_free(s);
	}
}
END_TEST

static char *printed(void (*print)(FILE *f, const void *arg), const void *arg)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(f);
	print(f, arg);
	ck_assert_int_eq(fclose(f), 0);
	return text;
}

static void print_template(FILE *f, const void *arg)
{
	settings_print_config(f, arg, "");
}

static void print_default(FILE *f, const void *arg)
{
	settings_print_config(f, arg, "default");
}

static void print_diff(FILE *f, const void *arg)
{
	settings_print_config(f, arg, "diff");
}

static void print_help(FILE *f, const void *arg)
{
	settings_print_help(f, arg);
}

static void print_mdoc(FILE *f, const void *arg)
{
	(void)arg;
	settings_print_mdoc(f);
}

START_TEST(template_is_a_configuration)
{
	struct settings *s = from_options("--threads=3", "--allow-from+=192.0.2.0/24");
	char *all = printed(print_template, s), *initial = printed(print_default, s);
	char *diff = printed(print_diff, s);

	for (size_t i = 0; i < settings_count; i++) {
		char line[100];

		(void)snprintf(line, sizeof(line), "\n# %s=", settings_table[i].name);
		ck_assert_int_eq(strstr(all, line) != NULL,
				 settings_table[i].status == SETTING_OURS);
	}
	ck_assert_ptr_nonnull(strstr(all, "\nthreads=3\n"));
	ck_assert_ptr_null(strstr(initial, "\nthreads=3\n"));
	ck_assert_ptr_nonnull(strstr(initial, "\n# threads=2\n"));
	ck_assert(strncmp(diff, "allow-from=127.0.0.0/8, ", 24) == 0);
	ck_assert_ptr_nonnull(strstr(diff, ", 192.0.2.0/24\nthreads=3\n"));
	for (const char *line = initial; *line != '\0'; line = strchr(line, '\n') + 1)
		ck_assert(*line == '#' || *line == '\n');
	settings_free(s);
	free(all);
	free(initial);
	free(diff);
}
END_TEST

START_TEST(help_has_a_prefix)
{
	char *all = printed(print_help, ""), *some = printed(print_help, "local-");

	for (size_t i = 0; i < settings_count; i++) {
		char option[100];
		bool is_shown = settings_table[i].status == SETTING_OURS ||
				settings_table[i].status == SETTING_COMMAND;

		(void)snprintf(option, sizeof(option), "  --%s%s", settings_table[i].name,
			       settings_table[i].status == SETTING_OURS ? "=" : "\n");
		ck_assert_int_eq(strstr(all, option) != NULL, is_shown);
	}
	ck_assert_ptr_nonnull(strstr(some, "  --local-address=127.0.0.1, ::1\n"));
	ck_assert_ptr_nonnull(strstr(some, "  --local-port=53\n"));
	ck_assert_ptr_null(strstr(some, "--threads"));
	for (const char *line = all; *line != '\0'; line = strchr(line, '\n') + 1)
		ck_assert_uint_le(strcspn(line, "\n"), line[0] == '\t' ? 80 : 300);
	free(all);
	free(some);
}
END_TEST

START_TEST(manual_has_each_row)
{
	char *text = printed(print_mdoc, NULL);

	for (size_t i = 0; i < settings_count; i++) {
		char name[100], *at = name;

		for (const char *c = settings_table[i].name; *c != '\0'; c++) {
			if (*c == '-')
				*at++ = '\\';
			*at++ = *c;
		}
		*at = '\0';
		if (settings_table[i].status != SETTING_COMMAND)
			ck_assert_ptr_nonnull(strstr(text, name));
	}
	free(text);
}
END_TEST

START_TEST(commands_are_found)
{
	static const struct {
		const char *arg;
		enum settings_command command;
		const char *argument;
	} rows[] = {
		{ "--help", SETTINGS_HELP, "" },
		{ "-help", SETTINGS_HELP, "" },
		{ "--help=max", SETTINGS_HELP, "max" },
		{ "--config", SETTINGS_CONFIG, "" },
		{ "--config=diff", SETTINGS_CONFIG, "diff" },
		{ "--version", SETTINGS_VERSION, "" },
		{ "--config-dir=/x", SETTINGS_RUN, "" },
		{ "--version-string=x", SETTINGS_RUN, "" },
		{ "help", SETTINGS_RUN, "" },
		{ "---help", SETTINGS_RUN, "" },
		{ "--helpme", SETTINGS_RUN, "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char arg[40], *argv[] = { "recursor", "--threads=1", arg, NULL };
		const char *argument = NULL;

		strcpy(arg, rows[i].arg);
		ck_assert_int_eq(settings_command(3, argv, &argument), rows[i].command);
		ck_assert_str_eq(argument, rows[i].argument);
	}
}
END_TEST

Suite *suite_settings_table(void)
{
	Suite *s = suite_create("settings_table");
	TCase *tc = tcase_create("settings_table");

	tcase_add_test(tc, each_row_is_whole);
	tcase_add_test(tc, each_number_has_its_limits);
	tcase_add_test(tc, each_number_reads_back);
	tcase_add_test(tc, sizes_are_bytes);
	tcase_add_test(tc, each_boolean_turns);
	tcase_add_test(tc, each_later_one_is_warned_of);
	tcase_add_test(tc, ecs_is_left_out);
	tcase_add_test(tc, a_newer_name_is_of_use);
	tcase_add_test(tc, each_alias_stands_for_a_row);
	tcase_add_test(tc, template_is_a_configuration);
	tcase_add_test(tc, help_has_a_prefix);
	tcase_add_test(tc, manual_has_each_row);
	tcase_add_test(tc, commands_are_found);
	suite_add_tcase(s, tc);
	return s;
}
