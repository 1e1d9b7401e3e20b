// SPDX-License-Identifier: GPL-2.0-only
/* Whole tables for people: /sys/kernel/debug/homanic/<card>/counters, users, settings, neighbours. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "homanic.h"

static struct dentry *homanic_debugfs_root;

static const char *const homanic_counter_names[] = {
#define HOMANIC_COUNTER_NAME(number, name) [number] = #name,
	HOMA_NIC_COUNTERS_LIST(HOMANIC_COUNTER_NAME)
};

static int homanic_counters_show(struct seq_file *out, void *unused)
{
	struct homanic_card *card = out->private;
	unsigned int i;

	if (!homanic_hw_enter_alive(card))
		return -ENODEV;
	for (i = 0; i < HOMA_NIC_COUNTER_COUNT; i++)
		seq_printf(out, "%-24s %llu\n", homanic_counter_names[i], homanic_hw_counter(card, i));
	homanic_hw_leave(card);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(homanic_counters);

static int homanic_users_show(struct seq_file *out, void *unused)
{
	static const char *const states[] = { "free", "open", "stuck" };
	struct homanic_card *card = out->private;
	unsigned int user;

	seq_puts(out, "user  driver  card  outstanding  dma  port\n");
	mutex_lock(&card->lock);
	if (!homanic_hw_enter_alive(card)) {
		mutex_unlock(&card->lock);
		return -ENODEV;
	}
	for (user = 1; user <= card->user_count; user++)
		seq_printf(out, "%4u  %-6s  %4u  %11u  %3u  %5u\n", user, states[card->users[user].state],
			   homanic_hw_user_state(card, user, HOMA_NIC_USER_STATE_FIELD_STATE),
			   homanic_hw_user_state(card, user, HOMA_NIC_USER_STATE_FIELD_OUTSTANDING),
			   homanic_hw_user_state(card, user, HOMA_NIC_USER_STATE_FIELD_DMA_IN_FLIGHT),
			   homanic_hw_user_state(card, user, HOMA_NIC_USER_STATE_FIELD_CLIENT_PORT));
	homanic_hw_leave(card);
	mutex_unlock(&card->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(homanic_users);

static int homanic_settings_show(struct seq_file *out, void *unused)
{
	struct homanic_card *card = out->private;
	unsigned int i;

	seq_puts(out, "setting               value      min        max        default\n");
	if (!homanic_hw_enter_alive(card))
		return -ENODEV;
	for (i = 0; i < homanic_setting_count; i++)
		seq_printf(out, "%-20s  %-9u  %-9u  %-10u %u\n", homanic_settings[i].name,
			   homanic_hw_read(card, homanic_settings[i].reg), homanic_settings[i].min,
			   homanic_settings[i].max, homanic_settings[i].preset);
	homanic_hw_leave(card);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(homanic_settings);

static int homanic_neighbours_show(struct seq_file *out, void *unused)
{
	struct homanic_card *card = out->private;
	struct homanic_neighbour *neighbour;

	mutex_lock(&card->lock);
	list_for_each_entry(neighbour, &card->neighbours, node)
		seq_printf(out, "%pI6c=%pM\n", neighbour->address, neighbour->mac);
	mutex_unlock(&card->lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(homanic_neighbours);

/**
 * homanic_debugfs_init() - makes the driver's folder
 */
void homanic_debugfs_init(void)
{
	homanic_debugfs_root = debugfs_create_dir("homanic", NULL);
}

/**
 * homanic_debugfs_exit() - removes it
 */
void homanic_debugfs_exit(void)
{
	debugfs_remove_recursive(homanic_debugfs_root);
}

/**
 * homanic_debugfs_add() - makes a card's folder; without debugfs nothing happens
 * @card: the card
 */
void homanic_debugfs_add(struct homanic_card *card)
{
	card->debugfs = debugfs_create_dir(pci_name(card->pdev), homanic_debugfs_root);
	debugfs_create_file("counters", 0400, card->debugfs, card, &homanic_counters_fops);
	debugfs_create_file("users", 0400, card->debugfs, card, &homanic_users_fops);
	debugfs_create_file("settings", 0400, card->debugfs, card, &homanic_settings_fops);
	debugfs_create_file("neighbours", 0400, card->debugfs, card, &homanic_neighbours_fops);
}

/**
 * homanic_debugfs_remove() - removes it and waits for readers
 * @card: the card
 */
void homanic_debugfs_remove(struct homanic_card *card)
{
	debugfs_remove_recursive(card->debugfs);
}
