// SPDX-License-Identifier: GPL-2.0-only
/* The PCI driver: probe, remove, loss of a card, module init and exit. */
#include <linux/dma-mapping.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "homanic.h"

#define HOMANIC_BAR 0
#define HOMANIC_MAC_BYTES 4096

static DEFINE_IDA(homanic_numbers);

/* kref release: no file is open and the driver has let go. What could not be made safe stays allocated, for good. */
static void homanic_card_free(struct kref *kref)
{
	struct homanic_card *card = container_of(kref, struct homanic_card, kref);

	homanic_config_forget_neighbours(card);
	pci_dev_put(card->pdev);
	kfree(card);
}

/**
 * homanic_card_get() - takes a reference
 * @card: the card
 */
void homanic_card_get(struct homanic_card *card)
{
	kref_get(&card->kref);
}

/**
 * homanic_card_put() - drops a reference; the last one frees the card
 * @card: the card
 */
void homanic_card_put(struct homanic_card *card)
{
	kref_put(&card->kref, homanic_card_free);
}

/**
 * homanic_card_lost() - handles a card that vanished from the bus
 * @card: the card
 * @where: what the driver was doing, for the message
 *
 * Context: process; takes card->lock and gone_sem.
 */
void homanic_card_lost(struct homanic_card *card, const char *where)
{
	bool first;

	mutex_lock(&card->lock);
	first = !card->lost;
	card->lost = true;
	mutex_unlock(&card->lock);
	if (!first)
		return;
	dev_err(&card->pdev->dev,
		"card lost (noticed by %s): magic register reads all ones; programs get ENODEV; reseat the card, then remove and rescan it\n",
		where);
	homanic_session_kill_all(card);
}

/**
 * homanic_card_check() - looks whether the card is still there
 * @card: the card
 * @where: what the driver was doing, for the message
 *
 * Context: process; takes card->lock and gone_sem.
 */
void homanic_card_check(struct homanic_card *card, const char *where)
{
	bool lost;

	if (!homanic_hw_enter(card))
		return;
	lost = homanic_hw_read(card, HOMA_NIC_REG_MAGIC) == HOMA_NIC_ALL_ONES;
	homanic_hw_leave(card);
	if (lost)
		homanic_card_lost(card, where);
}

/* Looks after the card while nobody else does. */
static void homanic_watch(struct work_struct *work)
{
	struct homanic_card *card = container_of(work, struct homanic_card, watch.work);

	homanic_card_check(card, "the watch");
	if (!card->dead)
		schedule_delayed_work(&card->watch, msecs_to_jiffies(homanic_watch_ms));
}

/* Maps the registers and the MAC, and nothing else. */
static int homanic_map_registers(struct homanic_card *card)
{
	struct pci_dev *pdev = card->pdev;
	resource_size_t length = pci_resource_len(pdev, HOMANIC_BAR);

	if (!(pci_resource_flags(pdev, HOMANIC_BAR) & IORESOURCE_MEM) || length < HOMA_NIC_BAR0_BYTES) {
		dev_err(&pdev->dev, "BAR 0 has %llu bytes of memory, expected %u: not a homa-nic bitstream; flash the card\n",
			(unsigned long long)length, HOMA_NIC_BAR0_BYTES);
		return -ENODEV;
	}
	card->bar_start = pci_resource_start(pdev, HOMANIC_BAR);
	card->regs = ioremap(card->bar_start, HOMA_NIC_KERNEL_BYTES);
	if (!card->regs)
		return -ENOMEM;
	card->mac_regs = ioremap(card->bar_start + HOMA_NIC_MAC_REGISTERS, HOMANIC_MAC_BYTES);
	if (!card->mac_regs) {
		iounmap(card->regs);
		return -ENOMEM;
	}
	return 0;
}

static void homanic_unmap_registers(struct homanic_card *card)
{
	down_write(&card->gone_sem);
	card->dead = true;
	card->gone = true;
	up_write(&card->gone_sem);
	iounmap(card->mac_regs);
	iounmap(card->regs);
}

static struct homanic_card *homanic_card_new(struct pci_dev *pdev, int index)
{
	struct homanic_card *card = kzalloc(sizeof(*card), GFP_KERNEL);

	if (!card)
		return NULL;
	kref_init(&card->kref);
	card->pdev = pci_dev_get(pdev);
	card->index = index;
	card->loopback = homanic_loopback;
	init_rwsem(&card->gone_sem);
	mutex_init(&card->lock);
	mutex_init(&card->close_lock);
	mutex_init(&card->hw_lock);
	INIT_LIST_HEAD(&card->sessions);
	INIT_LIST_HEAD(&card->neighbours);
	INIT_DELAYED_WORK(&card->watch, homanic_watch);
	return card;
}

/* Identity, reset, bus mastering, configuration, MAC: in this order. */
static int homanic_bring_up(struct homanic_card *card)
{
	struct pci_dev *pdev = card->pdev;
	int ret;

	ret = homanic_hw_identify(card);
	if (ret)
		return ret;
	ret = homanic_hw_reset(card);
	if (ret)
		return ret;
	pci_set_master(pdev);
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(HOMA_NIC_DMA_ADDRESS_BITS));
	if (ret) {
		dev_err(&pdev->dev, "no %u-bit DMA (error %d): this machine cannot use the card\n",
			HOMA_NIC_DMA_ADDRESS_BITS, ret);
		return ret;
	}
	ret = homanic_config_apply(card);
	if (!ret)
		ret = homanic_config_addresses(card);
	if (!ret)
		ret = homanic_hw_mac_up(card);
	if (ret)
		return ret;
	card->user_count = min(homanic_users, homanic_hw_read(card, HOMA_NIC_REG_USERS));
	return homanic_dma_allocate(card);
}

