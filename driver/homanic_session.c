// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: the four device files that one address space has open on one card share one user number of the card.
 * A session lives from the first open to the last close; a file that is inherited by fork or kept over exec stays in
 * the session of the process that opened it.
 */
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "homanic.h"

/* Context: card->lock held. */
static struct homanic_session *homanic_session_find(struct homanic_card *card, struct mm_struct *mm)
{
	struct homanic_session *session;

	list_for_each_entry(session, &card->sessions, node)
		if (session->mm == mm)
			return session;
	return NULL;
}

/* A user whose DMA ended late may be used again. Context: card->lock held, registers usable. */
static void homanic_session_reclaim(struct homanic_card *card)
{
	unsigned int user;
	u32 state;

	for (user = 1; user <= card->user_count; user++) {
		if (card->users[user].state != HOMANIC_USER_STUCK)
			continue;
		state = homanic_hw_user_state(card, user, HOMA_NIC_USER_STATE_FIELD_STATE);
		if (state != HOMA_NIC_USER_STATE_QUIESCED)
			continue;
		if (homanic_hw_user(card, user, HOMA_NIC_USER_OPERATION_CLOSE))
			continue;
		card->users[user].state = HOMANIC_USER_FREE;
		dev_info(&card->pdev->dev, "user %u has quiesced late: its memory is in use again\n", user);
	}
}

/* Context: card->lock held, registers usable. Return: user number, or -EUSERS. */
static int homanic_session_pick_user(struct homanic_card *card)
{
	unsigned int user;

	homanic_session_reclaim(card);
	for (user = 1; user <= card->user_count; user++)
		if (card->users[user].state == HOMANIC_USER_FREE)
			return user;
	dev_info_ratelimited(&card->pdev->dev,
			     "all %u users are taken: close a program that has the card open, or load with more users=\n",
			     card->user_count);
	return -EUSERS;
}

/* Makes a session for the caller's address space. Context: card->lock held, registers usable. */
static struct homanic_session *homanic_session_create(struct homanic_card *card)
{
	struct homanic_session *session;
	int user, ret;

	session = kzalloc(sizeof(*session), GFP_KERNEL_ACCOUNT);
	if (!session)
		return ERR_PTR(-ENOMEM);
	session->dead_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!session->dead_page) {
		ret = -ENOMEM;
		goto err_free;
	}
	user = homanic_session_pick_user(card);
	if (user < 0) {
		ret = user;
		goto err_page;
	}
	ret = homanic_hw_user(card, user, HOMA_NIC_USER_OPERATION_OPEN);
	if (ret)
		goto err_page;
	session->card = card;
	session->user = user;
	session->client_port = homanic_hw_user_state(card, user, HOMA_NIC_USER_STATE_FIELD_CLIENT_PORT);
	session->mm = current->mm;
	mmgrab(session->mm);
	homanic_card_get(card);
	card->users[user].state = HOMANIC_USER_OPEN;
	card->users[user].ended = false;
	card->users[user].held = true;
	card->sessions_opened++;
	list_add(&session->node, &card->sessions);
	return session;

err_page:
	__free_page(session->dead_page);
err_free:
	kfree(session);
	return ERR_PTR(ret);
}

/* Tells the card that a user is over. Context: close_lock held; sleeps. The session is not in the list any more. */
static void homanic_session_end_user(struct homanic_card *card, unsigned int number)
{
	struct homanic_user *user = &card->users[number];
	int ret = -ENODEV;

	if (homanic_hw_enter(card)) {
		if (!card->lost)
			ret = homanic_hw_quiesce(card, number);
		homanic_hw_leave(card);
	}
	if (ret == -ENODEV)
		homanic_card_check(card, "closing a session");
	mutex_lock(&card->lock);
	user->ended = !ret || ret == -ENODEV;
	if (!user->ended) {
		WRITE_ONCE(user->state, HOMANIC_USER_STUCK);
		dev_err(&card->pdev->dev,
			"user %u has not quiesced in %u ms: its memory is kept until it has; if it never does, unload and load the driver\n",
			number, HOMA_NIC_QUIESCE_LIMIT_MS * homanic_time_scale);
	}
	mutex_unlock(&card->lock);
}

