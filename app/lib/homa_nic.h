// SPDX-License-Identifier: Apache-2.0
/*
 * homa_nic: messages through a homa-nic card, without the kernel in the way.
 *
 * Five minutes to use it:
 *
 *   1. homa_nic_open() opens the card's four device files for this process and maps them. One session per process and
 *      card; close it with homa_nic_close().
 *   2. Each thread that makes calls takes its own call set: homa_nic_thread_open() (8 per session).
 *   3. A call (sendmsg, recvmsg, nop, cancel, release) is a 64-byte store to the card. It returns at once with a slot
 *      number. What became of it is in the slot: homa_nic_poll() looks, homa_nic_wait() waits.
 *   4. A slot is yours from the call until a poll or wait has returned a result with HOMA_NIC_RESULT_FLAG_FINAL; then
 *      the library may hand it out again. A wait that times out leaves the slot with its call: wait again, or cancel.
 *
 * Message bytes live in two buffers that the card reads and writes by DMA:
 *
 *   homa_nic_send_buffer()     1 MiB by default; a message to send must lie in it (or be inline: up to 64 bytes).
 *                              Its bytes must not change until BUFFER_REUSABLE: for a request that is when the
 *                              response or a failure is final, for a response when the peer has it.
 *   homa_nic_receive_buffer()  the part that is the application's (half of 4 MiB by default); a recvmsg names a place
 *                              in it. The other half is the card's pool for messages that came before a recvmsg was
 *                              posted: such a result has HOMA_NIC_RESULT_FLAG_IN_POOL and its data stays in the pool
 *                              (homa_nic_message() finds it either way) until homa_nic_release().
 *
 * Threads: homa_nic_open, _close, _bind, _unbind: one thread at a time. Everything else: any thread, but a
 * homa_nic_thread belongs to one thread at a time, and a slot is waited for by one thread at a time.
 *
 * Errors: 0 or a negative errno; nothing here exits, aborts or prints. What a card's code means as an errno:
 * homa_nic_code_errno(); as a sentence: homa_nic_code_text(). When the card is gone (-ENODEV), mappings stay readable
 * memory, and everything but homa_nic_close() keeps answering -ENODEV.
 *
 * Ordering: bytes stored to the send buffer before a call are seen by the card (store fence before the call). A result
 * that poll or wait returned was read with acquire: the message bytes it speaks of are there.
 */
#ifndef HOMA_NIC_H
#define HOMA_NIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../driver/uapi/homa_nic.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A session: this process on one card. */
struct homa_nic;
/** A call set: what one thread makes calls with. */
struct homa_nic_thread;

/** How calls are stored. */
enum homa_nic_store {
	HOMA_NIC_STORE_AUTO, /**< the best this processor has, in the order below */
	HOMA_NIC_STORE_MOVDIR64B, /**< one 64-byte direct store */
	HOMA_NIC_STORE_AVX512, /**< one 64-byte vector store through a write-combining mapping */
	HOMA_NIC_STORE_WORDS, /**< eight 8-byte stores through an uncached mapping */
};

/** How a wait waits. */
enum homa_nic_waiting {
	HOMA_NIC_WAIT_SPIN_THEN_SLEEP, /**< spins spin_us, then sleeps sleep_us between looks */
	HOMA_NIC_WAIT_SPIN, /**< never gives the processor away: lowest latency */
	HOMA_NIC_WAIT_SLEEP, /**< sleeps at once */
};

/** What homa_nic_open() may be told; all 0 is the default of each. */
struct homa_nic_options {
	unsigned int card; /**< number of the card */
	enum homa_nic_store store;
	enum homa_nic_waiting waiting;
	unsigned int spin_us; /**< 0: 50 microseconds */
	unsigned int sleep_us; /**< 0: 50 microseconds */
};

/** Wait for ever. */
#define HOMA_NIC_FOREVER UINT64_MAX

/** A place a message goes to or comes from. */
struct homa_nic_peer {
	uint8_t address[16]; /**< IPv6, or IPv4 as ::ffff:a.b.c.d; network order */
	uint16_t port; /**< Homa port */
};

