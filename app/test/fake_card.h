// SPDX-License-Identifier: Apache-2.0
/* A card made of ordinary memory: enough of the host interface to test the library without one. */
#ifndef FAKE_CARD_H
#define FAKE_CARD_H

#include "../lib/internal.h"

struct fake_rpc {
	uint64_t id; /* client's id; the server's is id + 1; 0: free */
	unsigned int request_slot;
	unsigned int response_slot;
	uint64_t cookie;
};

struct fake_receive {
	unsigned int slot; /* 0: free */
	uint32_t offset, capacity, match;
	uint64_t id, cookie;
};

struct fake_message {
	uint32_t offset; /* in the pool; 0: free */
	uint32_t length;
	bool is_response;
	bool lent;
	uint64_t id, cookie;
};

struct fake_card {
	struct homa_nic nic; /* the session, wired to this memory */
	uint8_t *aperture, *send, *receive, *results;
	uint16_t sequence;
	uint64_t next_id;
	unsigned int calls;
	struct fake_rpc rpcs[16];
	struct fake_receive receives[256];
	struct fake_message pool[16];
	bool silent; /* takes calls, answers nothing */
	bool absent; /* homa_nic_alive() says ENODEV */
	bool with_inline; /* the latest sendmsg was inline */
};

/* Makes a card whose messages to anybody come back to ourselves. */
struct fake_card *fake_card_new(const struct homa_nic_options *options);
void fake_card_free(struct fake_card *card);

/* Writes a result as the card does: bytes 4..63 first, the status word last. */
void fake_card_result(struct fake_card *card, unsigned int slot, const struct homa_nic_header *header, uint32_t flags,
		      uint32_t code);

#endif /* FAKE_CARD_H */
