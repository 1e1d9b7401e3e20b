// SPDX-License-Identifier: Apache-2.0
/* Answers every request with the checksum of its bytes. */
#include "perf.h"

static uint32_t sum(const void *request, uint32_t length, void *reply, uint32_t room)
{
	(void)room; /* 64 bytes or more */
	payload_sum(request, length, reply);
	return PAYLOAD_SUM_BYTES;
}

int main(int argc, char **argv)
{
	struct perf_settings settings = {
		.name = "throughput-server", .count = 0, .size_bytes = HOMA_NIC_MAX_MESSAGE_BYTES, .window = 1, .seed = 1,
		.timeout_us = 10000000, .port = 4000, .options = { .waiting = HOMA_NIC_WAIT_SPIN },
	};
	struct perf_run run;
	int code;

	perf_settings_parse(&settings, argc, argv, PERF_TAKES_SIZE | PERF_TAKES_PORT,
			    "answers every request with a checksum of its bytes");
	code = perf_begin(&run, &settings);
	if (code)
		return code;
	run.span = "sight of the request to the store of the answer's call";
	return perf_end(&run, serve(&run, sum));
}
