// SPDX-License-Identifier: Apache-2.0
/* What the perf programs share: payload, checksum, report. */
#include <stdlib.h>
#include <string.h>

#include "../src/perf.h"
#include "fake_card.h"
#include "tests.h"

static void payload_check__finds_the_first_wrong_byte(void)
{
	uint8_t bytes[101];

	for (size_t length = 1; length <= sizeof(bytes); length++) {
		memset(bytes, 0, sizeof(bytes));
		payload_fill(bytes, length, 3, 5);
		CHECK(payload_check(bytes, length, 3, 5) == -1);
		for (size_t at = 0; at < length; at += 13) {
			bytes[at] ^= 0x10;
			CHECK(payload_check(bytes, length, 3, 5) == (long)at);
			bytes[at] ^= 0x10;
		}
	}
	CHECK(payload_check(bytes, 64, 3, 6) >= 0);
	CHECK(payload_check(bytes, 64, 4, 5) >= 0);
}

static void payload_sum__sees_changes_and_order(void)
{
	uint8_t bytes[20] = { 1, [8] = 2, [19] = 3 }, a[PAYLOAD_SUM_BYTES], b[PAYLOAD_SUM_BYTES];

	payload_sum(bytes, sizeof(bytes), a);
	bytes[0] = 2;
	bytes[8] = 1;
	payload_sum(bytes, sizeof(bytes), b);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	bytes[19] = 4;
	payload_sum(bytes, sizeof(bytes), a);
	CHECK(memcmp(a, b, sizeof(a)) != 0);
}

/* The report of samples 1..n, as text; free it. */
static char *report(uint64_t n, bool json)
{
	struct homa_nic_options options = { .waiting = HOMA_NIC_WAIT_SPIN };
	struct fake_card *card = fake_card_new(&options);
	struct perf_settings settings = { .name = "echo", .count = n, .size_bytes = 64, .seed = 1 };
	struct perf_run run = {
		.settings = &settings, .nic = &card->nic, .unit = "ns", .span = "a \"quoted\" span", .rate_gbps = -1,
		.messages_per_s = -1, .elapsed_s = -1, .measured = n, .samples = calloc(n + 1, sizeof(double)),
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	card->nic.info.build_kind = HOMA_NIC_BUILD_KIND_SIM;
	for (uint64_t i = 0; i < n; i++)
		run.samples[i] = (double)(n - i);
	if (json)
		perf_print_json(out, &run, false);
	else
		perf_print_line(out, &run, false);
	fclose(out);
	free(run.samples);
	fake_card_free(card);
	return text;
}

static void print_json__percentiles_by_nearest_rank(void)
{
	char *text = report(1000, true);

	CHECK(strstr(text, "\"count\":1000,\"min\":1,\"p50\":500,\"p90\":900,\"p99\":990,\"p999\":999,\"max\":1000,\"mean\":500.5,"));
	CHECK(strstr(text, "\"nic\":\"sim\",\"simulated\":true"));
	CHECK(strstr(text, "a \\\"quoted\\\" span"));
	free(text);
}

static void print_json__a_percentile_needs_samples(void)
{
	char *text = report(99, true);

	CHECK(strstr(text, "\"p90\":90,\"p99\":null,\"p999\":null"));
	free(text);
	text = report(0, true);
	CHECK(strstr(text, "\"count\":0,\"min\":null,\"p50\":null"));
	free(text);
}

static void print_line__is_one_line(void)
{
	char *text = report(100, false);

	CHECK(strcmp(text, "echo (sim) 64 bytes, 100 samples: min 1 p50 50 p90 90 p99 99 max 100 ns\n") == 0);
	free(text);
}

const struct test perf_tests[] = {
	{ "payload_check__finds_the_first_wrong_byte", payload_check__finds_the_first_wrong_byte, NULL },
	{ "payload_sum__sees_changes_and_order", payload_sum__sees_changes_and_order, NULL },
	{ "print_json__percentiles_by_nearest_rank", print_json__percentiles_by_nearest_rank, NULL },
	{ "print_json__a_percentile_needs_samples", print_json__a_percentile_needs_samples, NULL },
	{ "print_line__is_one_line", print_line__is_one_line, NULL },
	{ NULL, NULL, NULL },
};
