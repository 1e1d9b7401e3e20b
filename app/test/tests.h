// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_H
#define TESTS_H

#include "check.h"

/* Each ends with a NULL name. */
extern const struct test store_tests[];
extern const struct test call_tests[];
extern const struct test trace_tests[];
extern const struct test perf_tests[];

#endif /* TESTS_H */
