/*
 * asset: the files of the live page, which are in the binary.
 *
 * The Makefile makes them (tools/embed) of recursor/web/ and of dygraphs, which draws the graphs, as
 * the package manager has installed it.  Nothing is read from disk while the daemon runs.
 *
 *     const struct asset *a = asset_find("/", accepts_gzip);       NULL: there is no such file
 *     send ASSET_POLICY as Content-Security-Policy, a->type, a->etag,
 *     Content-Encoding: gzip if a->gzip, Vary: Accept-Encoding, Cache-Control: no-cache;
 *     304 when If-None-Match has a->etag
 *
 * Memory: constants.  Threads: any.
 */
#ifndef WATCH_WEB_ASSET_H
#define WATCH_WEB_ASSET_H

#include <stdbool.h>
#include <stddef.h>

/* What the page may do: run and show what came with it, and ask the server that it came from.  No
 * script and no style inside the HTML, whatever a client's name may contain (CVE-2017-15092). */
#define ASSET_POLICY                                                                               \
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "                \
	"connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

struct asset {
	const char *path; /* "/", "/page.js" */
	const char *type; /* Content-Type */
	const char *etag; /* with its quotes; another one when the content is another */
	const unsigned char *bytes;
	size_t len;
	bool gzip; /* bytes are packed */
};

/* The file of that path, packed when the client takes that.  NULL: there is none. */
const struct asset *asset_find(const char *path, bool accepts_gzip);

/* All of them, each packed and then as it is. */
size_t asset_count(void);
const struct asset *asset_at(size_t i);

#endif
