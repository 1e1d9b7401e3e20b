// SPDX-License-Identifier: Apache-2.0
/* Each store path on ordinary memory, where this processor has it. */
#include <errno.h>
#include <string.h>

#include "../lib/internal.h"
#include "check.h"
#include "tests.h"

static void store_call__writes_64_bytes_and_no_more(enum homa_nic_store store)
{
	_Alignas(64) uint8_t from[64];
	_Alignas(64) uint8_t to[192];

	for (unsigned int round = 0; round < 256; round++) {
		for (unsigned int i = 0; i < 64; i++)
			from[i] = (uint8_t)(i * 7 + round);
		memset(to, 0xee, sizeof(to));
		homa_nic_store_call(store, to + 64, from);
		CHECK(memcmp(to + 64, from, 64) == 0);
		for (unsigned int i = 0; i < 64; i++) {
			CHECK(to[i] == 0xee);
			CHECK(to[128 + i] == 0xee);
		}
	}
}

static void store_call__words(void)
{
	store_call__writes_64_bytes_and_no_more(HOMA_NIC_STORE_WORDS);
}

static void store_call__avx512(void)
{
	store_call__writes_64_bytes_and_no_more(HOMA_NIC_STORE_AVX512);
}

static void store_call__movdir64b(void)
{
	store_call__writes_64_bytes_and_no_more(HOMA_NIC_STORE_MOVDIR64B);
}

static const char *without_avx512(void)
{
	return homa_nic_store_supported(HOMA_NIC_STORE_AVX512) ? NULL : "this processor has no AVX-512: path never executed";
}

static const char *without_movdir64b(void)
{
	return homa_nic_store_supported(HOMA_NIC_STORE_MOVDIR64B) ? NULL :
								    "this processor has no MOVDIR64B: path never executed";
}

static void store_choose__takes_the_best_and_refuses_what_is_missing(void)
{
	enum homa_nic_store chosen = HOMA_NIC_STORE_AUTO;

	CHECK(homa_nic_store_choose(HOMA_NIC_STORE_AUTO, &chosen) == 0);
	CHECK(chosen != HOMA_NIC_STORE_AUTO);
	CHECK(homa_nic_store_supported(chosen));
	if (homa_nic_store_supported(HOMA_NIC_STORE_MOVDIR64B))
		CHECK(chosen == HOMA_NIC_STORE_MOVDIR64B);
	else if (homa_nic_store_supported(HOMA_NIC_STORE_AVX512))
		CHECK(chosen == HOMA_NIC_STORE_AVX512);
	else
		CHECK(chosen == HOMA_NIC_STORE_WORDS);
	for (enum homa_nic_store store = HOMA_NIC_STORE_MOVDIR64B; store <= HOMA_NIC_STORE_WORDS; store++)
		CHECK(homa_nic_store_choose(store, &chosen) == (homa_nic_store_supported(store) ? 0 : -EOPNOTSUPP));
}

static void load_block__reads_64_bytes(void)
{
	_Alignas(64) uint8_t from[64];
	uint8_t to[66] = { 0 };

	for (unsigned int i = 0; i < 64; i++)
		from[i] = (uint8_t)(200 - i);
	homa_nic_load_block(to + 1, from);
	CHECK(to[0] == 0 && to[65] == 0);
	CHECK(memcmp(to + 1, from, 64) == 0);
}

const struct test store_tests[] = {
	{ "store_call__words", store_call__words, NULL },
	{ "store_call__avx512", store_call__avx512, without_avx512 },
	{ "store_call__movdir64b", store_call__movdir64b, without_movdir64b },
	{ "store_choose__takes_the_best_and_refuses_what_is_missing",
	  store_choose__takes_the_best_and_refuses_what_is_missing, NULL },
	{ "load_block__reads_64_bytes", load_block__reads_64_bytes, NULL },
	{ NULL, NULL, NULL },
};
