// SPDX-License-Identifier: GPL-2.0-only
/* Files in /sys/bus/pci/devices/<card>/: homa_config (writable), homa_counters, homa_state. */
#include <linux/device.h>
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "homanic.h"
#include "homanic_settings.h"

/**
 * struct homanic_file_attribute - a sysfs file that knows its index in a table
 * @attribute: the file
 * @index: setting or counter
 */
struct homanic_file_attribute {
	struct device_attribute attribute;
	unsigned int index;
};

static unsigned int homanic_sysfs_index(struct device_attribute *attribute)
{
	return container_of(attribute, struct homanic_file_attribute, attribute)->index;
}

static ssize_t homanic_setting_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);
	u32 value;

	if (!homanic_hw_enter_alive(card))
		return -ENODEV;
	value = homanic_hw_read(card, homanic_settings[homanic_sysfs_index(attribute)].reg);
	homanic_hw_leave(card);
	return sysfs_emit(buffer, "%u\n", value);
}

static ssize_t homanic_setting_store(struct device *dev, struct device_attribute *attribute, const char *text,
				     size_t length)
{
	const struct homanic_setting *setting = &homanic_settings[homanic_sysfs_index(attribute)];
	struct homanic_card *card = dev_get_drvdata(dev);
	u32 value;

	if (kstrtou32(text, 0, &value))
		return -EINVAL;
	if (value < setting->min || value > setting->max) {
		dev_info(dev, "%s: %u is out of range: expected %u to %u\n", setting->name, value, setting->min,
			 setting->max);
		return -ERANGE;
	}
	if (!homanic_hw_enter_alive(card))
		return -ENODEV;
	homanic_hw_write(card, setting->reg, value);
	homanic_hw_leave(card);
	return length;
}

static ssize_t homanic_counter_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);
	u64 value;

	if (!homanic_hw_enter_alive(card))
		return -ENODEV;
	value = homanic_hw_counter(card, homanic_sysfs_index(attribute));
	homanic_hw_leave(card);
	return sysfs_emit(buffer, "%llu\n", value);
}

/* The addresses: shown from the driver's copy, written to the card. */
static ssize_t mac_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%pM\n", card->mac);
}

static ssize_t ipv4_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%pI4\n", card->ipv4);
}

static ssize_t ipv6_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%pI6c\n", card->ipv6);
}

static ssize_t mac_loopback_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%u\n", card->loopback);
}

static ssize_t neighbours_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);
	struct homanic_neighbour *neighbour;
	ssize_t length = 0;

	mutex_lock(&card->lock);
	list_for_each_entry(neighbour, &card->neighbours, node)
		length += sysfs_emit_at(buffer, length, "%pI6c=%pM\n", neighbour->address, neighbour->mac);
	mutex_unlock(&card->lock);
	return length;
}

typedef int (*homanic_apply_fn)(struct homanic_card *card, const u8 *bytes);

/* Runs apply with the locks it needs. */
static ssize_t homanic_sysfs_apply(struct device *dev, homanic_apply_fn apply, const u8 *bytes, size_t length)
{
	struct homanic_card *card = dev_get_drvdata(dev);
	int ret = -ENODEV;

	mutex_lock(&card->lock);
	if (homanic_hw_enter_alive(card)) {
		ret = apply(card, bytes);
		homanic_hw_leave(card);
	}
	mutex_unlock(&card->lock);
	return ret ? ret : (ssize_t)length;
}

static ssize_t mac_store(struct device *dev, struct device_attribute *attribute, const char *text, size_t length)
{
	u8 mac[ETH_ALEN];

	if (!mac_pton(text, mac))
		return -EINVAL;
	return homanic_sysfs_apply(dev, homanic_config_set_mac, mac, length);
}

static ssize_t homanic_sysfs_address(struct device *dev, homanic_apply_fn apply, const char *text, size_t length)
{
	u8 address[16];

	if (homanic_config_parse_address(text, strcspn(text, "\n"), address))
		return -EINVAL;
	return homanic_sysfs_apply(dev, apply, address, length);
}

