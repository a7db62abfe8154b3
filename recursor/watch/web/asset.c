#include "recursor/watch/web/asset.h"

#include <string.h>

#include "common/check.h"
#include "gen/assets.h"

enum { ASSETS = sizeof(assets) / sizeof(assets[0]) };

const struct asset *asset_find(const char *path, bool accepts_gzip)
{
	for (size_t i = 0; i < ASSETS; i++)
		if (assets[i].gzip == accepts_gzip && strcmp(assets[i].path, path) == 0)
			return &assets[i];
	return NULL;
}

size_t asset_count(void)
{
	return ASSETS;
}

const struct asset *asset_at(size_t i)
{
	ASSERT(i < ASSETS);
	return &assets[i];
}
