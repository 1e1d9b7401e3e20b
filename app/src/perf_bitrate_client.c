// SPDX-License-Identifier: Apache-2.0
/* Many messages in flight to perf_bitrate_server: payload bits over time, each message's checksum compared. */
#include <errno.h>
#include <string.h>

#include "perf.h"

#define MAX_WINDOW 64
#define ANSWER_BYTES 64

/* A message in flight and its place in the buffers. */
struct flight {
	uint64_t index; /* of the message */
	uint64_t begin;
	unsigned int request_slot;
	bool busy;
};

struct client {
	struct perf_run *run;
	unsigned int window;
	uint32_t stride;
	struct flight flights[MAX_WINDOW];
	unsigned int receive_slots[MAX_WINDOW];
	uint64_t sent;
	uint64_t done;
	uint64_t total;
	uint64_t begin_ns; /* of the measured part */
};

static int post(struct client *client, unsigned int i)
{
	struct homa_nic_receive receive = {
		.offset = i * ANSWER_BYTES,
		.capacity = ANSWER_BYTES,
		.match = HOMA_NIC_CALL_FLAG_MATCH_RESPONSES,
	};
	int ret = homa_nic_recvmsg(client->run->thread, &receive, &client->receive_slots[i]);

	return ret ? perf_fail("recvmsg", ret, NULL) : PERF_OK;
}

/* Sends the next message from place i. */
static int launch(struct client *client, unsigned int i)
{
	const struct perf_settings *settings = client->run->settings;
	struct flight *flight = &client->flights[i];
	struct homa_nic_send send = {
		.peer = settings->peer, .offset = i * client->stride, .length = settings->size_bytes, .cookie = i,
	};
	int ret;

	flight->index = client->sent++;
	flight->busy = true;
	payload_fill((uint8_t *)homa_nic_send_buffer(client->run->nic) + send.offset, send.length, settings->seed,
		     flight->index);
	flight->begin = homa_nic_cycles_ordered();
	ret = homa_nic_sendmsg(client->run->thread, &send, &flight->request_slot);
	return ret ? perf_fail("sendmsg", ret, NULL) : PERF_OK;
}

/* The answer's sum is that of the message in its place. */
static bool is_right(struct client *client, const struct homa_nic_result *answer)
{
	const struct perf_settings *settings = client->run->settings;
	uint8_t sum[PAYLOAD_SUM_BYTES];

	if (answer->cookie >= client->window || !client->flights[answer->cookie].busy ||
	    answer->length != PAYLOAD_SUM_BYTES)
		return false;
	payload_sum((uint8_t *)homa_nic_send_buffer(client->run->nic) + answer->cookie * client->stride,
		    settings->size_bytes, sum);
	return memcmp(sum, homa_nic_message(client->run->nic, answer), sizeof(sum)) == 0;
}

/* Takes one answer and sends the next message from its place. */
static int step(struct client *client)
{
	struct perf_run *run = client->run;
	const struct perf_settings *settings = run->settings;
	struct homa_nic_result answer, request;
	struct flight *flight;
	unsigned int which;
	int ret;

	ret = homa_nic_wait_any(run->nic, client->receive_slots, client->window, HOMA_NIC_RESULT_FLAG_FINAL,
				settings->timeout_us, &which, &answer);
	if (ret)
		return perf_fail("answer", ret, ret == -ETIME || ret == -ENODEV ? NULL : &answer);
	if (!is_right(client, &answer)) {
		fprintf(stderr, "a checksum is wrong: the message arrived damaged (is the server perf_bitrate_server?)\n");
		return PERF_FAILED;
	}
	flight = &client->flights[answer.cookie];
	perf_sample(run, flight->index, flight->begin, homa_nic_cycles_ordered(), "send request", "recv response");
	client->done++;
	if (client->done == settings->warmup)
		client->begin_ns = homa_nic_now_ns();
	ret = homa_nic_wait(run->nic, flight->request_slot, HOMA_NIC_RESULT_FLAG_FINAL, settings->timeout_us, &request);
	if (ret)
		return perf_fail("request", ret, ret == -ETIME || ret == -ENODEV ? NULL : &request);
	flight->busy = false;
	if (post(client, which))
		return PERF_FAILED;
	if (client->sent < client->total && !perf_interrupted)
		return launch(client, (unsigned int)answer.cookie);
	return PERF_OK;
}

static int measure(struct perf_run *run)
{
	const struct perf_settings *settings = run->settings;
	struct client client = { .run = run, .stride = (settings->size_bytes + 63) & ~63u };
	size_t fits = homa_nic_send_buffer_bytes(run->nic) / client.stride;

	if (fits == 0) {
		fprintf(stderr, "the send buffer is smaller than %u bytes\n", settings->size_bytes);
		return PERF_FAILED;
	}
	client.window = fits < settings->window ? (unsigned int)fits : settings->window;
	client.total = settings->warmup + settings->count;
	client.begin_ns = homa_nic_now_ns();
	for (unsigned int i = 0; i < client.window; i++)
		if (post(&client, i))
			return PERF_FAILED;
	for (unsigned int i = 0; i < client.window && client.sent < client.total; i++)
		if (launch(&client, i))
			return PERF_FAILED;
	while (client.done < client.sent)
		if (step(&client))
			return PERF_FAILED;
	run->elapsed_s = (double)(homa_nic_now_ns() - client.begin_ns) / 1e9;
	if (client.done > settings->warmup && run->elapsed_s > 0) {
		run->messages_per_s = (double)(client.done - settings->warmup) / run->elapsed_s;
		run->rate_gbps = run->messages_per_s * settings->size_bytes * 8 / 1e9;
	}
	return PERF_OK;
}

int main(int argc, char **argv)
{
	struct perf_settings settings = {
		.name = "throughput", .count = 1000, .warmup = 100, .size_bytes = 10000, .window = 8, .seed = 1,
		.timeout_us = 10000000, .options = { .waiting = HOMA_NIC_WAIT_SPIN },
	};
	struct perf_run run;
	int code;

	perf_settings_parse(&settings, argc, argv, PERF_TAKES_SIZE | PERF_TAKES_PEER | PERF_TAKES_WINDOW,
			    "messages in flight to perf_bitrate_server");
	code = perf_begin(&run, &settings);
	if (code)
		return code;
	run.span = "store of the sendmsg call to sight of the response";
	return perf_end(&run, measure(&run));
}
