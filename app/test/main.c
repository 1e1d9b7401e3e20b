// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "check.h"
#include "tests.h"

int checks_failed;

int main(int argc, char **argv)
{
	const struct test *const groups[] = { store_tests, call_tests, trace_tests, perf_tests };
	int passed = 0, failed = 0, skipped = 0;

	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		for (const struct test *test = groups[g]; test->name; test++) {
			const char *why = test->why_skip ? test->why_skip() : NULL;
			int before = checks_failed;

			if (argc > 1 && !strstr(test->name, argv[1]))
				continue;
			if (why) {
				printf("skipped %s: %s\n", test->name, why);
				skipped++;
				continue;
			}
			test->run();
			if (checks_failed == before)
				passed++;
			else
				failed++;
			printf("%s %s\n", checks_failed == before ? "ok" : "FAIL", test->name);
		}
	}
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed != 0;
}
