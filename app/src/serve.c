// SPDX-License-Identifier: Apache-2.0
/* The loop of the perf servers: receive requests, answer each, keep an answer's buffer until the client has it. */
#include <errno.h>
#include <string.h>

#include "perf.h"

#define MAX_RECEIVES 8
#define MAX_ANSWERS 64
#define LOOK_US 100000 /* for signals */

/* An answer on its way; its part of the send buffer is taken until the slot is final. */
struct answer {
	unsigned int slot; /* 0: none */
};

struct server {
	struct perf_run *run;
	serve_reply reply;
	unsigned int receives;
	unsigned int receive_slots[MAX_RECEIVES];
	uint32_t receive_bytes;
	unsigned int answer_count;
	struct answer answers[MAX_ANSWERS];
	uint32_t answer_bytes;
	unsigned int next_answer;
	unsigned int lost; /* answers that clients did not take */
};

static uint32_t rounded(uint32_t bytes)
{
	return (bytes + 63) & ~63u;
}

/* Shares the buffers out. */
static void lay_out(struct server *server)
{
	const struct perf_settings *settings = server->run->settings;
	size_t receive = homa_nic_receive_buffer_bytes(server->run->nic);
	size_t send = homa_nic_send_buffer_bytes(server->run->nic);

	server->receive_bytes = rounded(settings->size_bytes);
	server->receives = (unsigned int)(receive / server->receive_bytes);
	if (server->receives > MAX_RECEIVES)
		server->receives = MAX_RECEIVES;
	server->answer_bytes = rounded(settings->size_bytes);
	server->answer_count = (unsigned int)(send / server->answer_bytes);
	if (server->answer_count > MAX_ANSWERS)
		server->answer_count = MAX_ANSWERS;
}

static int post(struct server *server, unsigned int i)
{
	struct homa_nic_receive receive = {
		.offset = i * server->receive_bytes,
		.capacity = server->run->settings->size_bytes,
		.match = HOMA_NIC_CALL_FLAG_MATCH_REQUESTS,
	};
	int ret = homa_nic_recvmsg(server->run->thread, &receive, &server->receive_slots[i]);

	return ret ? perf_fail("recvmsg", ret, NULL) : PERF_OK;
}

/* An answer is final. A client that went away is its own affair: the answer is forgotten, and said so in the report. */
static void settle(struct server *server, struct answer *answer, const struct homa_nic_result *result)
{
	answer->slot = 0;
	if (!(result->flags & HOMA_NIC_RESULT_FLAG_FAILED))
		return;
	server->lost++;
	snprintf(server->run->warning, sizeof(server->run->warning), "%u answers were not taken; the latest: %s",
		 server->lost, homa_nic_code_text(result->code));
}

/* Forgets the answers that clients have. */
static void reap(struct server *server)
{
	struct homa_nic_result result;

	for (unsigned int i = 0; i < server->answer_count; i++) {
		if (server->answers[i].slot == 0)
			continue;
		homa_nic_poll(server->run->nic, server->answers[i].slot, &result);
		if (result.flags & HOMA_NIC_RESULT_FLAG_FINAL)
			settle(server, &server->answers[i], &result);
	}
}

/* A part of the send buffer whose answer is out of the way; waits for one. */
static int free_answer(struct server *server, unsigned int *index)
{
	struct homa_nic_result result;
	int ret;

	reap(server);
	*index = server->next_answer;
	server->next_answer = (server->next_answer + 1) % server->answer_count;
	if (server->answers[*index].slot == 0)
		return PERF_OK;
	ret = homa_nic_wait(server->run->nic, server->answers[*index].slot, HOMA_NIC_RESULT_FLAG_FINAL,
			    server->run->settings->timeout_us, &result);
	if (ret == -ETIME || ret == -ENODEV)
		return perf_fail("ack of an answer", ret, NULL);
	settle(server, &server->answers[*index], &result);
	return PERF_OK;
}

