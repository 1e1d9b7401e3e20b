// SPDX-License-Identifier: Apache-2.0
/* Test bytes: a small generator (splitmix64) over seed, index and position, so that no two messages are alike. */
#include <string.h>

#include "perf.h"

static uint64_t word_at(uint32_t seed, uint64_t index, size_t word)
{
	uint64_t x = ((uint64_t)seed << 32) + index * UINT64_C(0xd1342543de82ef95) +
		     (word + 1) * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void payload_fill(void *bytes, size_t length, uint32_t seed, uint64_t index)
{
	uint8_t *to = bytes;

	for (size_t at = 0; at < length; at += 8) {
		uint64_t word = word_at(seed, index, at / 8);

		memcpy(to + at, &word, length - at < 8 ? length - at : 8);
	}
}

long payload_check(const void *bytes, size_t length, uint32_t seed, uint64_t index)
{
	const uint8_t *from = bytes;

	for (size_t at = 0; at < length; at += 8) {
		uint64_t word = word_at(seed, index, at / 8);
		size_t part = length - at < 8 ? length - at : 8;

		if (memcmp(from + at, &word, part) == 0)
			continue;
		for (size_t i = 0; i < part; i++)
			if (from[at + i] != ((const uint8_t *)&word)[i])
				return (long)(at + i);
	}
	return -1;
}

void payload_sum(const void *bytes, size_t length, uint8_t sum[PAYLOAD_SUM_BYTES])
{
	const uint8_t *from = bytes;
	uint64_t words[2] = { 0, 0 };

	for (size_t at = 0; at < length; at += 8) {
		uint64_t word = 0;

		memcpy(&word, from + at, length - at < 8 ? length - at : 8);
		words[0] += word;
		words[1] += words[0];
	}
	memcpy(sum, words, PAYLOAD_SUM_BYTES);
}
