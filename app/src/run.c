// SPDX-License-Identifier: Apache-2.0
/* Beginning and end of a measurement. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "perf.h"

volatile sig_atomic_t perf_interrupted;

static void on_signal(int number)
{
	(void)number;
	perf_interrupted = 1;
}

/* What to do about an error of homa_nic_open(). */
static const char *open_remedy(int error)
{
	switch (-error) {
	case ENOENT:
		return "no device files: load the driver (homa-nic load-driver)";
	case EACCES:
		return "no permission: join the group of driver/60-homa-nic.rules, or run as root";
	case EBUSY:
		return "this process has the card open already";
	case EUSERS:
		return "all users of the card are taken: close another program";
	case ENODEV:
		return "the card is gone: see dmesg";
	case EPROTO:
		return "driver and program speak different versions: build both from one tree";
	case EOPNOTSUPP:
		return "this processor does not have that store: use --store auto";
	default:
		return "see dmesg";
	}
}

int perf_begin(struct perf_run *run, const struct perf_settings *settings)
{
	struct sigaction action = { .sa_handler = on_signal };
	int ret;

	*run = (struct perf_run){
		.settings = settings, .unit = "ns", .rate_gbps = -1, .messages_per_s = -1, .elapsed_s = -1,
	};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	ret = homa_nic_open(&run->nic, &settings->options);
	if (ret) {
		fprintf(stderr, "cannot open card %u: %s; %s\n", settings->options.card, strerror(-ret),
			open_remedy(ret));
		return ret == -ENOENT || ret == -EACCES || ret == -ENODEV ? PERF_MISSING : PERF_FAILED;
	}
	ret = homa_nic_thread_open(run->nic, &run->thread);
	if (!ret)
		ret = homa_nic_trace_name("main");
	run->samples = calloc(settings->count ? settings->count : 1, sizeof(*run->samples));
	if (ret || !run->samples) {
		fprintf(stderr, "cannot begin: %s\n", strerror(ret ? -ret : ENOMEM));
		homa_nic_close(run->nic);
		return PERF_FAILED;
	}
	if (settings->trace && settings->count * 2 > HOMA_NIC_TRACE_EVENTS)
		snprintf(run->warning, sizeof(run->warning), "the trace holds the last %u iterations of %" PRIu64,
			 HOMA_NIC_TRACE_EVENTS / 2, settings->count);
	return PERF_OK;
}

void perf_sample(struct perf_run *run, uint64_t i, uint64_t begin, uint64_t end, const char *begin_event,
		 const char *end_event)
{
	if (i < run->settings->warmup || run->measured >= run->settings->count)
		return;
	run->samples[run->measured++] = (double)(end - begin) / homa_nic_cycles_per_ns();
	homa_nic_trace_at(begin, begin_event, 0, 0);
	homa_nic_trace_at(end, end_event, 0, 0);
}

int perf_fail(const char *what, int error, const struct homa_nic_result *result)
{
	fprintf(stderr, "%s failed: %s", what, strerror(error < 0 ? -error : error));
	if (result && result->code)
		fprintf(stderr, " (card: %s)", homa_nic_code_text(result->code));
	fputc('\n', stderr);
	return PERF_FAILED;
}

static int write_trace(const char *path)
{
	FILE *file = fopen(path, "w");
	int ret;

	if (!file) {
		fprintf(stderr, "cannot write %s: %s\n", path, strerror(errno));
		return PERF_FAILED;
	}
	ret = homa_nic_trace_dump(file);
	if (fclose(file) || ret) {
		fprintf(stderr, "cannot write %s: disk full?\n", path);
		return PERF_FAILED;
	}
	return PERF_OK;
}

int perf_end(struct perf_run *run, int code)
{
	bool partial = perf_interrupted && run->measured < run->settings->count;

	if (code == PERF_OK) {
		if (run->settings->trace)
			code = write_trace(run->settings->trace);
		if (run->settings->json)
			perf_print_json(stdout, run, partial);
		else
			perf_print_line(stdout, run, partial);
		if (fflush(stdout) || ferror(stdout))
			code = PERF_FAILED;
		if (partial)
			code = PERF_INTERRUPTED;
	}
	homa_nic_thread_close(run->thread);
	homa_nic_close(run->nic);
	homa_nic_trace_free();
	free(run->samples);
	return code;
}
