// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "time_trace.h"

struct event {
	uint64_t cycles;
	const char *format;
	uint32_t a, b;
};

struct ring {
	struct ring *next;
	char tag[16];
	uint64_t recorded; /* events ever; the newest is at (recorded - 1) % HOMA_NIC_TRACE_EVENTS */
	uint64_t printed; /* used by dump */
	struct event events[HOMA_NIC_TRACE_EVENTS];
};

static pthread_mutex_t rings_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ring *rings;
static _Thread_local struct ring *own;

int homa_nic_trace_name(const char *tag)
{
	if (!own) {
		struct ring *ring = calloc(1, sizeof(*ring));

		if (!ring)
			return -ENOMEM;
		memset(ring->events, 1, sizeof(ring->events)); /* touch every page before the timed region */
		pthread_mutex_lock(&rings_lock);
		ring->next = rings;
		rings = ring;
		pthread_mutex_unlock(&rings_lock);
		own = ring;
	}
	strncpy(own->tag, tag, sizeof(own->tag) - 1);
	return 0;
}

void homa_nic_trace_at(uint64_t cycles, const char *format, uint32_t a, uint32_t b)
{
	struct event *event;

	if (!own)
		return;
	event = &own->events[own->recorded++ % HOMA_NIC_TRACE_EVENTS];
	event->cycles = cycles;
	event->format = format;
	event->a = a;
	event->b = b;
}

void homa_nic_trace(const char *format, uint32_t a, uint32_t b)
{
	homa_nic_trace_at(homa_nic_cycles(), format, a, b);
}

void homa_nic_trace_clear(void)
{
	pthread_mutex_lock(&rings_lock);
	for (struct ring *ring = rings; ring; ring = ring->next)
		ring->recorded = 0;
	pthread_mutex_unlock(&rings_lock);
}

/* The ring whose next event is the earliest; NULL when all are printed. Context: rings_lock. */
static struct ring *earliest(void)
{
	struct ring *first = NULL;
	uint64_t first_cycles = UINT64_MAX;

	for (struct ring *ring = rings; ring; ring = ring->next) {
		uint64_t cycles;

		if (ring->printed == ring->recorded)
			continue;
		cycles = ring->events[ring->printed % HOMA_NIC_TRACE_EVENTS].cycles;
		if (cycles < first_cycles) {
			first = ring;
			first_cycles = cycles;
		}
	}
	return first;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void print_event(FILE *out, const struct ring *ring, const struct event *event, double us, double since_us)
{
	char tag[20];

	snprintf(tag, sizeof(tag), "[%s]", ring->tag);
	fprintf(out, "%9.3f us (+%8.3f us) %-6s ", us, since_us, tag);
	fprintf(out, event->format, event->a, event->b);
	fputc('\n', out);
}
#pragma GCC diagnostic pop

int homa_nic_trace_dump(FILE *out)
{
	double ghz = homa_nic_cycles_per_ns();
	uint64_t first = 0;
	double before_us = 0;
	bool begun = false;
	struct ring *ring;

	pthread_mutex_lock(&rings_lock);
	for (ring = rings; ring; ring = ring->next)
		ring->printed = ring->recorded > HOMA_NIC_TRACE_EVENTS ? ring->recorded - HOMA_NIC_TRACE_EVENTS : 0;
	while ((ring = earliest()) != NULL) {
		const struct event *event = &ring->events[ring->printed++ % HOMA_NIC_TRACE_EVENTS];
		double us;

		if (!begun) {
			first = event->cycles;
			fprintf(out, "%9.3f us (+%8.3f us) %-6s First event has timestamp %llu (cpu_ghz %.15f)\n", 0.0, 0.0,
				"[C0]", (unsigned long long)first, ghz);
			begun = true;
		}
		us = (double)(event->cycles - first) / ghz / 1000;
		print_event(out, ring, event, us, us - before_us);
		before_us = us;
	}
	pthread_mutex_unlock(&rings_lock);
	return fflush(out) || ferror(out) ? -EIO : 0;
}

void homa_nic_trace_free(void)
{
	pthread_mutex_lock(&rings_lock);
	while (rings) {
		struct ring *next = rings->next;

		free(rings);
		rings = next;
	}
	pthread_mutex_unlock(&rings_lock);
	own = NULL;
}
