/* secpoll: the TXT record that says how safe we are. */
#include <string.h>

#include "common/check.h"
#include "recursor/watch/secpoll.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct secpoll_said said;

	if (secpoll_read(&said, data, size) != E_OK)
		return 0;
	ASSERT(said.status >= SECPOLL_OK && said.status <= SECPOLL_MANDATORY);
	ASSERT(strnlen(said.message, sizeof(said.message)) < sizeof(said.message));
	return 0;
}
