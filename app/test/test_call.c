// SPDX-License-Identifier: Apache-2.0
/* Calls, slots and waiting against the card made of memory. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "fake_card.h"
#include "tests.h"

#define FLAG(name) HOMA_NIC_RESULT_FLAG_##name
#define LIMIT_US 2000000

static const struct homa_nic_options spin = { .waiting = HOMA_NIC_WAIT_SPIN };
static const struct homa_nic_peer somebody = { .address = { 0xfd, [15] = 2 }, .port = 4000 };

struct fixture {
	struct fake_card *card;
	struct homa_nic *nic;
	struct homa_nic_thread *thread;
};

static struct fixture begin(const struct homa_nic_options *options)
{
	struct fixture f = { .card = fake_card_new(options) };

	f.nic = &f.card->nic;
	CHECK(homa_nic_thread_open(f.nic, &f.thread) == 0);
	return f;
}

static void end(struct fixture *f)
{
	homa_nic_thread_close(f->thread);
	fake_card_free(f->card);
}

static unsigned int slots_taken(const struct fixture *f)
{
	unsigned int taken = 0;

	for (unsigned int slot = 1; slot < HOMA_NIC_SLOTS; slot++)
		taken += homa_nic_slot_taken(f->nic, slot);
	return taken;
}

static void nop__returns_the_bytes(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_result result;
	uint8_t bytes[60], got[64];
	unsigned int slot;

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i + 1);
	CHECK(homa_nic_nop(f.thread, bytes, &slot) == 0);
	CHECK(slots_taken(&f) == 1);
	CHECK(homa_nic_wait(f.nic, slot, FLAG(FINAL), LIMIT_US, &result) == 0);
	memcpy(got, (const void *)(uintptr_t)homa_nic_slot_bytes(f.nic, slot), sizeof(got));
	CHECK(memcmp(got + 4, bytes, 40) == 0);
	CHECK(memcmp(got + 48, bytes + 44, 16) == 0);
	CHECK(slots_taken(&f) == 0);
	CHECK(homa_nic_poll(f.nic, slot, &result) == -EINVAL);
	end(&f);
}

static void nop__255_slots_then_eagain(void)
{
	struct fixture f = begin(&spin);
	uint8_t bytes[60] = { 0 };
	struct homa_nic_result result;
	unsigned int slot, seen[HOMA_NIC_SLOTS] = { 0 };

	f.card->silent = true;
	for (unsigned int i = 1; i < HOMA_NIC_SLOTS; i++) {
		CHECK(homa_nic_nop(f.thread, bytes, &slot) == 0);
		CHECK(slot >= 1 && slot < HOMA_NIC_SLOTS && seen[slot]++ == 0);
	}
	CHECK(homa_nic_nop(f.thread, bytes, &slot) == -EAGAIN);
	CHECK(homa_nic_wait(f.nic, 17, FLAG(FINAL), 1000, &result) == -ETIME);
	CHECK(slots_taken(&f) == 255);
	fake_card_result(f.card, 17, &(struct homa_nic_header){ 0 }, FLAG(ACCEPTED) | FLAG(FINAL), 0);
	CHECK(homa_nic_wait(f.nic, 17, FLAG(FINAL), 1000, &result) == 0);
	CHECK(homa_nic_nop(f.thread, bytes, &slot) == 0);
	CHECK(slot == 17);
	end(&f);
}

/* A whole RPC to ourselves: request, receive posted before, response, receive narrowed to the id. */
static void rpc__request_and_response(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_receive wish = { .offset = 4096, .capacity = 2000, .match = HOMA_NIC_CALL_FLAG_MATCH_REQUESTS,
					 .cookie = 5 };
	struct homa_nic_send send = { .peer = somebody, .offset = 100, .length = 1500, .cookie = 77 };
	struct homa_nic_result request, result;
	unsigned int receive_slot, send_slot, answer_slot, slot;

	memset((uint8_t *)homa_nic_send_buffer(f.nic) + 100, 0x5a, 1500);
	CHECK(homa_nic_recvmsg(f.thread, &wish, &receive_slot) == 0);
	CHECK(homa_nic_sendmsg(f.thread, &send, &send_slot) == 0);
	CHECK(homa_nic_wait(f.nic, send_slot, FLAG(ACCEPTED), LIMIT_US, &result) == 0);
	CHECK(result.flags == FLAG(ACCEPTED) && result.id == 102 && result.cookie == 77);
	CHECK(homa_nic_wait(f.nic, receive_slot, 0, LIMIT_US, &request) == 0);
	CHECK(request.length == 1500 && request.offset == 4096 && request.id == 103 && request.cookie == 5);
	CHECK(request.own_port == 4000 && request.peer.port == 7);
	CHECK(*((const uint8_t *)homa_nic_message(f.nic, &request) + 1499) == 0x5a);

	send = (struct homa_nic_send){ .peer = somebody, .inline_data = "yes", .length = 3, .id = request.id };
	CHECK(homa_nic_sendmsg(f.thread, &send, &answer_slot) == 0);
	CHECK(f.card->with_inline);
	CHECK(homa_nic_wait(f.nic, answer_slot, 0, LIMIT_US, &result) == 0);
	CHECK((result.flags & FLAG(DELIVERED)) && (result.flags & FLAG(BUFFER_REUSABLE)));
	CHECK(homa_nic_wait(f.nic, send_slot, 0, LIMIT_US, &result) == 0);
	CHECK(result.flags & FLAG(BUFFER_REUSABLE));

	/* The response came before anybody asked: it is in the pool. */
	wish = (struct homa_nic_receive){ .id = 102, .match = HOMA_NIC_CALL_FLAG_MATCH_RESPONSES };
	CHECK(homa_nic_recvmsg(f.thread, &wish, &receive_slot) == 0);
	CHECK(homa_nic_wait(f.nic, receive_slot, 0, LIMIT_US, &result) == 0);
	CHECK((result.flags & FLAG(IN_POOL)) && result.cookie == 77 && result.length == 3);
	CHECK(memcmp(homa_nic_message(f.nic, &result), "yes", 3) == 0);
	CHECK(homa_nic_release(f.thread, result.offset, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, slot, 0, LIMIT_US, &request) == 0);
	CHECK(homa_nic_release(f.thread, result.offset, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, slot, 0, LIMIT_US, &request) == -EINVAL);
	CHECK(request.code == HOMA_NIC_CODE_NOT_IN_POOL);
	CHECK(slots_taken(&f) == 0);
	end(&f);
}

