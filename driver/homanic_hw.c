// SPDX-License-Identifier: GPL-2.0-only
/* Registers, kernel calls, identity, reset and MAC of a card. The only file that touches the BAR. */
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

static const char *const homanic_code_texts[256] = {
#define HOMANIC_CODE_TEXT(number, name, text) [number] = text,
	HOMA_NIC_CODES(HOMANIC_CODE_TEXT)
#undef HOMANIC_CODE_TEXT
};

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

/* Waits until (reg & mask) == want, or limit_ms x time_scale has passed. The register is read at least twice. */
static u32 homanic_hw_wait(struct homanic_card *card, u32 reg, u32 mask, u32 want, unsigned int limit_ms)
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

/* What a kernel call's code means to a caller. */
static int homanic_hw_errno(unsigned int code)
{
	switch (code) {
	case HOMA_NIC_CODE_OK:
		return 0;
	case HOMA_NIC_CODE_PORT_IN_USE:
		return -EADDRINUSE;
	case HOMA_NIC_CODE_TOO_MANY_PORTS:
	case HOMA_NIC_CODE_NEIGHBOURS_FULL:
		return -ENOSPC;
	case HOMA_NIC_CODE_BAD_PORT:
		return -EINVAL;
	case HOMA_NIC_CODE_NOT_QUIESCED:
		return -EBUSY;
	default:
		return -EIO;
	}
}

/**
 * homanic_hw_call() - makes one 64-byte kernel call and waits for its outcome
 * @card: the card
 * @offset: HOMA_NIC_KERNEL_CALL_*
 * @call: 64 bytes, 8-byte aligned
 * @what: name of the call, for messages
 *
 * The cell is stored as eight 8-byte words: the card takes the call when all have arrived. Reading the status pushes
 * them out and is answered after the call is done.
 *
 * Context: as homanic_hw_read(); takes hw_lock, sleeps.
 * Return: 0 or what the card's code means; -ENODEV when the card does not answer.
 */
int homanic_hw_call(struct homanic_card *card, u32 offset, const void *call, const char *what)
{
	struct device *dev = &card->pdev->dev;
	const u64 *words = call;
	unsigned int code;
	u32 status;
	u16 taken;
	int i, ret;

	mutex_lock(&card->hw_lock);
	for (i = 0; i < 8; i++)
		writeq(words[i], card->regs + offset + 8 * i);
	status = homanic_hw_read(card, HOMA_NIC_REG_KERNEL_CALL_STATUS);
	if (status == HOMA_NIC_ALL_ONES && homanic_hw_read(card, HOMA_NIC_REG_MAGIC) == HOMA_NIC_ALL_ONES) {
		mutex_unlock(&card->hw_lock);
		return -ENODEV;
	}
	code = status & 0xff;
	taken = status >> 16;
	card->kernel_calls++;
	ret = homanic_hw_errno(code);
	if (taken != card->kernel_calls) {
		dev_err(dev, "card has taken %u kernel calls, expected %u: %s was lost; unload and load the driver\n",
			taken, card->kernel_calls, what);
		card->kernel_calls = taken;
		ret = -EIO;
	} else if (ret == -EIO) {
		dev_err(dev, "card refused %s: code %u: %s\n", what, code,
			homanic_code_texts[code] ? homanic_code_texts[code] : "unknown code: the card is newer");
	}
	mutex_unlock(&card->hw_lock);
	return ret;
}

/**
 * homanic_hw_user() - opens, quiesces or closes a user on the card
 * @card: the card
 * @user: 1..16
 * @operation: HOMA_NIC_USER_OPERATION_*
 *
 * Context and return: as homanic_hw_call().
 */
int homanic_hw_user(struct homanic_card *card, unsigned int user, unsigned int operation)
{
	static const char *const names[] = { "?", "user open", "user quiesce", "user close" };
	struct homa_nic_user_call call = { .user = user, .operation = operation };

	return homanic_hw_call(card, HOMA_NIC_KERNEL_CALL_USER, &call, names[operation & 3]);
}

