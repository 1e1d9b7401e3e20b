// SPDX-License-Identifier: Apache-2.0
/*
 * A message to ourselves: sendmsg, packets out, MAC loopback, packets in, DMA into the receive buffer. The time ends when
 * the request is seen; the check of its bytes and the 1-byte answer that ends the RPC come after.
 */
#include <errno.h>
#include <string.h>

#include "perf.h"

#define MAX_UNACKED 100
#define ANSWER_BYTES 1
#define ANSWER_CAPACITY 64

/* Answers whose slots are not final yet: the ack comes with a later request, or after some ticks. */
struct unacked {
	unsigned int slots[MAX_UNACKED];
	unsigned int count;
};

/* Forgets the answers that are acked; waits while there are too many. */
static int reap(struct perf_run *run, struct unacked *unacked)
{
	struct homa_nic_result result;
	unsigned int which;
	int ret;

	for (unsigned int i = 0; i < unacked->count;) {
		homa_nic_poll(run->nic, unacked->slots[i], &result);
		if (!(result.flags & HOMA_NIC_RESULT_FLAG_FINAL)) {
			i++;
			continue;
		}
		if (result.flags & HOMA_NIC_RESULT_FLAG_FAILED)
			return perf_fail("answer", homa_nic_code_errno(result.code), &result);
		unacked->slots[i] = unacked->slots[--unacked->count];
	}
	if (unacked->count < MAX_UNACKED)
		return PERF_OK;
	ret = homa_nic_wait_any(run->nic, unacked->slots, unacked->count, HOMA_NIC_RESULT_FLAG_FINAL,
				run->settings->timeout_us, &which, &result);
	if (ret)
		return perf_fail("ack of an answer", ret, ret == -ETIME || ret == -ENODEV ? NULL : &result);
	unacked->slots[which] = unacked->slots[--unacked->count];
	return PERF_OK;
}

/* Waits for the final result of a slot, or says what failed. */
static int await(struct perf_run *run, const char *what, unsigned int slot, struct homa_nic_result *result)
{
	int ret = homa_nic_wait(run->nic, slot, HOMA_NIC_RESULT_FLAG_FINAL, run->settings->timeout_us, result);

	if (ret)
		return perf_fail(what, ret, ret == -ETIME || ret == -ENODEV ? NULL : result);
	return PERF_OK;
}

/* The answer, and the end of the RPC as its client sees it. */
static int finish(struct perf_run *run, uint64_t id, unsigned int request_slot, struct unacked *unacked)
{
	static const uint8_t answer[ANSWER_BYTES] = { 0xa5 };
	struct homa_nic_peer self;
	struct homa_nic_receive receive = {
		.offset = (uint32_t)homa_nic_receive_buffer_bytes(run->nic) - ANSWER_CAPACITY,
		.capacity = ANSWER_CAPACITY,
		.match = HOMA_NIC_CALL_FLAG_MATCH_RESPONSES,
	};
	struct homa_nic_send send = { .length = ANSWER_BYTES, .inline_data = answer, .id = id };
	struct homa_nic_result result;
	unsigned int receive_slot;
	int ret;

	homa_nic_own_peer(run->nic, false, (uint16_t)homa_nic_info(run->nic)->client_port, &self);
	send.peer = self;
	ret = homa_nic_recvmsg(run->thread, &receive, &receive_slot);
	if (ret)
		return perf_fail("recvmsg for the answer", ret, NULL);
	ret = homa_nic_sendmsg(run->thread, &send, &unacked->slots[unacked->count]);
	if (ret)
		return perf_fail("sendmsg of the answer", ret, NULL);
	unacked->count++;
	if (await(run, "answer", receive_slot, &result) || await(run, "request", request_slot, &result))
		return PERF_FAILED;
	return reap(run, unacked);
}

