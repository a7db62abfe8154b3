/*
 * notify: tells systemd how we are (sd_notify(3)'s protocol, spoken by hand).
 *
 * Threads: one.
 */
#ifndef RECURSOR_NOTIFY_H
#define RECURSOR_NOTIFY_H

#include <stdint.h>

/* Opens the socket that NOTIFY_SOCKET names, before a chroot hides it, and takes the variable
 * away.  Without the variable, or when it cannot be opened, the rest does nothing. */
void notify_open(void);

void notify_ready(void); /* READY=1, and the process's id */
void notify_status(const char *text);
void notify_stopping(void);
/* The end will take so long: systemd is to wait. */
void notify_extend(uint64_t ms);
void notify_close(void);

/* How often systemd wants to hear from us: what notify_open() found in WATCHDOG_USEC; 0: never. */
uint64_t notify_watchdog_us(void);
void notify_watchdog(void);

#endif
