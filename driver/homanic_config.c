// SPDX-License-Identifier: GPL-2.0-only
/* What the card is told about itself and its neighbours, at probe and through sysfs. */
#include <linux/etherdevice.h>
#include <linux/inet.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "homanic.h"

static const u8 homanic_ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };
#define HOMANIC_OWN_NEIGHBOURS 2 /* entries the driver needs for its own addresses */

/**
 * homanic_config_parse_address() - reads an IPv4 or IPv6 address
 * @text: text, need not end with NUL
 * @length: its length
 * @address: 16 bytes; IPv4 becomes ::ffff:a.b.c.d
 *
 * Return: 0 or -EINVAL.
 */
int homanic_config_parse_address(const char *text, size_t length, u8 *address)
{
	const char *end;

	if (in4_pton(text, length, address + 12, -1, &end) && end == text + length) {
		memcpy(address, homanic_ipv4_prefix, sizeof(homanic_ipv4_prefix));
		return 0;
	}
	if (in6_pton(text, length, address, -1, &end) && end == text + length)
		return 0;
	return -EINVAL;
}

static bool homanic_config_is_ipv4(const u8 *address)
{
	return !memcmp(address, homanic_ipv4_prefix, sizeof(homanic_ipv4_prefix));
}

/* The card finds its own addresses at its own MAC, so that a loopback works. Context: registers usable. */
static int homanic_config_own_neighbours(struct homanic_card *card)
{
	u8 mapped[16];
	int ret = 0;

	if (memchr_inv(card->ipv4, 0, sizeof(card->ipv4))) {
		memcpy(mapped, homanic_ipv4_prefix, sizeof(homanic_ipv4_prefix));
		memcpy(mapped + 12, card->ipv4, sizeof(card->ipv4));
		ret = homanic_hw_neighbour(card, mapped, card->mac, true);
	}
	if (!ret && memchr_inv(card->ipv6, 0, sizeof(card->ipv6)))
		ret = homanic_hw_neighbour(card, card->ipv6, card->mac, true);
	return ret;
}

/**
 * homanic_config_set_mac() - sets the card's MAC address
 * @card: the card; registers usable, card->lock held or probe
 * @mac: 6 bytes
 *
 * Return: 0, -EADDRNOTAVAIL (multicast or zero) or -errno.
 */
int homanic_config_set_mac(struct homanic_card *card, const u8 *mac)
{
	if (!is_valid_ether_addr(mac))
		return -EADDRNOTAVAIL;
	memcpy(card->mac, mac, sizeof(card->mac));
	homanic_hw_write(card, HOMA_NIC_REG_MAC_ADDRESS_LOW, get_unaligned_le32(mac));
	homanic_hw_write(card, HOMA_NIC_REG_MAC_ADDRESS_HIGH, get_unaligned_le16(mac + 4));
	return homanic_config_own_neighbours(card);
}

/**
 * homanic_config_set_ipv4() - sets the card's IPv4 address
 * @card: the card; registers usable, card->lock held or probe
 * @address: 16 bytes, ::ffff:a.b.c.d; ::ffff:0.0.0.0 = none
 *
 * Return: 0, -EAFNOSUPPORT (not IPv4) or -errno.
 */
int homanic_config_set_ipv4(struct homanic_card *card, const u8 *address)
{
	u8 old[16];

	if (!homanic_config_is_ipv4(address))
		return -EAFNOSUPPORT;
	if (memchr_inv(card->ipv4, 0, sizeof(card->ipv4))) {
		memcpy(old, homanic_ipv4_prefix, sizeof(homanic_ipv4_prefix));
		memcpy(old + 12, card->ipv4, sizeof(card->ipv4));
		homanic_hw_neighbour(card, old, card->mac, false);
	}
	memcpy(card->ipv4, address + 12, sizeof(card->ipv4));
	homanic_hw_write(card, HOMA_NIC_REG_IPV4_ADDRESS, get_unaligned_le32(address + 12));
	return homanic_config_own_neighbours(card);
}

/**
 * homanic_config_set_ipv6() - sets the card's IPv6 address
 * @card: the card; registers usable, card->lock held or probe
 * @address: 16 bytes; :: = none
 *
 * Return: 0, -EAFNOSUPPORT (not IPv6) or -errno.
 */
int homanic_config_set_ipv6(struct homanic_card *card, const u8 *address)
{
	int i;

	if (homanic_config_is_ipv4(address))
		return -EAFNOSUPPORT;
	if (memchr_inv(card->ipv6, 0, sizeof(card->ipv6)))
		homanic_hw_neighbour(card, card->ipv6, card->mac, false);
	memcpy(card->ipv6, address, sizeof(card->ipv6));
	for (i = 0; i < 4; i++)
		homanic_hw_write(card, HOMA_NIC_REG_IPV6_ADDRESS_0 + 4 * i, get_unaligned_le32(address + 4 * i));
	return homanic_config_own_neighbours(card);
}

/**
 * homanic_config_neighbour() - adds, replaces or removes a static neighbour
 * @card: the card; registers usable, card->lock held or probe
 * @address: 16 bytes
 * @mac: 6 bytes; not used when removing
 * @add: false to remove
 *
 * Return: 0, -EADDRNOTAVAIL (bad MAC), -ENOENT (nothing to remove), -ENOSPC, -ENOMEM, -ENODEV, -EIO.
 */
