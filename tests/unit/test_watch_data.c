/* What `rec_control watch` makes of the daemon's figures: a server of the test's own answers it. */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/ctl.h"
#include "tools/rec_control/watch_data.h"

static char directory[64], path[108];
static int listening;
static pthread_t thread;

/* One after the other, each to one connection. */
static const char *const *replies;
static char asked[4096];

static void answer(int fd, const char *text)
{
	uint8_t head[CTL_HEADER_LEN];
	struct ctl_header h;
	char request[CTL_REQUEST_MAX + 1];

	ck_assert_int_eq(recv(fd, head, sizeof(head), MSG_WAITALL), sizeof(head));
	ck_assert_int_eq(ctl_get_header(head, CTL_REQUEST_MAX, &h), 0);
	ck_assert_int_eq(recv(fd, request, h.length, MSG_WAITALL), (ssize_t)h.length);
	request[h.length] = '\0';
	if (strstr(request, " get ") == NULL && strstr(request, "version") == NULL)
		(void)snprintf(asked, sizeof(asked), "%.4000s", request);
	h = (struct ctl_header) { .status = text[0] == '!',
				  .length = strlen(text + (text[0] == '!')) };
	ctl_put_header(head, &h);
	ck_assert_int_eq(send(fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
	ck_assert_int_eq(send(fd, text + (text[0] == '!'), h.length, MSG_NOSIGNAL),
			 (ssize_t)h.length);
}

static void *serve(void *unused)
{
	(void)unused;
	for (; *replies != NULL; replies++) {
		int fd = accept(listening, NULL, NULL);

		ck_assert_int_ge(fd, 0);
		answer(fd, *replies);
		(void)close(fd);
	}
	return NULL;
}

static void serve_these(const char *const *list)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	strcpy(directory, "/tmp/test-watch.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/socket", directory);
	strcpy(sun.sun_path, path);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(listening, (const struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(listen(listening, 5), 0);
	replies = list;
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void serve_no_more(void)
{
	(void)pthread_join(thread, NULL);
	(void)close(listening);
	(void)unlink(path);
	(void)rmdir(directory);
}

#define NO_TABLE "{\"entries\":0,\"top\":[],\"rest\":0}"

START_TEST(rates_and_ratios)
{
	static const char *const list[] = {
		"{\"uptime\":10,\"ready\":1,\"questions\":100,\"packetcache-hits\":50,\"cache-hits\":0,"
		"\"cache-misses\":50,\"concurrent-queries\":7,\"policy-drops\":1,"
		"\"cumul-clientanswers-le-10\":5,\"cumul-clientanswers-le-max\":10}",
		"{\"version\":\"1.2.3\"}",
		"{\"entries\":4,\"top\":[{\"count\":3,\"name\":\"a.example.\",\"type\":\"A\"},"
		"{\"count\":1,\"name\":\"B.example.\",\"type\":\"TXT\"}],\"rest\":0}",
		"{\"uptime\":11,\"ready\":0,\"draining\":1,\"questions\":200,\"packetcache-hits\":110,"
		"\"cache-hits\":20,\"cache-misses\":70,\"concurrent-queries\":8,\"policy-drops\":1,"
		"\"cumul-clientanswers-le-10\":15,\"cumul-clientanswers-le-max\":20}",
		"!{\"error\":\"it will not\"}",
		NULL,
	};
	struct watch_wanted wanted = { "top-queries", "192.0.2.0/24", "b.EX" };
	struct watch_data d;
	double rate;

	serve_these(list);
	ck_assert_int_eq(watch_data_init(&d), 0);
	watch_data_look(&d, path, &wanted, 5000);
	ck_assert_str_eq(d.error, "");
	ck_assert_str_eq(d.version, "1.2.3");
	ck_assert(d.is_ready && !d.is_draining);
	ck_assert(isnan(watch_value(&d, SERIES_QUERIES, 0)));
	ck_assert(watch_value(&d, SERIES_RUNNING, 0) == 7);
	ck_assert_str_eq(asked, "--json top-queries limit=1000 client=192.0.2.0/24");
	ck_assert_uint_eq(d.table.entries, 4);
	ck_assert_uint_eq(d.table.n, 1);
	ck_assert_str_eq(d.table.rows[0].key, "B.example. TXT");

	usleep(20000);
	watch_data_look(&d, path, &wanted, 5000);
	serve_no_more();
	rate = 100 * 1000.0 / (double)(d.now_ms - d.before_ms);
	ck_assert(fabs(watch_value(&d, SERIES_QUERIES, 0) - rate) < 0.001);
	ck_assert(fabs(watch_value(&d, SERIES_HITS, 0) - 80) < 0.001);
	ck_assert(watch_value(&d, SERIES_RUNNING, 1) == 7);
	ck_assert(watch_value(&d, SERIES_DROPS, 0) == 0);
	/* All ten were at most 10 us. */
	ck_assert(watch_value(&d, SERIES_P99, 0) <= 10 && watch_value(&d, SERIES_P50, 0) > 5);
	ck_assert(!d.is_ready && d.is_draining);
	ck_assert_str_eq(d.table.error, "it will not");
	ck_assert_uint_eq(d.table.n, 0);

	/* Nobody there. */
	watch_data_look(&d, path, &wanted, 100);
	ck_assert_ptr_nonnull(strstr(d.error, "no daemon behind"));
	watch_data_clear(&d);
}
END_TEST

/* Counters that begin again are no rates of minus a billion. */
START_TEST(a_daemon_started_anew)
{
	static const char *const list[] = {
		"{\"uptime\":10,\"questions\":100}",
		"{\"version\":\"1\"}",
		NO_TABLE,
		"{\"uptime\":0,\"questions\":5}",
		"{\"version\":\"2\"}",
		NO_TABLE,
		"{\"uptime\":1,\"questions\":9}",
		NO_TABLE,
		NULL,
	};
	struct watch_wanted wanted = { "top-remotes", "", "" };
	struct watch_data d;

	serve_these(list);
	ck_assert_int_eq(watch_data_init(&d), 0);
	watch_data_look(&d, path, &wanted, 5000);
	watch_data_look(&d, path, &wanted, 5000);
	ck_assert(isnan(watch_value(&d, SERIES_QUERIES, 0)));
	ck_assert_str_eq(d.version, "2");
	usleep(20000);
	watch_data_look(&d, path, &wanted, 5000);
	ck_assert(watch_value(&d, SERIES_QUERIES, 0) > 0);
	serve_no_more();
	watch_data_clear(&d);
}
END_TEST

START_TEST(what_is_no_answer)
{
	static const char *const list[] = { "[", "{}", "{\"version\":5}", "{\"top\":{\"a\":1}}",
					    NULL };
	struct watch_wanted wanted = { "top-remotes", "", "" };
	struct watch_data d;

	serve_these(list);
	ck_assert_int_eq(watch_data_init(&d), 0);
	watch_data_look(&d, path, &wanted, 5000);
	ck_assert_str_eq(d.error, "the answer cannot be read");
	watch_data_look(&d, path, &wanted, 5000);
	serve_no_more();
	ck_assert_str_eq(d.error, "");
	ck_assert_uint_eq(d.table.n, 0);
	watch_data_clear(&d);
}
END_TEST

START_TEST(percentiles)
{
	const struct watch_step none[] = { { 10, 0 }, { INFINITY, 0 } };
	const struct watch_step some[] = {
		{ 10, 50 }, { 100, 90 }, { 1000, 100 }, { INFINITY, 100 }
	};
	const struct watch_step slow[] = { { 10, 0 }, { INFINITY, 4 } };

	ck_assert(isnan(watch_percentile(none, 2, 0.5)));
	ck_assert(isnan(watch_percentile(none, 0, 0.5)));
	ck_assert(fabs(watch_percentile(some, 4, 0.5) - 10) < 0.001);
	ck_assert(fabs(watch_percentile(some, 4, 0.7) - 31.62) < 0.01);
	ck_assert(fabs(watch_percentile(some, 4, 1) - 1000) < 0.001);
	ck_assert(watch_percentile(slow, 2, 0.5) == 10); /* no less than that */
}
END_TEST

Suite *suite_watch_data(void)
{
	Suite *s = suite_create("watch_data");
	TCase *tc = tcase_create("watch_data");

	tcase_add_test(tc, rates_and_ratios);
	tcase_add_test(tc, a_daemon_started_anew);
	tcase_add_test(tc, what_is_no_answer);
	tcase_add_test(tc, percentiles);
	suite_add_tcase(s, tc);
	return s;
}
