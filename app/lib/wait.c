// SPDX-License-Identifier: Apache-2.0
/* Slots: who has them, what they say, waiting for that. */
#include <errno.h>
#include <immintrin.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "internal.h"

#define LENGTH_SHIFT 12
#define ALIVE_INTERVAL_NS 100000000u
#define SPINS_PER_CLOCK_LOOK 64

/* The status word of a slot, as the card writes it. */
static _Atomic uint32_t *status_word(const struct homa_nic *nic, unsigned int slot)
{
	return (_Atomic uint32_t *)(void *)(nic->results + (size_t)slot * HOMA_NIC_CALL_BYTES);
}

int homa_nic_slot_take(struct homa_nic *nic, unsigned int *slot)
{
	if (atomic_load_explicit(&nic->dead, memory_order_relaxed))
		return -ENODEV;
	for (unsigned int word = 0; word < SLOT_WORDS; word++) {
		uint64_t used = atomic_load_explicit(&nic->slots_used[word], memory_order_relaxed);

		while (~used) {
			unsigned int bit = (unsigned int)__builtin_ctzll(~used);

			if (atomic_compare_exchange_weak_explicit(&nic->slots_used[word], &used,
								  used | UINT64_C(1) << bit, memory_order_acquire,
								  memory_order_relaxed)) {
				*slot = word * 64 + bit;
				/* The fence before the call orders this before anything the card does. */
				atomic_store_explicit(status_word(nic, *slot), 0, memory_order_relaxed);
				return 0;
			}
		}
	}
	return -EAGAIN;
}

void homa_nic_slot_give(struct homa_nic *nic, unsigned int slot)
{
	atomic_fetch_and_explicit(&nic->slots_used[slot / 64], ~(UINT64_C(1) << slot % 64), memory_order_release);
}

bool homa_nic_slot_taken(const struct homa_nic *nic, unsigned int slot)
{
	if (slot < 1 || slot >= HOMA_NIC_SLOTS)
		return false;
	return (atomic_load_explicit(&nic->slots_used[slot / 64], memory_order_relaxed) >> slot % 64 & 1) != 0;
}

const volatile void *homa_nic_slot_bytes(const struct homa_nic *nic, unsigned int slot)
{
	return nic->results + (size_t)slot * HOMA_NIC_CALL_BYTES;
}

/* Reads a slot. The status is loaded first, with acquire: the other bytes were written before it. */
static void read_slot(const struct homa_nic *nic, unsigned int slot, struct homa_nic_result *result)
{
	uint32_t status = atomic_load_explicit(status_word(nic, slot), memory_order_acquire);
	struct homa_nic_header header;

	memcpy(&header, nic->results + (size_t)slot * HOMA_NIC_CALL_BYTES, sizeof(header));
	result->flags = status & 0xff;
	result->code = status >> 8 & 0xff;
	result->sequence = status >> 16;
	result->length = header.metadata >> LENGTH_SHIFT;
	result->offset = header.buff_addr;
	memcpy(result->peer.address, header.daddr, sizeof(result->peer.address));
	result->peer.port = header.dport;
	result->own_port = header.sport;
	result->id = header.id;
	result->cookie = header.cc;
}

int homa_nic_poll(struct homa_nic *nic, unsigned int slot, struct homa_nic_result *result)
{
	if (!homa_nic_slot_taken(nic, slot))
		return -EINVAL;
	read_slot(nic, slot, result);
	if (result->flags & HOMA_NIC_RESULT_FLAG_FINAL)
		homa_nic_slot_give(nic, slot);
	return 0;
}

bool homa_nic_error(struct homa_nic *nic, struct homa_nic_result *result)
{
	read_slot(nic, 0, result);
	if (!(result->flags & HOMA_NIC_RESULT_FLAG_FAILED) || result->sequence == nic->error_sequence)
		return false;
	nic->error_sequence = result->sequence;
	return true;
}

/* Slots that are waited for together. */
struct watch {
	const struct homa_nic *nic;
	const unsigned int *slots;
	unsigned int count;
	uint32_t flags;
};

/* Index of the first slot with a flag, or -1. */
static int look(const struct watch *watch)
{
	for (unsigned int i = 0; i < watch->count; i++)
		if (atomic_load_explicit(status_word(watch->nic, watch->slots[i]), memory_order_acquire) & watch->flags)
			return (int)i;
	return -1;
}

/* Looks until a flag is there or the cycles are over: index or -1. */
static int spin(const struct watch *watch, uint64_t cycles)
{
	uint64_t begin = homa_nic_cycles();

	do {
		for (int i = 0; i < SPINS_PER_CLOCK_LOOK; i++) {
			int found = look(watch);

			if (found >= 0)
				return found;
			_mm_pause();
		}
	} while (homa_nic_cycles() - begin < cycles);
	return -1;
}

static void nap(unsigned int sleep_us)
{
	struct timespec time = { .tv_sec = sleep_us / 1000000, .tv_nsec = (long)(sleep_us % 1000000) * 1000 };

	nanosleep(&time, NULL);
}

/* Waits for a flag: index of the slot, -ETIME or -ENODEV. */
static int await_flags(struct homa_nic *nic, const struct watch *watch, uint64_t time_us)
{
	uint64_t begin_ns = homa_nic_now_ns();
	uint64_t alive_ns = begin_ns;
	bool sleeping = nic->waiting == HOMA_NIC_WAIT_SLEEP;

	for (;;) {
		int found = sleeping ? look(watch) : spin(watch, nic->spin_cycles);
		uint64_t now_ns;

		if (found >= 0)
			return found;
		now_ns = homa_nic_now_ns();
		if (time_us != HOMA_NIC_FOREVER && (now_ns - begin_ns) / 1000 >= time_us)
			return -ETIME;
		if (now_ns - alive_ns >= ALIVE_INTERVAL_NS) {
			alive_ns = now_ns;
			if (homa_nic_alive(nic) == -ENODEV)
				return -ENODEV;
		}
		if (nic->waiting == HOMA_NIC_WAIT_SPIN_THEN_SLEEP)
			sleeping = true;
		if (sleeping)
			nap(nic->sleep_us);
	}
}

int homa_nic_wait_any(struct homa_nic *nic, const unsigned int *slots, unsigned int count, uint32_t flags,
		      uint64_t time_us, unsigned int *which, struct homa_nic_result *result)
{
	struct watch watch = { nic, slots, count, flags | HOMA_NIC_RESULT_FLAG_FINAL };
	int ret;

	for (unsigned int i = 0; i < count; i++)
		if (!homa_nic_slot_taken(nic, slots[i]))
			return -EINVAL;
	ret = await_flags(nic, &watch, time_us);
	if (ret < 0)
		return ret;
	*which = (unsigned int)ret;
	ret = homa_nic_poll(nic, slots[*which], result);
	if (ret)
		return ret;
	return result->flags & HOMA_NIC_RESULT_FLAG_FAILED ? homa_nic_code_errno(result->code) : 0;
}

int homa_nic_wait(struct homa_nic *nic, unsigned int slot, uint32_t flags, uint64_t time_us,
		  struct homa_nic_result *result)
{
	unsigned int which;

	return homa_nic_wait_any(nic, &slot, 1, flags, time_us, &which, result);
}
