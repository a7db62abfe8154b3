/* copyload: see copyload.h. */
#include "recursor/copyload.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/rrtype.h"
#include "common/zonefile.h"
#include "recursor/anchorage.h"
#include "recursor/net/loop.h"
#include "recursor/probe.h"
#include "recursor/reconfigure.h"
#include "recursor/resolve/copycheck.h"
#include "recursor/transfer.h"
#include "recursor/wiring.h"
#include "recursor/worker.h"

enum { KEYS = 64 };

struct copyload {
	struct server *server;
	struct keyring *keyring;
	int stop_fd;
	atomic_bool stop;
	pthread_mutex_t lock;
	struct probe *probe; /* while it asks; of `lock` */
};

/* One run. */
struct loading {
	struct copyload *l;
	struct zonefile_leave leave;
	const struct copy_plan *plan;
	const struct settings *s;
	struct zonecopy *copy;
	char reason[ZONECOPY_WHY_MAX];
	char *why;
};

static int refuse(struct loading *x, int err, const char *what, const char *words)
{
	(void)snprintf(x->why, COPYLOAD_WHY_MAX, "%.150s%.240s", what, words);
	return err;
}

/* ---- files ---- */

static bool go_on(void *ctx)
{
	struct copyload *l = ctx;

	return !atomic_load(&l->stop);
}

static int take_record(void *ctx, const uint8_t *owner, uint16_t type, uint32_t ttl,
		       const uint8_t *rdata, uint16_t rdlen)
{
	struct loading *x = ctx;

	return zonecopy_add(x->copy, owner, type, ttl, rdata, rdlen, x->reason);
}

static bool is_same_file(const struct copyload_file *a, const struct copyload_file *b)
{
	return a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec && a->size == b->size &&
	       a->number == b->number;
}

static int read_zonefile(struct loading *x)
{
	const struct zonefile_options o = {
		.origin = x->plan->zone,
		.include_dir = x->s->config_dir,
		.max_include_depth = x->s->max_include_depth,
		.max_generate_steps = x->s->max_generate_steps,
		.leave = &x->leave,
		.reason = x->reason,
	};
	char line[SETTINGS_WHY_MAX] = "";
	int err = zonecopy_new(&x->copy, x->plan->zone, x->plan->max_bytes);

	if (err != E_OK)
		return refuse(x, err, "", err_text(err));
	err = zonefile_read_with(x->plan->source, &o, take_record, x, line, sizeof(line));
	if (err != E_OK)
		return refuse(x, err, "", line);
	err = zonecopy_finish(x->copy, &x->leave, x->reason);
	return err == E_OK ? E_OK : refuse(x, err, "", x->reason);
}

static int load_file(struct loading *x, const struct copyload_known *known,
		     struct copyload_found *found)
{
	uint32_t now_s = loop_wall_s();
	struct stat st;

	if (stat(x->plan->source, &st) != 0)
		return refuse(x, E_SYSTEM, "", strerror(errno));
	found->file = (struct copyload_file) { st.st_mtim, st.st_size, st.st_ino };
	/* Nobody has written in the future. */
	found->fresh_s = st.st_mtim.tv_sec < 0               ? 0
			 : st.st_mtim.tv_sec > (time_t)now_s ? now_s
							     : (uint32_t)st.st_mtim.tv_sec;
	if (known->has_copy && is_same_file(&found->file, &known->file))
		return E_EXISTS;
	return read_zonefile(x);
}

/* ---- transfers ---- */

/* query-local-address, where it is one that leads to the server. */
static struct addr usual_address(const struct settings *s, unsigned family)
{
	struct addr any = { .family = 0 };

	for (unsigned i = 0; i < s->query_local_address.n; i++)
		if (s->query_local_address.a[i].family == family)
			return s->query_local_address.a[i];
	return any;
}