static ssize_t ipv4_store(struct device *dev, struct device_attribute *attribute, const char *text, size_t length)
{
	return homanic_sysfs_address(dev, homanic_config_set_ipv4, text, length);
}

static ssize_t ipv6_store(struct device *dev, struct device_attribute *attribute, const char *text, size_t length)
{
	return homanic_sysfs_address(dev, homanic_config_set_ipv6, text, length);
}

static int homanic_sysfs_set_loopback(struct homanic_card *card, const u8 *bytes)
{
	card->loopback = bytes[0];
	homanic_hw_mac_control(card);
	return 0;
}

static ssize_t mac_loopback_store(struct device *dev, struct device_attribute *attribute, const char *text,
				  size_t length)
{
	bool on;

	if (kstrtobool(text, &on))
		return -EINVAL;
	return homanic_sysfs_apply(dev, homanic_sysfs_set_loopback, (const u8[]){ on }, length);
}

/* bytes: address, MAC */
static int homanic_sysfs_add_neighbour(struct homanic_card *card, const u8 *bytes)
{
	return homanic_config_neighbour(card, bytes, bytes + 16, true);
}

static int homanic_sysfs_remove_neighbour(struct homanic_card *card, const u8 *bytes)
{
	return homanic_config_neighbour(card, bytes, bytes + 16, false);
}

/* "address=mac" adds or replaces, "-address" removes. */
static ssize_t neighbours_store(struct device *dev, struct device_attribute *attribute, const char *text,
				size_t length)
{
	u8 entry[16 + ETH_ALEN] = { 0 };
	bool remove = text[0] == '-';
	size_t skip = remove ? 1 : 0;
	size_t end = strcspn(text, "=\n");

	if (end <= skip || homanic_config_parse_address(text + skip, end - skip, entry))
		return -EINVAL;
	if (remove)
		return homanic_sysfs_apply(dev, homanic_sysfs_remove_neighbour, entry, length);
	if (text[end] != '=' || !mac_pton(text + end + 1, entry + 16))
		return -EINVAL;
	return homanic_sysfs_apply(dev, homanic_sysfs_add_neighbour, entry, length);
}

static DEVICE_ATTR_RW(mac);
static DEVICE_ATTR_RW(ipv4);
static DEVICE_ATTR_RW(ipv6);
static DEVICE_ATTR_RW(mac_loopback);
static DEVICE_ATTR_RW(neighbours);

/* One file for each setting, in the order of homanic_settings[]. */
enum {
#define HOMANIC_SETTING_INDEX(param, register, text) HOMANIC_INDEX_##param,
	HOMANIC_SETTINGS(HOMANIC_SETTING_INDEX)
};

#define HOMANIC_SETTING_FILE(param, register, text)                                                                  \
	static struct homanic_file_attribute homanic_setting_##param = {                                             \
		__ATTR(param, 0644, homanic_setting_show, homanic_setting_store), HOMANIC_INDEX_##param              \
	};
HOMANIC_SETTINGS(HOMANIC_SETTING_FILE)

static struct attribute *homanic_config_attributes[] = {
	&dev_attr_mac.attr,
	&dev_attr_ipv4.attr,
	&dev_attr_ipv6.attr,
	&dev_attr_mac_loopback.attr,
	&dev_attr_neighbours.attr,
#define HOMANIC_SETTING_POINTER(param, register, text) &homanic_setting_##param.attribute.attr,
	HOMANIC_SETTINGS(HOMANIC_SETTING_POINTER)
	NULL,
};

static const struct attribute_group homanic_config_group = {
	.name = "homa_config",
	.attrs = homanic_config_attributes,
};

#define HOMANIC_COUNTER_FILE(number, param)                                                                          \
	static struct homanic_file_attribute homanic_counter_##param = {                                             \
		__ATTR(param, 0444, homanic_counter_show, NULL), number                                              \
	};
