/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HOMANIC_SETTINGS_H
#define HOMANIC_SETTINGS_H

/*
 * Registers that a parameter and a sysfs file of the same name set: X(name, REGISTER, text). Range and default come
 * from regs/host-interface.json.
 */
#define HOMANIC_SETTINGS(X)                                                                                          \
	X(mtu, MTU, "largest IP packet, bytes")                                                                      \
	X(rtt_bytes, UNSCHEDULED_BYTES, "bytes of a message sent without a grant")                                   \
	X(max_incoming, MAX_INCOMING, "bytes granted and not received, over all messages")                          \
	X(grant_window, GRANT_WINDOW, "grant window of a message, bytes; 0 = shared out")                            \
	X(max_overcommit, MAX_OVERCOMMIT, "messages granted to at once")                                             \
	X(fifo_grant_increment, FIFO_GRANT_INCREMENT, "step of a FIFO grant, bytes")                                 \
	X(grant_fifo_fraction, GRANT_FIFO_FRACTION, "thousandths of the link granted to the oldest message")         \
	X(pacer_fifo_fraction, PACER_FIFO_FRACTION, "thousandths of sent bytes for the oldest message")              \
	X(num_priorities, NUM_PRIORITIES, "priority levels in use")                                                  \
	X(priority_map, PRIORITY_MAP, "wire priority of level i in nibble i")                                        \
	X(link_mbps, LINK_MBPS, "link rate, Mbit/s")                                                                 \
	X(cutoff_version, CUTOFF_VERSION, "version sent with the cutoffs")                                           \
	X(cutoff_0, CUTOFF_0, "longest message that uses priority 0, bytes")                                         \
	X(cutoff_1, CUTOFF_1, "longest message that uses priority 1, bytes")                                         \
	X(cutoff_2, CUTOFF_2, "longest message that uses priority 2, bytes")                                         \
	X(cutoff_3, CUTOFF_3, "longest message that uses priority 3, bytes")                                         \
	X(cutoff_4, CUTOFF_4, "longest message that uses priority 4, bytes")                                         \
	X(cutoff_5, CUTOFF_5, "longest message that uses priority 5, bytes")                                         \
	X(cutoff_6, CUTOFF_6, "longest message that uses priority 6, bytes")                                         \
	X(cutoff_7, CUTOFF_7, "longest message that uses priority 7, bytes")                                         \
	X(tick_us, TICK, "timer tick, microseconds")                                                                 \
	X(resend_ticks, RESEND_TICKS, "ticks of silence before the first RESEND")                                    \
	X(resend_interval, RESEND_INTERVAL, "ticks between RESENDs")                                                 \
	X(timeout_ticks, TIMEOUT_TICKS, "ticks of silence before an RPC is given up")                                \
	X(request_ack_ticks, REQUEST_ACK_TICKS, "ticks before the first NEED_ACK")                                   \
	X(need_ack_limit, NEED_ACK_LIMIT, "NEED_ACKs sent to a silent client")                                       \
	X(neighbour_ticks, NEIGHBOUR_TICKS, "ticks a peer's MAC address may take to be found")

#endif /* HOMANIC_SETTINGS_H */