static int load_transfer(struct loading *x, const struct addr *primary,
			 const struct copyload_known *known, struct copyload_found *found)
{
	struct transfer t = {
		.zone = x->plan->zone,
		.server = *primary,
		.local = x->plan->local,
		.tsig = x->plan->tsig.secret_len > 0 ? &x->plan->tsig : NULL,
		.timeout_s = x->plan->timeout_s,
		.max_bytes = x->plan->max_bytes,
		.stop_fd = x->l->stop_fd,
		.leave = &x->leave,
		.has_serial = known->has_copy,
		.serial = known->serial,
	};
	char words[TRANSFER_WHY_MAX] = "";
	int err;

	if (t.local.family != t.server.family)
		t.local = usual_address(x->s, t.server.family);
	found->fresh_s = loop_wall_s();
	err = transfer_zone(&x->copy, &t, words);
	return err == E_OK || err == E_EXISTS ? err : refuse(x, err, "", words);
}

/* ---- what vouches for it ---- */

static int begin_probe(struct copyload *l, struct anchors *anchors, struct probe **out)
{
	struct probe *p = NULL;
	int err = probe_new(&p, l->server, anchors);

	if (err != E_OK)
		return err;
	pthread_mutex_lock(&l->lock);
	l->probe = p;
	if (atomic_load(&l->stop))
		probe_stop(p);
	pthread_mutex_unlock(&l->lock);
	*out = p;
	return E_OK;
}

static void end_probe(struct copyload *l)
{
	struct probe *p;

	pthread_mutex_lock(&l->lock);
	p = l->probe;
	l->probe = NULL;
	pthread_mutex_unlock(&l->lock);
	probe_free(p);
}

/* Of a zone below a trust anchor: what its parent says. */
static int ask_ds(struct loading *x, struct anchors *anchors, struct rrset **ds)
{
	struct probe_said said = { .rcode = 0 };
	struct probe *p = NULL;
	int err = begin_probe(x->l, anchors, &p);

	if (err == E_OK)
		err = probe_ask(p, x->plan->zone, TYPE_DS, &said);
	end_probe(x->l);
	if (err != E_OK)
		return refuse(x, err, "its DS record: ", err_text(err));
	if ((said.security != SEC_SECURE && said.security != SEC_INSECURE) ||
	    said.rcode != RCODE_NOERROR) {
		probe_said_put(&said);
		return refuse(x, E_NOT_FOUND, "",
			      "whether it is signed cannot be found out: no answer for its DS "
			      "record that validates");
	}
	/* An insecure zone's, or none. */
	*ds = said.security == SEC_SECURE ? said.set : NULL;
	if (*ds == NULL)
		probe_said_put(&said);
	return E_OK;
}

static int find_ds(struct loading *x, struct rrset **ds)
{
	struct anchors *anchors = anchorage_get(x->l->server->anchorage);
	const struct anchor *anchor = NULL;
	int err = E_OK;

	if (anchors_find(anchors, x->plan->zone, loop_wall_s(), &anchor) == ANCHORING_TRUST) {
		if (name_equal(anchor->name, x->plan->zone))
			*ds = rrset_get(anchor->ds);
		else
			err = ask_ds(x, anchors, ds);
	}
	anchors_put(anchors);
	return err;
}

static int check(struct loading *x, struct copyload_found *found)
{
	struct resolver_config cfg;
	struct copycheck c = {
		.copy = x->copy,
		.zonemd = x->plan->zonemd,
		.dnssec = x->plan->dnssec,
		.keyring = x->l->keyring,
		.now_s = loop_wall_s(),
		.leave = &x->leave,
	};
	char words[COPYCHECK_WHY_MAX] = "";
	struct rrset *ds = NULL;
	int err = E_OK;

	wiring_resolver_config(&cfg, x->s);
	c.limits = &cfg.dnssec_limits;
	/* As PowerDNS has it: who validates nothing does not validate this. */
	if (cfg.dnssec >= DNSSEC_PROCESS && c.dnssec != COPY_IGNORE)
		err = find_ds(x, &ds);
	else if (c.dnssec == COPY_VALIDATE)
		c.dnssec = COPY_IGNORE;
	if (err != E_OK)
		return err;
	c.ds = ds;
	err = copycheck(&c, &found->verdict, words);
	rrset_put(ds);
	return err == E_OK ? E_OK : refuse(x, err, "refused: ", words);
}

