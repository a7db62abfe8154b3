/*
 * host_metrics: the one table of what graphs-feed tells of a host; its boards and the kinds of its
 * files come from here.
 *
 * name, kind, where it is read, help.  COUNTER: grows since the host's start; GAUGE: as it is now.
 * Each interface has the rows of net- again, as net-NAME-rx-bytes.
 */
#ifndef GRAPHS_HOST_METRICS_H
#define GRAPHS_HOST_METRICS_H

/* clang-format off */
#define HOST_METRICS(X)                                                                          \
	X(cpu_user, "cpu-user-msec", COUNTER, "CPU time of programs, all CPUs together")    \
	X(cpu_nice, "cpu-nice-msec", COUNTER, "those of lower priority")                    \
	X(cpu_system, "cpu-system-msec", COUNTER, "CPU time of the kernel")                 \
	X(cpu_idle, "cpu-idle-msec", COUNTER, "CPU time of nobody")                         \
	X(cpu_iowait, "cpu-iowait-msec", COUNTER, "the same, while a disk was waited for")  \
	X(cpu_irq, "cpu-irq-msec", COUNTER, "CPU time of interrupts")                       \
	X(cpu_softirq, "cpu-softirq-msec", COUNTER, "CPU time of what follows them: packets") \
	X(cpu_steal, "cpu-steal-msec", COUNTER, "CPU time that the hypervisor kept")        \
	X(cpus, "cpus", GAUGE, "CPUs")                                                      \
	X(switches, "context-switches", COUNTER, "context switches")                        \
	X(forks, "forks", COUNTER, "processes begun")                                       \
	X(load_1, "load-1", GAUGE, "load of the last minute")                               \
	X(load_5, "load-5", GAUGE, "load of the last five minutes")                         \
	X(load_15, "load-15", GAUGE, "load of the last quarter of an hour")                 \
	X(mem_total, "memory-total", GAUGE, "bytes of memory")                              \
	X(mem_free, "memory-free", GAUGE, "bytes that nobody uses")                         \
	X(mem_available, "memory-available", GAUGE, "bytes that programs could have")       \
	X(mem_cached, "memory-cached", GAUGE, "bytes of files kept in memory")              \
	X(swap_total, "swap-total", GAUGE, "bytes of swap")                                 \
	X(swap_free, "swap-free", GAUGE, "bytes of swap that nobody uses")                  \
	X(udp_in, "udp-in-datagrams", COUNTER, "UDP datagrams delivered")                   \
	X(udp_out, "udp-out-datagrams", COUNTER, "UDP datagrams sent")                      \
	X(udp_noports, "udp-noport-errors", COUNTER, "UDP datagrams that nobody listens for") \
	X(udp_in_errors, "udp-in-errors", COUNTER, "UDP datagrams that could not be delivered") \
	X(udp_rcvbuf, "udp-recvbuf-errors", COUNTER, "those lost because a receive buffer was full") \
	X(udp_sndbuf, "udp-sndbuf-errors", COUNTER, "UDP datagrams lost because a send buffer was full") \
	X(udp_csum, "udp-csum-errors", COUNTER, "UDP datagrams with a wrong checksum")      \
	X(udp6_in, "udp6-in-datagrams", COUNTER, "UDP datagrams delivered, over IPv6")      \
	X(udp6_out, "udp6-out-datagrams", COUNTER, "UDP datagrams sent, over IPv6")         \
	X(udp6_rcvbuf, "udp6-recvbuf-errors", COUNTER,                                      \
	  "UDP datagrams lost because a receive buffer was full, over IPv6")                     \
	X(tcp_active, "tcp-active-opens", COUNTER, "TCP connections begun")                 \
	X(tcp_passive, "tcp-passive-opens", COUNTER, "TCP connections accepted")            \
	X(tcp_established, "tcp-established", GAUGE, "TCP connections open")                \
	X(tcp_retrans, "tcp-retransmitted", COUNTER, "TCP segments sent again")
#define HOST_NET_METRICS(X)                                                                      \
	X(rx_bytes, "rx-bytes", "bytes received")                                                \
	X(rx_packets, "rx-packets", "packets received")                                          \
	X(rx_errors, "rx-errors", "packets received with an error")                              \
	X(rx_drops, "rx-drops", "packets dropped on receipt")                                    \
	X(tx_bytes, "tx-bytes", "bytes sent")                                                    \
	X(tx_packets, "tx-packets", "packets sent")                                              \
	X(tx_errors, "tx-errors", "packets that could not be sent")                              \
	X(tx_drops, "tx-drops", "packets dropped instead of being sent")
/* clang-format on */

#endif
