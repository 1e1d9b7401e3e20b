// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of the users.
 *
 * Whole pages from the page allocator, mapped once for DMA both ways, instead of dma_alloc_coherent(): a coherent
 * allocation has to be given back while the driver is bound, but a program that still has the memory mapped when the
 * card is unplugged may keep it until it closes its last file. What "coherent" promises is checked instead: no bounce
 * buffer, no cache maintenance (dma_need_sync() is false), so polling sees what the card writes.
 */
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>

#include "homanic.h"

static int homanic_dma_allocate_one(struct homanic_card *card, unsigned int user, unsigned int region, u32 bytes)
{
	struct homanic_buffer *buffer = &card->users[user].buffers[region];
	struct device *dev = &card->pdev->dev;
	unsigned int order = get_order(bytes);
	struct page *pages;

	pages = alloc_pages_node(dev_to_node(dev), GFP_KERNEL | __GFP_COMP | __GFP_ZERO | __GFP_NOWARN, order);
	if (!pages) {
		dev_err(dev,
			"no %u contiguous bytes for user %u: load with fewer users= or a smaller c2h_msgbuff_bytes=, or free memory\n",
			bytes, user);
		return -ENOMEM;
	}
	buffer->dma = dma_map_page(dev, pages, 0, bytes, DMA_BIDIRECTIONAL);
	if (dma_mapping_error(dev, buffer->dma)) {
		dev_err(dev, "no bus address for %u bytes of user %u: load with fewer users=\n", bytes, user);
		__free_pages(pages, order);
		return -ENOMEM;
	}
	buffer->pages = pages;
	buffer->bytes = bytes;
	buffer->mapped = true;
	if (dma_need_sync(dev, buffer->dma)) {
		dev_err(dev,
			"memory of user %u is not coherent (bounce buffers are in use): boot without swiotlb=force, or with an IOMMU\n",
			user);
		return -EOPNOTSUPP;
	}
	return 0;
}

/**
 * homanic_dma_allocate() - allocates and maps the buffers of all users, on the card's node
 * @card: the card; user_count is set
 *
 * Context: probe; sleeps.
 * Return: 0 or -errno; after a failure the caller undoes it with homanic_dma_unmap_all() and homanic_dma_free_all().
 */
int homanic_dma_allocate(struct homanic_card *card)
{
	unsigned int user;
	int ret;

	for (user = 1; user <= card->user_count; user++) {
		ret = homanic_dma_allocate_one(card, user, HOMA_NIC_REGION_H2C_MSGBUFF, homanic_h2c_bytes);
		if (!ret)
			ret = homanic_dma_allocate_one(card, user, HOMA_NIC_REGION_C2H_MSGBUFF, homanic_c2h_bytes);
		if (!ret)
			ret = homanic_dma_allocate_one(card, user, HOMA_NIC_REGION_C2H_METADATA, HOMA_NIC_METADATA_BYTES);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * homanic_dma_unmap_all() - takes all buffers away from the device
 * @card: the card; its DMA has ended
 *
 * Context: remove, or a failed probe; the driver is still bound.
 */
void homanic_dma_unmap_all(struct homanic_card *card)
{
	unsigned int user, region;

	for (user = 1; user <= card->user_count; user++) {
		for (region = 0; region < HOMANIC_DMA_REGIONS; region++) {
			struct homanic_buffer *buffer = &card->users[user].buffers[region];

			if (!buffer->mapped)
				continue;
			dma_unmap_page(&card->pdev->dev, buffer->dma, buffer->bytes, DMA_BIDIRECTIONAL);
			buffer->mapped = false;
		}
	}
}

/**
 * homanic_dma_free_user() - frees the memory of one user
 * @card: the card
 * @user: 1..16; no program has it mapped, the device cannot reach it
 */
void homanic_dma_free_user(struct homanic_card *card, unsigned int user)
{
	unsigned int region;

	for (region = 0; region < HOMANIC_DMA_REGIONS; region++) {
		struct homanic_buffer *buffer = &card->users[user].buffers[region];

		if (!buffer->pages || buffer->mapped)
			continue;
		__free_pages(buffer->pages, get_order(buffer->bytes));
		buffer->pages = NULL;
	}
}

/**
 * homanic_dma_free_all() - frees the memory of all users
 * @card: the card; its DMA has ended and its memory is unmapped
 *
 * Context: failed probe.
 */
void homanic_dma_free_all(struct homanic_card *card)
{
	unsigned int user;

	for (user = 1; user <= card->user_count; user++)
		homanic_dma_free_user(card, user);
}

/**
 * homanic_dma_zero() - clears a buffer, so that nothing of an earlier user is seen
 * @buffer: the buffer; the card does not know it yet
 */
void homanic_dma_zero(struct homanic_buffer *buffer)
{
	memset(page_address(buffer->pages), 0, buffer->bytes);
}

/**
 * homanic_dma_kept_bytes() - memory that is kept because the card did not quiesce
 * @card: the card
 *
 * Context: takes nothing; the number may be old when it returns.
 * Return: bytes.
 */
u64 homanic_dma_kept_bytes(struct homanic_card *card)
{
	unsigned int user, region;
	u64 bytes = 0;

	for (user = 1; user <= card->user_count; user++)
		if (READ_ONCE(card->users[user].state) == HOMANIC_USER_STUCK)
			for (region = 0; region < HOMANIC_DMA_REGIONS; region++)
				bytes += card->users[user].buffers[region].bytes;
	return bytes;
}
