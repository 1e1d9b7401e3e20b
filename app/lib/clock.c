// SPDX-License-Identifier: Apache-2.0
#include <stdatomic.h>
#include <time.h>

#include "clock.h"

#define CALIBRATION_NS 5000000u
#define CALIBRATION_ROUNDS 20

uint64_t homa_nic_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Two rounds that agree to one part in 10,000 are believed: neither was interrupted between its two clocks. */
static double calibrate(void)
{
	double before = 0;

	for (int round = 0; round < CALIBRATION_ROUNDS; round++) {
		uint64_t begin_ns = homa_nic_now_ns();
		uint64_t begin = homa_nic_cycles_ordered();
		uint64_t end_ns, end;
		double ratio, drift;

		do {
			end_ns = homa_nic_now_ns();
			end = homa_nic_cycles_ordered();
		} while (end_ns - begin_ns < CALIBRATION_NS);
		ratio = (double)(end - begin) / (double)(end_ns - begin_ns);
		drift = ratio > before ? ratio - before : before - ratio;
		if (drift < ratio / 10000)
			return (ratio + before) / 2;
		before = ratio;
	}
	return before;
}

double homa_nic_cycles_per_ns(void)
{
	static _Atomic double known;
	double value = atomic_load_explicit(&known, memory_order_acquire);

	if (value == 0) {
		value = calibrate();
		atomic_store_explicit(&known, value, memory_order_release);
	}
	return value;
}