/** A message to send. */
struct homa_nic_send {
	struct homa_nic_peer peer;
	uint32_t offset; /**< of the bytes in the send buffer; not used when inline_data is set */
	uint32_t length; /**< 1..1,000,000 bytes; inline 1..64 */
	const void *inline_data; /**< NULL, or up to 64 bytes that are copied into the call */
	uint64_t id; /**< 0: a request; else the response to the request with this id */
	uint64_t cookie; /**< comes back with the results, and with the response to this request */
};

/** A wish to receive. */
struct homa_nic_receive {
	uint32_t offset; /**< where in the receive buffer the message may be put */
	uint32_t capacity; /**< bytes there; longer messages are cut (TRUNCATED); 0: only from the pool */
	uint32_t match; /**< HOMA_NIC_CALL_FLAG_MATCH_REQUESTS, _RESPONSES; 0: both */
	uint64_t id; /**< 0: any; else only the message of this RPC */
	uint64_t cookie; /**< comes back with the result, unless the response's own cookie takes its place */
};

/** What a slot says. */
struct homa_nic_result {
	uint32_t flags; /**< HOMA_NIC_RESULT_FLAG_* */
	uint32_t code; /**< HOMA_NIC_CODE_*; OK unless FAILED */
	uint32_t sequence; /**< 16 bits, counted by the card */
	uint32_t length; /**< bytes of the message */
	uint32_t offset; /**< where the message is, in the receive (or send) buffer */
	struct homa_nic_peer peer;
	uint16_t own_port; /**< our port of this RPC: tells a server which of its ports was called */
	uint64_t id; /**< RPC id: name it in the response and in cancel */
	uint64_t cookie;
};

/**
 * Opens the session of this process on a card.
 *
 * *nic: the session. options: NULL for the defaults.
 * -ENOENT: no such card, or the driver is not loaded (homa-nic load-driver). -EACCES: no permission for the device
 * files (driver/60-homa-nic.rules). -EBUSY: this process has the card open already. -EUSERS: all users are taken.
 * -ENODEV: the card is gone. -EPROTO: driver and library speak different versions (rebuild both from one tree).
 * -EOPNOTSUPP: the processor does not have the store asked for.
 */
int homa_nic_open(struct homa_nic **nic, const struct homa_nic_options *options);

/** Closes the session; all its RPCs end, its threads, slots and pointers become invalid. NULL is fine. */
void homa_nic_close(struct homa_nic *nic);

/** Who we are and what the card can do, as read at open. Valid until close. */
const struct homa_nic_info *homa_nic_info(const struct homa_nic *nic);

/** The store in use. */
enum homa_nic_store homa_nic_store_used(const struct homa_nic *nic);

/** Name of a store path: "movdir64b", "avx512", "words". */
const char *homa_nic_store_name(enum homa_nic_store store);

/** Can this processor run the path? */
bool homa_nic_store_supported(enum homa_nic_store store);

/**
 * Looks at the driver whether the card is still there: 0 or -ENODEV. Waits do it by themselves now and then.
 */
int homa_nic_alive(struct homa_nic *nic);

/** Binds a server port, 1..32767: -EADDRINUSE, -ENOSPC (8 are bound), -EINVAL, -ENODEV. */
int homa_nic_bind(struct homa_nic *nic, uint16_t port);

/** Gives a server port back: -EADDRNOTAVAIL when it is not ours. */
int homa_nic_unbind(struct homa_nic *nic, uint16_t port);

/** Own address with a port: IPv4 when the card has one and prefer_ipv6 is false. -EADDRNOTAVAIL: it has none. */
int homa_nic_own_peer(const struct homa_nic *nic, bool prefer_ipv6, uint16_t port, struct homa_nic_peer *peer);

/** Reads "10.0.0.2:4000" or "[fd00::2]:4000". -EINVAL when it is neither. */
int homa_nic_parse_peer(const char *text, struct homa_nic_peer *peer);

/** Send buffer and its size in bytes. */
void *homa_nic_send_buffer(struct homa_nic *nic);
size_t homa_nic_send_buffer_bytes(const struct homa_nic *nic);

/** The application's part of the receive buffer and its size in bytes. */
void *homa_nic_receive_buffer(struct homa_nic *nic);
size_t homa_nic_receive_buffer_bytes(const struct homa_nic *nic);

/** The bytes of a received message, wherever they are; NULL when the result does not speak of one. */
const void *homa_nic_message(struct homa_nic *nic, const struct homa_nic_result *result);

