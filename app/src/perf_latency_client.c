// SPDX-License-Identifier: Apache-2.0
/* Round trips to perf_latency_server, one at a time: the server sends the bytes back, and they are compared. */
#include <errno.h>
#include <string.h>

#include "perf.h"

static int iterate(struct perf_run *run, uint64_t i)
{
	const struct perf_settings *settings = run->settings;
	struct homa_nic_send send = { .peer = settings->peer, .length = settings->size_bytes, .cookie = i };
	struct homa_nic_receive receive = { .capacity = settings->size_bytes, .match = HOMA_NIC_CALL_FLAG_MATCH_RESPONSES };
	unsigned int slots[2]; /* response, request */
	struct homa_nic_result result;
	unsigned int which = 0;
	uint64_t begin, end;
	long wrong;
	int ret;

	payload_fill(homa_nic_send_buffer(run->nic), settings->size_bytes, settings->seed, i);
	ret = homa_nic_recvmsg(run->thread, &receive, &slots[0]);
	if (ret)
		return perf_fail("recvmsg", ret, NULL);
	begin = homa_nic_cycles_ordered();
	ret = homa_nic_sendmsg(run->thread, &send, &slots[1]);
	if (ret)
		return perf_fail("sendmsg", ret, NULL);
	ret = homa_nic_wait_any(run->nic, slots, 2, HOMA_NIC_RESULT_FLAG_FINAL, settings->timeout_us, &which, &result);
	if (!ret && which == 1) /* the request became final first: its response is on its way to the other slot */
		ret = homa_nic_wait(run->nic, slots[0], HOMA_NIC_RESULT_FLAG_FINAL, settings->timeout_us, &result);
	end = homa_nic_cycles_ordered();
	if (ret)
		return perf_fail(which == 1 ? "request" : "response", ret, ret == -ETIME || ret == -ENODEV ? NULL : &result);
	wrong = result.length == settings->size_bytes && result.cookie == i ?
			payload_check(homa_nic_message(run->nic, &result), result.length, settings->seed, i) :
			(long)result.length;
	if (wrong >= 0) {
		fprintf(stderr, "iteration %llu: byte %ld of the response is wrong (%u bytes came of %u)\n",
			(unsigned long long)i, wrong, result.length, settings->size_bytes);
		return PERF_FAILED;
	}
	perf_sample(run, i, begin, end, "send request", "recv response");
	if (which == 1)
		return PERF_OK;
	ret = homa_nic_wait(run->nic, slots[1], HOMA_NIC_RESULT_FLAG_FINAL, settings->timeout_us, &result);
	return ret ? perf_fail("request", ret, ret == -ETIME || ret == -ENODEV ? NULL : &result) : PERF_OK;
}

static int measure(struct perf_run *run)
{
	const struct perf_settings *settings = run->settings;

	if (settings->size_bytes > homa_nic_send_buffer_bytes(run->nic)) {
		fprintf(stderr, "the send buffer is smaller than %u bytes\n", settings->size_bytes);
		return PERF_FAILED;
	}
	for (uint64_t i = 0; i < settings->warmup + settings->count && !perf_interrupted; i++)
		if (iterate(run, i))
			return PERF_FAILED;
	return PERF_OK;
}

int main(int argc, char **argv)
{
	struct perf_settings settings = {
		.name = "rpc", .count = 1000, .warmup = 100, .size_bytes = 64, .window = 1, .seed = 1,
		.timeout_us = 10000000, .options = { .waiting = HOMA_NIC_WAIT_SPIN },
	};
	struct perf_run run;
	int code;

	perf_settings_parse(&settings, argc, argv, PERF_TAKES_SIZE | PERF_TAKES_PEER,
			    "round trips to perf_latency_server, one at a time");
	code = perf_begin(&run, &settings);
	if (code)
		return code;
	run.span = "store of the sendmsg call to sight of the response";
	return perf_end(&run, measure(&run));
}