static void recvmsg__a_longer_message_is_truncated(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_receive wish = { .offset = 0, .capacity = 10 };
	struct homa_nic_send send = { .peer = somebody, .length = 11 };
	struct homa_nic_result result;
	unsigned int receive_slot, slot;

	f.card->receive[10] = 0x77;
	CHECK(homa_nic_recvmsg(f.thread, &wish, &receive_slot) == 0);
	CHECK(homa_nic_sendmsg(f.thread, &send, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, receive_slot, 0, LIMIT_US, &result) == 0);
	CHECK((result.flags & FLAG(TRUNCATED)) && result.length == 11);
	CHECK(f.card->receive[10] == 0x77);
	end(&f);
}

static void sendmsg__refuses_bad_arguments_without_a_call(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_send send = { .peer = somebody, .length = 0 };
	struct homa_nic_receive wish = { .offset = 0, .capacity = HOMA_NIC_MAX_MESSAGE_BYTES + 1 };
	unsigned int slot;

	CHECK(homa_nic_sendmsg(f.thread, &send, &slot) == -EMSGSIZE);
	send.length = HOMA_NIC_MAX_MESSAGE_BYTES + 1;
	CHECK(homa_nic_sendmsg(f.thread, &send, &slot) == -EMSGSIZE);
	send.length = HOMA_NIC_MAX_MESSAGE_BYTES;
	send.offset = HOMA_NIC_H2C_MSGBUFF_BYTES - HOMA_NIC_MAX_MESSAGE_BYTES + 1;
	CHECK(homa_nic_sendmsg(f.thread, &send, &slot) == -EINVAL);
	send.offset = UINT32_MAX;
	CHECK(homa_nic_sendmsg(f.thread, &send, &slot) == -EINVAL);
	send = (struct homa_nic_send){ .peer = somebody, .inline_data = f.card->send, .length = 65 };
	CHECK(homa_nic_sendmsg(f.thread, &send, &slot) == -EMSGSIZE);
	CHECK(homa_nic_recvmsg(f.thread, &wish, &slot) == -EMSGSIZE);
	wish = (struct homa_nic_receive){ .offset = HOMA_NIC_C2H_MSGBUFF_BYTES / 2, .capacity = 1 };
	CHECK(homa_nic_recvmsg(f.thread, &wish, &slot) == -EINVAL);
	wish = (struct homa_nic_receive){ .match = 1 };
	CHECK(homa_nic_recvmsg(f.thread, &wish, &slot) == -EINVAL);
	CHECK(homa_nic_cancel(f.thread, 0, &slot) == -EINVAL);
	CHECK(homa_nic_cancel_receive(f.thread, 0, &slot) == -EINVAL);
	CHECK(homa_nic_cancel_receive(f.thread, 256, &slot) == -EINVAL);
	CHECK(f.card->calls == 0 && slots_taken(&f) == 0);
	end(&f);
}