static int check_age(struct loading *x, const struct copyload_found *found)
{
	struct soa soa;

	zonecopy_soa(x->copy, &soa);
	if ((uint64_t)found->fresh_s + soa.expire_s > loop_wall_s())
		return E_OK;
	return refuse(x, E_RANGE,
		      "refused: ", "by its SOA record it has expired since the file was written");
}

static int check_all(struct loading *x, struct copyload_found *found)
{
	int err = check_age(x, found);

	if (err == E_OK)
		err = check(x, found);
	if (err != E_OK) {
		zonecopy_put(x->copy);
		x->copy = NULL;
	}
	return err;
}

/* RFC 8806 3 would have several: one that is out of reach, behind, or hands out what nobody vouches for is
 * passed over.  Of several `why` says what was wrong with each. */
static int try_primaries(struct loading *x, const struct copyload_known *known,
			 struct copyload_found *found)
{
	char *all = x->why, words[COPYLOAD_WHY_MAX], text[ADDR_TEXT_MAX];
	unsigned n = x->plan->n_primaries;
	size_t len = 0;
	int err = E_NOT_FOUND;

	x->why = words;
	for (unsigned i = 0; i < n; i++) {
		words[0] = '\0';
		err = load_transfer(x, &x->plan->primaries[i], known, found);
		if (err == E_OK)
			err = check_all(x, found);
		if (err == E_OK || err == E_EXISTS || err == E_STOPPED)
			break;
		if (len < COPYLOAD_WHY_MAX)
			len += (size_t)snprintf(
				all + len, COPYLOAD_WHY_MAX - len, "%s%s%s%s", i > 0 ? "; " : "",
				n > 1 ? addr_ip_text(text, &x->plan->primaries[i]) : "",
				n > 1 ? ": " : "", words);
	}
	x->why = all;
	return err;
}

int copyload_run(struct copyload *l, const struct copy_plan *plan,
		 const struct copyload_known *known, struct copyload_found *found,
		 char why[COPYLOAD_WHY_MAX])
{
	struct loading x = { .l = l, .leave = { go_on, l }, .plan = plan, .why = why };
	struct copyload_found made = { .copy = NULL };
	int err;

	x.s = server_settings_get(l->server);
	if (plan->is_file) {
		err = load_file(&x, known, &made);
		if (err == E_OK)
			err = check_all(&x, &made);
	} else {
		err = try_primaries(&x, known, &made);
	}
	settings_free(x.s);
	if (err == E_OK)
		made.copy = x.copy;
	else
		zonecopy_put(x.copy);
	if (err == E_OK || err == E_EXISTS)
		*found = made;
	return err;
}

/* ---- its life ---- */

int copyload_new(struct copyload **out, struct server *server)
{
	struct copyload *l = calloc(1, sizeof(*l));
	int err = E_NOMEM;

	if (l == NULL)
		return err;
	l->server = server;
	l->stop_fd = -1;
	atomic_init(&l->stop, false);
	pthread_mutex_init(&l->lock, NULL);
	err = keyring_new(&l->keyring, KEYS);
	if (err == E_OK) {
		l->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		err = l->stop_fd < 0 ? E_SYSTEM : E_OK;
	}
	if (err == E_OK)
		*out = l;
	else
		copyload_free(l);
	return err;
}

void copyload_free(struct copyload *l)
{
	if (l == NULL)
		return;
	keyring_free(l->keyring);
	if (l->stop_fd >= 0)
		close(l->stop_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void copyload_stop(struct copyload *l)
{
	const uint64_t one = 1;

	atomic_store(&l->stop, true);
	ASSERT(write(l->stop_fd, &one, sizeof(one)) == sizeof(one));
	pthread_mutex_lock(&l->lock);
	if (l->probe != NULL)
		probe_stop(l->probe);
	pthread_mutex_unlock(&l->lock);
}