HOMA_NIC_COUNTERS_LIST(HOMANIC_COUNTER_FILE)

static struct attribute *homanic_counter_attributes[] = {
#define HOMANIC_COUNTER_POINTER(number, param) &homanic_counter_##param.attribute.attr,
	HOMA_NIC_COUNTERS_LIST(HOMANIC_COUNTER_POINTER)
	NULL,
};

static const struct attribute_group homanic_counters_group = {
	.name = "homa_counters",
	.attrs = homanic_counter_attributes,
};

static ssize_t card_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%d\n", card->index);
}

static ssize_t interface_version_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%u.%u\n", card->interface_version >> 16, card->interface_version & 0xffff);
}

static ssize_t build_id_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%08x\n", card->build_id);
}

static ssize_t build_kind_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	static const char *const kinds[] = { "unknown", "card", "sim", "rtl" };
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%s\n", kinds[card->build_kind < ARRAY_SIZE(kinds) ? card->build_kind : 0]);
}

static ssize_t alive_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%u\n", !card->dead);
}

static ssize_t link_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);
	u32 value;

	if (!homanic_hw_enter_alive(card))
		return -ENODEV;
	value = homanic_hw_read(card, HOMA_NIC_REG_MAC_STATUS);
	homanic_hw_leave(card);
	return sysfs_emit(buffer, "%u\n", value & 1);
}

/* Users by state, counted under the lock. */
static unsigned int homanic_sysfs_users(struct homanic_card *card, enum homanic_user_state state)
{
	unsigned int user, count = 0;

	mutex_lock(&card->lock);
	for (user = 1; user <= card->user_count; user++)
		if (card->users[user].state == state)
			count++;
	mutex_unlock(&card->lock);
	return count;
}

static ssize_t sessions_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%u\n", homanic_sysfs_users(dev_get_drvdata(dev), HOMANIC_USER_OPEN));
}

static ssize_t users_stuck_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%u\n", homanic_sysfs_users(dev_get_drvdata(dev), HOMANIC_USER_STUCK));
}

static ssize_t bytes_kept_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	return sysfs_emit(buffer, "%llu\n", homanic_dma_kept_bytes(dev_get_drvdata(dev)));
}

static ssize_t sessions_opened_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%llu\n", READ_ONCE(card->sessions_opened));
}

static ssize_t sessions_closed_show(struct device *dev, struct device_attribute *attribute, char *buffer)
{
	struct homanic_card *card = dev_get_drvdata(dev);

	return sysfs_emit(buffer, "%llu\n", READ_ONCE(card->sessions_closed));
}

static DEVICE_ATTR_RO(card);
static DEVICE_ATTR_RO(interface_version);
static DEVICE_ATTR_RO(build_id);
static DEVICE_ATTR_RO(build_kind);
static DEVICE_ATTR_RO(alive);
static DEVICE_ATTR_RO(link);
static DEVICE_ATTR_RO(sessions);
static DEVICE_ATTR_RO(users_stuck);
static DEVICE_ATTR_RO(bytes_kept);
static DEVICE_ATTR_RO(sessions_opened);
static DEVICE_ATTR_RO(sessions_closed);

static struct attribute *homanic_state_attributes[] = {
	&dev_attr_card.attr,
	&dev_attr_interface_version.attr,
	&dev_attr_build_id.attr,
	&dev_attr_build_kind.attr,
	&dev_attr_alive.attr,
	&dev_attr_link.attr,
	&dev_attr_sessions.attr,
	&dev_attr_users_stuck.attr,
	&dev_attr_bytes_kept.attr,
	&dev_attr_sessions_opened.attr,
	&dev_attr_sessions_closed.attr,
	NULL,
};

static const struct attribute_group homanic_state_group = {
	.name = "homa_state",
	.attrs = homanic_state_attributes,
};

/* Made by the driver core after probe, taken away before remove. */
const struct attribute_group *homanic_sysfs_groups[] = {
	&homanic_config_group,
	&homanic_counters_group,
	&homanic_state_group,
	NULL,
};
