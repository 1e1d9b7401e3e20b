// SPDX-License-Identifier: Apache-2.0
/* The report of a perf program, as schemas/result.v1.json has it, and as a line for people. */
#include <cpuid.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "perf.h"

#ifndef HOMA_NIC_GIT_HASH
#define HOMA_NIC_GIT_HASH ""
#endif
#define CPUID1_ECX_HYPERVISOR (1u << 31)

/* Percentiles by nearest rank; -1 stands for "needs more samples". */
struct summary {
	double min, p50, p90, p99, p999, max, mean, deviation;
};

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Percentile p of n sorted samples needs n >= 1 / (1 - p). */
static double percentile(const double *sorted, uint64_t n, uint64_t thousandths)
{
	if (n * (1000 - thousandths) < 1000)
		return -1;
	return sorted[(n * thousandths + 999) / 1000 - 1];
}

static struct summary summarize(const double *samples, uint64_t n)
{
	struct summary s = { -1, -1, -1, -1, -1, -1, -1, -1 };
	double *sorted = n ? malloc(n * sizeof(*sorted)) : NULL;
	double squares = 0;

	if (!sorted)
		return s;
	memcpy(sorted, samples, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), ascending);
	s.min = sorted[0];
	s.max = sorted[n - 1];
	s.p50 = percentile(sorted, n, 500);
	s.p90 = percentile(sorted, n, 900);
	s.p99 = percentile(sorted, n, 990);
	s.p999 = percentile(sorted, n, 999);
	s.mean = 0;
	for (uint64_t i = 0; i < n; i++)
		s.mean += sorted[i] / (double)n;
	for (uint64_t i = 0; i < n; i++)
		squares += (sorted[i] - s.mean) * (sorted[i] - s.mean);
	if (n > 1)
		s.deviation = sqrt(squares / (double)(n - 1));
	free(sorted);
	return s;
}

static void json_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void json_number(FILE *out, const char *name, double value, const char *after)
{
	if (value < 0)
		fprintf(out, "\"%s\":null%s", name, after);
	else
		fprintf(out, "\"%s\":%.10g%s", name, value, after);
}

/* The first line of a file that begins with prefix, behind its colon (or whole when prefix is ""). "" when none. */
static void first_line(const char *path, const char *prefix, char *line, size_t size)
{
	FILE *file = fopen(path, "r");
	char text[256];

	line[0] = 0;
	if (!file)
		return;
	while (fgets(text, sizeof(text), file)) {
		const char *from = text;

		if (strncmp(text, prefix, strlen(prefix)) != 0)
			continue;
		if (*prefix && strchr(text, ':'))
			from = strchr(text, ':') + 1;
		from += strspn(from, " \t");
		snprintf(line, size, "%.*s", (int)strcspn(from, "\n"), from);
		break;
	}
	fclose(file);
}

static void print_environment(FILE *out)
{
	unsigned int a, b, c = 0, d;
	struct utsname system;
	char line[160];

	first_line("/proc/cpuinfo", "model name", line, sizeof(line));
	fputs("\"environment\":{\"cpuModel\":", out);
	json_string(out, line[0] ? line : "unknown");
	fprintf(out, ",\"cores\":%ld,\"governor\":", sysconf(_SC_NPROCESSORS_ONLN));
	first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", line, sizeof(line));
	if (line[0])
		json_string(out, line);
	else
		fputs("null", out);
	fputs(",\"kernel\":", out);
	json_string(out, uname(&system) == 0 ? system.release : "unknown");
	fputs(",\"node\":\"none (C program)\",\"gitHash\":", out);
	if (HOMA_NIC_GIT_HASH[0])
		json_string(out, HOMA_NIC_GIT_HASH);
	else
		fputs("null", out);
	__get_cpuid(1, &a, &b, &c, &d);
	fprintf(out, ",\"gitDirty\":null,\"virtualMachine\":%s}", c & CPUID1_ECX_HYPERVISOR ? "true" : "false");
}

static const char *nic_kind(const struct homa_nic_info *info)
{
	switch (info->build_kind) {
	case HOMA_NIC_BUILD_KIND_SIM:
		return "sim";
	case HOMA_NIC_BUILD_KIND_RTL:
		return "rtl";
	default:
		return "card";
	}
}