/** Takes a call set for the calling thread. -EAGAIN: all 8 are taken. */
int homa_nic_thread_open(struct homa_nic *nic, struct homa_nic_thread **thread);

/** Gives the call set back; its calls go on. NULL is fine. */
void homa_nic_thread_close(struct homa_nic_thread *thread);

/**
 * Starts sending a message. Results: ACCEPTED (id is filled in), then for a request FINAL | BUFFER_REUSABLE when its
 * response is here, for a response FINAL | DELIVERED | BUFFER_REUSABLE when the peer has it; or FAILED | FINAL.
 * *slot: where to look. -EAGAIN: all 255 slots are in use. -EMSGSIZE, -EINVAL: length, or place outside the buffer.
 */
int homa_nic_sendmsg(struct homa_nic_thread *thread, const struct homa_nic_send *send, unsigned int *slot);

/**
 * Posts a receive. Result: DELIVERED | FINAL (perhaps IN_POOL, TRUNCATED), or FAILED | FINAL.
 * *slot, errors: as homa_nic_sendmsg().
 */
int homa_nic_recvmsg(struct homa_nic_thread *thread, const struct homa_nic_receive *receive, unsigned int *slot);

/**
 * Sends 60 bytes to the card and gets them back: no RPC, no packet. The echo test.
 * bytes: 60 bytes, copied to bytes 4..63 of the call; bytes 44..47 of the call are the library's own (slot).
 */
int homa_nic_nop(struct homa_nic_thread *thread, const uint8_t bytes[60], unsigned int *slot);

/** Ends an RPC by its id; its own slots get FAILED, code CANCELLED. Errors as homa_nic_sendmsg(). */
int homa_nic_cancel(struct homa_nic_thread *thread, uint64_t id, unsigned int *slot);

/** Takes a posted recvmsg back; that slot gets FAILED, code CANCELLED. Errors as homa_nic_sendmsg(). */
int homa_nic_cancel_receive(struct homa_nic_thread *thread, unsigned int receive_slot, unsigned int *slot);

/** Gives a message in the pool back to the card. offset: of the result. Errors as homa_nic_sendmsg(). */
int homa_nic_release(struct homa_nic_thread *thread, uint32_t offset, unsigned int *slot);

/** Looks at a slot: 0 and what it says so far (flags may be 0), -EINVAL when no call holds it. */
int homa_nic_poll(struct homa_nic *nic, unsigned int slot, struct homa_nic_result *result);

/**
 * Waits until one of the flags (or FINAL) is set in the slot.
 * 0: *result is what it says; if FAILED is set, the errno of its code is returned instead. -ETIME: not in time_us
 * microseconds (HOMA_NIC_FOREVER: no limit); the slot stays with its call. -ENODEV: the card is gone.
 */
int homa_nic_wait(struct homa_nic *nic, unsigned int slot, uint32_t flags, uint64_t time_us,
		  struct homa_nic_result *result);

/**
 * Waits for any of count slots, as homa_nic_wait(). *which: index of the slot the result is from, also when its code's
 * errno is returned.
 */
int homa_nic_wait_any(struct homa_nic *nic, const unsigned int *slots, unsigned int count, uint32_t flags,
		      uint64_t time_us, unsigned int *which, struct homa_nic_result *result);

/** The 64 bytes of a slot as the card wrote them; for tests. Valid until the slot is handed out again. */
const volatile void *homa_nic_slot_bytes(const struct homa_nic *nic, unsigned int slot);

/** 64-byte load of the identity block through the aperture; the read test. out: 64 bytes. */
void homa_nic_read_identity(struct homa_nic_thread *thread, void *out);

/**
 * The error slot: what the card says about calls that named no slot. true: *result has the latest code, new since the
 * last look. The library never makes such calls; a program that stores calls by itself may.
 */
bool homa_nic_error(struct homa_nic *nic, struct homa_nic_result *result);

/** A card's code as negative errno; 0 for OK, -EPROTO for one this library does not know. */
int homa_nic_code_errno(uint32_t code);

/** A card's code as a sentence. */
const char *homa_nic_code_text(uint32_t code);

#ifdef __cplusplus
}
#endif

#endif /* HOMA_NIC_H */
