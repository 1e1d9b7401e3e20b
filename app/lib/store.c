// SPDX-License-Identifier: Apache-2.0
/*
 * Three ways of handing 64 bytes to the card.
 *
 * The fence before: stores to a write-combining or uncached place may overtake nothing that the program wrote to its
 * send buffer. The fence after: a write-combining buffer is pushed out now, not when it is next needed. The card
 * counts the eight words of a call in any order, so a path that is split on the way is still whole on arrival.
 */
#include <cpuid.h>
#include <errno.h>
#include <immintrin.h>
#include <string.h>

#include "internal.h"

#define CPUID7_ECX_MOVDIR64B (1u << 28)

bool homa_nic_store_supported(enum homa_nic_store store)
{
	unsigned int a, b, c, d;

	switch (store) {
	case HOMA_NIC_STORE_MOVDIR64B:
		return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & CPUID7_ECX_MOVDIR64B) != 0;
	case HOMA_NIC_STORE_AVX512:
		return __builtin_cpu_supports("avx512f") != 0; /* also asks whether the kernel saves the registers */
	case HOMA_NIC_STORE_AUTO:
	case HOMA_NIC_STORE_WORDS:
		return true;
	}
	return false;
}

const char *homa_nic_store_name(enum homa_nic_store store)
{
	switch (store) {
	case HOMA_NIC_STORE_AUTO:
		return "auto";
	case HOMA_NIC_STORE_MOVDIR64B:
		return "movdir64b";
	case HOMA_NIC_STORE_AVX512:
		return "avx512";
	case HOMA_NIC_STORE_WORDS:
		return "words";
	}
	return "unknown";
}

int homa_nic_store_choose(enum homa_nic_store wanted, enum homa_nic_store *chosen)
{
	static const enum homa_nic_store order[] = { HOMA_NIC_STORE_MOVDIR64B, HOMA_NIC_STORE_AVX512,
						     HOMA_NIC_STORE_WORDS };

	if (wanted != HOMA_NIC_STORE_AUTO) {
		*chosen = wanted;
		return homa_nic_store_supported(wanted) ? 0 : -EOPNOTSUPP;
	}
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (homa_nic_store_supported(order[i])) {
			*chosen = order[i];
			return 0;
		}
	}
	return -EOPNOTSUPP;
}

__attribute__((target("movdir64b"))) static void store_movdir64b(volatile void *to, const void *from)
{
	_movdir64b((void *)(uintptr_t)to, from);
}

__attribute__((target("avx512f"))) static void store_avx512(volatile void *to, const void *from)
{
	_mm512_store_si512((void *)(uintptr_t)to, _mm512_load_si512(from));
}

static void store_words(volatile void *to, const void *from)
{
	volatile uint64_t *words = to;
	uint64_t copy[8];

	memcpy(copy, from, sizeof(copy));
	for (int i = 0; i < 8; i++)
		words[i] = copy[i];
}

void homa_nic_store_call(enum homa_nic_store store, volatile void *to, const void *from)
{
	_mm_sfence();
	switch (store) {
	case HOMA_NIC_STORE_MOVDIR64B:
		store_movdir64b(to, from);
		break;
	case HOMA_NIC_STORE_AVX512:
		store_avx512(to, from);
		break;
	case HOMA_NIC_STORE_AUTO:
	case HOMA_NIC_STORE_WORDS:
		store_words(to, from);
		break;
	}
	_mm_sfence();
}

__attribute__((target("avx512f"))) static void load_avx512(void *to, const volatile void *from)
{
	_mm512_storeu_si512(to, _mm512_load_si512((const void *)(uintptr_t)from));
}

void homa_nic_load_block(void *to, const volatile void *from)
{
	const volatile uint64_t *words = from;
	uint64_t copy[8];

	if (homa_nic_store_supported(HOMA_NIC_STORE_AVX512)) {
		load_avx512(to, from);
		return;
	}
	for (int i = 0; i < 8; i++)
		copy[i] = words[i];
	memcpy(to, copy, sizeof(copy));
}