/* Frees a session whose last file is closed. Context: close_lock held. */
static void homanic_session_destroy(struct homanic_session *session)
{
	struct homanic_card *card = session->card;
	struct homanic_user *user = &card->users[session->user];

	if (!user->ended && user->state != HOMANIC_USER_STUCK)
		homanic_session_end_user(card, session->user);
	mutex_lock(&card->lock);
	user->held = false;
	if (user->ended) {
		WRITE_ONCE(user->state, HOMANIC_USER_FREE);
		/* After remove nobody else frees it; while the card is bound the call leaves it alone. */
		homanic_dma_free_user(card, session->user);
	}
	card->sessions_closed++;
	mutex_unlock(&card->lock);
	mmdrop(session->mm);
	__free_page(session->dead_page);
	kfree(session);
}

/* The part of an open under card->lock. On failure *created says that the session has to be destroyed. */
static int homanic_session_attach(struct homanic_card *card, unsigned int region, struct file *file,
				  struct homanic_session **session, bool *created)
{
	struct homanic_buffer *buffer;
	int ret;

	if (card->dead)
		return -ENODEV;
	*session = homanic_session_find(card, current->mm);
	if (*session && (*session)->files[region])
		return -EBUSY;
	if (!*session) {
		*session = homanic_session_create(card);
		if (IS_ERR(*session))
			return PTR_ERR(*session);
		*created = true;
	}
	if (region < HOMANIC_DMA_REGIONS) {
		buffer = &card->users[(*session)->user].buffers[region];
		homanic_dma_zero(buffer);
		ret = homanic_hw_dma_map(card, (*session)->user, region, buffer->dma, buffer->bytes);
		if (ret) {
			if (*created)
				list_del(&(*session)->node);
			return ret;
		}
	}
	(*session)->files[region] = file;
	return 0;
}

/**
 * homanic_session_open() - opens one region for the calling process
 * @card: the card; the caller holds a reference
 * @region: HOMA_NIC_REGION_*
 * @file: the file being opened
 *
 * Joins the session of the caller's address space or makes one, clears the region's memory and hands its DMA map to
 * the card.
 *
 * Context: process; takes card->lock, sleeps.
 * Return: the session; -EBUSY (open already), -EUSERS (no user left), -ENODEV, -ENOMEM, -EINVAL (kernel thread).
 */
struct homanic_session *homanic_session_open(struct homanic_card *card, unsigned int region, struct file *file)
{
	struct homanic_session *session = NULL;
	bool created = false;
	int ret = -ENODEV;

	if (!current->mm)
		return ERR_PTR(-EINVAL);
	mutex_lock(&card->lock);
	if (homanic_hw_enter(card)) {
		ret = homanic_session_attach(card, region, file, &session, &created);
		homanic_hw_leave(card);
	}
	mutex_unlock(&card->lock);
	if (!ret)
		return session;
	if (created) {
		mutex_lock(&card->close_lock);
		homanic_session_destroy(session);
		mutex_unlock(&card->close_lock);
		homanic_card_put(card);
	}
	if (ret == -ENODEV)
		homanic_card_check(card, "opening a device");
	return ERR_PTR(ret);
}

/**
 * homanic_session_release() - closes one region; the last one ends the session
 * @session: the session; invalid afterwards if this was its last file
 * @region: HOMA_NIC_REGION_*
 *
 * All mappings of the file are gone. Ending the session quiesces the user on the card before its memory is used again.
 *
 * Context: process, perhaps a dying one; takes close_lock and card->lock, sleeps up to 100 ms x time_scale.
 */
void homanic_session_release(struct homanic_session *session, unsigned int region)
{
	struct homanic_card *card = session->card;
	bool last = true;
	int i;

	mutex_lock(&card->close_lock);
	mutex_lock(&card->lock);
	session->files[region] = NULL;
	for (i = 0; i < HOMANIC_REGIONS; i++)
		if (session->files[i])
			last = false;
	if (last) {
		list_del(&session->node);
	} else if (region < HOMANIC_DMA_REGIONS && homanic_hw_enter_alive(card)) {
		homanic_hw_dma_unmap(card, session->user, region);
		homanic_hw_leave(card);
	}
	mutex_unlock(&card->lock);
	if (last)
		homanic_session_destroy(session);
	mutex_unlock(&card->close_lock);
	if (last)
		homanic_card_put(card);
}

