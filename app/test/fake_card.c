// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_card.h"

#define F(name) HOMA_NIC_RESULT_FLAG_##name
#define POOL_BASE (HOMA_NIC_C2H_MSGBUFF_BYTES / 2)

void fake_card_result(struct fake_card *card, unsigned int slot, const struct homa_nic_header *header, uint32_t flags,
		      uint32_t code)
{
	uint8_t *at = card->results + (size_t)slot * HOMA_NIC_CALL_BYTES;
	_Atomic uint32_t *status = (_Atomic uint32_t *)(void *)at;
	uint32_t old = atomic_load(status) & 0xff;

	if (code)
		flags |= F(FAILED) | F(FINAL);
	memcpy(at + 4, (const uint8_t *)header + 4, HOMA_NIC_CALL_BYTES - 4);
	atomic_store_explicit(status, old | flags | code << 8 | (uint32_t)card->sequence++ << 16, memory_order_release);
}

static uint32_t length_of(const struct homa_nic_header *call)
{
	return call->metadata >> 12;
}

static struct fake_rpc *find_rpc(struct fake_card *card, uint64_t id)
{
	for (int i = 0; i < 16; i++)
		if (card->rpcs[i].id != 0 && card->rpcs[i].id == (id & ~UINT64_C(1)))
			return &card->rpcs[i];
	return NULL;
}

static bool matches(const struct fake_receive *receive, bool is_response, uint64_t id)
{
	uint32_t bit = is_response ? HOMA_NIC_CALL_FLAG_MATCH_RESPONSES : HOMA_NIC_CALL_FLAG_MATCH_REQUESTS;

	return receive->slot && (receive->match == 0 || receive->match & bit) && (receive->id == 0 || receive->id == id);
}

/* A message has come for a posted receive. */
static void deliver(struct fake_card *card, struct fake_receive *receive, const uint8_t *bytes, uint32_t length,
		    const struct fake_message *message)
{
	uint32_t part = length < receive->capacity ? length : receive->capacity;
	struct homa_nic_header result = {
		.buff_addr = receive->offset, .metadata = length << 12 | receive->slot, .id = message->id,
		.cc = message->is_response ? message->cookie : receive->cookie, .dport = 7, .sport = 4000,
	};
	unsigned int slot = receive->slot;

	memcpy(card->receive + receive->offset, bytes, part);
	receive->slot = 0;
	fake_card_result(card, slot, &result, F(DELIVERED) | F(FINAL) | (part < length ? F(TRUNCATED) : 0), 0);
}

static void arrive(struct fake_card *card, const uint8_t *bytes, uint32_t length, bool is_response, uint64_t id,
		   uint64_t cookie)
{
	struct fake_message message = { .is_response = is_response, .id = id, .cookie = cookie, .length = length };

	for (int i = 1; i < 256; i++) {
		if (card->receives[i].capacity && matches(&card->receives[i], is_response, id)) {
			deliver(card, &card->receives[i], bytes, length, &message);
			return;
		}
	}
	for (unsigned int i = 0; i < 16; i++) {
		if (card->pool[i].offset)
			continue;
		card->pool[i] = message;
		card->pool[i].offset = POOL_BASE + i * HOMA_NIC_POOL_CHUNK_BYTES;
		memcpy(card->receive + card->pool[i].offset, bytes, length);
		return;
	}
}

static uint32_t sendmsg_call(struct fake_card *card, const struct homa_nic_header *call, unsigned int slot,
			     unsigned int offset)
{
	bool is_inline = (call->status & HOMA_NIC_CALL_FLAG_INLINE) != 0;
	const uint8_t *bytes = is_inline ? card->aperture + offset + HOMA_NIC_INLINE_OFFSET : card->send + call->buff_addr;
	struct homa_nic_header result = *call;
	struct fake_rpc *rpc;

	card->with_inline = is_inline;
	if (call->dport == 0)
		return HOMA_NIC_CODE_BAD_PEER;
	if (call->id == 0) {
		for (rpc = card->rpcs; rpc->id; rpc++)
			if (rpc == &card->rpcs[15])
				return HOMA_NIC_CODE_TABLE_FULL;
		*rpc = (struct fake_rpc){ .id = card->next_id += 2, .request_slot = slot, .cookie = call->cc };
		result.id = rpc->id;
		fake_card_result(card, slot, &result, F(ACCEPTED), 0);
		arrive(card, bytes, length_of(call), false, rpc->id + 1, 0);
		return HOMA_NIC_CODE_OK;
	}
	rpc = find_rpc(card, call->id);
	if (!rpc)
		return HOMA_NIC_CODE_NO_RPC;
	fake_card_result(card, slot, &result, F(ACCEPTED), 0);
	arrive(card, bytes, length_of(call), true, rpc->id, rpc->cookie);
	result.id = rpc->id;
	result.metadata = rpc->request_slot;
	fake_card_result(card, rpc->request_slot, &result, F(FINAL) | F(BUFFER_REUSABLE), 0);
	fake_card_result(card, slot, call, F(FINAL) | F(DELIVERED) | F(BUFFER_REUSABLE), 0);
	rpc->id = 0;
	return HOMA_NIC_CODE_OK;
}

