// SPDX-License-Identifier: Apache-2.0
/*
 * Time traces: events with a processor time stamp in a ring of each thread, printed afterwards.
 * Recording costs a counter read and five stores; nothing is allocated or printed in the timed region.
 *
 *   homa_nic_trace_name("main");           optional: the tag, up to 5 characters of it in [ ]
 *   homa_nic_trace("write request", 0, 0);
 *   homa_nic_trace_dump(file);
 */
#ifndef HOMA_NIC_TIME_TRACE_H
#define HOMA_NIC_TIME_TRACE_H

#include <stdint.h>
#include <stdio.h>

/** Events a thread keeps; older ones are overwritten. */
#define HOMA_NIC_TRACE_EVENTS 65536u

/** Gives the calling thread a ring and a tag (kept, at most 15 characters). -ENOMEM. */
int homa_nic_trace_name(const char *tag);

/** Records an event of the calling thread. format: a literal, with up to two %u or %x. Ignored without a ring. */
void homa_nic_trace(const char *format, uint32_t a, uint32_t b);

/** Records an event that happened at `cycles` (homa_nic_cycles()); a thread's events must come in order of time. */
void homa_nic_trace_at(uint64_t cycles, const char *format, uint32_t a, uint32_t b);

/** Forgets all events of all threads (not while one records). */
void homa_nic_trace_clear(void);

/**
 * Prints the events of all threads in order of time (not while one records): microseconds since the first event, since
 * the line before, tag, text. The first line has the counter's value and frequency. 0 or -EIO.
 */
int homa_nic_trace_dump(FILE *out);

/** Frees all rings (no thread may record any more). */
void homa_nic_trace_free(void);

#endif /* HOMA_NIC_TIME_TRACE_H */