static void cancel__ends_an_rpc_and_a_receive(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_send send = { .peer = somebody, .length = 1 };
	struct homa_nic_receive wish = { .capacity = 8, .match = HOMA_NIC_CALL_FLAG_MATCH_RESPONSES };
	struct homa_nic_result result;
	unsigned int send_slot, receive_slot, slot;

	CHECK(homa_nic_sendmsg(f.thread, &send, &send_slot) == 0);
	CHECK(homa_nic_recvmsg(f.thread, &wish, &receive_slot) == 0);
	CHECK(homa_nic_cancel(f.thread, 102, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, slot, 0, LIMIT_US, &result) == 0);
	CHECK(homa_nic_wait(f.nic, send_slot, 0, LIMIT_US, &result) == -ECANCELED);
	CHECK(homa_nic_cancel_receive(f.thread, receive_slot, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, slot, 0, LIMIT_US, &result) == 0);
	CHECK(homa_nic_wait(f.nic, receive_slot, 0, LIMIT_US, &result) == -ECANCELED);
	CHECK(homa_nic_cancel(f.thread, 4242, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, slot, 0, LIMIT_US, &result) == -ENOENT);
	CHECK(slots_taken(&f) == 0);
	end(&f);
}

static void sendmsg__a_refusal_of_the_card_is_an_errno(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_send send = { .length = 1 };
	struct homa_nic_result result;
	unsigned int slot;

	CHECK(homa_nic_sendmsg(f.thread, &send, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, slot, FLAG(ACCEPTED), LIMIT_US, &result) == -EDESTADDRREQ);
	CHECK(result.code == HOMA_NIC_CODE_BAD_PEER && (result.flags & FLAG(FINAL)));
	end(&f);
}

static void wait__a_card_that_is_gone_is_noticed(enum homa_nic_waiting waiting)
{
	struct homa_nic_options options = { .waiting = waiting, .spin_us = 1, .sleep_us = 100 };
	struct fixture f = begin(&options);
	uint8_t bytes[60] = { 0 };
	struct homa_nic_result result;
	unsigned int slot;

	f.card->silent = true;
	f.card->absent = true;
	CHECK(homa_nic_nop(f.thread, bytes, &slot) == 0);
	CHECK(homa_nic_wait(f.nic, slot, FLAG(FINAL), HOMA_NIC_FOREVER, &result) == -ENODEV);
	CHECK(homa_nic_nop(f.thread, bytes, &slot) == -ENODEV);
	CHECK(homa_nic_alive(f.nic) == -ENODEV);
	end(&f);
}

static void wait__gone_card_spin(void)
{
	wait__a_card_that_is_gone_is_noticed(HOMA_NIC_WAIT_SPIN);
}

static void wait__gone_card_sleep(void)
{
	wait__a_card_that_is_gone_is_noticed(HOMA_NIC_WAIT_SLEEP);
}

static void *answer_late(void *context)
{
	struct fake_card *card = context;
	struct homa_nic_header header = { .cc = 99 };

	usleep(20000);
	for (unsigned int slot = 1; slot <= 4; slot++)
		fake_card_result(card, slot, &header, FLAG(ACCEPTED) | FLAG(FINAL), 0);
	return NULL;
}

