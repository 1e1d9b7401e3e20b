/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note OR Apache-2.0 */
/*
 * What the homanic driver and user space share: device names, mmap offsets and ioctls.
 * Call and result layouts, and every number of the card, are in homa_nic_regs.h (generated).
 *
 * Rules of every struct here: fixed-width fields, explicit padding, 8-byte multiple, the same bytes for 32-bit and
 * 64-bit callers. The caller sets argsz to the size it knows. The driver answers EINVAL when argsz is smaller than the
 * first version of the struct, when an unknown flag is set or when a reserved field is not 0, and fills in no more
 * than argsz bytes. Later versions only append.
 */
#ifndef HOMA_NIC_UAPI_H
#define HOMA_NIC_UAPI_H

#include <linux/ioctl.h>
#include "homa_nic_regs.h"

/* Version of these ioctls: goes up when one is added or grows. Compare with homa_nic_info.api_version. */
#define HOMA_NIC_API_VERSION 1u

/* Card 0 has the plain names, card n has "/dev/homa_nic<n>_...". One process opens each of the four once. */
#define HOMA_NIC_DEVICE_H2C_METADATA "/dev/homa_nic_h2c_metadata"
#define HOMA_NIC_DEVICE_C2H_METADATA "/dev/homa_nic_c2h_metadata"
#define HOMA_NIC_DEVICE_H2C_MSGBUFF "/dev/homa_nic_h2c_msgbuff"
#define HOMA_NIC_DEVICE_C2H_MSGBUFF "/dev/homa_nic_c2h_msgbuff"

/* mmap offsets of h2c_metadata: the aperture write-combining, or the same aperture uncached. Other devices: 0. */
#define HOMA_NIC_MMAP_WRITE_COMBINING 0
#define HOMA_NIC_MMAP_UNCACHED 16384

/* homa_nic_info.flags */
#define HOMA_NIC_INFO_LINK_UP (1u << 0) /* the MAC has a link */
#define HOMA_NIC_INFO_HAS_IPV4 (1u << 1) /* ipv4 is set */
#define HOMA_NIC_INFO_HAS_IPV6 (1u << 2) /* ipv6 is set */
#define HOMA_NIC_INFO_LOOPBACK (1u << 3) /* the MAC sends frames back to itself */

/**
 * struct homa_nic_info - HOMA_NIC_IOC_INFO: who this session is and what the card can do
 * @argsz: in: bytes the caller has; out: bytes the driver knows
 * @flags: in: 0; out: HOMA_NIC_INFO_* bits
 * @api_version: HOMA_NIC_API_VERSION of the driver
 * @interface_version: major << 16 | minor of the card's host interface
 * @build_id: first 32 bits of the git hash the card was built from
 * @build_kind: HOMA_NIC_BUILD_KIND_*: a real card, the simulated device, the Verilated RTL
 * @features: HOMA_NIC_FEATURE_* bits
 * @card: number of the card, 0 first
 * @user: user number of this session, 1..users
 * @client_port: Homa port that requests of this session come from
 * @users: users of this card
 * @outstanding_limit: calls of one user that may wait for their final result
 * @h2c_msgbuff_bytes: size of h2c_msgbuff
 * @c2h_msgbuff_bytes: size of c2h_msgbuff; the lower half is the application's
 * @max_message_bytes: longest message
 * @pool_chunk_bytes: unit of the receive pool
 * @rpc_entries: size of the card's RPC table
 * @clock_hz: clock of the card logic
 * @mtu: largest IP packet, bytes
 * @time_scale: factor the driver multiplies its time limits by (1 for a real card)
 * @ipv4: own IPv4 address as ::ffff:a.b.c.d, all 0 when not set
 * @ipv6: own IPv6 address, all 0 when not set
 * @mac: own MAC address
 * @server_ports: number of server ports this session has bound
 * @reserved: 0
 */
struct homa_nic_info {
	__u32 argsz;
	__u32 flags;
	__u32 api_version;
	__u32 interface_version;
	__u32 build_id;
	__u32 build_kind;
	__u32 features;
	__u32 card;
	__u32 user;
	__u32 client_port;
	__u32 users;
	__u32 outstanding_limit;
	__u32 h2c_msgbuff_bytes;
	__u32 c2h_msgbuff_bytes;
	__u32 max_message_bytes;
	__u32 pool_chunk_bytes;
	__u32 rpc_entries;
	__u32 clock_hz;
	__u32 mtu;
	__u32 time_scale;
	__u8 ipv4[16];
	__u8 ipv6[16];
	__u8 mac[6];
	__u16 server_ports;
	__u32 reserved[4];
};
static_assert(sizeof(struct homa_nic_info) == 136, "homa_nic_info size");
static_assert(offsetof(struct homa_nic_info, ipv4) == 80, "homa_nic_info.ipv4");
static_assert(offsetof(struct homa_nic_info, reserved) == 120, "homa_nic_info.reserved");

/**
 * struct homa_nic_port - HOMA_NIC_IOC_BIND_PORT and HOMA_NIC_IOC_UNBIND_PORT
 * @argsz: size of the struct
 * @flags: 0
 * @port: server port, 1..32767
 * @reserved: 0
 */
struct homa_nic_port {
	__u32 argsz;
	__u32 flags;
	__u16 port;
	__u16 reserved[3];
};
static_assert(sizeof(struct homa_nic_port) == 16, "homa_nic_port size");
static_assert(offsetof(struct homa_nic_port, port) == 8, "homa_nic_port.port");

#define HOMA_NIC_IOC_MAGIC 0xB9

/*
 * The three ioctls work on any of the session's four files. All of them: ENODEV when the card is gone (reopen after
 * it is back), EINVAL for a bad argsz, flag or reserved field, EFAULT for a bad pointer, ENOTTY for another number.
 *
 * INFO        fills homa_nic_info.
 * BIND_PORT   messages to this port come to this session. EADDRINUSE: another session (or this one) has it.
 *             EINVAL: not 1..32767. ENOSPC: 8 ports are bound already.
 * UNBIND_PORT gives the port back. EADDRNOTAVAIL: this session has not bound it. Closing the session does it too.
 */
#define HOMA_NIC_IOC_INFO _IOWR(HOMA_NIC_IOC_MAGIC, 0, struct homa_nic_info)
#define HOMA_NIC_IOC_BIND_PORT _IOW(HOMA_NIC_IOC_MAGIC, 1, struct homa_nic_port)
#define HOMA_NIC_IOC_UNBIND_PORT _IOW(HOMA_NIC_IOC_MAGIC, 2, struct homa_nic_port)

#endif /* HOMA_NIC_UAPI_H */
