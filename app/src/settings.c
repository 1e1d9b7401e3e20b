// SPDX-License-Identifier: Apache-2.0
/* The command line of the perf programs. */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "perf.h"

enum {
	OPTION_COUNT = 256,
	OPTION_WARMUP,
	OPTION_SIZE,
	OPTION_WINDOW,
	OPTION_SEED,
	OPTION_TIMEOUT,
	OPTION_CARD,
	OPTION_STORE,
	OPTION_WAIT,
	OPTION_TRACE,
	OPTION_JSON,
	OPTION_PEER,
	OPTION_PORT,
	OPTION_HELP,
};

static const struct option long_options[] = {
	{ "count", required_argument, NULL, OPTION_COUNT },   { "warmup", required_argument, NULL, OPTION_WARMUP },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "window", required_argument, NULL, OPTION_WINDOW }, { "seed", required_argument, NULL, OPTION_SEED },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT }, { "card", required_argument, NULL, OPTION_CARD },
	{ "store", required_argument, NULL, OPTION_STORE },   { "wait", required_argument, NULL, OPTION_WAIT },
	{ "trace", required_argument, NULL, OPTION_TRACE },   { "json", no_argument, NULL, OPTION_JSON },
	{ "peer", required_argument, NULL, OPTION_PEER },     { "port", required_argument, NULL, OPTION_PORT },
	{ "help", no_argument, NULL, OPTION_HELP },	      { NULL, 0, NULL, 0 },
};

static void usage(FILE *out, const char *program, unsigned int takes, const char *about)
{
	fprintf(out, "%s: %s\n\n", program, about);
	fprintf(out, "  --count N       measured iterations (a server: requests to serve, 0 = until Ctrl-C)\n"
		     "  --warmup N      iterations before, not reported\n");
	if (takes & PERF_TAKES_SIZE)
		fprintf(out, "  --size BYTES    message size, 1 to 1000000 (a server: the longest)\n");
	if (takes & PERF_TAKES_WINDOW)
		fprintf(out, "  --window N      messages in flight (default 8)\n");
	if (takes & PERF_TAKES_PEER)
		fprintf(out, "  --peer ADDRESS  server, as 10.0.0.2:4000 or [fd00::2]:4000\n");
	if (takes & PERF_TAKES_PORT)
		fprintf(out, "  --port N        server port, 1 to 32767 (default 4000)\n");
	fprintf(out, "  --seed N        of the payload (default 1)\n"
		     "  --timeout S     give up after S seconds without an answer (default 10)\n"
		     "  --card N        card number (default 0)\n"
		     "  --store PATH    auto, movdir64b, avx512, words (default auto)\n"
		     "  --wait HOW      spin, sleep, both (default spin)\n"
		     "  --trace FILE    write the time trace there\n"
		     "  --json          one JSON document on standard output (schemas/result.v1.json)\n");
}

__attribute__((noreturn, format(printf, 2, 3))) static void refuse(const char *program, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s: ", program);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "; see %s --help\n", program);
	exit(PERF_USAGE);
}

static uint64_t number(const char *program, const char *option, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long value = strtoull(text, &end, 0);

	if (*text == '-' || *text == 0 || *end != 0 || value < least || value > most)
		refuse(program, "--%s %s: expected a number from %llu to %llu", option, text, (unsigned long long)least,
		       (unsigned long long)most);
	return value;
}

/* Index of text in names; refuses when it is none. */
static unsigned int choice(const char *program, const char *option, const char *text, const char *const *names,
			   unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	refuse(program, "--%s %s: unknown", option, text);
}

static bool is_taken(int option, unsigned int takes)
{
	switch (option) {
	case OPTION_SIZE:
		return (takes & PERF_TAKES_SIZE) != 0;
	case OPTION_WINDOW:
		return (takes & PERF_TAKES_WINDOW) != 0;
	case OPTION_PEER:
		return (takes & PERF_TAKES_PEER) != 0;
	case OPTION_PORT:
		return (takes & PERF_TAKES_PORT) != 0;
	default:
		return true;
	}
}

static void apply(struct perf_settings *settings, const char *program, int option, const char *name)
{
	static const char *const stores[] = { "auto", "movdir64b", "avx512", "words" };
	static const char *const waits[] = { "both", "spin", "sleep" };

	switch (option) {
	case OPTION_COUNT:
		settings->count = number(program, name, optarg, 0, 100000000);
		break;
	case OPTION_WARMUP:
		settings->warmup = number(program, name, optarg, 0, 100000000);
		break;
	case OPTION_SIZE:
		settings->size_bytes = (uint32_t)number(program, name, optarg, 1, HOMA_NIC_MAX_MESSAGE_BYTES);
		break;
	case OPTION_WINDOW:
		settings->window = (uint32_t)number(program, name, optarg, 1, 64);
		break;
	case OPTION_SEED:
		settings->seed = (uint32_t)number(program, name, optarg, 0, UINT32_MAX);
		break;
	case OPTION_TIMEOUT:
		settings->timeout_us = number(program, name, optarg, 1, 86400) * 1000000;
		break;
	case OPTION_CARD:
		settings->options.card = (unsigned int)number(program, name, optarg, 0, 15);
		break;
	case OPTION_STORE:
		settings->options.store = (enum homa_nic_store)choice(program, name, optarg, stores, 4);
		break;
	case OPTION_WAIT:
		settings->options.waiting = (enum homa_nic_waiting)choice(program, name, optarg, waits, 3);
		break;
	case OPTION_TRACE:
		settings->trace = optarg;
		break;
	case OPTION_JSON:
		settings->json = true;
		break;
	case OPTION_PEER:
		if (homa_nic_parse_peer(optarg, &settings->peer))
			refuse(program, "--peer %s: expected 10.0.0.2:4000 or [fd00::2]:4000", optarg);
		break;
	case OPTION_PORT:
		settings->port = (uint16_t)number(program, name, optarg, HOMA_NIC_SERVER_PORT_MIN,
						  HOMA_NIC_SERVER_PORT_MAX);
		break;
	default:
		break;
	}
}

void perf_settings_parse(struct perf_settings *settings, int argc, char **argv, unsigned int takes, const char *about)
{
	const char *program = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
	int option, index = 0;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		if (option == '?')
			refuse(program, "%s: unknown option, or its value is missing", argv[optind - 1]);
		if (option == OPTION_HELP) {
			usage(stdout, program, takes, about);
			exit(PERF_OK);
		}
		if (!is_taken(option, takes))
			refuse(program, "--%s does not belong to this program", long_options[index].name);
		apply(settings, program, option, long_options[index].name);
	}
	if (optind < argc)
		refuse(program, "unexpected argument %s", argv[optind]);
	if ((takes & PERF_TAKES_PEER) && settings->peer.port == 0)
		refuse(program, "--peer is missing");
}