static void wait__sees_what_another_thread_writes(enum homa_nic_waiting waiting)
{
	struct homa_nic_options options = { .waiting = waiting, .spin_us = 10, .sleep_us = 10 };
	struct fixture f = begin(&options);
	uint8_t bytes[60] = { 0 };
	struct homa_nic_result result;
	unsigned int slots[4], which;
	pthread_t writer;

	f.card->silent = true;
	for (int i = 0; i < 4; i++)
		CHECK(homa_nic_nop(f.thread, bytes, &slots[i]) == 0);
	CHECK(pthread_create(&writer, NULL, answer_late, f.card) == 0);
	for (unsigned int left = 4; left; left--) {
		CHECK(homa_nic_wait_any(f.nic, slots, left, FLAG(FINAL), 10 * LIMIT_US, &which, &result) == 0);
		CHECK(which < left && result.cookie == 99);
		slots[which] = slots[left - 1];
	}
	pthread_join(writer, NULL);
	CHECK(slots_taken(&f) == 0);
	end(&f);
}

static void wait__late_result_spin(void)
{
	wait__sees_what_another_thread_writes(HOMA_NIC_WAIT_SPIN);
}

static void wait__late_result_spin_then_sleep(void)
{
	wait__sees_what_another_thread_writes(HOMA_NIC_WAIT_SPIN_THEN_SLEEP);
}

static void wait__late_result_sleep(void)
{
	wait__sees_what_another_thread_writes(HOMA_NIC_WAIT_SLEEP);
}

static void thread_open__8_sets_each_in_its_place(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_thread *threads[HOMA_NIC_CALL_SETS];
	struct homa_nic_result result;
	uint8_t bytes[60] = { 1 };
	unsigned int slot;

	threads[0] = f.thread;
	for (unsigned int i = 1; i < HOMA_NIC_CALL_SETS; i++)
		CHECK(homa_nic_thread_open(f.nic, &threads[i]) == 0);
	CHECK(homa_nic_thread_open(f.nic, &f.thread) == -EAGAIN);
	for (unsigned int i = 0; i < HOMA_NIC_CALL_SETS; i++) {
		CHECK(homa_nic_nop(threads[i], bytes, &slot) == 0);
		CHECK(f.card->aperture[i * HOMA_NIC_CALL_SET_BYTES + HOMA_NIC_USER_CALL_NOP + 4] == 1);
		CHECK(homa_nic_wait(f.nic, slot, 0, LIMIT_US, &result) == 0);
	}
	homa_nic_thread_close(threads[3]);
	CHECK(homa_nic_thread_open(f.nic, &f.thread) == 0 && f.thread == threads[3]);
	end(&f);
}

static void *many_nops(void *context)
{
	struct homa_nic_thread *thread = context;
	uint8_t bytes[60];
	intptr_t wrong = 0;

	for (unsigned int i = 0; i < 2000; i++) {
		unsigned int slot;

		memset(bytes, (int)i, sizeof(bytes));
		if (homa_nic_nop(thread, bytes, &slot) || slot < 1 || slot > 255)
			wrong++;
		else
			homa_nic_slot_give(thread->nic, slot);
	}
	return (void *)wrong;
}

