// SPDX-License-Identifier: Apache-2.0
// A session on a card without the library, so that wrong things can be done too, and a line for each check.
#ifndef PROBE_H
#define PROBE_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "homa_nic.h"

enum { REGIONS = 4, H2C_MSGBUFF = 0, C2H_MSGBUFF = 1, C2H_METADATA = 2, H2C_METADATA = 3 };

struct session {
	int card;
	int fd[REGIONS];
	size_t bytes[REGIONS];
	volatile uint8_t *map[REGIONS];
	struct homa_nic_info info;
};

/* Prints a line; a failed check makes the program end with 1. */
void check(bool good, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The call must have failed with this errno. */
void check_errno(long result, int expected, const char *what);
int failures(void);

/* Opens one region; O_SYNC is given to show that it does no harm. Returns the descriptor or -errno. */
int open_region(int card, int region);
int get_info(int fd, struct homa_nic_info *info);
/* Opens and maps everything, the aperture uncached. Returns 0 or -errno. */
int open_session(struct session *s, int card);
void close_session(struct session *s);

/* Stores a 64-byte call at the aperture offset as eight words. */
void store_call(struct session *s, unsigned int offset, const void *call);
/* Waits for a flag in a slot; returns the status word, 0 after limit_ms. */
uint32_t wait_slot(struct session *s, unsigned int slot, uint32_t flags, int limit_ms);
void clear_slot(struct session *s, unsigned int slot);
/* 64 bytes in, 64 bytes back. Returns the status word, 0 when none came, ~0 when the bytes are not what was sent. */
uint32_t nop(struct session *s, unsigned int slot, uint64_t seed, int limit_ms);
double now_ms(void);
/* So many echoes, each checked. */
void nops(struct session *s, long count);

#endif
