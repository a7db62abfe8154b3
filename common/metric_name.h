/*
 * metric_name: the order in which metrics are listed.
 *
 * Bytes, but a number at the end counts as a number: le-20 comes before le-100.
 */
#ifndef COMMON_METRIC_NAME_H
#define COMMON_METRIC_NAME_H

/* Like strcmp(); 0 for equal names alone. */
int metric_name_compare(const char *a, const char *b);

#endif
