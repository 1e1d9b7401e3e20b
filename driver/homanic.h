/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * homanic: what the files of the driver share.
 *
 * Locks, outermost first:
 *   homanic_cards_lock  the table of cards
 *   card->close_lock    one session ends at a time; held while the card quiesces
 *   card->lock          sessions, users[], neighbours; never held while user memory is touched
 *   card->gone_sem      held for reading around every register access; for writing when the registers go away
 *   card->hw_lock       one kernel call at a time
 * mmap_lock is taken before card->lock (mmap, fault), never after.
 */
#ifndef HOMANIC_H
#define HOMANIC_H

#include <linux/cdev.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>

#include "uapi/homa_nic.h"
#include "homanic_compat.h"

#ifndef __LITTLE_ENDIAN
#error "the structs of the host interface are little-endian; this driver has only been written for such machines"
#endif

#define HOMANIC_MAX_CARDS 16
#define HOMANIC_REGIONS 4 /* numbered HOMA_NIC_REGION_*; the first three have DMA maps */
#define HOMANIC_DMA_REGIONS 3

struct homanic_session;

/**
 * struct homanic_buffer - one DMA region of one user
 * @pages: compound page; NULL = none
 * @dma: bus address while @mapped
 * @bytes: size
 * @mapped: the device can reach it
 */
struct homanic_buffer {
	struct page *pages;
	dma_addr_t dma;
	u32 bytes;
	bool mapped;
};

/**
 * enum homanic_user_state - what the driver thinks of a user number
 * @HOMANIC_USER_FREE: may be given to a session
 * @HOMANIC_USER_OPEN: belongs to a session
 * @HOMANIC_USER_STUCK: its session ended but the card did not quiesce: its memory must not be touched
 */
enum homanic_user_state {
	HOMANIC_USER_FREE,
	HOMANIC_USER_OPEN,
	HOMANIC_USER_STUCK,
};

/**
 * struct homanic_user - a user number and its memory, allocated at probe
 * @state: under card->lock
 * @ended: the card has been told (or lost): nothing of this user moves any more
 * @held: a session exists, alive or dead
 * @buffers: by HOMA_NIC_REGION_*
 */
struct homanic_user {
	enum homanic_user_state state;
	bool ended;
	bool held;
	struct homanic_buffer buffers[HOMANIC_DMA_REGIONS];
};

/**
 * struct homanic_session - the four device files of one address space on one card
 * @node: in card->sessions, under card->lock
 * @card: holds a reference
 * @mm: the opener's address space, kept from reuse by mmgrab
 * @user: number 1..16
 * @client_port: assigned by the card
 * @server_ports: ports bound
 * @port_count: number of them
 * @files: open file of each region, under card->lock
 * @dead_page: what an aperture mapping shows once the card is gone
 * @wc_maps: aperture mappings that are write-combining, under card->lock
 * @uc_maps: aperture mappings that are uncached, under card->lock
 */
struct homanic_session {
	struct list_head node;
	struct homanic_card *card;
	struct mm_struct *mm;
	unsigned int user;
	u16 client_port;
	u16 server_ports[HOMA_NIC_SERVER_PORTS_PER_USER];
	unsigned int port_count;
	struct file *files[HOMANIC_REGIONS];
	struct page *dead_page;
	unsigned int wc_maps;
	unsigned int uc_maps;
};

/**
 * struct homanic_neighbour - a static neighbour, as the driver gave it to the card
 * @node: in card->neighbours
 * @address: IPv6, or IPv4 as ::ffff:a.b.c.d
 * @mac: its MAC address
 */
struct homanic_neighbour {
	struct list_head node;
	u8 address[16];
	u8 mac[6];
};

/**
 * struct homanic_card - one card
 * @kref: probe holds one, each session one
 * @pdev: the PCI function, referenced
 * @index: card number
 * @bar_start: bus-side start of BAR 0
 * @regs: kernel calls and registers, uncached; NULL once gone
 * @mac_regs: MAC registers, uncached
 * @gone_sem: see above
 * @dead: no new work, calls answer ENODEV (set before the registers go away)
 * @gone: registers may not be touched; written under gone_sem
 * @lost: the card vanished from the bus: it cannot do DMA any more
 * @lock: see above
 * @close_lock: see above
 * @hw_lock: see above
 * @kernel_calls: calls the card should have counted, modulo 65536, under hw_lock
 * @sessions: open sessions
 * @users: users[1..user_count]
 * @user_count: users of this card
 * @neighbours: static neighbours
 * @neighbour_count: number of them
 * @watch: looks at the magic register now and then
 * @debugfs: folder of this card
 * @interface_version: as read at probe
 * @build_id: as read at probe
 * @build_kind: as read at probe
 * @features: as read at probe
 * @mac: own MAC address
 * @ipv4: own address, first byte first; 0 = none
 * @ipv6: own address; 0 = none
 * @loopback: MAC loopback is on
 * @sessions_opened: since probe
 * @sessions_closed: since probe
 */
struct homanic_card {
	struct kref kref;
	struct pci_dev *pdev;
	int index;
	resource_size_t bar_start;
	void __iomem *regs;
	void __iomem *mac_regs;
	struct rw_semaphore gone_sem;
	bool dead;
	bool gone;
	bool lost;
	struct mutex lock;
	struct mutex close_lock;
	struct mutex hw_lock;
	u16 kernel_calls;
	struct list_head sessions;
	struct homanic_user users[HOMA_NIC_MAX_USERS + 1];
	unsigned int user_count;
	struct list_head neighbours;
	unsigned int neighbour_count;
	struct delayed_work watch;
	struct dentry *debugfs;
	u32 interface_version;
	u32 build_id;
	u32 build_kind;
	u32 features;
	u8 mac[6];
	u8 ipv4[4];
	u8 ipv6[16];
	bool loopback;
	u64 sessions_opened;
	u64 sessions_closed;
};