/* Stops all DMA for good. Context: no session can be made any more. Return: true when memory may be freed. */
static bool homanic_stop(struct homanic_card *card)
{
	bool safe = card->lost;

	if (!safe)
		safe = homanic_hw_reset(card) != -ETIMEDOUT;
	pci_clear_master(card->pdev);
	return safe;
}

static int homanic_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct homanic_card *card;
	int index, ret;

	index = ida_alloc_max(&homanic_numbers, HOMANIC_MAX_CARDS - 1, GFP_KERNEL);
	if (index < 0) {
		dev_err(&pdev->dev, "%d cards are driven already: this one is left alone\n", HOMANIC_MAX_CARDS);
		return index;
	}
	card = homanic_card_new(pdev, index);
	if (!card) {
		ret = -ENOMEM;
		goto err_number;
	}
	ret = pci_enable_device_mem(pdev);
	if (ret)
		goto err_card;
	ret = pci_request_region(pdev, HOMANIC_BAR, "homanic");
	if (ret)
		goto err_disable;
	ret = homanic_map_registers(card);
	if (ret)
		goto err_region;
	ret = homanic_bring_up(card);
	if (ret)
		goto err_stop;
	pci_set_drvdata(pdev, card);
	homanic_debugfs_add(card);
	ret = homanic_cdev_add(card);
	if (ret)
		goto err_memory;
	schedule_delayed_work(&card->watch, msecs_to_jiffies(homanic_watch_ms));
	dev_info(&pdev->dev, "card %d: interface %u.%u, build %08x, %u users, MAC %pM, link up\n", card->index,
		 card->interface_version >> 16, card->interface_version & 0xffff, card->build_id, card->user_count,
		 card->mac);
	return 0;

err_memory:
	homanic_debugfs_remove(card);
	homanic_hw_reset(card);
err_stop:
	pci_clear_master(pdev);
	homanic_dma_unmap_all(card);
	homanic_dma_free_all(card);
	homanic_unmap_registers(card);
err_region:
	pci_release_region(pdev, HOMANIC_BAR);
err_disable:
	pci_disable_device(pdev);
err_card:
	homanic_card_put(card);
err_number:
	ida_free(&homanic_numbers, index);
	return ret;
}

/*
 * Unbind, sysfs removal or surprise removal: open files stay, their sessions are dead. Memory of users without a
 * session is freed here, of the others at their last close, and of those that never became quiet not at all.
 */
static void homanic_remove(struct pci_dev *pdev)
{
	struct homanic_card *card = pci_get_drvdata(pdev);
	bool safe;

	homanic_cdev_remove(card);
	homanic_debugfs_remove(card);
	homanic_card_check(card, "removing the driver");
	homanic_session_kill_all(card);
	cancel_delayed_work_sync(&card->watch);
	homanic_session_end_all(card);
	safe = homanic_stop(card);
	homanic_unmap_registers(card);
	homanic_dma_unmap_all(card);
	homanic_session_free_memory(card, safe);
	pci_release_region(pdev, HOMANIC_BAR);
	pci_disable_device(pdev);
	ida_free(&homanic_numbers, card->index);
	homanic_card_put(card);
}

/* Before a reboot or kexec: the next kernel must not be written to by an old DMA. */
static void homanic_shutdown(struct pci_dev *pdev)
{
	struct homanic_card *card = pci_get_drvdata(pdev);

	homanic_session_kill_all(card);
	homanic_stop(card);
}

static pci_ers_result_t homanic_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	homanic_card_lost(pci_get_drvdata(pdev), "the PCI error handler");
	return PCI_ERS_RESULT_DISCONNECT;
}

static const struct pci_error_handlers homanic_errors = {
	.error_detected = homanic_error_detected,
};

static const struct pci_device_id homanic_ids[] = {
	{ PCI_DEVICE(HOMA_NIC_PCI_VENDOR, HOMA_NIC_PCI_DEVICE) },
	{ 0 },
};
MODULE_DEVICE_TABLE(pci, homanic_ids);

static struct pci_driver homanic_driver = {
	.name = "homanic",
	.id_table = homanic_ids,
	.probe = homanic_probe,
	.remove = homanic_remove,
	.shutdown = homanic_shutdown,
	.err_handler = &homanic_errors,
	.dev_groups = homanic_sysfs_groups,
};

static int __init homanic_init(void)
{
	int ret;

	if (homanic_c2h_bytes % (2 * HOMA_NIC_POOL_CHUNK_BYTES) || homanic_h2c_bytes % PAGE_SIZE ||
	    get_order(homanic_c2h_bytes) > HOMANIC_MAX_ORDER) {
		pr_err("homanic: c2h_msgbuff_bytes=%u, h2c_msgbuff_bytes=%u: expected multiples of 8192 and %lu, at most %lu in one piece\n",
		       homanic_c2h_bytes, homanic_h2c_bytes, PAGE_SIZE, PAGE_SIZE << HOMANIC_MAX_ORDER);
		return -EINVAL;
	}
	ret = homanic_cdev_init();
	if (ret)
		return ret;
	homanic_debugfs_init();
	ret = pci_register_driver(&homanic_driver);
	if (ret) {
		homanic_debugfs_exit();
		homanic_cdev_exit();
	}
	return ret;
}

static void __exit homanic_exit(void)
{
	pci_unregister_driver(&homanic_driver);
	homanic_debugfs_exit();
	homanic_cdev_exit();
	ida_destroy(&homanic_numbers);
}

module_init(homanic_init);
module_exit(homanic_exit);

MODULE_DESCRIPTION("Open network card that speaks the Homa transport");
MODULE_AUTHOR("the homa-nic authors");
MODULE_LICENSE("GPL");
MODULE_VERSION("1.0.0");
