#include "common/base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

bool base64_read(const char *text, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
	uint8_t bytes[BASE64_MAX];
	size_t padding = 0;
	bool is_right;
	int n;

	if (len == 0 || len % 4 != 0 || len > BASE64_MAX)
		return false;
	while (padding < 2 && text[len - 1 - padding] == '=')
		padding++;
	/* OpenSSL would take it for zeros. */
	if (memchr(text, '=', len - padding) != NULL)
		return false;
	n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
	is_right = n > (int)padding && (size_t)n - padding <= cap;
	if (is_right) {
		*out_len = (size_t)n - padding;
		memcpy(out, bytes, *out_len);
	}
	OPENSSL_cleanse(bytes, sizeof(bytes)); /* they may be a secret */
	return is_right;
}
