// SPDX-License-Identifier: GPL-2.0-only
/* Registers, identity, reset and MAC of a card. This file and homanic_call.c alone touch the BAR. */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/string.h>

#include "homanic.h"

#define HOMANIC_STATUS_IDLE BIT(0)
#define HOMANIC_STATUS_IN_RESET BIT(2)
#define HOMANIC_CONTROL_RESET BIT(0)
#define HOMANIC_MAC_ENABLE (BIT(0) | BIT(1))
#define HOMANIC_MAC_LOOPBACK BIT(2)
#define HOMANIC_MAC_LINK BIT(0)
#define HOMANIC_RESET_LIMIT_MS 100

/**
 * homanic_hw_enter() - begins a use of the registers
 * @card: the card
 *
 * Context: process; may sleep. Takes gone_sem for reading when it returns true.
 * Return: false when the registers are gone; do not call homanic_hw_leave() then.
 */
bool homanic_hw_enter(struct homanic_card *card)
{
	down_read(&card->gone_sem);
	if (!card->gone)
		return true;
	up_read(&card->gone_sem);
	return false;
}

/**
 * homanic_hw_enter_alive() - as homanic_hw_enter(), for what makes no sense with a dead card
 * @card: the card
 *
 * Context: as homanic_hw_enter().
 * Return: false when the card is dead or its registers are gone.
 */
bool homanic_hw_enter_alive(struct homanic_card *card)
{
	if (!homanic_hw_enter(card))
		return false;
	if (!card->dead)
		return true;
	homanic_hw_leave(card);
	return false;
}

/**
 * homanic_hw_leave() - ends what homanic_hw_enter() began
 * @card: the card
 */
void homanic_hw_leave(struct homanic_card *card)
{
	up_read(&card->gone_sem);
}

/**
 * homanic_hw_read() - reads a 32-bit register
 * @card: the card
 * @reg: HOMA_NIC_REG_*
 *
 * Context: between homanic_hw_enter() and homanic_hw_leave(), or in probe and remove.
 * Return: its value; all ones when the card does not answer.
 */
u32 homanic_hw_read(struct homanic_card *card, u32 reg)
{
	if (reg >= HOMA_NIC_MAC_REGISTERS)
		return readl(card->mac_regs + (reg - HOMA_NIC_MAC_REGISTERS));
	return readl(card->regs + reg);
}

/**
 * homanic_hw_write() - writes a 32-bit register
 * @card: the card
 * @reg: HOMA_NIC_REG_*
 * @value: what to write
 *
 * Context: as homanic_hw_read().
 */
void homanic_hw_write(struct homanic_card *card, u32 reg, u32 value)
{
	if (reg >= HOMA_NIC_MAC_REGISTERS)
		writel(value, card->mac_regs + (reg - HOMA_NIC_MAC_REGISTERS));
	else
		writel(value, card->regs + reg);
}

/**
 * homanic_hw_counter() - reads a counter of the card
 * @card: the card
 * @index: HOMA_NIC_COUNTER_*
 *
 * Context: as homanic_hw_read().
 * Return: its value.
 */
u64 homanic_hw_counter(struct homanic_card *card, unsigned int index)
{
	return readq(card->regs + HOMA_NIC_COUNTERS + 8 * index);
}

/**
 * homanic_hw_user_state() - reads a word of a user's state block
 * @card: the card
 * @user: 1..16
 * @field: HOMA_NIC_USER_STATE_FIELD_*
 *
 * Context: as homanic_hw_read().
 * Return: its value.
 */
u32 homanic_hw_user_state(struct homanic_card *card, unsigned int user, u32 field)
{
	return readl(card->regs + HOMA_NIC_USER_STATES + user * HOMA_NIC_USER_STATE_BYTES + field);
}

/**
 * homanic_hw_identify() - checks that this is a card we can drive
 * @card: the card
 *
 * Context: probe. Says what was read, what was expected and what to do.
 * Return: 0, -ENODEV (no card, another card) or -EPROTONOSUPPORT (another interface).
 */
