/*
 * refusal: the reasons for which something that arrives is not kept, one counter each.
 */
#ifndef GRAPHS_REFUSAL_H
#define GRAPHS_REFUSAL_H

/* clang-format off */
#define REFUSALS(X)                                                                              \
	X(TOO_LONG, "line-too-long", "lines longer than 512 bytes")                              \
	X(SYNTAX, "line-syntax", "lines that are not `name value time`")                         \
	X(NAME, "line-name", "names with other than letters, digits, '-', '_' and dots between") \
	X(VALUE, "line-value", "values that are no decimal number, or out of range")             \
	X(TIME, "line-time", "times that are no number of seconds")                              \
	X(FUTURE, "time-future", "times more than five minutes ahead of this machine's")         \
	X(PAST, "time-past", "times more than a day ago")                                        \
	X(DUPLICATE, "time-duplicate", "a second value for the same time")                       \
	X(ORDER, "time-order", "values older than one that was taken before")                    \
	X(METRICS, "max-metrics", "values of a new metric of a source that has max-metrics")     \
	X(FILES, "max-files", "values of a new metric when max-files are there")                 \
	X(PENDING, "pending", "values that the disk was too slow for")                           \
	X(DISK, "disk", "values whose file could not be made or written")                        \
	X(MEMORY, "memory", "values for which there was no memory")                              \
	X(ALLOW, "allow", "connections from addresses that allow does not name")                 \
	X(CONNECTIONS, "max-connections", "connections closed, or not taken, when there were max-connections") \
	X(ADDRESS, "max-connections-address", "the same of an address that has a quarter of them") \
	X(IDLE, "idle", "connections closed after ten minutes without a byte")
/* clang-format on */

enum refusal {
	REFUSAL_NONE = -1,
#define REFUSAL_ENUM(id, name, help) REFUSAL_##id,
	REFUSALS(REFUSAL_ENUM)
#undef REFUSAL_ENUM
		REFUSAL_COUNT,
};

#endif
