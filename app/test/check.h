// SPDX-License-Identifier: Apache-2.0
/* The smallest test harness: CHECK counts, TEST names, skipped says why. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

extern int checks_failed;

#define CHECK(condition)                                                                     \
	do {                                                                                 \
		if (!(condition)) {                                                          \
			checks_failed++;                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
		}                                                                            \
	} while (0)

/* One test: a function and its name; why: NULL, or why it is skipped. */
struct test {
	const char *name;
	void (*run)(void);
	const char *(*why_skip)(void);
};

#endif /* CHECK_H */
