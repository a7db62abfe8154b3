/* /metrics: what Prometheus asks for. */
#include <stdio.h>
#include <stdlib.h>

#include "recursor/watch/prometheus.h"
#include "recursor/watch/web/endpoint.h"
#include "recursor/watch/web/endpoint_table.h"

int metrics_page(struct endpoint_call *c)
{
	FILE *out = open_memstream(&c->text, &c->text_len);
	bool failed;

	if (out == NULL)
		return endpoint_fail(c, 500, "%s", err_text(E_NOMEM));
	prometheus_write(out, c->env);
	failed = ferror(out) != 0;
	if (fclose(out) != 0 || failed)
		return endpoint_fail(c, 500, "%s", err_text(E_NOMEM));
	c->content_type = PROMETHEUS_CONTENT_TYPE;
	return 0;
}