static int release(struct server *server, const struct homa_nic_result *request)
{
	struct homa_nic_result result;
	unsigned int slot;
	int ret;

	if (!(request->flags & HOMA_NIC_RESULT_FLAG_IN_POOL))
		return PERF_OK;
	ret = homa_nic_release(server->run->thread, request->offset, &slot);
	if (!ret)
		ret = homa_nic_wait(server->run->nic, slot, HOMA_NIC_RESULT_FLAG_FINAL, server->run->settings->timeout_us,
				    &result);
	return ret ? perf_fail("release", ret, NULL) : PERF_OK;
}

static int answer(struct server *server, const struct homa_nic_result *request)
{
	struct homa_nic *nic = server->run->nic;
	struct homa_nic_send send = { .peer = request->peer, .id = request->id };
	uint32_t length = request->length;
	unsigned int index;
	uint8_t *bytes;
	int ret;

	if ((request->flags & HOMA_NIC_RESULT_FLAG_TRUNCATED) && length > server->run->settings->size_bytes)
		length = server->run->settings->size_bytes; /* what lies behind was lost */

	if (free_answer(server, &index))
		return PERF_FAILED;
	send.offset = index * server->answer_bytes;
	bytes = (uint8_t *)homa_nic_send_buffer(nic) + send.offset;
	send.length = server->reply(homa_nic_message(nic, request), length, bytes, server->answer_bytes);
	if (send.length <= HOMA_NIC_INLINE_BYTES)
		send.inline_data = bytes;
	ret = homa_nic_sendmsg(server->run->thread, &send, &server->answers[index].slot);
	if (ret) {
		server->answers[index].slot = 0;
		return perf_fail("sendmsg of an answer", ret, NULL);
	}
	return release(server, request);
}

/* Waits for the next request and answers it. */
static int serve_one(struct server *server)
{
	struct perf_run *run = server->run;
	struct homa_nic_result request;
	unsigned int which;
	uint64_t begin;
	int ret;

	ret = homa_nic_wait_any(run->nic, server->receive_slots, server->receives, HOMA_NIC_RESULT_FLAG_FINAL, LOOK_US,
				&which, &request);
	begin = homa_nic_cycles_ordered();
	if (ret == -ETIME) {
		reap(server);
		return PERF_OK;
	}
	if (ret)
		return perf_fail("recvmsg", ret, ret == -ENODEV ? NULL : &request);
	if (request.flags & HOMA_NIC_RESULT_FLAG_TRUNCATED)
		snprintf(run->warning, sizeof(run->warning), "requests longer than %u bytes were cut: use a larger --size",
			 run->settings->size_bytes);
	ret = answer(server, &request);
	if (ret)
		return ret;
	if (run->settings->count)
		perf_sample(run, run->settings->warmup, begin, homa_nic_cycles_ordered(), "recv request", "send response");
	else
		run->measured++;
	return post(server, which);
}

/* Lets clients take the last answers, so that closing does not abort them. */
static void drain(struct server *server)
{
	uint64_t end_ns = homa_nic_now_ns() + 2000000000u;
	bool left = true;

	while (left && homa_nic_now_ns() < end_ns) {
		left = false;
		reap(server);
		for (unsigned int i = 0; i < server->answer_count; i++)
			if (server->answers[i].slot)
				left = true;
	}
}

int serve(struct perf_run *run, serve_reply reply)
{
	struct server server = { .run = run, .reply = reply };
	int ret;

	lay_out(&server);
	ret = homa_nic_bind(run->nic, run->settings->port);
	if (ret)
		return perf_fail("binding the port (--port chooses another)", ret, NULL);
	for (unsigned int i = 0; i < server.receives; i++)
		if (post(&server, i))
			return PERF_FAILED;
	fprintf(stderr, "serving port %u, messages of up to %u bytes\n", run->settings->port, run->settings->size_bytes);
	while (!perf_interrupted && (run->settings->count == 0 || run->measured < run->settings->count))
		if (serve_one(&server))
			return PERF_FAILED;
	drain(&server);
	return PERF_OK;
}