int homanic_hw_identify(struct homanic_card *card)
{
	struct device *dev = &card->pdev->dev;
	u32 magic = homanic_hw_read(card, HOMA_NIC_REG_MAGIC);
	u32 version;

	if (magic == HOMA_NIC_ALL_ONES) {
		dev_err(dev,
			"magic register reads 0x%08x, expected 0x%08x: card absent or link down; reseat or reflash the card, then reboot\n",
			magic, HOMA_NIC_MAGIC);
		return -ENODEV;
	}
	if (magic != HOMA_NIC_MAGIC) {
		dev_err(dev,
			"magic register reads 0x%08x, expected 0x%08x: not a homa-nic bitstream; flash the card with homa-nic\n",
			magic, HOMA_NIC_MAGIC);
		return -ENODEV;
	}
	version = homanic_hw_read(card, HOMA_NIC_REG_INTERFACE_VERSION);
	if (version >> 16 != HOMA_NIC_INTERFACE_VERSION >> 16) {
		bool card_old = version >> 16 < HOMA_NIC_INTERFACE_VERSION >> 16;

		dev_err(dev,
			"card speaks interface %u.%u, driver expects %u.%u: the %s is older; %s\n",
			version >> 16, version & 0xffff, HOMA_NIC_INTERFACE_VERSION >> 16,
			HOMA_NIC_INTERFACE_VERSION & 0xffff, card_old ? "card" : "driver",
			card_old ? "flash the card with this homa-nic" : "install the driver of that homa-nic");
		return -EPROTONOSUPPORT;
	}
	card->interface_version = version;
	card->build_id = homanic_hw_read(card, HOMA_NIC_REG_BUILD_ID);
	card->build_kind = homanic_hw_read(card, HOMA_NIC_REG_BUILD_KIND);
	card->features = homanic_hw_read(card, HOMA_NIC_REG_FEATURES);
	return 0;
}

/**
 * homanic_hw_wait() - reads a register until it has a value
 * @card: the card
 * @reg: register
 * @mask: bits that matter
 * @want: what they should be
 * @limit_ms: time limit, multiplied by time_scale; the register is read at least twice
 *
 * Context: as homanic_hw_read(); sleeps.
 * Return: what was read last; all ones at once.
 */
u32 homanic_hw_wait(struct homanic_card *card, u32 reg, u32 mask, u32 want, unsigned int limit_ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(limit_ms) * homanic_time_scale + 1;
	u32 value;

	for (;;) {
		bool late = time_after(jiffies, end);

		value = homanic_hw_read(card, reg);
		if ((value & mask) == want || value == HOMA_NIC_ALL_ONES || late)
			return value;
		usleep_range(100, 1000);
	}
}

/**
 * homanic_hw_reset() - resets the core and waits until it is idle
 * @card: the card
 *
 * Context: probe and remove; sleeps up to 100 ms x time_scale.
 * Return: 0, -ENODEV (all ones) or -ETIMEDOUT.
 */
int homanic_hw_reset(struct homanic_card *card)
{
	u32 status;

	homanic_hw_write(card, HOMA_NIC_REG_CONTROL, HOMANIC_CONTROL_RESET);
	status = homanic_hw_wait(card, HOMA_NIC_REG_STATUS, HOMANIC_STATUS_IDLE | HOMANIC_STATUS_IN_RESET,
				 HOMANIC_STATUS_IDLE, HOMANIC_RESET_LIMIT_MS);
	card->kernel_calls = 0;
	if (status == HOMA_NIC_ALL_ONES)
		return -ENODEV;
	if ((status & (HOMANIC_STATUS_IDLE | HOMANIC_STATUS_IN_RESET)) != HOMANIC_STATUS_IDLE) {
		dev_err(&card->pdev->dev,
			"core not idle %u ms after reset: status reads 0x%08x, expected bit 0 set and bit 2 clear; power-cycle the card, or raise time_scale for a slow simulated one\n",
			HOMANIC_RESET_LIMIT_MS * homanic_time_scale, status);
		return -ETIMEDOUT;
	}
	card->kernel_calls = homanic_hw_read(card, HOMA_NIC_REG_KERNEL_CALL_STATUS) >> 16;
	return 0;
}

/**
 * homanic_hw_mac_control() - enables the MAC, with loopback or without
 * @card: the card; its loopback field says which
 *
 * Context: as homanic_hw_read().
 */
void homanic_hw_mac_control(struct homanic_card *card)
{
	homanic_hw_write(card, HOMA_NIC_REG_MAC_CONTROL,
			 HOMANIC_MAC_ENABLE | (card->loopback ? HOMANIC_MAC_LOOPBACK : 0));
}

/**
 * homanic_hw_mac_up() - enables the MAC and waits for its link
 * @card: the card
 *
 * Context: probe; sleeps up to link_timeout_ms x time_scale.
 * Return: 0, -ENODEV (all ones) or -ETIMEDOUT.
 */
int homanic_hw_mac_up(struct homanic_card *card)
{
	u32 status;

	homanic_hw_mac_control(card);
	status = homanic_hw_wait(card, HOMA_NIC_REG_MAC_STATUS, HOMANIC_MAC_LINK, HOMANIC_MAC_LINK, homanic_link_ms);
	if (status == HOMA_NIC_ALL_ONES)
		return -ENODEV;
	if (status & HOMANIC_MAC_LINK)
		return 0;
	dev_err(&card->pdev->dev,
		"MAC has no link after %u ms: MAC status reads 0x%08x, expected bit 0 set; check the cable and the peer, or load with mac_loopback=1 to test without a cable\n",
		homanic_link_ms * homanic_time_scale, status);
	return -ETIMEDOUT;
}
