// SPDX-License-Identifier: Apache-2.0
/*
 * Messages between processes of one machine, through the card's MAC loopback: each process is its own session.
 * Usage: guest_messages [MESSAGES]
 */
#include "guest.h"

#include "../../src/perf.h"

#define PORT 4100
#define LIMIT_US 20000000u

/* Everything a child does, in one place: 0 or a line on stderr and 1. */
struct side {
	struct homa_nic *nic;
	struct homa_nic_thread *thread;
};

static int side_open(struct side *side)
{
	struct homa_nic_options options = { .waiting = HOMA_NIC_WAIT_SPIN_THEN_SLEEP };
	int ret = homa_nic_open(&side->nic, &options);

	return ret ? ret : homa_nic_thread_open(side->nic, &side->thread);
}

static int complain(const char *what, int error)
{
	fprintf(stderr, "process %d: %s: %s\n", (int)getpid(), what, strerror(error < 0 ? -error : error));
	return 1;
}

/* Answers `count` requests with their own bytes. ready: a pipe that is closed when the port is bound. */
static int server(uint16_t port, unsigned int count, int ready)
{
	struct side side = { 0 };
	int ret = side_open(&side);

	if (!ret)
		ret = homa_nic_bind(side.nic, port);
	if (ret)
		return complain("server begins", ret);
	close(ready);
	for (unsigned int i = 0; i < count; i++) {
		struct homa_nic_receive wish = { .capacity = 60000, .match = HOMA_NIC_CALL_FLAG_MATCH_REQUESTS };
		struct homa_nic_send answer = { 0 };
		struct homa_nic_result request, sent;
		unsigned int slot;

		ret = homa_nic_recvmsg(side.thread, &wish, &slot);
		if (!ret)
			ret = homa_nic_wait(side.nic, slot, 0, LIMIT_US, &request);
		if (ret)
			return complain("server waits for a request", ret);
		memcpy(homa_nic_send_buffer(side.nic), homa_nic_message(side.nic, &request), request.length);
		answer = (struct homa_nic_send){ .peer = request.peer, .id = request.id, .length = request.length };
		if (request.flags & HOMA_NIC_RESULT_FLAG_IN_POOL) {
			ret = homa_nic_release(side.thread, request.offset, &slot);
			if (!ret)
				ret = homa_nic_wait(side.nic, slot, 0, LIMIT_US, &sent);
			if (ret)
				return complain("server releases", ret);
		}
		ret = homa_nic_sendmsg(side.thread, &answer, &slot);
		if (!ret)
			ret = homa_nic_wait(side.nic, slot, 0, LIMIT_US, &sent);
		if (ret && ret != -ECONNREFUSED) /* the client had its answer and has closed before it acknowledged */
			return complain("server answers", ret);
	}
	homa_nic_close(side.nic);
	return 0;
}

/* Sends `count` requests of growing size and compares what comes back. */
static int client(uint16_t port, unsigned int count, uint32_t seed)
{
	struct homa_nic_peer peer;
	struct side side = { 0 };
	int ret = side_open(&side);

	if (!ret)
		ret = homa_nic_own_peer(side.nic, false, port, &peer);
	if (ret)
		return complain("client begins", ret);
	for (unsigned int i = 0; i < count; i++) {
		struct homa_nic_send send = { .peer = peer, .length = 1 + i * 977 % 20000, .cookie = i };
		struct homa_nic_receive wish = { .match = HOMA_NIC_CALL_FLAG_MATCH_RESPONSES, .capacity = 60000 };
		unsigned int request_slot, slot;
		struct homa_nic_result result;

		payload_fill(homa_nic_send_buffer(side.nic), send.length, seed, i);
		ret = homa_nic_recvmsg(side.thread, &wish, &slot);
		if (!ret)
			ret = homa_nic_sendmsg(side.thread, &send, &request_slot);
		if (!ret)
			ret = homa_nic_wait(side.nic, slot, 0, LIMIT_US, &result);
		if (ret)
			return complain("client waits for the response", ret);
		if (result.length != send.length || result.cookie != i ||
		    payload_check(homa_nic_message(side.nic, &result), result.length, seed, i) != -1)
			return complain("client compares", EBADMSG);
		ret = homa_nic_wait(side.nic, request_slot, 0, LIMIT_US, &result);
		if (ret)
			return complain("client's request ends", ret);
	}
	homa_nic_close(side.nic);
	return 0;
}

