/*
 * Runs a fuzz target on every file of a corpus, without a fuzzer: what was found once stays
 * found.  Each input has a process of its own, so that a crash names its file and the rest
 * still runs.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	INPUT_SECONDS = 20,
	INPUT_MAX = 1 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The input fills its block to the last byte, so that a sanitizer sees a read past its end. */
static uint8_t *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || size > INPUT_MAX)
		goto out;
	rewind(f);
	data = malloc(size > 0 ? (size_t)size : 1);
	if (data != NULL && fread(data, 1, (size_t)size, f) != (size_t)size) {
		free(data);
		data = NULL;
	}
	*len = (size_t)size;
out:
	fclose(f);
	return data;
}

_Noreturn static void run_in_child(const char *path)
{
	size_t len = 0;
	uint8_t *data = read_file(path, &len);

	if (data == NULL) {
		fprintf(stderr, "%s: cannot be read\n", path);
		_exit(EXIT_FAILURE);
	}
	alarm(INPUT_SECONDS);
	LLVMFuzzerTestOneInput(data, len);
	free(data);
	/* exit() and not _exit(): the leak checker runs then. */
	exit(EXIT_SUCCESS);
}

static int survives(const char *path)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		run_in_child(path);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror(path);
		return 0;
	}
	if (WIFSIGNALED(status))
		printf("FAIL %s: %s\n", path, strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0)
		printf("FAIL %s: exit status %d\n", path, WEXITSTATUS(status));
	return status == 0;
}

int main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0;
	struct dirent *entry;
	DIR *dir;

	if (argc != 2) {
		fprintf(stderr, "usage: %s corpus-directory\n", argv[0]);
		return 2;
	}
	dir = opendir(argv[1]);
	if (dir == NULL) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	while ((entry = readdir(dir)) != NULL) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		if (survives(path))
			passed++;
		else
			failed++;
	}
	closedir(dir);
	/* An empty corpus tests nothing. */
	failed += passed + failed == 0;
	printf("TOTAL passed=%u failed=%u skipped=0\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
