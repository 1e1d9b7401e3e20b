// SPDX-License-Identifier: Apache-2.0
/* 64 bytes to the card by one store, the same 64 bytes back by DMA: no RPC, no packet. */
#include <errno.h>
#include <string.h>

#include "perf.h"

/* Bytes of a result that the nop call does not return as they were: the status word, and the slot and size word. */
#define STATUS_BYTES 4
#define SLOT_AT 44
#define SLOT_BYTES 4

/* Did bytes 4..63 come back, the slot word apart? */
static bool came_back(const volatile void *slot, const uint8_t sent[60])
{
	uint8_t got[HOMA_NIC_CALL_BYTES];

	memcpy(got, (const void *)(uintptr_t)slot, sizeof(got));
	return memcmp(got + STATUS_BYTES, sent, SLOT_AT - STATUS_BYTES) == 0 &&
	       memcmp(got + SLOT_AT + SLOT_BYTES, sent + SLOT_AT + SLOT_BYTES - STATUS_BYTES,
		      sizeof(got) - SLOT_AT - SLOT_BYTES) == 0;
}

static int measure(struct perf_run *run)
{
	const struct perf_settings *settings = run->settings;

	for (uint64_t i = 0; i < settings->warmup + settings->count && !perf_interrupted; i++) {
		struct homa_nic_result result;
		uint8_t bytes[60];
		uint64_t begin, end;
		unsigned int slot;
		int ret;

		payload_fill(bytes, sizeof(bytes), settings->seed, i);
		begin = homa_nic_cycles_ordered();
		ret = homa_nic_nop(run->thread, bytes, &slot);
		if (ret)
			return perf_fail("nop call", ret, NULL);
		ret = homa_nic_wait(run->nic, slot, HOMA_NIC_RESULT_FLAG_FINAL, settings->timeout_us, &result);
		end = homa_nic_cycles_ordered();
		if (ret)
			return perf_fail("echo", ret, ret == -ETIME || ret == -ENODEV ? NULL : &result);
		if (!came_back(homa_nic_slot_bytes(run->nic, slot), bytes)) {
			fprintf(stderr, "iteration %llu: other bytes came back than were sent\n", (unsigned long long)i);
			return PERF_FAILED;
		}
		perf_sample(run, i, begin, end, "write request", "write response");
	}
	return PERF_OK;
}

int main(int argc, char **argv)
{
	struct perf_settings settings = {
		.name = "echo", .count = 1000, .warmup = 100, .size_bytes = 64, .window = 1, .seed = 1,
		.timeout_us = 10000000, .options = { .waiting = HOMA_NIC_WAIT_SPIN },
	};
	struct perf_run run;
	int code;

	perf_settings_parse(&settings, argc, argv, 0, "64 bytes to the card by MMIO and back by DMA");
	code = perf_begin(&run, &settings);
	if (code)
		return code;
	run.span = "store of the call to sight of the result in host memory";
	return perf_end(&run, measure(&run));
}