/**
 * homanic_hw_dma_map() - tells the card where a region of a user is
 * @card: the card
 * @user: 1..16
 * @region: HOMA_NIC_REGION_*, not the aperture
 * @address: bus address
 * @bytes: size
 *
 * Context and return: as homanic_hw_call().
 */
int homanic_hw_dma_map(struct homanic_card *card, unsigned int user, unsigned int region, dma_addr_t address,
		       u32 bytes)
{
	struct homa_nic_dma_map_call call = {
		.address = address, .user = user, .region = region, .valid = 1, .length = bytes,
	};

	return homanic_hw_call(card, HOMA_NIC_KERNEL_CALL_DMA_MAP, &call, "DMA map");
}

/**
 * homanic_hw_dma_unmap() - makes the card forget a region of a user
 * @card: the card
 * @user: 1..16
 * @region: HOMA_NIC_REGION_*, not the aperture
 *
 * Context and return: as homanic_hw_call().
 */
int homanic_hw_dma_unmap(struct homanic_card *card, unsigned int user, unsigned int region)
{
	struct homa_nic_dma_map_call call = { .user = user, .region = region };

	return homanic_hw_call(card, HOMA_NIC_KERNEL_CALL_DMA_MAP, &call, "DMA unmap");
}

/**
 * homanic_hw_port() - binds or frees a server port
 * @card: the card
 * @user: 1..16
 * @port: 1..32767
 * @bind: true to bind
 *
 * Context and return: as homanic_hw_call().
 */
int homanic_hw_port(struct homanic_card *card, unsigned int user, u16 port, bool bind)
{
	struct homa_nic_port_map_call call = { .user = user, .port = port, .valid = bind };

	return homanic_hw_call(card, HOMA_NIC_KERNEL_CALL_PORT_MAP, &call, bind ? "port bind" : "port free");
}

/**
 * homanic_hw_neighbour() - adds or removes a static neighbour
 * @card: the card
 * @address: 16 bytes
 * @mac: 6 bytes
 * @add: false to remove
 *
 * Context and return: as homanic_hw_call().
 */
int homanic_hw_neighbour(struct homanic_card *card, const u8 *address, const u8 *mac, bool add)
{
	struct homa_nic_neighbour_call call = { .valid = add };

	memcpy(call.address, address, sizeof(call.address));
	memcpy(call.mac, mac, sizeof(call.mac));
	return homanic_hw_call(card, HOMA_NIC_KERNEL_CALL_NEIGHBOUR, &call, "neighbour");
}

/**
 * homanic_hw_quiesce() - stops a user and waits until the card does no more DMA for it
 * @card: the card
 * @user: 1..16
 *
 * Context: as homanic_hw_call(); sleeps up to 100 ms x time_scale.
 * Return: 0, -ENODEV (card gone) or -ETIMEDOUT (memory must be kept).
 */
int homanic_hw_quiesce(struct homanic_card *card, unsigned int user)
{
	u32 reg = HOMA_NIC_USER_STATES + user * HOMA_NIC_USER_STATE_BYTES + HOMA_NIC_USER_STATE_FIELD_STATE;
	u32 state;
	int ret;

	ret = homanic_hw_user(card, user, HOMA_NIC_USER_OPERATION_QUIESCE);
	if (ret == -ENODEV)
		return ret;
	state = homanic_hw_wait(card, reg, ~0u, HOMA_NIC_USER_STATE_QUIESCED, HOMA_NIC_QUIESCE_LIMIT_MS);
	if (state == HOMA_NIC_ALL_ONES)
		return -ENODEV;
	if (state == HOMA_NIC_USER_STATE_QUIESCED)
		return homanic_hw_user(card, user, HOMA_NIC_USER_OPERATION_CLOSE);
	return -ETIMEDOUT;
}
