/* SPDX-License-Identifier: GPL-2.0-only */
/* Differences between the kernels the driver builds for (6.1 to 6.12); the only file that looks at versions. */
#ifndef HOMANIC_COMPAT_H
#define HOMANIC_COMPAT_H

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/version.h>

/* 6.4: class_create lost its module argument. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define homanic_class_create(name) class_create(THIS_MODULE, name)
#else
#define homanic_class_create(name) class_create(name)
#endif

/* 6.3: vm_flags may only be changed through helpers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline void homanic_vm_flags_mod(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
	vma->vm_flags = (vma->vm_flags & ~clear) | set;
}
#else
static inline void homanic_vm_flags_mod(struct vm_area_struct *vma, unsigned long set, unsigned long clear)
{
	vm_flags_mod(vma, set, clear);
}
#endif

/* 6.8: MAX_ORDER, exclusive until 6.4, became MAX_PAGE_ORDER, inclusive. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define HOMANIC_MAX_ORDER (MAX_ORDER - 1)
#elif LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define HOMANIC_MAX_ORDER MAX_ORDER
#else
#define HOMANIC_MAX_ORDER MAX_PAGE_ORDER
#endif

#endif /* HOMANIC_COMPAT_H */
