// SPDX-License-Identifier: Apache-2.0
/* Example: answers three requests at port 4000 with "hello, <request>". Error handling is one line each, on purpose. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/homa_nic.h"

static int check(const char *what, int error)
{
	if (error)
		fprintf(stderr, "%s: %s\n", what, strerror(-error));
	return error;
}

int main(void)
{
	struct homa_nic_receive wish = { .capacity = 4096, .match = HOMA_NIC_CALL_FLAG_MATCH_REQUESTS };
	struct homa_nic *nic;
	struct homa_nic_thread *thread;
	struct homa_nic_result request, sent;
	unsigned int slot;
	int code = 1;

	if (check("open", homa_nic_open(&nic, NULL)))
		return code;
	if (check("bind", homa_nic_bind(nic, 4000)) || check("thread", homa_nic_thread_open(nic, &thread)))
		goto out;
	for (int i = 0; i < 3; i++) {
		char answer[64];
		int length;

		if (check("recvmsg", homa_nic_recvmsg(thread, &wish, &slot)) ||
		    check("request", homa_nic_wait(nic, slot, 0, HOMA_NIC_FOREVER, &request)))
			goto out;
		length = snprintf(answer, sizeof(answer), "hello, %.*s", request.length < 40 ? (int)request.length : 40,
				  (const char *)homa_nic_message(nic, &request));
		if ((request.flags & HOMA_NIC_RESULT_FLAG_IN_POOL) &&
		    (check("release", homa_nic_release(thread, request.offset, &slot)) ||
		     check("released", homa_nic_wait(nic, slot, 0, 1000000, &sent))))
			goto out;

		struct homa_nic_send send = {
			.peer = request.peer, .id = request.id, .inline_data = answer, .length = (uint32_t)length,
		};
		if (check("sendmsg", homa_nic_sendmsg(thread, &send, &slot)))
			goto out;
		int error = homa_nic_wait(nic, slot, 0, 10000000, &sent);

		if (error != -ECONNREFUSED && check("answer", error)) /* refused: it has the answer and is gone */
			goto out;
	}
	code = 0;
out:
	homa_nic_close(nic);
	return code;
}
