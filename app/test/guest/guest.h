// SPDX-License-Identifier: Apache-2.0
/* What the guest tests share: `ok name`, `FAIL name: why`, and a last line with the counts. */
#ifndef GUEST_H
#define GUEST_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../lib/homa_nic.h"

static int guest_passed, guest_failed;
static const char *guest_name;
static bool guest_bad;

/* Begins a test. */
static inline void guest_begin(const char *name)
{
	guest_name = name;
	guest_bad = false;
}

__attribute__((format(printf, 1, 2))) static inline void guest_fail(const char *format, ...)
{
	va_list arguments;

	printf("FAIL %s: ", guest_name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	fflush(stdout);
	guest_bad = true;
}

/* Ends a test. */
static inline void guest_end(void)
{
	if (guest_bad) {
		guest_failed++;
	} else {
		guest_passed++;
		printf("ok %s\n", guest_name);
		fflush(stdout);
	}
}

/* The exit code of a test program. */
static inline int guest_summary(void)
{
	printf("%d passed, %d failed\n", guest_passed, guest_failed);
	return guest_failed != 0;
}

#define EXPECT(condition, ...)                      \
	do {                                        \
		if (!(condition))                   \
			guest_fail(__VA_ARGS__);    \
	} while (0)

/* The number in a file of the card's sysfs folder (relative to it); -1 when it cannot be read. */
static inline long long guest_number(const char *name)
{
	char path[160];
	long long value = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/homa_nic/homa_nic_h2c_metadata/device/%s", name);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "%lld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

static const char *const guest_devices[4] = { HOMA_NIC_DEVICE_H2C_MSGBUFF, HOMA_NIC_DEVICE_C2H_MSGBUFF,
					      HOMA_NIC_DEVICE_C2H_METADATA, HOMA_NIC_DEVICE_H2C_METADATA };

#endif /* GUEST_H */
