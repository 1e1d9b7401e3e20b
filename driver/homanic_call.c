// SPDX-License-Identifier: GPL-2.0-only
/* Kernel calls: 64 bytes stored to the card, a status read back. */
#include <linux/io.h>
#include <linux/string.h>

#include "homanic.h"

static const char *const homanic_code_texts[256] = {
#define HOMANIC_CODE_TEXT(number, name, text) [number] = text,
	HOMA_NIC_CODES(HOMANIC_CODE_TEXT)
#undef HOMANIC_CODE_TEXT
};

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
