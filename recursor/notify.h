/*
 * notify: tells systemd how we are (sd_notify(3)'s protocol, spoken by hand).
 *
 * Threads: one.
 */
#ifndef RECURSOR_NOTIFY_H
#define RECURSOR_NOTIFY_H

/* Opens the socket that NOTIFY_SOCKET names, before a chroot hides it, and takes the variable
 * away.  Without the variable, or when it cannot be opened, the rest does nothing. */
void notify_open(void);

void notify_ready(void); /* READY=1, and the process's id */
void notify_stopping(void);
void notify_close(void);

#endif