/* Finds a bound port. Context: card->lock held. Return: its index, or port_count. */
static unsigned int homanic_session_port_index(struct homanic_session *session, u16 port)
{
	unsigned int i;

	for (i = 0; i < session->port_count; i++)
		if (session->server_ports[i] == port)
			break;
	return i;
}

/**
 * homanic_session_port() - binds or frees a server port
 * @session: the session
 * @port: 1..32767
 * @bind: true to bind
 *
 * Context: process; takes card->lock, sleeps.
 * Return: 0; -EINVAL (range), -EADDRINUSE, -ENOSPC (8 are bound), -EADDRNOTAVAIL (not ours), -ENODEV, -EIO.
 */
int homanic_session_port(struct homanic_session *session, u16 port, bool bind)
{
	struct homanic_card *card = session->card;
	unsigned int i;
	int ret;

	if (port < HOMA_NIC_SERVER_PORT_MIN || port > HOMA_NIC_SERVER_PORT_MAX)
		return -EINVAL;
	mutex_lock(&card->lock);
	i = homanic_session_port_index(session, port);
	if (!homanic_hw_enter_alive(card)) {
		ret = -ENODEV;
		goto out_unlock;
	}
	if (bind && i < session->port_count) {
		ret = -EADDRINUSE;
	} else if (bind && session->port_count == HOMA_NIC_SERVER_PORTS_PER_USER) {
		ret = -ENOSPC;
	} else if (!bind && i == session->port_count) {
		ret = -EADDRNOTAVAIL;
	} else {
		ret = homanic_hw_port(card, session->user, port, bind);
		if (!ret && bind)
			session->server_ports[session->port_count++] = port;
		else if (!ret)
			session->server_ports[i] = session->server_ports[--session->port_count];
	}
	homanic_hw_leave(card);
out_unlock:
	mutex_unlock(&card->lock);
	if (ret == -ENODEV)
		homanic_card_check(card, "a port ioctl");
	return ret;
}

/**
 * homanic_session_kill_all() - marks the card dead and takes its aperture away from every program
 * @card: the card
 *
 * From here on calls answer ENODEV, and mappings show memory only: nothing of a program reaches the card.
 *
 * Context: process; takes card->lock and gone_sem.
 */
void homanic_session_kill_all(struct homanic_card *card)
{
	struct homanic_session *session;

	mutex_lock(&card->lock);
	down_write(&card->gone_sem);
	card->dead = true;
	up_write(&card->gone_sem);
	list_for_each_entry(session, &card->sessions, node)
		homanic_mmap_zap(session);
	mutex_unlock(&card->lock);
}

/**
 * homanic_session_end_all() - quiesces every user that is still open
 * @card: the card; dead, so no session is made any more
 *
 * The sessions themselves stay until their last file is closed.
 *
 * Context: remove; takes close_lock, sleeps.
 */
void homanic_session_end_all(struct homanic_card *card)
{
	unsigned int user;

	mutex_lock(&card->close_lock);
	for (user = 1; user <= card->user_count; user++)
		if (card->users[user].state == HOMANIC_USER_OPEN && !card->users[user].ended)
			homanic_session_end_user(card, user);
	mutex_unlock(&card->close_lock);
}

/**
 * homanic_session_free_memory() - frees the memory of users that have no session any more
 * @card: the card; its registers are gone and its memory is unmapped from the device
 * @safe: the core was reset or the link is lost, so no DMA can come: also users that never quiesced are done
 *
 * Users that still have a session follow at its last close.
 *
 * Context: remove; takes close_lock and card->lock.
 */
void homanic_session_free_memory(struct homanic_card *card, bool safe)
{
	unsigned int number;

	mutex_lock(&card->close_lock);
	mutex_lock(&card->lock);
	for (number = 1; number <= card->user_count; number++) {
		struct homanic_user *user = &card->users[number];

		if (safe)
			user->ended = true;
		if (!user->held && (user->ended || user->state == HOMANIC_USER_FREE))
			homanic_dma_free_user(card, number);
	}
	if (!safe && homanic_dma_kept_bytes(card))
		dev_err(&card->pdev->dev,
			"the card was neither quiet nor reset: %llu bytes stay allocated until reboot, so that a late DMA harms nobody\n",
			homanic_dma_kept_bytes(card));
	mutex_unlock(&card->lock);
	mutex_unlock(&card->close_lock);
}
