// SPDX-License-Identifier: GPL-2.0-only
/* Device files: four for each card, one cdev for all of them (it lives as long as the module). */
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "homanic.h"

/**
 * struct homanic_file - an open device file
 * @session: the session it belongs to
 * @region: HOMA_NIC_REGION_*
 */
struct homanic_file {
	struct homanic_session *session;
	unsigned int region;
};

/* By HOMA_NIC_REGION_*. */
static const char *const homanic_region_names[HOMANIC_REGIONS] = {
	[HOMA_NIC_REGION_H2C_MSGBUFF] = "h2c_msgbuff",
	[HOMA_NIC_REGION_C2H_MSGBUFF] = "c2h_msgbuff",
	[HOMA_NIC_REGION_C2H_METADATA] = "c2h_metadata",
	[HOMA_NIC_REGION_H2C_METADATA] = "h2c_metadata",
};

static DEFINE_MUTEX(homanic_cards_lock);
static struct homanic_card *homanic_cards[HOMANIC_MAX_CARDS];
static struct class *homanic_class;
static struct cdev homanic_cdev;
static dev_t homanic_devt;

static int homanic_cdev_open(struct inode *inode, struct file *filp)
{
	unsigned int minor = iminor(inode);
	struct homanic_session *session;
	struct homanic_card *card;
	struct homanic_file *file;

	mutex_lock(&homanic_cards_lock);
	card = homanic_cards[minor / HOMANIC_REGIONS];
	if (card)
		homanic_card_get(card);
	mutex_unlock(&homanic_cards_lock);
	if (!card)
		return -ENODEV;
	file = kzalloc(sizeof(*file), GFP_KERNEL_ACCOUNT);
	if (!file) {
		homanic_card_put(card);
		return -ENOMEM;
	}
	file->region = minor % HOMANIC_REGIONS;
	session = homanic_session_open(card, file->region, filp);
	homanic_card_put(card);
	if (IS_ERR(session)) {
		kfree(file);
		return PTR_ERR(session);
	}
	file->session = session;
	filp->private_data = file;
	return nonseekable_open(inode, filp);
}

static int homanic_cdev_release(struct inode *inode, struct file *filp)
{
	struct homanic_file *file = filp->private_data;

	homanic_session_release(file->session, file->region);
	kfree(file);
	return 0;
}

static int homanic_cdev_mmap(struct file *filp, struct vm_area_struct *vma)
{
	struct homanic_file *file = filp->private_data;

	return homanic_mmap(file->session, file->region, vma);
}