int homanic_config_neighbour(struct homanic_card *card, const u8 *address, const u8 *mac, bool add)
{
	struct homanic_neighbour *found = NULL, *neighbour;
	int ret;

	list_for_each_entry(neighbour, &card->neighbours, node)
		if (!memcmp(neighbour->address, address, sizeof(neighbour->address)))
			found = neighbour;
	if (!add && !found)
		return -ENOENT;
	if (add && !is_valid_ether_addr(mac))
		return -EADDRNOTAVAIL;
	if (add && !found && card->neighbour_count >= HOMA_NIC_NEIGHBOUR_ENTRIES - HOMANIC_OWN_NEIGHBOURS)
		return -ENOSPC;
	ret = homanic_hw_neighbour(card, address, add ? mac : found->mac, add);
	if (ret)
		return ret;
	if (!add) {
		list_del(&found->node);
		kfree(found);
		card->neighbour_count--;
		return 0;
	}
	if (!found) {
		found = kzalloc(sizeof(*found), GFP_KERNEL);
		if (!found) {
			homanic_hw_neighbour(card, address, mac, false);
			return -ENOMEM;
		}
		memcpy(found->address, address, sizeof(found->address));
		list_add_tail(&found->node, &card->neighbours);
		card->neighbour_count++;
	}
	memcpy(found->mac, mac, sizeof(found->mac));
	return 0;
}

/**
 * homanic_config_forget_neighbours() - frees the driver's list
 * @card: the card
 */
void homanic_config_forget_neighbours(struct homanic_card *card)
{
	struct homanic_neighbour *neighbour, *next;

	list_for_each_entry_safe(neighbour, next, &card->neighbours, node) {
		list_del(&neighbour->node);
		kfree(neighbour);
	}
	card->neighbour_count = 0;
}

/* The neighbours= parameter: address=mac,... Context: probe. */
static int homanic_config_param_neighbours(struct homanic_card *card)
{
	const char *text = homanic_param_neighbours();
	u8 address[16], mac[6];
	int ret;

	while (text && *text) {
		size_t length = strcspn(text, ",");
		const char *equals = memchr(text, '=', length);
		char mac_text[18] = "";

		ret = -EINVAL;
		if (equals && text + length - equals - 1 == 17) {
			memcpy(mac_text, equals + 1, 17);
			if (mac_pton(mac_text, mac) && !homanic_config_parse_address(text, equals - text, address))
				ret = homanic_config_neighbour(card, address, mac, true);
		}
		if (ret) {
			dev_err(&card->pdev->dev,
				"neighbours=: \"%.*s\" refused (error %d): expected address=mac, as 10.0.0.2=02:00:00:00:00:02\n",
				(int)length, text, ret);
			return ret;
		}
		text += length + (text[length] == ',');
	}
	return 0;
}

/* fe80::/64 and the MAC address in its EUI-64 form. */
static void homanic_config_link_local(const u8 *mac, u8 *address)
{
	memset(address, 0, 16);
	address[0] = 0xfe;
	address[1] = 0x80;
	memcpy(address + 8, mac, 3);
	address[8] ^= 2;
	address[11] = 0xff;
	address[12] = 0xfe;
	memcpy(address + 13, mac + 3, 3);
}

/**
 * homanic_config_addresses() - sets MAC, IPv4, IPv6 and neighbours from the module parameters
 * @card: the card, after reset
 *
 * Context: probe.
 * Return: 0 or -errno, with a message.
 */
int homanic_config_addresses(struct homanic_card *card)
{
	const char *mac_text = homanic_param_mac(card->index);
	const char *ipv4_text = homanic_param_ipv4(card->index);
	const char *ipv6_text = homanic_param_ipv6(card->index);
	struct device *dev = &card->pdev->dev;
	u8 address[16], mac[6];
	int ret;

	eth_random_addr(mac);
	if ((mac_text && *mac_text && !mac_pton(mac_text, mac)) || !is_valid_ether_addr(mac)) {
		dev_err(dev, "mac=%s: expected a unicast address, as 02:00:00:00:00:01\n", mac_text);
		return -EINVAL;
	}
	ret = homanic_config_set_mac(card, mac);
	if (!ret && ipv4_text && *ipv4_text) {
		ret = homanic_config_parse_address(ipv4_text, strlen(ipv4_text), address);
		if (!ret)
			ret = homanic_config_set_ipv4(card, address);
		if (ret) {
			dev_err(dev, "ipv4=%s refused (error %d): expected an IPv4 address, as 10.0.0.1\n", ipv4_text, ret);
			return ret;
		}
	}
	if (!ret && ipv6_text && *ipv6_text) {
		ret = homanic_config_parse_address(ipv6_text, strlen(ipv6_text), address);
		if (!ret)
			ret = homanic_config_set_ipv6(card, address);
		if (ret) {
			dev_err(dev, "ipv6=%s refused (error %d): expected an IPv6 address, as fd00::1\n", ipv6_text, ret);
			return ret;
		}
	} else if (!ret) {
		homanic_config_link_local(mac, address);
		ret = homanic_config_set_ipv6(card, address);
	}
	return ret ? ret : homanic_config_param_neighbours(card);
}

/**
 * homanic_config_apply() - writes every setting and the DMA burst sizes
 * @card: the card, after reset
 *
 * Context: probe.
 * Return: 0 or -errno.
 */
int homanic_config_apply(struct homanic_card *card)
{
	struct homa_nic_config_call call = {
		.log2_dma_write = homanic_dma_write_log2,
		.log2_dma_read = homanic_dma_read_log2,
	};
	unsigned int i;

	for (i = 0; i < homanic_setting_count; i++)
		homanic_hw_write(card, homanic_settings[i].reg, *homanic_settings[i].value);
	return homanic_hw_call(card, HOMA_NIC_KERNEL_CALL_CONFIG, &call, "configuration");
}
