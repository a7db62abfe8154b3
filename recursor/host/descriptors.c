#include "recursor/host/descriptors.h"

#include <sys/resource.h>

enum {
	OTHERS = 100, /* logs, control connections, the loops' own */
	TCP_PART = 4, /* clients' connections keep one in so many, whatever else is wanted */
	TCP_LEAST = 16,
	TCP_LEAST_PART = 8, /* or one in so many, if that is less: the daemon's own are dozens */
	WEB_PART = 8,       /* and the web server's one in so many */
	WEB_LEAST = 4,
};

/* Raises it as far as it goes, and returns it. */
static uint64_t raise_to(uint64_t need)
{
	struct rlimit limit, wanted;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return need;
	wanted = (struct rlimit) { need, limit.rlim_max > need ? limit.rlim_max : need };
	if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
		return need;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

static uint64_t least_tcp(uint64_t limit)
{
	return limit / TCP_LEAST_PART < TCP_LEAST ? limit / TCP_LEAST_PART : TCP_LEAST;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* What the others leave of `limit`, or the web server's part. */
static uint64_t part_of_web(uint64_t want, uint64_t limit, uint64_t others)
{
	uint64_t most = less(limit, others);

	if (most < limit / WEB_PART)
		most = limit / WEB_PART;
	if (most < WEB_LEAST)
		most = WEB_LEAST;
	return want < most ? want : most;
}

void descriptors_raise(const struct settings *s, struct descriptors *out)
{
	uint64_t fixed = OTHERS + 2ULL * s->local_address.n * s->threads;
	uint64_t asking = ((uint64_t)s->max_mthreads + s->tcp_out_max_idle_per_thread) * s->threads;
	uint64_t least = (uint64_t)DESCRIPTORS_ASKING_LEAST * s->threads;
	uint64_t tcp = s->max_tcp_clients, most;
	uint64_t web = s->webserver ? s->webserver_max_connections : 0;
	uint64_t need = fixed + web + tcp + asking;

	out->limit = raise_to(need);
	if (out->limit < need) {
		/* Who looks on gives way first. */
		web = part_of_web(web, out->limit, fixed + tcp + asking);
		fixed += web;
		/* Clients' connections give way to asking, down to their part; and further, for
		 * without asking there is nothing to tell them. */
		most = less(out->limit, fixed + asking);
		if (most < out->limit / TCP_PART)
			most = out->limit / TCP_PART;
		if (most > less(out->limit, fixed + least))
			most = less(out->limit, fixed + least);
		if (most < least_tcp(out->limit))
			most = least_tcp(out->limit);
		if (tcp > most)
			tcp = most;
	} else {
		fixed += web;
	}
	out->web_connections = (uint32_t)web;
	out->tcp_clients = (uint32_t)tcp;
	out->asking = (uint32_t)(less(out->limit, fixed + tcp) / s->threads);
}