static int iterate(struct perf_run *run, const struct homa_nic_peer *self, uint64_t i, struct unacked *unacked)
{
	const struct perf_settings *settings = run->settings;
	struct homa_nic_send send = { .peer = *self, .length = settings->size_bytes, .cookie = i };
	struct homa_nic_receive receive = { .capacity = settings->size_bytes, .match = HOMA_NIC_CALL_FLAG_MATCH_REQUESTS };
	unsigned int receive_slot, request_slot;
	struct homa_nic_result result;
	uint64_t begin, end;
	long wrong;
	int ret;

	payload_fill(homa_nic_send_buffer(run->nic), settings->size_bytes, settings->seed, i);
	ret = homa_nic_recvmsg(run->thread, &receive, &receive_slot);
	if (ret)
		return perf_fail("recvmsg", ret, NULL);
	begin = homa_nic_cycles_ordered();
	ret = homa_nic_sendmsg(run->thread, &send, &request_slot);
	if (ret)
		return perf_fail("sendmsg", ret, NULL);
	ret = await(run, "message", receive_slot, &result);
	end = homa_nic_cycles_ordered();
	if (ret) {
		if (homa_nic_poll(run->nic, request_slot, &result) == 0 && result.code)
			fprintf(stderr, "the sendmsg says: %s\n", homa_nic_code_text(result.code));
		return ret;
	}
	wrong = result.length == settings->size_bytes ?
			payload_check(homa_nic_message(run->nic, &result), result.length, settings->seed, i) :
			(long)result.length;
	if (wrong >= 0) {
		fprintf(stderr, "iteration %llu: byte %ld of the message is wrong (%u bytes came of %u)\n",
			(unsigned long long)i, wrong, result.length, settings->size_bytes);
		return PERF_FAILED;
	}
	perf_sample(run, i, begin, end, "send request", "recv response");
	return finish(run, result.id, request_slot, unacked);
}

static int measure(struct perf_run *run)
{
	const struct perf_settings *settings = run->settings;
	struct unacked unacked = { .count = 0 };
	struct homa_nic_peer self;
	int ret;

	if (settings->size_bytes > homa_nic_send_buffer_bytes(run->nic) ||
	    settings->size_bytes + ANSWER_CAPACITY > homa_nic_receive_buffer_bytes(run->nic)) {
		fprintf(stderr, "the card's buffers are too small for %u bytes: load the driver with larger ones\n",
			settings->size_bytes);
		return PERF_FAILED;
	}
	ret = homa_nic_own_peer(run->nic, false, settings->port, &self);
	if (ret)
		return perf_fail("own address: set one with the driver's ipv4= or ipv6=", ret, NULL);
	ret = homa_nic_bind(run->nic, settings->port);
	if (ret)
		return perf_fail("binding the port (--port chooses another)", ret, NULL);
	for (uint64_t i = 0; i < settings->warmup + settings->count && !perf_interrupted; i++) {
		ret = iterate(run, &self, i, &unacked);
		if (ret)
			return ret;
	}
	return PERF_OK;
}

int main(int argc, char **argv)
{
	struct perf_settings settings = {
		.name = "loopback", .count = 1000, .warmup = 100, .size_bytes = 64, .window = 1, .seed = 1,
		.timeout_us = 10000000, .port = 4000, .options = { .waiting = HOMA_NIC_WAIT_SPIN },
	};
	struct perf_run run;
	int code, loopback;

	perf_settings_parse(&settings, argc, argv, PERF_TAKES_SIZE | PERF_TAKES_PORT,
			    "a message to ourselves through the MAC's loopback");
	code = perf_begin(&run, &settings);
	if (code)
		return code;
	run.span = "store of the sendmsg call to sight of the delivered message";
	loopback = perf_loopback_set(settings.options.card, true);
	if (loopback < 0 && !(homa_nic_info(run.nic)->flags & HOMA_NIC_INFO_LOOPBACK))
		snprintf(run.warning, sizeof(run.warning),
			 "MAC loopback could not be switched on (%s): messages go out and need a looped cable",
			 strerror(-loopback));
	code = measure(&run);
	if (loopback == 1)
		perf_loopback_set(settings.options.card, false);
	return perf_end(&run, code);
}
