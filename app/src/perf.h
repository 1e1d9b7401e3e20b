// SPDX-License-Identifier: Apache-2.0
/* What the perf programs share: settings from the command line, samples, the report. */
#ifndef HOMA_NIC_PERF_H
#define HOMA_NIC_PERF_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../lib/clock.h"
#include "../lib/homa_nic.h"
#include "../lib/time_trace.h"

/* Exit codes, as everywhere in homa-nic. */
enum {
	PERF_OK = 0,
	PERF_FAILED = 1,
	PERF_USAGE = 2,
	PERF_MISSING = 4,
	PERF_INTERRUPTED = 130,
};

/* Settings a program takes beyond those all take. */
enum {
	PERF_TAKES_SIZE = 1 << 0,
	PERF_TAKES_PEER = 1 << 1,
	PERF_TAKES_PORT = 1 << 2,
	PERF_TAKES_WINDOW = 1 << 3,
};

struct perf_settings {
	const char *name; /* of the test, as in result.json */
	uint64_t count; /* measured iterations; a server: requests to serve, 0 = until a signal */
	uint64_t warmup;
	uint32_t size_bytes;
	uint32_t window; /* messages in flight */
	uint32_t seed;
	uint64_t timeout_us; /* for one wait */
	bool json;
	const char *trace; /* file, or NULL */
	struct homa_nic_peer peer;
	uint16_t port; /* server port */
	struct homa_nic_options options;
};

/* A measurement in progress. */
struct perf_run {
	const struct perf_settings *settings;
	struct homa_nic *nic;
	struct homa_nic_thread *thread;
	double *samples; /* nanoseconds */
	uint64_t measured;
	const char *unit; /* "ns" unless set */
	const char *span; /* what lies between start and stop */
	double rate_gbps; /* < 0: not given */
	double messages_per_s; /* < 0: not given */
	double elapsed_s; /* of the measured part; < 0: not given */
	char warning[160]; /* "" = none */
};

/* Set by SIGINT and SIGTERM: finish the iteration, report what there is. */
extern volatile sig_atomic_t perf_interrupted;

/*
 * Reads the command line; takes: PERF_TAKES_* bits; about: a line for --help. Prints usage and exits with 2 (or 0 for
 * --help): nothing has begun yet.
 */
void perf_settings_parse(struct perf_settings *settings, int argc, char **argv, unsigned int takes, const char *about);

/* Opens the card and a thread, allocates samples, starts the trace, catches signals. 0, or an exit code (message printed). */
int perf_begin(struct perf_run *run, const struct perf_settings *settings);

/* Records iteration i (warm-up included): its two instants, and the two events between them. */
void perf_sample(struct perf_run *run, uint64_t i, uint64_t begin, uint64_t end, const char *begin_event,
		 const char *end_event);

/* Says on stderr what failed: `what`, the errno, and for a card's refusal its sentence. Returns PERF_FAILED. */
int perf_fail(const char *what, int error, const struct homa_nic_result *result);

/* Prints the report, writes the trace, closes everything. code: of the measurement. Returns the exit code. */
int perf_end(struct perf_run *run, int code);

/* The report, in result.c: JSON by schemas/result.v1.json, or a line for people. */
void perf_print_json(FILE *out, const struct perf_run *run, bool partial);
void perf_print_line(FILE *out, const struct perf_run *run, bool partial);

/* payload.c: bytes that depend on seed and index, and the check that they arrived: -1, or the first wrong offset. */
void payload_fill(void *bytes, size_t length, uint32_t seed, uint64_t index);
long payload_check(const void *bytes, size_t length, uint32_t seed, uint64_t index);

/* Words a checksum has. */
#define PAYLOAD_SUM_BYTES 16

/* Checksum of a message: sum of its 8-byte little-endian words (the last padded with 0), and sum of those sums. */
void payload_sum(const void *bytes, size_t length, uint8_t sum[PAYLOAD_SUM_BYTES]);

/* serve.c: makes the reply to a request, at most `room` bytes; returns its length, 1 or more. */
typedef uint32_t (*serve_reply)(const void *request, uint32_t length, void *reply, uint32_t room);

/* Serves requests at the port of the settings until count are answered or a signal comes. Returns an exit code. */
int serve(struct perf_run *run, serve_reply reply);

/* loopback.c: switches the MAC's loopback through sysfs. Returns 1 when it was changed, 0 when it was so, or -errno. */
int perf_loopback_set(unsigned int card, bool on);

#endif /* HOMA_NIC_PERF_H */