/* Waits for a child; true when it ended with 0. */
static bool went_well(pid_t child)
{
	int status = 0;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static pid_t start_server(uint16_t port, unsigned int count)
{
	int pipes[2];
	char byte;
	pid_t child;

	if (pipe(pipes))
		return -1;
	child = fork();
	if (child == 0) {
		close(pipes[0]);
		_exit(server(port, count, pipes[1]));
	}
	close(pipes[1]);
	if (read(pipes[0], &byte, 1) < 0)
		perror("read");
	close(pipes[0]);
	return child;
}

static void pairs_at_once(unsigned int pairs, unsigned int count)
{
	pid_t servers[4], clients[4];

	for (unsigned int i = 0; i < pairs; i++)
		servers[i] = start_server((uint16_t)(PORT + i), count);
	for (unsigned int i = 0; i < pairs; i++) {
		clients[i] = fork();
		if (clients[i] == 0)
			_exit(client((uint16_t)(PORT + i), count, i));
	}
	for (unsigned int i = 0; i < pairs; i++) {
		EXPECT(went_well(clients[i]), "client %u did not end well", i);
		EXPECT(went_well(servers[i]), "server %u did not end well", i);
	}
}

/* A client that is killed in mid-transfer harms neither the server nor the next client. */
static void killed_client(void)
{
	struct side side = { 0 };
	struct homa_nic_peer peer;
	pid_t child = fork();
	unsigned int slot;
	int status;

	if (child == 0) {
		struct homa_nic_send send = { .length = 900000 };

		if (side_open(&side) || homa_nic_own_peer(side.nic, false, PORT, &send.peer) ||
		    homa_nic_sendmsg(side.thread, &send, &slot))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	waitpid(child, &status, 0);
	EXPECT(WIFSIGNALED(status), "the client was not killed by its own signal: status %x", status);
	EXPECT(side_open(&side) == 0, "no session after the kill");
	EXPECT(homa_nic_own_peer(side.nic, false, PORT, &peer) == 0, "no own address");
	homa_nic_close(side.nic);
}

/* A port that another session has; an RPC that is cancelled; a port nobody has. */
static void refusals(void)
{
	struct homa_nic_send send = { .length = 1, .inline_data = "x" };
	struct homa_nic_result result = { 0 };
	unsigned int request_slot, slot;
	struct side side = { 0 };
	pid_t child;
	int ret;

	ret = side_open(&side);
	EXPECT(ret == 0, "open: %s", strerror(-ret));
	if (ret)
		return;
	EXPECT(homa_nic_bind(side.nic, PORT) == 0, "port %d is not free", PORT);
	EXPECT(homa_nic_bind(side.nic, PORT) == -EADDRINUSE, "the same port twice");
	EXPECT(homa_nic_bind(side.nic, 0) == -EINVAL, "port 0");
	EXPECT(homa_nic_bind(side.nic, 32768) == -EINVAL, "port 32768");
	EXPECT(homa_nic_unbind(side.nic, PORT + 1) == -EADDRNOTAVAIL, "unbind of a port that is not ours");
	child = fork();
	if (child == 0) {
		struct side other = { 0 };

		_exit(side_open(&other) || homa_nic_bind(other.nic, PORT) != -EADDRINUSE);
	}
	EXPECT(went_well(child), "another session's port was given away");
	for (uint16_t i = 1; i < HOMA_NIC_SERVER_PORTS_PER_USER; i++)
		EXPECT(homa_nic_bind(side.nic, (uint16_t)(PORT + i)) == 0, "port %u of 8", i + 1u);
	EXPECT(homa_nic_bind(side.nic, PORT + 8) == -ENOSPC, "a ninth port");
	EXPECT(homa_nic_unbind(side.nic, PORT) == 0, "unbind");

	/* Nobody answers at PORT + 1 (it is ours, but no recvmsg is posted): the request waits until it is cancelled. */
	homa_nic_own_peer(side.nic, false, PORT + 1, &send.peer);
	ret = homa_nic_sendmsg(side.thread, &send, &request_slot);
	if (!ret)
		ret = homa_nic_wait(side.nic, request_slot, HOMA_NIC_RESULT_FLAG_ACCEPTED, LIMIT_US, &result);
	EXPECT(ret == 0, "sendmsg: %s", strerror(-ret));
	ret = homa_nic_cancel(side.thread, result.id, &slot);
	if (!ret)
		ret = homa_nic_wait(side.nic, slot, 0, LIMIT_US, &result);
	EXPECT(ret == 0, "cancel: %s", strerror(-ret));
	ret = homa_nic_wait(side.nic, request_slot, 0, LIMIT_US, &result);
	EXPECT(ret == -ECANCELED, "the cancelled request says %s", strerror(-ret));
	homa_nic_close(side.nic);
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? (unsigned int)atoi(argv[1]) : 20;
	int loopback = perf_loopback_set(0, true);

	guest_begin("refusals: ports and cancel");
	refusals();
	guest_end();
	guest_begin("two processes exchange messages");
	pairs_at_once(1, count);
	guest_end();
	guest_begin("four pairs of processes at once");
	pairs_at_once(4, count / 2);
	guest_end();
	guest_begin("a client killed in mid-transfer");
	killed_client();
	pairs_at_once(1, 3);
	guest_end();
	guest_begin("no session and no memory is left");
	EXPECT(guest_number("homa_state/sessions") == 0, "%lld sessions", guest_number("homa_state/sessions"));
	EXPECT(guest_number("homa_state/bytes_kept") == 0, "%lld bytes kept", guest_number("homa_state/bytes_kept"));
	guest_end();
	if (loopback == 1)
		perf_loopback_set(0, false);
	return guest_summary();
}