/* homanic_params.c: module parameters */
extern unsigned int homanic_time_scale;
extern unsigned int homanic_users;
extern unsigned int homanic_h2c_bytes;
extern unsigned int homanic_c2h_bytes;
extern unsigned int homanic_link_ms;
extern unsigned int homanic_watch_ms;
extern unsigned int homanic_dma_read_log2;
extern unsigned int homanic_dma_write_log2;
extern bool homanic_loopback;
const char *homanic_param_mac(int index);
const char *homanic_param_ipv4(int index);
const char *homanic_param_ipv6(int index);
const char *homanic_param_neighbours(void);

/**
 * struct homanic_setting - a register that a module parameter and a sysfs file set
 * @name: of both
 * @reg: register
 * @min: least value
 * @max: greatest value
 * @preset: default
 * @value: the module parameter
 */
struct homanic_setting {
	const char *name;
	u32 reg;
	u32 min;
	u32 max;
	u32 preset;
	unsigned int *value;
};

extern const struct homanic_setting homanic_settings[];
extern const unsigned int homanic_setting_count;

/* homanic_hw.c: registers */
u32 homanic_hw_read(struct homanic_card *card, u32 reg);
void homanic_hw_write(struct homanic_card *card, u32 reg, u32 value);
u64 homanic_hw_counter(struct homanic_card *card, unsigned int index);
u32 homanic_hw_user_state(struct homanic_card *card, unsigned int user, u32 field);
bool homanic_hw_enter(struct homanic_card *card);
bool homanic_hw_enter_alive(struct homanic_card *card);
void homanic_hw_leave(struct homanic_card *card);
int homanic_hw_identify(struct homanic_card *card);
int homanic_hw_reset(struct homanic_card *card);
int homanic_hw_mac_up(struct homanic_card *card);
void homanic_hw_mac_control(struct homanic_card *card);
u32 homanic_hw_wait(struct homanic_card *card, u32 reg, u32 mask, u32 want, unsigned int limit_ms);

/* homanic_call.c: kernel calls */
int homanic_hw_call(struct homanic_card *card, u32 offset, const void *call, const char *what);
int homanic_hw_user(struct homanic_card *card, unsigned int user, unsigned int operation);
int homanic_hw_dma_map(struct homanic_card *card, unsigned int user, unsigned int region, dma_addr_t address,
		       u32 bytes);
int homanic_hw_dma_unmap(struct homanic_card *card, unsigned int user, unsigned int region);
int homanic_hw_port(struct homanic_card *card, unsigned int user, u16 port, bool bind);
int homanic_hw_neighbour(struct homanic_card *card, const u8 *address, const u8 *mac, bool add);
int homanic_hw_quiesce(struct homanic_card *card, unsigned int user);

/* homanic_config.c: what the card is told at probe and through sysfs */
int homanic_config_addresses(struct homanic_card *card);
int homanic_config_apply(struct homanic_card *card);
int homanic_config_parse_address(const char *text, size_t length, u8 *address);
int homanic_config_set_mac(struct homanic_card *card, const u8 *mac);
int homanic_config_set_ipv4(struct homanic_card *card, const u8 *address);
int homanic_config_set_ipv6(struct homanic_card *card, const u8 *address);
int homanic_config_neighbour(struct homanic_card *card, const u8 *address, const u8 *mac, bool add);
void homanic_config_forget_neighbours(struct homanic_card *card);

/* homanic_dma.c: buffers */
int homanic_dma_allocate(struct homanic_card *card);
void homanic_dma_unmap_all(struct homanic_card *card);
void homanic_dma_free_user(struct homanic_card *card, unsigned int user);
void homanic_dma_free_all(struct homanic_card *card);
void homanic_dma_zero(struct homanic_buffer *buffer);
u64 homanic_dma_kept_bytes(struct homanic_card *card);

/* homanic_session.c: sessions */
struct homanic_session *homanic_session_open(struct homanic_card *card, unsigned int region, struct file *file);
void homanic_session_release(struct homanic_session *session, unsigned int region);
int homanic_session_port(struct homanic_session *session, u16 port, bool bind);
void homanic_session_kill_all(struct homanic_card *card);
void homanic_session_end_all(struct homanic_card *card);
void homanic_session_free_memory(struct homanic_card *card, bool safe);

/* homanic_cdev.c: device files */
int homanic_cdev_init(void);
void homanic_cdev_exit(void);
int homanic_cdev_add(struct homanic_card *card);
void homanic_cdev_remove(struct homanic_card *card);

/* homanic_mmap.c: mappings */
int homanic_mmap(struct homanic_session *session, unsigned int region, struct vm_area_struct *vma);
void homanic_mmap_zap(struct homanic_session *session);

/* homanic_sysfs.c, homanic_debugfs.c */
extern const struct attribute_group *homanic_sysfs_groups[];
void homanic_debugfs_init(void);
void homanic_debugfs_exit(void);
void homanic_debugfs_add(struct homanic_card *card);
void homanic_debugfs_remove(struct homanic_card *card);

/* homanic_pci.c */
void homanic_card_get(struct homanic_card *card);
void homanic_card_put(struct homanic_card *card);
void homanic_card_check(struct homanic_card *card, const char *where);
void homanic_card_lost(struct homanic_card *card, const char *where);

#endif /* HOMANIC_H */
