// SPDX-License-Identifier: Apache-2.0
/* Example: example_client 10.0.0.2:4000 world. Sends one request, prints the answer. */
#include <stdio.h>
#include <string.h>

#include "../lib/homa_nic.h"

static int check(const char *what, int error)
{
	if (error)
		fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

int main(int argc, char **argv)
{
	struct homa_nic_receive wish = { .capacity = 4096, .match = HOMA_NIC_CALL_FLAG_MATCH_RESPONSES };
	struct homa_nic_send send = { 0 };
	struct homa_nic_result sent, answer;
	struct homa_nic_thread *thread;
	struct homa_nic *nic;
	unsigned int slot;
	int code = 1;

	if (argc != 3 || homa_nic_parse_peer(argv[1], &send.peer) || strlen(argv[2]) < 1 || strlen(argv[2]) > 4096) {
		fprintf(stderr, "usage: example_client ADDRESS:PORT TEXT\n");
		return 2;
	}
	if (check("open", homa_nic_open(&nic, NULL)))
		return code;
	if (check("thread", homa_nic_thread_open(nic, &thread)))
		goto out;
	send.length = (uint32_t)strlen(argv[2]);
	memcpy(homa_nic_send_buffer(nic), argv[2], send.length);
	if (check("sendmsg", homa_nic_sendmsg(thread, &send, &slot)) ||
	    check("request", homa_nic_wait(nic, slot, HOMA_NIC_RESULT_FLAG_ACCEPTED, 1000000, &sent)))
		goto out;
	wish.id = sent.id; /* this answer and no other; it may have come already */
	if (check("recvmsg", homa_nic_recvmsg(thread, &wish, &slot)) ||
	    check("answer", homa_nic_wait(nic, slot, 0, 10000000, &answer)))
		goto out;
	printf("%.*s\n", (int)answer.length, (const char *)homa_nic_message(nic, &answer));
	code = 0;
out:
	homa_nic_close(nic);
	return code;
}
