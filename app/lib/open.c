// SPDX-License-Identifier: Apache-2.0
/* Opening and closing a session: device files, maps, identity; and what goes through the driver later. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "internal.h"

#define DEFAULT_SPIN_US 50
#define DEFAULT_SLEEP_US 50

static const char *const region_names[4] = {
	[HOMA_NIC_REGION_H2C_MSGBUFF] = "h2c_msgbuff",
	[HOMA_NIC_REGION_C2H_MSGBUFF] = "c2h_msgbuff",
	[HOMA_NIC_REGION_C2H_METADATA] = "c2h_metadata",
	[HOMA_NIC_REGION_H2C_METADATA] = "h2c_metadata",
};

static int open_region(struct homa_nic *nic, unsigned int card, unsigned int region)
{
	char path[64];

	if (card == 0)
		snprintf(path, sizeof(path), "/dev/homa_nic_%s", region_names[region]);
	else
		snprintf(path, sizeof(path), "/dev/homa_nic%u_%s", card, region_names[region]);
	nic->fds[region] = open(path, O_RDWR | O_CLOEXEC);
	return nic->fds[region] < 0 ? -errno : 0;
}

static int map_region(struct homa_nic *nic, unsigned int region, size_t bytes, off_t offset, uint8_t **at)
{
	void *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, nic->fds[region], offset);

	if (map == MAP_FAILED)
		return -errno;
	*at = map;
	/* The driver fills a map at its first touch: not later, in somebody's timed region. */
	(void)*(volatile uint8_t *)map;
	return 0;
}

/* Asks the driver who we are, and refuses a driver or card we do not understand. */
static int read_info(struct homa_nic *nic)
{
	nic->info = (struct homa_nic_info){ .argsz = sizeof(nic->info) };
	if (ioctl(nic->fds[HOMA_NIC_REGION_H2C_METADATA], HOMA_NIC_IOC_INFO, &nic->info))
		return -errno;
	if (nic->info.api_version != HOMA_NIC_API_VERSION ||
	    nic->info.interface_version >> 16 != HOMA_NIC_INTERFACE_VERSION >> 16)
		return -EPROTO;
	return 0;
}

static int map_all(struct homa_nic *nic)
{
	uint8_t *aperture = NULL;
	off_t offset = nic->store == HOMA_NIC_STORE_WORDS ? HOMA_NIC_MMAP_UNCACHED : HOMA_NIC_MMAP_WRITE_COMBINING;
	int ret;

	ret = map_region(nic, HOMA_NIC_REGION_H2C_METADATA, HOMA_NIC_APERTURE_BYTES, offset, &aperture);
	if (ret)
		return ret;
	nic->aperture = aperture;
	ret = map_region(nic, HOMA_NIC_REGION_C2H_METADATA, HOMA_NIC_METADATA_BYTES, 0, &nic->results);
	if (!ret)
		ret = map_region(nic, HOMA_NIC_REGION_H2C_MSGBUFF, nic->info.h2c_msgbuff_bytes, 0, &nic->send_buffer);
	if (!ret)
		ret = map_region(nic, HOMA_NIC_REGION_C2H_MSGBUFF, nic->info.c2h_msgbuff_bytes, 0,
				 &nic->receive_buffer);
	return ret;
}

int homa_nic_start(struct homa_nic *nic, const struct homa_nic_options *options)
{
	unsigned int spin_us = options->spin_us ? options->spin_us : DEFAULT_SPIN_US;

	nic->waiting = options->waiting;
	nic->spin_cycles = (uint64_t)(spin_us * 1000.0 * homa_nic_cycles_per_ns());
	nic->sleep_us = options->sleep_us ? options->sleep_us : DEFAULT_SLEEP_US;
	atomic_store(&nic->slots_used[0], 1); /* slot 0 is the error slot */
	for (unsigned int i = 0; i < HOMA_NIC_CALL_SETS; i++) {
		nic->threads[i].nic = nic;
		nic->threads[i].index = i;
		nic->threads[i].calls = nic->aperture + (size_t)i * HOMA_NIC_CALL_SET_BYTES;
	}
	return 0;
}

int homa_nic_open(struct homa_nic **out, const struct homa_nic_options *options)
{
	static const struct homa_nic_options defaults;
	struct homa_nic *nic = calloc(1, sizeof(*nic));
	int ret;

	if (!nic)
		return -ENOMEM;
	if (!options)
		options = &defaults;
	for (unsigned int region = 0; region < 4; region++)
		nic->fds[region] = -1;
	ret = homa_nic_store_choose(options->store, &nic->store);
	for (unsigned int region = 0; !ret && region < 4; region++)
		ret = open_region(nic, options->card, region);
	if (!ret)
		ret = read_info(nic);
	if (!ret)
		ret = map_all(nic);
	if (!ret)
		ret = homa_nic_start(nic, options);
	if (ret) {
		homa_nic_close(nic);
		return ret;
	}
	*out = nic;
	return 0;
}

static void unmap(volatile void *at, size_t bytes)
{
	if (at)
		munmap((void *)(uintptr_t)at, bytes);
}

