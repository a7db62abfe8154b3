#include "common/custom_metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/metric_name.h"

struct custom_metrics {
	pthread_mutex_t lock;                           /* of the list; a metric itself stays */
	struct custom_metric *list[CUSTOM_METRICS_MAX]; /* in order of name */
	size_t n;
};

int custom_metrics_new(struct custom_metrics **out)
{
	struct custom_metrics *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return E_NOMEM;
	ASSERT(pthread_mutex_init(&m->lock, NULL) == 0);
	*out = m;
	return E_OK;
}

void custom_metrics_free(struct custom_metrics *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n; i++)
		free(m->list[i]);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static bool is_name(const char *name, size_t cap)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
	size_t len = strnlen(name, cap);

	return len < cap && strspn(name, allowed) == len;
}

/* Where it is, or would be. */
static size_t place_of(const struct custom_metrics *m, const char *name, bool *found)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = metric_name_compare(m->list[middle]->name, name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	return low;
}

int custom_metrics_get(struct custom_metric **out, struct custom_metrics *m,
		       const struct custom_metric *like)
{
	struct custom_metric *metric = NULL;
	bool found;
	size_t at;
	int err = E_OK;

	if (like->name[0] == '\0' || !is_name(like->name, sizeof(like->name)) ||
	    !is_name(like->prometheus, sizeof(like->prometheus)))
		return E_MALFORMED;
	pthread_mutex_lock(&m->lock);
	at = place_of(m, like->name, &found);
	if (found) {
		*out = m->list[at];
		goto out;
	}
	err = E_LIMIT;
	if (m->n == CUSTOM_METRICS_MAX)
		goto out;
	err = E_NOMEM;
	metric = malloc(sizeof(*metric));
	if (metric == NULL)
		goto out;
	memcpy(metric, like, sizeof(*metric));
	atomic_init(&metric->value, 0);
	memmove(&m->list[at + 1], &m->list[at], (m->n - at) * sizeof(struct custom_metric *));
	m->list[at] = metric;
	m->n++;
	*out = metric;
	err = E_OK;
out:
	pthread_mutex_unlock(&m->lock);
	return err;
}

struct custom_metric *custom_metrics_find(struct custom_metrics *m, const char *name)
{
	struct custom_metric *metric = NULL;
	bool found;
	size_t at;

	pthread_mutex_lock(&m->lock);
	at = place_of(m, name, &found);
	if (found)
		metric = m->list[at];
	pthread_mutex_unlock(&m->lock);
	return metric;
}

void custom_metrics_walk(struct custom_metrics *m,
			 void (*cb)(void *ctx, const struct custom_metric *metric), void *ctx)
{
	struct custom_metric *list[CUSTOM_METRICS_MAX];
	size_t n;

	/* A worker may wait for the lock: what cb does is done without it. */
	pthread_mutex_lock(&m->lock);
	n = m->n;
	memcpy(list, m->list, n * sizeof(struct custom_metric *));
	pthread_mutex_unlock(&m->lock);
	for (size_t i = 0; i < n; i++)
		cb(ctx, list[i]);
}
