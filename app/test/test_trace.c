// SPDX-License-Identifier: Apache-2.0
/* Time traces: order, format, ring. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/clock.h"
#include "../lib/time_trace.h"
#include "tests.h"

/* The dump as text; free it. */
static char *dump(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	CHECK(homa_nic_trace_dump(out) == 0);
	fclose(out);
	return text;
}

static void dump__has_the_format_of_the_original(void)
{
	double ghz = homa_nic_cycles_per_ns();
	char expected[512], *text;

	CHECK(homa_nic_trace_name("main") == 0);
	homa_nic_trace_at(1000000, "write request", 0, 0);
	homa_nic_trace_at(1000000 + (uint64_t)(1500 * ghz), "write response %u of 0x%x", 7, 255);
	text = dump();
	snprintf(expected, sizeof(expected),
		 "    0.000 us (+   0.000 us) [C0]   First event has timestamp 1000000 (cpu_ghz %.15f)\n"
		 "    0.000 us (+   0.000 us) [main] write request\n"
		 "    1.500 us (+   1.500 us) [main] write response 7 of 0xff\n",
		 ghz);
	CHECK(strcmp(text, expected) == 0);
	free(text);
	homa_nic_trace_clear();
	text = dump();
	CHECK(text[0] == 0);
	free(text);
	homa_nic_trace_free();
}

static void *record_in_thread(void *unused)
{
	(void)unused;
	CHECK(homa_nic_trace_name("R1.1") == 0);
	homa_nic_trace_at(200, "second", 0, 0);
	homa_nic_trace_at(400, "fourth", 0, 0);
	return NULL;
}

static void dump__merges_threads_in_order_of_time(void)
{
	pthread_t thread;
	const char *at;
	char *text;

	CHECK(homa_nic_trace_name("main") == 0);
	homa_nic_trace_at(100, "first", 0, 0);
	homa_nic_trace_at(300, "third", 0, 0);
	CHECK(pthread_create(&thread, NULL, record_in_thread, NULL) == 0);
	pthread_join(thread, NULL);
	text = dump();
	at = strstr(text, "[main] first");
	CHECK(at != NULL);
	at = at ? strstr(at, "[R1.1] second") : NULL;
	CHECK(at != NULL);
	at = at ? strstr(at, "[main] third") : NULL;
	CHECK(at != NULL);
	CHECK(at && strstr(at, "[R1.1] fourth") != NULL);
	free(text);
	homa_nic_trace_free();
}

static void trace__a_full_ring_keeps_the_newest(void)
{
	unsigned int lines = 0;
	char *text;

	CHECK(homa_nic_trace_name("main") == 0);
	for (uint32_t i = 0; i < HOMA_NIC_TRACE_EVENTS + 10; i++)
		homa_nic_trace_at(i + 1, "event %u", i, 0);
	text = dump();
	for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	CHECK(lines == HOMA_NIC_TRACE_EVENTS + 1);
	CHECK(strstr(text, "event 9\n") == NULL);
	CHECK(strstr(text, "event 10\n") != NULL);
	CHECK(strstr(text, "event 65545\n") != NULL);
	free(text);
	homa_nic_trace_free();
}

static void trace__without_a_ring_does_nothing(void)
{
	char *text;

	homa_nic_trace("nobody", 0, 0);
	text = dump();
	CHECK(text[0] == 0);
	free(text);
}

const struct test trace_tests[] = {
	{ "trace__without_a_ring_does_nothing", trace__without_a_ring_does_nothing, NULL },
	{ "dump__has_the_format_of_the_original", dump__has_the_format_of_the_original, NULL },
	{ "dump__merges_threads_in_order_of_time", dump__merges_threads_in_order_of_time, NULL },
	{ "trace__a_full_ring_keeps_the_newest", trace__a_full_ring_keeps_the_newest, NULL },
	{ NULL, NULL, NULL },
};