void homa_nic_close(struct homa_nic *nic)
{
	if (!nic)
		return;
	unmap(nic->aperture, HOMA_NIC_APERTURE_BYTES);
	unmap(nic->results, HOMA_NIC_METADATA_BYTES);
	unmap(nic->send_buffer, nic->info.h2c_msgbuff_bytes);
	unmap(nic->receive_buffer, nic->info.c2h_msgbuff_bytes);
	for (unsigned int region = 0; region < 4; region++)
		if (nic->fds[region] >= 0)
			close(nic->fds[region]);
	free(nic);
}

const struct homa_nic_info *homa_nic_info(const struct homa_nic *nic)
{
	return &nic->info;
}

enum homa_nic_store homa_nic_store_used(const struct homa_nic *nic)
{
	return nic->store;
}

int homa_nic_alive(struct homa_nic *nic)
{
	int ret;

	if (atomic_load_explicit(&nic->dead, memory_order_relaxed))
		return -ENODEV;
	if (nic->check_alive) {
		ret = nic->check_alive(nic->context);
	} else {
		struct homa_nic_info info = { .argsz = sizeof(info) };

		ret = ioctl(nic->fds[HOMA_NIC_REGION_H2C_METADATA], HOMA_NIC_IOC_INFO, &info) ? -errno : 0;
	}
	if (ret == -ENODEV)
		atomic_store_explicit(&nic->dead, true, memory_order_relaxed);
	return ret;
}

static int port_ioctl(struct homa_nic *nic, unsigned long command, uint16_t port)
{
	struct homa_nic_port argument = { .argsz = sizeof(argument), .port = port };

	return ioctl(nic->fds[HOMA_NIC_REGION_H2C_METADATA], command, &argument) ? -errno : 0;
}

int homa_nic_bind(struct homa_nic *nic, uint16_t port)
{
	return port_ioctl(nic, HOMA_NIC_IOC_BIND_PORT, port);
}

int homa_nic_unbind(struct homa_nic *nic, uint16_t port)
{
	return port_ioctl(nic, HOMA_NIC_IOC_UNBIND_PORT, port);
}

int homa_nic_own_peer(const struct homa_nic *nic, bool prefer_ipv6, uint16_t port, struct homa_nic_peer *peer)
{
	bool has4 = (nic->info.flags & HOMA_NIC_INFO_HAS_IPV4) != 0;
	bool has6 = (nic->info.flags & HOMA_NIC_INFO_HAS_IPV6) != 0;

	if (!has4 && !has6)
		return -EADDRNOTAVAIL;
	memcpy(peer->address, has6 && (prefer_ipv6 || !has4) ? nic->info.ipv6 : nic->info.ipv4, sizeof(peer->address));
	peer->port = port;
	return 0;
}

int homa_nic_parse_peer(const char *text, struct homa_nic_peer *peer)
{
	const char *colon = strrchr(text, ':');
	char address[INET6_ADDRSTRLEN + 2];
	unsigned long port;
	size_t length;
	char *end;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	if (*end || port < 1 || port > UINT16_MAX)
		return -EINVAL;
	length = (size_t)(colon - text);
	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = 0;
	if (length > 2 && address[0] == '[' && address[length - 1] == ']') {
		address[length - 1] = 0;
		if (inet_pton(AF_INET6, address + 1, peer->address) != 1)
			return -EINVAL;
	} else {
		if (inet_pton(AF_INET, address, peer->address + 12) != 1)
			return -EINVAL;
		memset(peer->address, 0, 10);
		peer->address[10] = 0xff;
		peer->address[11] = 0xff;
	}
	peer->port = (uint16_t)port;
	return 0;
}

void *homa_nic_send_buffer(struct homa_nic *nic)
{
	return nic->send_buffer;
}

size_t homa_nic_send_buffer_bytes(const struct homa_nic *nic)
{
	return nic->info.h2c_msgbuff_bytes;
}

void *homa_nic_receive_buffer(struct homa_nic *nic)
{
	return nic->receive_buffer;
}

size_t homa_nic_receive_buffer_bytes(const struct homa_nic *nic)
{
	return nic->info.c2h_msgbuff_bytes / 2;
}

const void *homa_nic_message(struct homa_nic *nic, const struct homa_nic_result *result)
{
	if (!(result->flags & HOMA_NIC_RESULT_FLAG_DELIVERED) || result->offset > nic->info.c2h_msgbuff_bytes ||
	    result->length > nic->info.c2h_msgbuff_bytes - result->offset)
		return NULL;
	return nic->receive_buffer + result->offset;
}

int homa_nic_thread_open(struct homa_nic *nic, struct homa_nic_thread **thread)
{
	uint32_t used = atomic_load_explicit(&nic->sets_used, memory_order_relaxed);

	for (;;) {
		unsigned int free_set = (unsigned int)__builtin_ctz(~used);

		if (free_set >= HOMA_NIC_CALL_SETS)
			return -EAGAIN;
		if (atomic_compare_exchange_weak_explicit(&nic->sets_used, &used, used | 1u << free_set,
							  memory_order_acquire, memory_order_relaxed)) {
			*thread = &nic->threads[free_set];
			return 0;
		}
	}
}

void homa_nic_thread_close(struct homa_nic_thread *thread)
{
	if (thread)
		atomic_fetch_and_explicit(&thread->nic->sets_used, ~(1u << thread->index), memory_order_release);
}
