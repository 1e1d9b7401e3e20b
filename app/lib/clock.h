// SPDX-License-Identifier: Apache-2.0
/* Time: the processor's counter for intervals, calibrated against the monotonic clock. */
#ifndef HOMA_NIC_CLOCK_H
#define HOMA_NIC_CLOCK_H

#include <stdint.h>
#include <x86intrin.h>

/** The time stamp counter; not ordered with the instructions around it. */
static inline uint64_t homa_nic_cycles(void)
{
	return __rdtsc();
}

/** The time stamp counter after everything before it has completed. */
static inline uint64_t homa_nic_cycles_ordered(void)
{
	unsigned int processor;
	uint64_t cycles = __rdtscp(&processor);

	_mm_lfence();
	return cycles;
}

/** Monotonic time, nanoseconds. */
uint64_t homa_nic_now_ns(void);

/** Cycles in a nanosecond (GHz of the counter); measured once, in about 10 ms. Any thread. */
double homa_nic_cycles_per_ns(void);

#endif /* HOMA_NIC_CLOCK_H */
