// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of the device files. Pages are put in by the fault handler, all of a mapping at the first fault, and never
 * by mmap itself: a mapping that is being made while the card goes away then finds the card dead at its first fault.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mm.h>

#include "homanic.h"

static_assert(HOMA_NIC_APERTURE_BYTES % PAGE_SIZE == 0, "aperture in whole pages");
#define HOMANIC_UNCACHED_PAGE (HOMA_NIC_MMAP_UNCACHED >> PAGE_SHIFT)

/* Is this mapping of the aperture the uncached one? Parts of a split mapping keep their offset. */
static bool homanic_mmap_is_uncached(const struct vm_area_struct *vma)
{
	return vma->vm_pgoff >= HOMANIC_UNCACHED_PAGE;
}

static resource_size_t homanic_mmap_aperture(const struct homanic_session *session)
{
	return session->card->bar_start + (resource_size_t)session->user * HOMA_NIC_APERTURE_BYTES;
}

/* Puts one page of the aperture in, or the dead page. Context: gone_sem held for reading. */
static vm_fault_t homanic_mmap_insert_aperture(struct homanic_session *session, struct vm_area_struct *vma,
					       unsigned long address)
{
	unsigned long page = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);

	if (session->card->dead)
		return vmf_insert_pfn_prot(vma, address, page_to_pfn(session->dead_page),
					   vm_get_page_prot(vma->vm_flags));
	page %= HOMANIC_UNCACHED_PAGE;
	return vmf_insert_pfn(vma, address, (homanic_mmap_aperture(session) >> PAGE_SHIFT) + page);
}

/* vm_operations.fault: fills the whole mapping. Context: mmap or vma lock held. */
static vm_fault_t homanic_mmap_fault(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct homanic_session *session = vma->vm_private_data;
	struct homanic_card *card = session->card;
	unsigned int region = iminor(file_inode(vma->vm_file)) % HOMANIC_REGIONS;
	vm_fault_t ret = VM_FAULT_NOPAGE;
	unsigned long address;

	down_read(&card->gone_sem);
	for (address = vma->vm_start; address < vma->vm_end && ret == VM_FAULT_NOPAGE; address += PAGE_SIZE) {
		if (region == HOMA_NIC_REGION_H2C_METADATA) {
			ret = homanic_mmap_insert_aperture(session, vma, address);
		} else {
			struct page *pages = card->users[session->user].buffers[region].pages;
			unsigned long page = vma->vm_pgoff + ((address - vma->vm_start) >> PAGE_SHIFT);

			ret = vmf_insert_pfn(vma, address, page_to_pfn(pages) + page);
		}
	}
	up_read(&card->gone_sem);
	return ret;
}

/* One more mapping of the aperture, of this kind. Context: card->lock held. */
static int homanic_mmap_count_up(struct homanic_session *session, bool uncached)
{
	int ret;

	if (uncached ? session->wc_maps : session->uc_maps) {
		dev_info_ratelimited(&session->card->pdev->dev,
				     "user %u has the aperture mapped with the other memory type: unmap that first\n",
				     session->user);
		return -EBUSY;
	}
	if (!uncached && !session->wc_maps) {
		ret = arch_io_reserve_memtype_wc(homanic_mmap_aperture(session), HOMA_NIC_APERTURE_BYTES);
		if (ret)
			return ret;
	}
	if (uncached)
		session->uc_maps++;
	else
		session->wc_maps++;
	return 0;
}

/* vm_operations.open: a mapping was split. Context: mmap lock held. */
static void homanic_mmap_open(struct vm_area_struct *vma)
{
	struct homanic_session *session = vma->vm_private_data;

	mutex_lock(&session->card->lock);
	if (homanic_mmap_is_uncached(vma))
		session->uc_maps++;
	else
		session->wc_maps++;
	mutex_unlock(&session->card->lock);
}

/* vm_operations.close: the last write-combining mapping gives the memory type back. Context: mmap lock held. */
static void homanic_mmap_close(struct vm_area_struct *vma)
{
	struct homanic_session *session = vma->vm_private_data;

	mutex_lock(&session->card->lock);
	if (homanic_mmap_is_uncached(vma))
		session->uc_maps--;
	else if (!--session->wc_maps)
		arch_io_free_memtype_wc(homanic_mmap_aperture(session), HOMA_NIC_APERTURE_BYTES);
	mutex_unlock(&session->card->lock);
}

static const struct vm_operations_struct homanic_mmap_aperture_ops = {
	.open = homanic_mmap_open,
	.close = homanic_mmap_close,
	.fault = homanic_mmap_fault,
};

static const struct vm_operations_struct homanic_mmap_buffer_ops = {
	.fault = homanic_mmap_fault,
};

/* Refuses with a sentence. */
static int homanic_mmap_refuse(struct homanic_session *session, const char *why)
{
	dev_info_ratelimited(&session->card->pdev->dev, "mmap by user %u refused: %s\n", session->user, why);
	return -EINVAL;
}

/**
 * homanic_mmap() - maps a region of a session
 * @session: the session
 * @region: HOMA_NIC_REGION_*
 * @vma: what the caller asks for
 *
 * Context: mmap lock held; takes card->lock.
 * Return: 0; -EINVAL (private, executable, offset or length), -EBUSY (other memory type in use), -ENODEV.
 */
int homanic_mmap(struct homanic_session *session, unsigned int region, struct vm_area_struct *vma)
{
	struct homanic_card *card = session->card;
	bool aperture = region == HOMA_NIC_REGION_H2C_METADATA;
	bool uncached = aperture && vma->vm_pgoff == HOMANIC_UNCACHED_PAGE;
	unsigned long size = aperture ? HOMA_NIC_APERTURE_BYTES : card->users[session->user].buffers[region].bytes;
	int ret = 0;

	if (!(vma->vm_flags & VM_MAYSHARE))
		return homanic_mmap_refuse(session, "use MAP_SHARED: a private copy would never reach the card");
	if (vma->vm_flags & VM_EXEC)
		return homanic_mmap_refuse(session, "drop PROT_EXEC: there is no code in these regions");
	if (vma->vm_pgoff && !uncached)
		return homanic_mmap_refuse(session, "the offset must be 0 (or 16384 for the uncached aperture)");
	if (vma->vm_end - vma->vm_start > size)
		return homanic_mmap_refuse(session, "the length is larger than the region (HOMA_NIC_IOC_INFO has the sizes)");

	mutex_lock(&card->lock);
	if (card->dead)
		ret = -ENODEV;
	else if (aperture)
		ret = homanic_mmap_count_up(session, uncached);
	mutex_unlock(&card->lock);
	if (ret)
		return ret;

	homanic_vm_flags_mod(vma, VM_IO | VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP, VM_MAYEXEC);
	if (uncached)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	else if (aperture)
		vma->vm_page_prot = pgprot_writecombine(vma->vm_page_prot);
	vma->vm_private_data = session;
	vma->vm_ops = aperture ? &homanic_mmap_aperture_ops : &homanic_mmap_buffer_ops;
	return 0;
}

/**
 * homanic_mmap_zap() - takes all pages out of a session's mappings
 * @session: a session of a dead card
 *
 * Later faults find the dead page instead of the aperture, and the session's own memory, which is freed at its last
 * close: a program that still polls does not die of SIGBUS, and nothing it stores reaches a card.
 *
 * Context: card->lock held.
 */
void homanic_mmap_zap(struct homanic_session *session)
{
	int i;

	for (i = 0; i < HOMANIC_REGIONS; i++)
		if (session->files[i])
			unmap_mapping_range(session->files[i]->f_mapping, 0, 0, 1);
}
