#include "common/ctl.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

void ctl_put_header(uint8_t out[CTL_HEADER_LEN], const struct ctl_header *h)
{
	memcpy(out, &h->status, 4);
	memcpy(out + 4, &h->length, 8);
}

int ctl_get_header(const uint8_t in[CTL_HEADER_LEN], size_t max, struct ctl_header *h)
{
	struct ctl_header got;

	memcpy(&got.status, in, 4);
	memcpy(&got.length, in + 4, 8);
	if (got.length > max)
		return E_RANGE;
	*h = got;
	return E_OK;
}

int ctl_socket_path(char *out, size_t cap, const char *dir, const char *config_name)
{
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	int n = snprintf(path, sizeof(path), "%s/pdns_recursor%s%s.controlsocket", dir,
			 config_name[0] != '\0' ? "-" : "", config_name);

	if (n < 0 || (size_t)n >= sizeof(path) || (size_t)n >= cap)
		return E_TOO_LONG;
	memcpy(out, path, (size_t)n + 1);
	return E_OK;
}

int ctl_split(char *text, char **words, int max)
{
	static const char blanks[] = " \t\r\n";
	int n = 0;

	for (;;) {
		text += strspn(text, blanks);
		if (*text == '\0')
			break;
		if (n == max)
			return E_LIMIT;
		words[n++] = text;
		text += strcspn(text, blanks);
		if (*text != '\0')
			*text++ = '\0';
	}
	if (n > 0) {
		for (char *c = words[0]; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	return n;
}
