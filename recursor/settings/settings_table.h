/*
 * settings_table: what a row of the table of settings is.  Private to settings*.c and tests.
 */
#ifndef RECURSOR_SETTINGS_TABLE_H
#define RECURSOR_SETTINGS_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "recursor/settings/settings.h"

enum setting_status {
	SETTING_OURS,
	SETTING_COMMAND, /* --help and kin: not a setting, but an option of that form */
	SETTING_LATER,   /* PowerDNS has it; we do not, yet */
	SETTING_ALIAS,   /* an older name of the row that `initial` names */
	SETTING_NO_USE,  /* PowerDNS has or had it; here it would mean nothing */
};

/* How a value is read, and into what. */
enum setting_type {
	SET_NONE,  /* commands, and what is of no use */
	SET_BOOL,  /* bool */
	SET_INT,   /* uint32_t */
	SET_BIG,   /* uint64_t */
	SET_SIZE,  /* uint64_t: bytes, with k, M, G or T behind the number */
	SET_PORT,  /* uint16_t */
	SET_TEXT,  /* const char * */
	SET_WORD,  /* const char *, one of `choices` */
	SET_WORDS, /* const char *, some of `choices` */
	SET_NAME,  /* const char *, a domain name */
	SET_TAPS,  /* const char *, paths of sockets, and addresses with a port */
	SET_USER,  /* const char *, a name or number that the system knows */
	SET_GROUP,
	SET_MODE,           /* const char *, octal */
	SET_LIST,           /* const char *, words */
	SET_NETS,           /* struct netset * */
	SET_NAMES,          /* struct nameset * */
	SET_ADDRS,          /* struct addr_list; port 0 where none is given */
	SET_ALGORITHMS,     /* struct algorithm_set */
	SET_AVOID,          /* the members udp_source_port_avoid, n_udp_source_port_avoid */
	SET_ZONES,          /* const char *, zones and their files */
	SET_FORWARDS,       /* const char *, zones and their servers */
	SET_FORWARD_GROUPS, /* const char *, names of groups and their servers */
	SET_REAL,           /* not read: of SETTING_LATER only */
};

struct setting {
	const char *name;
	enum setting_status status;
	enum setting_type type;
	size_t offset; /* in struct settings; SETTING_NO_MEMBER */
	long long min, max;
	const char *unit;    /* numbers, may be NULL; SET_WORD: the choices, a blank between */
	const char *initial; /* the default as text; SETTING_HOSTNAME */
	const char *since;   /* the release of PowerDNS that brought it; "own" */
	const char *help;
};

#define SETTING_NO_MEMBER ((size_t)-1)
/* As a maximum: as many as anybody could want. */
#define SETTING_MANY 1000000000LL
/* A default that is looked up: the host's name. */
#define SETTING_HOSTNAME "(host name)"

extern const struct setting settings_table[];
extern const size_t settings_count;

/* The row of a name, or NULL.  An alias is a row of its own; see setting_of_alias(). */
const struct setting *setting_find(const char *name);

/* The row that an alias stands for; any other for itself. */
const struct setting *setting_of_alias(const struct setting *row);

/* True if `+=` may be used. */
bool setting_is_list(const struct setting *row);

/* True for what must be known before any file is read. */
bool setting_is_for_command_line(const struct setting *row);

/* The default's text; the host's name is put into `host` (SETTINGS_HOST_MAX). */
enum { SETTINGS_HOST_MAX = 256 };
const char *setting_initial(const struct setting *row, char host[SETTINGS_HOST_MAX]);

/* Reads a value into its member.  A reason (SETTINGS_WHY_MAX) on error: E_MALFORMED, E_RANGE,
 * E_LIMIT, E_NOMEM.  `text` must live as long as `s`.  What the member owned is freed. */
int setting_read(const struct setting *row, const char *text, struct settings *s,
		 char reason[SETTINGS_WHY_MAX]) MUST_USE;

/* The same without keeping anything: is `text` a value, or part of a list's? */
int setting_check(const struct setting *row, const char *text,
		  char reason[SETTINGS_WHY_MAX]) MUST_USE;

/* Where lines about settings go. */
struct settings_warn {
	void (*line)(void *ctx, const char *line);
	void *ctx;
};

/* What a new snapshot is made of. */
struct settings_source {
	char **texts;        /* one for each row: taken over on success */
	char *const *places; /* where each was set, NULL for a default; or NULL altogether */
	struct settings_warn warn;
	/* NULL, or the snapshot that this one follows: what a row found outside (a file, a user)
	 * is then taken from it, when the row's text is the same and it is none of `names`. */
	const struct settings *old;
	const char *const *names;
	size_t n_names;
};

int settings_build(struct settings **out, const struct settings_source *from,
		   char why[SETTINGS_WHY_MAX]) MUST_USE;

/* One text for each row: the defaults, or copies of `from`. */
int settings_texts_new(char ***out, char *const *from) MUST_USE;
void settings_texts_free(char **texts); /* accepts NULL */

#endif
