// SPDX-License-Identifier: Apache-2.0
/* Eight threads of one session, each with its own call set, make calls at once; a ninth is refused. */
#include "guest.h"

#include <pthread.h>

#define CALLS 50
#define LIMIT_US 20000000u

struct worker {
	pthread_t thread;
	struct homa_nic *nic;
	struct homa_nic_thread *set;
	unsigned int index;
	unsigned int wrong;
	int error;
};

static void *work(void *context)
{
	struct worker *worker = context;

	for (unsigned int i = 0; i < CALLS && !worker->error; i++) {
		struct homa_nic_result result;
		uint8_t bytes[60];
		uint64_t cookie;
		unsigned int slot;

		memset(bytes, (int)(worker->index * 29 + i), sizeof(bytes));
		worker->error = homa_nic_nop(worker->set, bytes, &slot);
		if (!worker->error)
			worker->error = homa_nic_wait(worker->nic, slot, HOMA_NIC_RESULT_FLAG_ACCEPTED, LIMIT_US, &result);
		memcpy(&cookie, bytes, sizeof(cookie)); /* all bytes are alike */
		if (!worker->error && result.cookie != cookie)
			worker->wrong++;
	}
	return NULL;
}

int main(void)
{
	struct homa_nic_options options = { .waiting = HOMA_NIC_WAIT_SPIN_THEN_SLEEP };
	struct worker workers[HOMA_NIC_CALL_SETS] = { 0 };
	struct homa_nic_thread *ninth;
	struct homa_nic *nic = NULL;
	long long torn;
	int ret;

	guest_begin("eight threads call at once");
	ret = homa_nic_open(&nic, &options);
	EXPECT(ret == 0, "open: %s", strerror(-ret));
	if (ret) {
		guest_end();
		return guest_summary();
	}
	torn = guest_number("homa_counters/calls_torn");
	for (unsigned int i = 0; i < HOMA_NIC_CALL_SETS; i++) {
		workers[i].nic = nic;
		workers[i].index = i;
		ret = homa_nic_thread_open(nic, &workers[i].set);
		EXPECT(ret == 0, "call set %u: %s", i, strerror(-ret));
	}
	EXPECT(homa_nic_thread_open(nic, &ninth) == -EAGAIN, "a ninth call set was given");
	for (unsigned int i = 0; i < HOMA_NIC_CALL_SETS; i++)
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	for (unsigned int i = 0; i < HOMA_NIC_CALL_SETS; i++) {
		pthread_join(workers[i].thread, NULL);
		EXPECT(workers[i].error == 0, "thread %u: %s", i, strerror(-workers[i].error));
		EXPECT(workers[i].wrong == 0, "thread %u: %u results with other bytes", i, workers[i].wrong);
	}
	EXPECT(guest_number("homa_counters/calls_torn") == torn, "calls were torn");
	homa_nic_close(nic);
	guest_end();
	return guest_summary();
}
