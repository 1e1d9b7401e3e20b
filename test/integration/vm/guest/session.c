// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>

#include "probe.h"

static int failed;

void check(bool good, const char *format, ...)
{
	va_list list;
	printf(good ? "ok - " : "not ok - ");
	va_start(list, format);
	vprintf(format, list);
	va_end(list);
	printf("\n");
	fflush(stdout);
	failed += !good;
}

void check_errno(long result, int expected, const char *what)
{
	int got = result < 0 ? errno : 0;
	check(got == expected, "%s: %s (%s)", what, strerror(expected), strerror(got));
}

int failures(void)
{
	return failed;
}

double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int open_region(int card, int region)
{
	static const char *const names[REGIONS] = { "h2c_msgbuff", "c2h_msgbuff", "c2h_metadata", "h2c_metadata" };
	char path[64];
	if (card == 0)
		snprintf(path, sizeof path, "/dev/homa_nic_%s", names[region]);
	else
		snprintf(path, sizeof path, "/dev/homa_nic%d_%s", card, names[region]);
	int fd = open(path, O_RDWR | O_SYNC | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int get_info(int fd, struct homa_nic_info *info)
{
	memset(info, 0, sizeof *info);
	info->argsz = sizeof *info;
	return ioctl(fd, HOMA_NIC_IOC_INFO, info) < 0 ? -errno : 0;
}

int open_session(struct session *s, int card)
{
	memset(s, 0, sizeof *s);
	s->card = card;
	for (int r = 0; r < REGIONS; r++)
		s->fd[r] = -1;
	for (int r = 0; r < REGIONS; r++) {
		s->fd[r] = open_region(card, r);
		if (s->fd[r] < 0) {
			int error = s->fd[r];
			close_session(s);
			return error;
		}
	}
	int error = get_info(s->fd[0], &s->info);
	if (error) {
		close_session(s);
		return error;
	}
	s->bytes[H2C_MSGBUFF] = s->info.h2c_msgbuff_bytes;
	s->bytes[C2H_MSGBUFF] = s->info.c2h_msgbuff_bytes;
	s->bytes[C2H_METADATA] = HOMA_NIC_METADATA_BYTES;
	s->bytes[H2C_METADATA] = HOMA_NIC_METADATA_BYTES;
	for (int r = 0; r < REGIONS; r++) {
		off_t offset = r == H2C_METADATA ? HOMA_NIC_MMAP_UNCACHED : 0;
		void *map = mmap(NULL, s->bytes[r], PROT_READ | PROT_WRITE, MAP_SHARED, s->fd[r], offset);
		if (map == MAP_FAILED) {
			error = -errno;
			close_session(s);
			return error;
		}
		s->map[r] = map;
	}
	return 0;
}

void close_session(struct session *s)
{
	for (int r = 0; r < REGIONS; r++) {
		if (s->map[r])
			munmap((void *)s->map[r], s->bytes[r]);
		s->map[r] = NULL;
		if (s->fd[r] >= 0)
			close(s->fd[r]);
		s->fd[r] = -1;
	}
}

void store_call(struct session *s, unsigned int offset, const void *call)
{
	volatile uint64_t *cell = (volatile uint64_t *)(s->map[H2C_METADATA] + offset);
	uint64_t words[8];
	memcpy(words, call, sizeof words);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (int i = 0; i < 8; i++)
		cell[i] = words[i];
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void clear_slot(struct session *s, unsigned int slot)
{
	*(volatile uint32_t *)(s->map[C2H_METADATA] + 64 * slot) = 0;
}

uint32_t wait_slot(struct session *s, unsigned int slot, uint32_t flags, int limit_ms)
{
	volatile uint32_t *word = (volatile uint32_t *)(s->map[C2H_METADATA] + 64 * slot);
	double end = now_ms() + limit_ms;
	do {
		uint32_t status = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		if (status & flags)
			return status;
		usleep(20);
	} while (now_ms() < end);
	return 0;
}

uint32_t nop(struct session *s, unsigned int slot, uint64_t seed, int limit_ms)
{
	uint8_t call[64] = { 0 };
	for (int i = 4; i < 64; i++)
		call[i] = (uint8_t)(seed * 31 + (uint64_t)i * 7);
	uint32_t metadata = slot;
	memcpy(call + 44, &metadata, 4);
	clear_slot(s, slot);
	store_call(s, HOMA_NIC_USER_CALL_NOP, call);
	uint32_t status = wait_slot(s, slot, HOMA_NIC_RESULT_FLAG_FINAL, limit_ms);
	if (status && memcmp((void *)(s->map[C2H_METADATA] + 64 * slot + 4), call + 4, 60) != 0)
		return ~0u;
	return status;
}
