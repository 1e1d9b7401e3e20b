// SPDX-License-Identifier: Apache-2.0
/* The MAC's loopback, through the driver's sysfs file. */
#include <errno.h>

#include "perf.h"

int perf_loopback_set(unsigned int card, bool on)
{
	char path[128];
	FILE *file;
	int now;

	if (card == 0)
		snprintf(path, sizeof(path), "/sys/class/homa_nic/homa_nic_h2c_metadata/device/homa_config/mac_loopback");
	else
		snprintf(path, sizeof(path), "/sys/class/homa_nic/homa_nic%u_h2c_metadata/device/homa_config/mac_loopback",
			 card);
	file = fopen(path, "r");
	if (!file)
		return -errno;
	now = fgetc(file) == '1';
	fclose(file);
	if (now == on)
		return 0;
	file = fopen(path, "w");
	if (!file)
		return -errno;
	fputs(on ? "1\n" : "0\n", file);
	return fclose(file) ? -errno : 1;
}