static void print_test(FILE *out, const struct perf_run *run)
{
	const struct perf_settings *settings = run->settings;
	struct summary s = summarize(run->samples, run->measured);

	fprintf(out, "{\"name\":\"%s\",\"sizeBytes\":%" PRIu32 ",\"unit\":\"%s\",\"clock\":\"tsc\",\"span\":", settings->name,
		settings->size_bytes, run->unit);
	json_string(out, run->span);
	fprintf(out, ",\"count\":%" PRIu64 ",\"samplesNs\":[", run->measured);
	for (uint64_t i = 0; i < run->measured; i++)
		fprintf(out, "%s%.10g", i ? "," : "", run->samples[i]);
	fprintf(out, "],\"summary\":{\"count\":%" PRIu64 ",", run->measured);
	json_number(out, "min", s.min, ",");
	json_number(out, "p50", s.p50, ",");
	json_number(out, "p90", s.p90, ",");
	json_number(out, "p99", s.p99, ",");
	json_number(out, "p999", s.p999, ",");
	json_number(out, "max", s.max, ",");
	json_number(out, "mean", s.mean, ",");
	json_number(out, "deviation", s.deviation, "},");
	if (run->rate_gbps >= 0)
		json_number(out, "rateGbps", run->rate_gbps, ",");
	fputs("\"details\":{", out);
	if (run->elapsed_s >= 0)
		json_number(out, "elapsedS", run->elapsed_s, run->messages_per_s >= 0 ? "," : "");
	if (run->messages_per_s >= 0)
		json_number(out, "messagesPerS", run->messages_per_s, "");
	fputs("},\"warnings\":[", out);
	if (run->warning[0])
		json_string(out, run->warning);
	fputs("]}", out);
}

void perf_print_json(FILE *out, const struct perf_run *run, bool partial)
{
	const struct perf_settings *settings = run->settings;
	const struct homa_nic_info *info = homa_nic_info(run->nic);

	fprintf(out, "{\"schemaVersion\":1,\"kind\":\"app\",\"nic\":\"%s\",\"simulated\":%s,\"profile\":null,\"seed\":%" PRIu32 ",",
		nic_kind(info), info->build_kind == HOMA_NIC_BUILD_KIND_CARD ? "false" : "true", settings->seed);
	fprintf(out,
		"\"settings\":{\"count\":%" PRIu64 ",\"warmup\":%" PRIu64 ",\"sizeBytes\":%" PRIu32 ",\"window\":%" PRIu32
		",\"store\":\"%s\",\"card\":%u},",
		settings->count, settings->warmup, settings->size_bytes, settings->window,
		homa_nic_store_name(homa_nic_store_used(run->nic)), settings->options.card);
	print_environment(out);
	fprintf(out, ",\"versions\":{\"interface\":\"%u.%u\",\"build\":\"%08x\",\"driverApi\":\"%u\"},",
		info->interface_version >> 16, info->interface_version & 0xffff, info->build_id, info->api_version);
	fprintf(out, "\"partial\":%s,\"tests\":[", partial ? "true" : "false");
	print_test(out, run);
	fputs("],\"warnings\":[]}\n", out);
}

static void print_figure(FILE *out, const char *name, double value)
{
	if (value < 0)
		fprintf(out, " %s -", name);
	else
		fprintf(out, " %s %.0f", name, value);
}

void perf_print_line(FILE *out, const struct perf_run *run, bool partial)
{
	const struct perf_settings *settings = run->settings;
	struct summary s = summarize(run->samples, run->measured);

	fprintf(out, "%s (%s) %" PRIu32 " bytes, %" PRIu64 " samples%s:", settings->name,
		nic_kind(homa_nic_info(run->nic)), settings->size_bytes, run->measured, partial ? ", interrupted" : "");
	if (run->measured) {
		print_figure(out, "min", s.min);
		print_figure(out, "p50", s.p50);
		print_figure(out, "p90", s.p90);
		print_figure(out, "p99", s.p99);
		print_figure(out, "max", s.max);
		fprintf(out, " %s", run->unit);
	}
	if (run->rate_gbps >= 0)
		fprintf(out, " %.6f Gbit/s", run->rate_gbps);
	if (run->messages_per_s >= 0)
		fprintf(out, " %.1f messages/s", run->messages_per_s);
	fputc('\n', out);
	if (run->warning[0])
		fprintf(stderr, "warning: %s\n", run->warning);
}