static uint32_t recvmsg_call(struct fake_card *card, const struct homa_nic_header *call, unsigned int slot)
{
	struct fake_receive receive = {
		.slot = slot, .offset = call->buff_addr, .capacity = length_of(call), .match = call->status,
		.id = call->id, .cookie = call->cc,
	};

	for (int i = 0; i < 16; i++) {
		struct fake_message *message = &card->pool[i];
		struct homa_nic_header result = {
			.buff_addr = message->offset, .metadata = message->length << 12 | slot, .id = message->id,
			.cc = message->is_response ? message->cookie : call->cc,
		};

		if (!message->offset || message->lent || !matches(&receive, message->is_response, message->id))
			continue;
		message->lent = true;
		fake_card_result(card, slot, &result, F(DELIVERED) | F(FINAL) | F(IN_POOL), 0);
		return HOMA_NIC_CODE_OK;
	}
	card->receives[slot] = receive;
	return HOMA_NIC_CODE_OK;
}

static uint32_t cancel_call(struct fake_card *card, const struct homa_nic_header *call, unsigned int slot)
{
	struct fake_rpc *rpc = call->id ? find_rpc(card, call->id) : NULL;
	struct homa_nic_header result = *call;

	if (call->id && !rpc)
		return HOMA_NIC_CODE_NO_RPC;
	if (!call->id && (call->buff_addr > 255 || !card->receives[call->buff_addr].slot))
		return HOMA_NIC_CODE_NO_RECVMSG;
	if (rpc) {
		fake_card_result(card, rpc->request_slot, &result, F(BUFFER_REUSABLE), HOMA_NIC_CODE_CANCELLED);
		rpc->id = 0;
	} else {
		card->receives[call->buff_addr].slot = 0;
		fake_card_result(card, call->buff_addr, &result, 0, HOMA_NIC_CODE_CANCELLED);
	}
	fake_card_result(card, slot, &result, F(ACCEPTED) | F(FINAL), 0);
	return HOMA_NIC_CODE_OK;
}

static uint32_t release_call(struct fake_card *card, const struct homa_nic_header *call, unsigned int slot)
{
	for (int i = 0; i < 16; i++) {
		if (!card->pool[i].lent || card->pool[i].offset != call->buff_addr)
			continue;
		card->pool[i] = (struct fake_message){ 0 };
		fake_card_result(card, slot, call, F(ACCEPTED) | F(FINAL), 0);
		return HOMA_NIC_CODE_OK;
	}
	return HOMA_NIC_CODE_NOT_IN_POOL;
}

static void after_call(void *context, unsigned int offset)
{
	struct fake_card *card = context;
	struct homa_nic_header call;
	unsigned int slot;
	uint32_t code;

	card->calls++;
	if (card->silent)
		return;
	memcpy(&call, card->aperture + offset, sizeof(call));
	slot = call.metadata & 0xfff;
	switch (offset % HOMA_NIC_CALL_SET_BYTES) {
	case HOMA_NIC_USER_CALL_SENDMSG:
		code = sendmsg_call(card, &call, slot, offset);
		break;
	case HOMA_NIC_USER_CALL_RECVMSG:
		code = recvmsg_call(card, &call, slot);
		break;
	case HOMA_NIC_USER_CALL_NOP:
		fake_card_result(card, slot, &call, F(ACCEPTED) | F(FINAL), 0);
		return;
	case HOMA_NIC_USER_CALL_CANCEL:
		code = cancel_call(card, &call, slot);
		break;
	case HOMA_NIC_USER_CALL_RELEASE:
		code = release_call(card, &call, slot);
		break;
	default:
		code = HOMA_NIC_CODE_BAD_CALL;
	}
	if (code)
		fake_card_result(card, slot, &call, 0, code);
}

static int check_alive(void *context)
{
	return ((struct fake_card *)context)->absent ? -ENODEV : 0;
}

struct fake_card *fake_card_new(const struct homa_nic_options *options)
{
	struct fake_card *card = calloc(1, sizeof(*card));

	if (!card)
		abort();
	card->aperture = aligned_alloc(4096, HOMA_NIC_APERTURE_BYTES);
	card->send = aligned_alloc(4096, HOMA_NIC_H2C_MSGBUFF_BYTES);
	card->receive = aligned_alloc(4096, HOMA_NIC_C2H_MSGBUFF_BYTES);
	card->results = aligned_alloc(4096, HOMA_NIC_METADATA_BYTES);
	if (!card->aperture || !card->send || !card->receive || !card->results)
		abort();
	memset(card->aperture, 0, HOMA_NIC_APERTURE_BYTES);
	memset(card->results, 0, HOMA_NIC_METADATA_BYTES);
	card->next_id = 100;
	card->nic.aperture = card->aperture;
	card->nic.send_buffer = card->send;
	card->nic.receive_buffer = card->receive;
	card->nic.results = card->results;
	card->nic.info.h2c_msgbuff_bytes = HOMA_NIC_H2C_MSGBUFF_BYTES;
	card->nic.info.c2h_msgbuff_bytes = HOMA_NIC_C2H_MSGBUFF_BYTES;
	card->nic.info.client_port = 0x8001;
	card->nic.after_call = after_call;
	card->nic.check_alive = check_alive;
	card->nic.context = card;
	if (homa_nic_store_choose(options->store, &card->nic.store))
		abort();
	homa_nic_start(&card->nic, options);
	return card;
}

void fake_card_free(struct fake_card *card)
{
	free(card->aperture);
	free(card->send);
	free(card->receive);
	free(card->results);
	free(card);
}
