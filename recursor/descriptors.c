#include "recursor/descriptors.h"

#include <sys/resource.h>

enum { OTHERS = 100, MTHREADS_LEAST = 16 };

uint32_t descriptors_raise(const struct settings *s)
{
	/* Listening sockets and clients' connections come first; then each thing that is being
	 * resolved may have a socket of its own. */
	uint64_t taken = OTHERS + 2ULL * s->local_address.n * s->threads + s->max_tcp_clients +
			 (uint64_t)s->tcp_out_max_idle_per_thread * s->threads;
	uint64_t need = taken + (uint64_t)s->max_mthreads * s->threads, each;
	struct rlimit limit, wanted;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= need)
		return s->max_mthreads;
	wanted = (struct rlimit) { need, limit.rlim_max > need ? limit.rlim_max : need };
	if (setrlimit(RLIMIT_NOFILE, &wanted) == 0)
		return s->max_mthreads;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	each = limit.rlim_cur > taken ? (limit.rlim_cur - taken) / s->threads : 0;
	if (each < MTHREADS_LEAST)
		each = MTHREADS_LEAST;
	return each < s->max_mthreads ? (uint32_t)each : s->max_mthreads;
}
