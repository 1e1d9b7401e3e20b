// SPDX-License-Identifier: Apache-2.0
/* A 64-byte load of the card's identity block through the aperture: the round trip of the bus alone. */
#include <string.h>

#include "perf.h"

/* Words of the identity block: the registers from MAGIC on. */
#define WORD_OF(reg) (((reg) - HOMA_NIC_REG_MAGIC) / 4)

/* Is it the block of the card that open found? */
static int check(const struct homa_nic_info *info, const uint32_t block[16], uint64_t i)
{
	if (block[WORD_OF(HOMA_NIC_REG_MAGIC)] == HOMA_NIC_MAGIC &&
	    block[WORD_OF(HOMA_NIC_REG_INTERFACE_VERSION)] == info->interface_version &&
	    block[WORD_OF(HOMA_NIC_REG_BUILD_ID)] == info->build_id)
		return PERF_OK;
	fprintf(stderr,
		"iteration %llu: the aperture reads magic %08x version %08x build %08x, expected %08x %08x %08x\n",
		(unsigned long long)i, block[WORD_OF(HOMA_NIC_REG_MAGIC)],
		block[WORD_OF(HOMA_NIC_REG_INTERFACE_VERSION)], block[WORD_OF(HOMA_NIC_REG_BUILD_ID)], HOMA_NIC_MAGIC,
		info->interface_version, info->build_id);
	return PERF_FAILED;
}

static int measure(struct perf_run *run)
{
	const struct perf_settings *settings = run->settings;

	for (uint64_t i = 0; i < settings->warmup + settings->count && !perf_interrupted; i++) {
		uint64_t begin, end;
		uint32_t block[16];

		begin = homa_nic_cycles_ordered();
		homa_nic_read_identity(run->thread, block);
		end = homa_nic_cycles_ordered();
		if (check(homa_nic_info(run->nic), block, i))
			return PERF_FAILED;
		perf_sample(run, i, begin, end, "read request", "read response");
	}
	return PERF_OK;
}

int main(int argc, char **argv)
{
	struct perf_settings settings = {
		.name = "read", .count = 1000, .warmup = 100, .size_bytes = 64, .window = 1, .seed = 1,
		.timeout_us = 10000000, .options = { .waiting = HOMA_NIC_WAIT_SPIN },
	};
	struct perf_run run;
	int code;

	perf_settings_parse(&settings, argc, argv, 0, "64-byte loads of the identity block in the aperture");
	code = perf_begin(&run, &settings);
	if (code)
		return code;
	run.span = "start of the load to its data in a register";
	return perf_end(&run, measure(&run));
}
