/*
 * hash_password: `rec_control hash-password [WORK-FACTOR]`, which asks no daemon: a password or API
 * key that is typed (twice, unseen) or comes as the first line of the standard input is printed as
 * webserver-password and api-key may have it.
 */
#ifndef REC_CONTROL_HASH_PASSWORD_H
#define REC_CONTROL_HASH_PASSWORD_H

/* `argc` arguments behind the word.  The exit status: 0, or 1 with a line on stderr. */
int hash_password(int argc, const char *const argv[]);

#endif