/* HOMA_NIC_IOC_INFO. Context: process; sleeps. */
static int homanic_cdev_info(struct homanic_session *session, struct homa_nic_info __user *arg)
{
	struct homanic_card *card = session->card;
	struct homa_nic_info info = { 0 };
	u32 argsz, flags;

	if (get_user(argsz, &arg->argsz) || get_user(flags, &arg->flags))
		return -EFAULT;
	if (argsz < sizeof(info) || flags)
		return -EINVAL;
	if (!homanic_hw_enter_alive(card))
		return -ENODEV;
	if (homanic_hw_read(card, HOMA_NIC_REG_MAGIC) == HOMA_NIC_ALL_ONES) {
		homanic_hw_leave(card);
		homanic_card_check(card, "HOMA_NIC_IOC_INFO");
		return -ENODEV;
	}
	info.users = card->user_count;
	info.outstanding_limit = homanic_hw_read(card, HOMA_NIC_REG_OUTSTANDING_LIMIT);
	info.max_message_bytes = homanic_hw_read(card, HOMA_NIC_REG_MAX_MESSAGE);
	info.pool_chunk_bytes = homanic_hw_read(card, HOMA_NIC_REG_POOL_CHUNK);
	info.rpc_entries = homanic_hw_read(card, HOMA_NIC_REG_RPC_ENTRIES);
	info.clock_hz = homanic_hw_read(card, HOMA_NIC_REG_CLOCK);
	info.mtu = homanic_hw_read(card, HOMA_NIC_REG_MTU);
	info.flags = homanic_hw_read(card, HOMA_NIC_REG_MAC_STATUS) & 1 ? HOMA_NIC_INFO_LINK_UP : 0;
	homanic_hw_leave(card);

	info.argsz = sizeof(info);
	info.api_version = HOMA_NIC_API_VERSION;
	info.interface_version = card->interface_version;
	info.build_id = card->build_id;
	info.build_kind = card->build_kind;
	info.features = card->features;
	info.card = card->index;
	info.user = session->user;
	info.client_port = session->client_port;
	info.time_scale = homanic_time_scale;
	mutex_lock(&card->lock);
	info.h2c_msgbuff_bytes = card->users[session->user].buffers[HOMA_NIC_REGION_H2C_MSGBUFF].bytes;
	info.c2h_msgbuff_bytes = card->users[session->user].buffers[HOMA_NIC_REGION_C2H_MSGBUFF].bytes;
	info.server_ports = session->port_count;
	memcpy(info.mac, card->mac, sizeof(info.mac));
	if (memchr_inv(card->ipv4, 0, sizeof(card->ipv4))) {
		info.flags |= HOMA_NIC_INFO_HAS_IPV4;
		info.ipv4[10] = 0xff;
		info.ipv4[11] = 0xff;
		memcpy(info.ipv4 + 12, card->ipv4, sizeof(card->ipv4));
	}
	if (memchr_inv(card->ipv6, 0, sizeof(card->ipv6))) {
		info.flags |= HOMA_NIC_INFO_HAS_IPV6;
		memcpy(info.ipv6, card->ipv6, sizeof(card->ipv6));
	}
	if (card->loopback)
		info.flags |= HOMA_NIC_INFO_LOOPBACK;
	mutex_unlock(&card->lock);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/* HOMA_NIC_IOC_BIND_PORT, HOMA_NIC_IOC_UNBIND_PORT. Context: process; sleeps. */
static int homanic_cdev_port(struct homanic_session *session, const struct homa_nic_port __user *arg, bool bind)
{
	struct homa_nic_port port;

	if (copy_from_user(&port, arg, sizeof(port)))
		return -EFAULT;
	if (port.argsz < sizeof(port) || port.flags || memchr_inv(port.reserved, 0, sizeof(port.reserved)))
		return -EINVAL;
	return homanic_session_port(session, port.port, bind);
}

static long homanic_cdev_ioctl(struct file *filp, unsigned int command, unsigned long arg)
{
	struct homanic_file *file = filp->private_data;
	void __user *pointer = (void __user *)arg;

	switch (command) {
	case HOMA_NIC_IOC_INFO:
		return homanic_cdev_info(file->session, pointer);
	case HOMA_NIC_IOC_BIND_PORT:
		return homanic_cdev_port(file->session, pointer, true);
	case HOMA_NIC_IOC_UNBIND_PORT:
		return homanic_cdev_port(file->session, pointer, false);
	default:
		return -ENOTTY;
	}
}

/* The owner keeps the module in memory while a file is open: rmmod answers EBUSY. */
static const struct file_operations homanic_cdev_fops = {
	.owner = THIS_MODULE,
	.open = homanic_cdev_open,
	.release = homanic_cdev_release,
	.mmap = homanic_cdev_mmap,
	.unlocked_ioctl = homanic_cdev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/**
 * homanic_cdev_add() - gives a card its number and makes its four device files
 * @card: the card, ready for sessions
 *
 * Context: probe. Takes homanic_cards_lock.
 * Return: 0 or -errno; card->index is set.
 */
int homanic_cdev_add(struct homanic_card *card)
{
	struct device *device;
	int region;

	for (region = 0; region < HOMANIC_REGIONS; region++) {
		dev_t devt = homanic_devt + card->index * HOMANIC_REGIONS + region;
		const char *name = homanic_region_names[region];

		if (card->index)
			device = device_create(homanic_class, &card->pdev->dev, devt, NULL, "homa_nic%d_%s", card->index,
					       name);
		else
			device = device_create(homanic_class, &card->pdev->dev, devt, NULL, "homa_nic_%s", name);
		if (IS_ERR(device)) {
			dev_err(&card->pdev->dev, "cannot make device file %s: error %ld; is another driver using the name?\n",
				name, PTR_ERR(device));
			while (region--)
				device_destroy(homanic_class, homanic_devt + card->index * HOMANIC_REGIONS + region);
			return PTR_ERR(device);
		}
	}
	mutex_lock(&homanic_cards_lock);
	homanic_cards[card->index] = card;
	mutex_unlock(&homanic_cards_lock);
	return 0;
}

/**
 * homanic_cdev_remove() - takes a card's device files away; open files stay
 * @card: the card
 *
 * Context: remove, or a failed probe. Takes homanic_cards_lock.
 */
void homanic_cdev_remove(struct homanic_card *card)
{
	int region;

	mutex_lock(&homanic_cards_lock);
	homanic_cards[card->index] = NULL;
	mutex_unlock(&homanic_cards_lock);
	for (region = 0; region < HOMANIC_REGIONS; region++)
		device_destroy(homanic_class, homanic_devt + card->index * HOMANIC_REGIONS + region);
}

/**
 * homanic_cdev_init() - class, numbers and cdev
 *
 * Context: module init.
 * Return: 0 or -errno.
 */
int homanic_cdev_init(void)
{
	int ret;

	homanic_class = homanic_class_create("homa_nic");
	if (IS_ERR(homanic_class))
		return PTR_ERR(homanic_class);
	ret = alloc_chrdev_region(&homanic_devt, 0, HOMANIC_MAX_CARDS * HOMANIC_REGIONS, "homa_nic");
	if (ret)
		goto err_class;
	cdev_init(&homanic_cdev, &homanic_cdev_fops);
	homanic_cdev.owner = THIS_MODULE;
	ret = cdev_add(&homanic_cdev, homanic_devt, HOMANIC_MAX_CARDS * HOMANIC_REGIONS);
	if (ret)
		goto err_region;
	return 0;

err_region:
	unregister_chrdev_region(homanic_devt, HOMANIC_MAX_CARDS * HOMANIC_REGIONS);
err_class:
	class_destroy(homanic_class);
	return ret;
}

/**
 * homanic_cdev_exit() - undoes homanic_cdev_init()
 *
 * Context: module exit.
 */
void homanic_cdev_exit(void)
{
	cdev_del(&homanic_cdev);
	unregister_chrdev_region(homanic_devt, HOMANIC_MAX_CARDS * HOMANIC_REGIONS);
	class_destroy(homanic_class);
}
