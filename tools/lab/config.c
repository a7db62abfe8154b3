/*
 * config: lab.conf says which address serves which zone, one a line:
 *
 *     127.20.0.1      .            root.zone
 *     127.20.7.1-60   x.example.   x.zone
 *     optional ::1    v6.example.  v6.zone
 *
 * Zone files are beside it.  `optional`: an address that this machine does not have is left out.
 * `-60`: up to that last byte, each address a server of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/check.h"
#include "tools/lab/lab.h"

static const struct zone *load(struct lab *lab, const char *dir, const char *file,
			       const char *origin, char *why)
{
	struct zone *z = NULL;
	char *path = NULL;
	FILE *f = NULL;

	if (asprintf(&path, "%s/%s", dir, file) < 0)
		path = NULL;
	ASSERT(path != NULL);
	for (unsigned i = 0; i < lab->n_files && z == NULL; i++)
		if (strcmp(lab->files[i].path, path) == 0)
			z = lab->files[i].zone;
	if (z != NULL)
		goto out;
	if (lab->n_files == LAB_FILES_MAX) {
		snprintf(why, LAB_WHY_MAX, "%s: too many zone files", path);
		goto out;
	}
	f = fopen(path, "re");
	if (f == NULL) {
		snprintf(why, LAB_WHY_MAX, "%s: %s", path, strerror(errno));
	} else if (zone_read(&z, f, path, origin, why) == E_OK) {
		lab->files[lab->n_files].path = path;
		path = NULL;
		lab->files[lab->n_files++].zone = z;
	}
out:
	if (f != NULL)
		fclose(f);
	free(path);
	return z;
}

struct server *config_find(struct lab *lab, const struct addr *a)
{
	for (unsigned i = 0; i < lab->n_servers; i++)
		if (addr_equal_ip(&lab->servers[i]->addr, a))
			return lab->servers[i];
	return NULL;
}

static struct server *server_at(struct lab *lab, const struct addr *a)
{
	struct server *s = config_find(lab, a);

	if (s != NULL || lab->n_servers == LAB_SERVERS_MAX)
		return s;
	s = calloc(1, sizeof(*s));
	ASSERT(s != NULL);
	s->addr = *a;
	s->udp = s->tcp = -1;
	lab->servers[lab->n_servers++] = s;
	return s;
}

/* The first address of a range and how many there are. */
static bool parse_addresses(char *word, uint16_t port, struct addr *first, unsigned *n)
{
	char *dash = strchr(word, '-');
	unsigned long last = 0;

	if (dash != NULL) {
		*dash = '\0';
		last = strtoul(dash + 1, NULL, 10);
	}
	if (addr_from_text(first, word, port) != E_OK)
		return false;
	*n = 1;
	if (dash == NULL)
		return true;
	if (first->family != 4 || last > 255 || last < first->ip[3])
		return false;
	*n = (unsigned)last - first->ip[3] + 1;
	return true;
}

/* One line; `at` is "file:line" for errors. */
static int add_line(struct lab *lab, const char *dir, char *line, const char *at, uint16_t port,
		    char *why)
{
	char *save = NULL, *word = strtok_r(line, " \t\r\n", &save), *origin, *file;
	bool optional = word != NULL && strcmp(word, "optional") == 0;
	const struct zone *z;
	struct addr a;
	unsigned n;

	if (optional)
		word = strtok_r(NULL, " \t\r\n", &save);
	if (word == NULL || *word == '#')
		return E_OK;
	origin = strtok_r(NULL, " \t\r\n", &save);
	file = strtok_r(NULL, " \t\r\n", &save);
	if (origin == NULL || file == NULL || !parse_addresses(word, port, &a, &n)) {
		snprintf(why, LAB_WHY_MAX, "%s: not `address zone file`: %s", at, word);
		return E_MALFORMED;
	}
	z = load(lab, dir, file, origin, why);
	if (z == NULL)
		return E_MALFORMED;
	for (; n > 0; n--, a.ip[3]++) {
		struct server *s = server_at(lab, &a);

		if (s == NULL || s->n_zones == LAB_ZONES_MAX) {
			snprintf(why, LAB_WHY_MAX, "%s: too many servers, or zones at one: %s", at,
				 word);
			return E_LIMIT;
		}
		s->optional = s->optional || optional;
		s->zones[s->n_zones++] = z;
	}
	return E_OK;
}

int config_read(struct lab *lab, const char *path, uint16_t port, char why[LAB_WHY_MAX])
{
	char file[LAB_PATH_MAX], dir[LAB_PATH_MAX - 16], line[1024], at[LAB_PATH_MAX + 16];
	struct stat st;
	unsigned n = 0;
	int err = E_OK;
	FILE *f;

	if (strlen(path) >= sizeof(dir)) {
		snprintf(why, LAB_WHY_MAX, "the path of the configuration is too long");
		return E_TOO_LONG;
	}
	strcpy(dir, path);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		snprintf(file, sizeof(file), "%s/lab.conf", dir);
	} else {
		char *slash = strrchr(dir, '/');

		strcpy(file, dir);
		if (slash != NULL)
			*slash = '\0';
		else
			snprintf(dir, sizeof(dir), ".");
	}
	f = fopen(file, "re");
	if (f == NULL) {
		snprintf(why, LAB_WHY_MAX, "%s: %s", file, strerror(errno));
		return E_SYSTEM;
	}
	while (err == E_OK && fgets(line, sizeof(line), f) != NULL) {
		snprintf(at, sizeof(at), "%s:%u", file, ++n);
		err = add_line(lab, dir, line, at, port, why);
	}
	fclose(f);
	if (err == E_OK && lab->n_servers == 0) {
		snprintf(why, LAB_WHY_MAX, "%s: it names no server", file);
		err = E_MALFORMED;
	}
	return err;
}

void config_free(struct lab *lab)
{
	for (unsigned i = 0; i < lab->n_servers; i++)
		free(lab->servers[i]);
	for (unsigned i = 0; i < lab->n_files; i++) {
		free(lab->files[i].path);
		zone_free(lab->files[i].zone);
	}
	for (unsigned i = 0; i < LAB_QUERIES_KEPT; i++)
		free(lab->queries[i].text);
	lab->n_servers = lab->n_files = 0;
}

void config_print_hints(const struct lab *lab, FILE *f)
{
	for (unsigned i = 0; i < lab->n_files; i++) {
		const struct zone *z = lab->files[i].zone;

		if (ldns_dname_label_count(z->origin) > 0)
			continue;
		for (size_t k = 0; k < z->n_rr; k++) {
			ldns_rr_type type = ldns_rr_get_type(z->rr[k]);
			bool at_root = ldns_dname_label_count(ldns_rr_owner(z->rr[k])) == 0;

			if (!at_root || type != LDNS_RR_TYPE_NS)
				continue;
			ldns_rr_print(f, z->rr[k]);
			for (size_t m = 0; m < z->n_rr; m++)
				if (ldns_dname_compare(ldns_rr_owner(z->rr[m]),
						       ldns_rr_rdf(z->rr[k], 0)) == 0)
					ldns_rr_print(f, z->rr[m]);
		}
	}
}