/* Slots are handed out to threads at once, each to one. The card is silent: its own memory is not for two threads. */
static void slot_take__threads_do_not_share(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_thread *sets[4] = { f.thread };
	pthread_t threads[4];
	void *wrong;

	f.card->nic.after_call = NULL;
	for (int i = 0; i < 4; i++) {
		if (i)
			CHECK(homa_nic_thread_open(f.nic, &sets[i]) == 0);
		CHECK(pthread_create(&threads[i], NULL, many_nops, sets[i]) == 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK(pthread_join(threads[i], &wrong) == 0);
		CHECK(wrong == NULL);
	}
	CHECK(slots_taken(&f) == 0);
	end(&f);
}

static void error__is_told_once(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_result result;

	CHECK(!homa_nic_error(f.nic, &result));
	f.card->sequence = 9;
	fake_card_result(f.card, 0, &(struct homa_nic_header){ 0 }, 0, HOMA_NIC_CODE_BAD_SLOT);
	CHECK(homa_nic_error(f.nic, &result) && result.code == HOMA_NIC_CODE_BAD_SLOT && result.sequence == 9);
	CHECK(!homa_nic_error(f.nic, &result));
	end(&f);
}

static void parse_peer__reads_both_families(void)
{
	static const char *const bad[] = { "", "10.0.0.1", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:1x", "fd00::1:4000",
					   "[fd00::1]", "[fd00::1:4000", "10.0.0.256:1", ":4000", "10.0.0.1:-1", "[]:1" };
	static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 10, 0, 0, 2 };
	struct homa_nic_peer peer;

	CHECK(homa_nic_parse_peer("10.0.0.2:4000", &peer) == 0);
	CHECK(memcmp(peer.address, mapped, 16) == 0 && peer.port == 4000);
	CHECK(homa_nic_parse_peer("[fd00::2]:1", &peer) == 0);
	CHECK(peer.address[0] == 0xfd && peer.address[15] == 2 && peer.port == 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(homa_nic_parse_peer(bad[i], &peer) == -EINVAL);
}

static void own_peer__prefers_ipv4_and_says_when_there_is_none(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_peer peer;

	CHECK(homa_nic_own_peer(f.nic, false, 1, &peer) == -EADDRNOTAVAIL);
	f.nic->info.flags = HOMA_NIC_INFO_HAS_IPV6;
	f.nic->info.ipv6[0] = 0xfe;
	f.nic->info.ipv4[10] = 0xff;
	CHECK(homa_nic_own_peer(f.nic, false, 1, &peer) == 0 && peer.address[0] == 0xfe);
	f.nic->info.flags |= HOMA_NIC_INFO_HAS_IPV4;
	CHECK(homa_nic_own_peer(f.nic, false, 2, &peer) == 0 && peer.address[10] == 0xff && peer.port == 2);
	CHECK(homa_nic_own_peer(f.nic, true, 2, &peer) == 0 && peer.address[0] == 0xfe);
	end(&f);
}

static void message__never_points_outside_the_buffer(void)
{
	struct fixture f = begin(&spin);
	struct homa_nic_result result = { .flags = FLAG(DELIVERED), .offset = HOMA_NIC_C2H_MSGBUFF_BYTES - 1, .length = 2 };

	CHECK(homa_nic_message(f.nic, &result) == NULL);
	result.length = 1;
	CHECK(homa_nic_message(f.nic, &result) != NULL);
	result.offset = UINT32_MAX;
	CHECK(homa_nic_message(f.nic, &result) == NULL);
	result = (struct homa_nic_result){ .length = 1 };
	CHECK(homa_nic_message(f.nic, &result) == NULL);
	end(&f);
}

static void code_errno__every_code_has_one_and_a_sentence(void)
{
#define CODE_CHECK(number, name, text) \
	CHECK((homa_nic_code_errno(number) == 0) == (number == 0)); \
	CHECK(homa_nic_code_text(number)[0] != 'u' || number == 0);
	HOMA_NIC_CODES(CODE_CHECK)
#undef CODE_CHECK
	CHECK(homa_nic_code_errno(200) == -EPROTO);
	CHECK(homa_nic_code_text(200) != NULL);
}

static void open__without_a_driver_says_enoent(void)
{
	struct homa_nic *nic = NULL;
	struct homa_nic_options options = { .card = 4242 };

	CHECK(homa_nic_open(&nic, &options) == -ENOENT);
	CHECK(nic == NULL);
	homa_nic_close(NULL);
	homa_nic_thread_close(NULL);
}

#define T(name) { #name, name, NULL }

const struct test call_tests[] = {
	T(nop__returns_the_bytes),
	T(nop__255_slots_then_eagain),
	T(rpc__request_and_response),
	T(recvmsg__a_longer_message_is_truncated),
	T(sendmsg__refuses_bad_arguments_without_a_call),
	T(cancel__ends_an_rpc_and_a_receive),
	T(sendmsg__a_refusal_of_the_card_is_an_errno),
	T(wait__gone_card_spin),
	T(wait__gone_card_sleep),
	T(wait__late_result_spin),
	T(wait__late_result_spin_then_sleep),
	T(wait__late_result_sleep),
	T(thread_open__8_sets_each_in_its_place),
	T(slot_take__threads_do_not_share),
	T(error__is_told_once),
	T(parse_peer__reads_both_families),
	T(own_peer__prefers_ipv4_and_says_when_there_is_none),
	T(message__never_points_outside_the_buffer),
	T(code_errno__every_code_has_one_and_a_sentence),
	T(open__without_a_driver_says_enoent),
	{ NULL, NULL, NULL },
};
