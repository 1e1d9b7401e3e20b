// SPDX-License-Identifier: GPL-2.0-only
/* Module parameters: each has a range and a default; a value outside the range is refused at load, with the range. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>

#include "homanic.h"
#include "homanic_settings.h"

/**
 * struct homanic_range - a parameter's storage and limits
 * @name: of the parameter
 * @value: where it is kept
 * @min: least value
 * @max: greatest value
 */
struct homanic_range {
	const char *name;
	unsigned int *value;
	unsigned int min;
	unsigned int max;
};

static int homanic_param_set(const char *text, const struct kernel_param *param)
{
	const struct homanic_range *range = param->arg;
	unsigned int value;

	if (kstrtouint(text, 0, &value) || value < range->min || value > range->max) {
		pr_err("homanic: %s=%s: expected a number from %u to %u\n", range->name, text, range->min, range->max);
		return -EINVAL;
	}
	*range->value = value;
	return 0;
}

static int homanic_param_get(char *buffer, const struct kernel_param *param)
{
	const struct homanic_range *range = param->arg;

	return sprintf(buffer, "%u\n", *range->value);
}

static const struct kernel_param_ops homanic_param_ops = {
	.set = homanic_param_set,
	.get = homanic_param_get,
};

#define HOMANIC_RANGED(param, variable, least, most, text)                                                          \
	static const struct homanic_range homanic_range_##param = { #param, &variable, least, most };                \
	module_param_cb(param, &homanic_param_ops, (void *)&homanic_range_##param, 0444);                            \
	MODULE_PARM_DESC(param, text " (" __stringify(least) " to " __stringify(most) ")")

unsigned int homanic_time_scale = 1;
HOMANIC_RANGED(time_scale, homanic_time_scale, 1, 100000, "factor on all time limits, for slow simulated cards; default 1");
unsigned int homanic_users = HOMA_NIC_MAX_USERS;
HOMANIC_RANGED(users, homanic_users, 1, HOMA_NIC_MAX_USERS, "sessions a card can have at once; default 16");
unsigned int homanic_h2c_bytes = HOMA_NIC_H2C_MSGBUFF_BYTES;
HOMANIC_RANGED(h2c_msgbuff_bytes, homanic_h2c_bytes, 65536, HOMA_NIC_H2C_MSGBUFF_BYTES,
	       "send buffer of a user, whole pages; default 1048576");
unsigned int homanic_c2h_bytes = HOMA_NIC_C2H_MSGBUFF_BYTES;
HOMANIC_RANGED(c2h_msgbuff_bytes, homanic_c2h_bytes, HOMA_NIC_C2H_MSGBUFF_MIN_BYTES, HOMA_NIC_C2H_MSGBUFF_MAX_BYTES,
	       "receive buffer of a user, multiple of 8192; more than 4194304 needs a kernel that can allocate it in one piece; default 4194304");
unsigned int homanic_link_ms = 2000;
HOMANIC_RANGED(link_timeout_ms, homanic_link_ms, 1, 60000, "time the MAC may take to get a link, ms; default 2000");
unsigned int homanic_watch_ms = 1000;
HOMANIC_RANGED(watch_ms, homanic_watch_ms, 10, 60000, "interval of looking whether the card is still there, ms; default 1000");
unsigned int homanic_dma_read_log2 = 10;
HOMANIC_RANGED(dma_read_log2, homanic_dma_read_log2, 6, 12, "log2 of the largest DMA read, bytes; default 10");
unsigned int homanic_dma_write_log2 = 10;
HOMANIC_RANGED(dma_write_log2, homanic_dma_write_log2, 6, 12, "log2 of the largest DMA write, bytes; default 10");

bool homanic_loopback;
module_param_named(mac_loopback, homanic_loopback, bool, 0444);
MODULE_PARM_DESC(mac_loopback, "MAC sends frames back to itself, to test without a cable (0 or 1); default 0");

static char *mac[HOMANIC_MAX_CARDS];
static int mac_count;
module_param_array(mac, charp, &mac_count, 0444);
MODULE_PARM_DESC(mac, "MAC address of card 0, card 1, ...: 02:00:00:00:00:01,...; default random, locally administered");
static char *ipv4[HOMANIC_MAX_CARDS];
static int ipv4_count;
module_param_array(ipv4, charp, &ipv4_count, 0444);
MODULE_PARM_DESC(ipv4, "IPv4 address of card 0, card 1, ...; default none");
static char *ipv6[HOMANIC_MAX_CARDS];
static int ipv6_count;
module_param_array(ipv6, charp, &ipv6_count, 0444);
MODULE_PARM_DESC(ipv6, "IPv6 address of card 0, card 1, ...; default link-local, made from the MAC address");
static char *neighbours;
module_param(neighbours, charp, 0444);
MODULE_PARM_DESC(neighbours, "static neighbours of every card: address=mac,address=mac,... (up to 254); default none");

#define HOMANIC_SETTING_PARAM(param, register, text)                                                                 \
	static unsigned int homanic_value_##param = HOMA_NIC_REG_##register##_RESET;                                 \
	HOMANIC_RANGED(param, homanic_value_##param, HOMA_NIC_REG_##register##_MIN, HOMA_NIC_REG_##register##_MAX,   \
		       text "; default " __stringify(HOMA_NIC_REG_##register##_RESET));
HOMANIC_SETTINGS(HOMANIC_SETTING_PARAM)

const struct homanic_setting homanic_settings[] = {
#define HOMANIC_SETTING_ENTRY(param, register, text)                                                                 \
	{ #param, HOMA_NIC_REG_##register, HOMA_NIC_REG_##register##_MIN, HOMA_NIC_REG_##register##_MAX,             \
	  HOMA_NIC_REG_##register##_RESET, &homanic_value_##param },
	HOMANIC_SETTINGS(HOMANIC_SETTING_ENTRY)
};

const unsigned int homanic_setting_count = ARRAY_SIZE(homanic_settings);

/**
 * homanic_param_mac() - the MAC address asked for
 * @index: card number
 *
 * Return: text, or NULL.
 */
const char *homanic_param_mac(int index)
{
	return index < mac_count ? mac[index] : NULL;
}

/**
 * homanic_param_ipv4() - the IPv4 address asked for
 * @index: card number
 *
 * Return: text, or NULL.
 */
const char *homanic_param_ipv4(int index)
{
	return index < ipv4_count ? ipv4[index] : NULL;
}

/**
 * homanic_param_ipv6() - the IPv6 address asked for
 * @index: card number
 *
 * Return: text, or NULL.
 */
const char *homanic_param_ipv6(int index)
{
	return index < ipv6_count ? ipv6[index] : NULL;
}

/**
 * homanic_param_neighbours() - the static neighbours asked for
 *
 * Return: text, or NULL.
 */
const char *homanic_param_neighbours(void)
{
	return neighbours;
}
