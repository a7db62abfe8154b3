#include "common/err.h"

#include <errno.h>
#include <string.h>

const char *err_text(int err)
{
	switch (err) {
#define ERR_CASE(name, value, text)                                                                \
	case name:                                                                                 \
		return text;
		ERR_TABLE(ERR_CASE)
#undef ERR_CASE
	default:
		return "unknown error";
	}
}

const char *err_why(int err)
{
	return err == E_SYSTEM ? strerror(errno) : err_text(err);
}
