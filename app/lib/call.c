// SPDX-License-Identifier: Apache-2.0
/* The calls: fill in 64 bytes, store them. */
#include <errno.h>
#include <string.h>

#include "internal.h"

#define LENGTH_SHIFT 12

/* A call on the stack, aligned for 64-byte loads. */
struct call {
	_Alignas(64) struct homa_nic_header header;
};

static_assert(sizeof(struct call) == HOMA_NIC_CALL_BYTES, "a call is 64 bytes");

/* Takes a slot, completes the call with it, stores it. */
static int make_call(struct homa_nic_thread *thread, unsigned int offset, struct call *call, uint32_t length,
		     unsigned int *slot)
{
	struct homa_nic *nic = thread->nic;
	int ret = homa_nic_slot_take(nic, slot);

	if (ret)
		return ret;
	call->header.metadata = length << LENGTH_SHIFT | *slot;
	homa_nic_store_call(nic->store, thread->calls + offset, call);
	if (nic->after_call)
		nic->after_call(nic->context, thread->index * HOMA_NIC_CALL_SET_BYTES + offset);
	return 0;
}

int homa_nic_sendmsg(struct homa_nic_thread *thread, const struct homa_nic_send *send, unsigned int *slot)
{
	struct homa_nic *nic = thread->nic;
	struct call call = { 0 };

	if (send->length < 1 || send->length > HOMA_NIC_MAX_MESSAGE_BYTES)
		return -EMSGSIZE;
	memcpy(call.header.daddr, send->peer.address, sizeof(call.header.daddr));
	call.header.dport = send->peer.port;
	call.header.id = send->id;
	call.header.cc = send->cookie;
	if (send->inline_data) {
		struct call payload = { 0 };

		if (send->length > HOMA_NIC_INLINE_BYTES)
			return -EMSGSIZE;
		memcpy(&payload, send->inline_data, send->length);
		homa_nic_store_call(nic->store, thread->calls + HOMA_NIC_INLINE_OFFSET + HOMA_NIC_USER_CALL_SENDMSG,
				    &payload);
		call.header.status = HOMA_NIC_CALL_FLAG_INLINE;
	} else {
		if (send->offset > nic->info.h2c_msgbuff_bytes ||
		    send->length > nic->info.h2c_msgbuff_bytes - send->offset)
			return -EINVAL;
		call.header.buff_addr = send->offset;
	}
	return make_call(thread, HOMA_NIC_USER_CALL_SENDMSG, &call, send->length, slot);
}

int homa_nic_recvmsg(struct homa_nic_thread *thread, const struct homa_nic_receive *receive, unsigned int *slot)
{
	size_t own = homa_nic_receive_buffer_bytes(thread->nic);
	struct call call = { 0 };

	if (receive->match & ~(HOMA_NIC_CALL_FLAG_MATCH_REQUESTS | HOMA_NIC_CALL_FLAG_MATCH_RESPONSES))
		return -EINVAL;
	if (receive->capacity > HOMA_NIC_MAX_MESSAGE_BYTES)
		return -EMSGSIZE;
	if (receive->offset > own || receive->capacity > own - receive->offset)
		return -EINVAL;
	call.header.status = receive->match;
	call.header.buff_addr = receive->offset;
	call.header.id = receive->id;
	call.header.cc = receive->cookie;
	return make_call(thread, HOMA_NIC_USER_CALL_RECVMSG, &call, receive->capacity, slot);
}

int homa_nic_nop(struct homa_nic_thread *thread, const uint8_t bytes[60], unsigned int *slot)
{
	struct call call = { 0 };

	memcpy((uint8_t *)&call + 4, bytes, 60);
	return make_call(thread, HOMA_NIC_USER_CALL_NOP, &call, 0, slot);
}

int homa_nic_cancel(struct homa_nic_thread *thread, uint64_t id, unsigned int *slot)
{
	struct call call = { 0 };

	if (id == 0)
		return -EINVAL;
	call.header.id = id;
	return make_call(thread, HOMA_NIC_USER_CALL_CANCEL, &call, 0, slot);
}

int homa_nic_cancel_receive(struct homa_nic_thread *thread, unsigned int receive_slot, unsigned int *slot)
{
	struct call call = { 0 };

	if (receive_slot < 1 || receive_slot >= HOMA_NIC_SLOTS)
		return -EINVAL;
	call.header.buff_addr = receive_slot;
	return make_call(thread, HOMA_NIC_USER_CALL_CANCEL, &call, 0, slot);
}

int homa_nic_release(struct homa_nic_thread *thread, uint32_t offset, unsigned int *slot)
{
	struct call call = { 0 };

	call.header.buff_addr = offset;
	return make_call(thread, HOMA_NIC_USER_CALL_RELEASE, &call, 0, slot);
}

void homa_nic_read_identity(struct homa_nic_thread *thread, void *out)
{
	homa_nic_load_block(out, thread->calls);
}
