#include "tools/rec_control/hash_password.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/conf.h"
#include "recursor/watch/web/credential.h"

enum { SECRET_MAX = 1024 };

static struct termios before;

/* ^C at the prompt: the terminal shows again what is typed. */
static void restore(int signo)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	_exit(128 + signo);
}

static bool read_line(char secret[SECRET_MAX])
{
	size_t len;

	if (fgets(secret, SECRET_MAX, stdin) == NULL)
		return false;
	len = strcspn(secret, "\r\n");
	/* What does not fit is no shorter password. */
	if (secret[len] == '\0' && len == SECRET_MAX - 1)
		return false;
	secret[len] = '\0';
	return true;
}

/* From a terminal, where nobody sees it. */
static bool ask(const char *prompt, char secret[SECRET_MAX])
{
	struct termios unseen = before;
	bool got;

	unseen.c_lflag &= ~(tcflag_t)ECHO;
	fprintf(stderr, "%s", prompt);
	(void)signal(SIGINT, restore);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &unseen);
	got = read_line(secret);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	(void)signal(SIGINT, SIG_DFL);
	fprintf(stderr, "\n");
	return got;
}

static bool read_secret(char secret[SECRET_MAX])
{
	char again[SECRET_MAX];
	bool same;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return read_line(secret);
	if (!ask("Password: ", secret) || !ask("Again: ", again))
		return false;
	same = strcmp(secret, again) == 0;
	explicit_bzero(again, sizeof(again));
	if (!same)
		fprintf(stderr, "Fatal: These are two different ones\n");
	return same;
}

int hash_password(int argc, const char *const argv[])
{
	char secret[SECRET_MAX] = "", hash[CREDENTIAL_TEXT_MAX];
	long long work_factor = CREDENTIAL_WORK_FACTOR;
	int err = E_RANGE;

	if (argc > 1 ||
	    (argc == 1 && conf_int(argv[0], 2, CREDENTIAL_WORK_FACTOR_MAX, &work_factor) != E_OK)) {
		fprintf(stderr, "Fatal: The work factor is a power of two, up to %d\n",
			CREDENTIAL_WORK_FACTOR_MAX);
		return 1;
	}
	if (!read_secret(secret) || *secret == '\0') {
		fprintf(stderr, "Fatal: No password\n");
		return 1;
	}
	err = credential_hash(hash, secret, (uint64_t)work_factor);
	explicit_bzero(secret, sizeof(secret));
	if (err == E_RANGE)
		fprintf(stderr, "Fatal: The work factor is a power of two, up to %d\n",
			CREDENTIAL_WORK_FACTOR_MAX);
	else if (err != E_OK)
		fprintf(stderr, "Fatal: %s\n", err_text(err));
	else
		printf("%s\n", hash);
	return err == E_OK ? 0 : 1;
}
