// SPDX-License-Identifier: Apache-2.0
/* What the files of the library share, and what its tests use to put memory in the place of a card. */
#ifndef HOMA_NIC_INTERNAL_H
#define HOMA_NIC_INTERNAL_H

#include <stdatomic.h>

#include "homa_nic.h"

#define SLOT_WORDS (HOMA_NIC_SLOTS / 64)

/** A call set. */
struct homa_nic_thread {
	struct homa_nic *nic;
	volatile uint8_t *calls; /**< 512 bytes of the aperture */
	unsigned int index;
};

/** A session. */
struct homa_nic {
	int fds[4]; /**< by HOMA_NIC_REGION_*; -1 in tests */
	struct homa_nic_info info;
	enum homa_nic_store store;
	enum homa_nic_waiting waiting;
	uint64_t spin_cycles;
	unsigned int sleep_us;
	volatile uint8_t *aperture;
	uint8_t *send_buffer;
	uint8_t *receive_buffer;
	uint8_t *results; /**< 256 slots of 64 bytes, written by the card */
	_Atomic uint64_t slots_used[SLOT_WORDS];
	_Atomic uint32_t sets_used;
	struct homa_nic_thread threads[HOMA_NIC_CALL_SETS];
	uint32_t error_sequence;
	atomic_bool dead;
	/** Tests: called after each call was stored, with its offset in the aperture; NULL on a card. */
	void (*after_call)(void *context, unsigned int offset);
	/** Tests: answers homa_nic_alive(); NULL: asks the driver. */
	int (*check_alive)(void *context);
	void *context;
};

/** Fills in what open does after mapping; the maps and info are set. */
int homa_nic_start(struct homa_nic *nic, const struct homa_nic_options *options);

/** Takes a slot (1..255) and clears its status; -EAGAIN. */
int homa_nic_slot_take(struct homa_nic *nic, unsigned int *slot);

/** Gives a slot back. */
void homa_nic_slot_give(struct homa_nic *nic, unsigned int slot);

/** Is the slot taken? */
bool homa_nic_slot_taken(const struct homa_nic *nic, unsigned int slot);

/** Stores 64 bytes (source 64-byte aligned) by a path, fenced before and after. */
void homa_nic_store_call(enum homa_nic_store store, volatile void *to, const void *from);

/** Loads 64 bytes. */
void homa_nic_load_block(void *to, const volatile void *from);

/** Picks a path: `wanted`, or the best for AUTO. -EOPNOTSUPP. */
int homa_nic_store_choose(enum homa_nic_store wanted, enum homa_nic_store *chosen);

#endif /* HOMA_NIC_INTERNAL_H */
