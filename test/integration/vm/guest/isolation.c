// SPDX-License-Identifier: Apache-2.0
// Can one program reach the memory of another through the card?
#include "probe.h"

/* A call to user's own address with the given place and size; returns the code, -1 when nothing came. */
static int bad_call(struct session *s, unsigned int offset, uint32_t flags, uint32_t place, uint32_t size)
{
	uint8_t call[64] = { 0 };
	uint32_t metadata = size << 12 | 9;
	memcpy(call, &flags, 4);
	memcpy(call + 20, s->info.flags & HOMA_NIC_INFO_HAS_IPV4 ? s->info.ipv4 : s->info.ipv6, 16);
	call[38] = 0xa0; // port 4000
	call[39] = 0x0f;
	memcpy(call + 40, &place, 4);
	memcpy(call + 44, &metadata, 4);
	clear_slot(s, 9);
	store_call(s, offset, call);
	uint32_t status = wait_slot(s, 9, HOMA_NIC_RESULT_FLAG_FINAL, 2000);
	return status ? (int)(status >> 8 & 0xff) : -1;
}

static void attack(struct session *s)
{
	uint32_t h2c = (uint32_t)s->bytes[H2C_MSGBUFF], c2h = (uint32_t)s->bytes[C2H_MSGBUFF];
	const struct {
		unsigned int call;
		uint32_t place, size;
		int code;
		const char *what;
	} tries[] = {
		{ HOMA_NIC_USER_CALL_SENDMSG, h2c - 50, 100, HOMA_NIC_CODE_BAD_BUFFER, "sending from past the end" },
		{ HOMA_NIC_USER_CALL_SENDMSG, h2c, 100, HOMA_NIC_CODE_BAD_BUFFER, "sending from behind the buffer" },
		{ HOMA_NIC_USER_CALL_SENDMSG, 0xfffff000, 100, HOMA_NIC_CODE_BAD_BUFFER, "sending from before the buffer" },
		{ HOMA_NIC_USER_CALL_SENDMSG, 0xffffffc0, 1000, HOMA_NIC_CODE_BAD_BUFFER, "sending across 2^32" },
		{ HOMA_NIC_USER_CALL_SENDMSG, 0, 0, HOMA_NIC_CODE_BAD_SIZE, "sending nothing" },
		{ HOMA_NIC_USER_CALL_SENDMSG, 0, 1000001, HOMA_NIC_CODE_BAD_SIZE, "sending too much" },
		{ HOMA_NIC_USER_CALL_RECVMSG, c2h - 50, 100, HOMA_NIC_CODE_BAD_BUFFER, "receiving past the end" },
		{ HOMA_NIC_USER_CALL_RECVMSG, c2h / 2 - 50, 100, HOMA_NIC_CODE_BAD_BUFFER, "receiving into the pool" },
		{ HOMA_NIC_USER_CALL_RECVMSG, 0xfffff000, 100, HOMA_NIC_CODE_BAD_BUFFER, "receiving before the buffer" },
		{ HOMA_NIC_USER_CALL_RELEASE, 0, 0, HOMA_NIC_CODE_NOT_IN_POOL, "releasing what was not lent" },
	};
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		int code = bad_call(s, tries[i].call, 0, tries[i].place, tries[i].size);
		check(code == tries[i].code, "%s: code %d (%d)", tries[i].what, tries[i].code, code);
	}
	int code = bad_call(s, HOMA_NIC_USER_CALL_SENDMSG, 0x80000000, 0, 100);
	check(code == HOMA_NIC_CODE_BAD_FLAGS, "a reserved flag: code %d (%d)", HOMA_NIC_CODE_BAD_FLAGS, code);
}

static void fill(struct session *s, uint8_t value)
{
	memset((void *)s->map[H2C_MSGBUFF], value, s->bytes[H2C_MSGBUFF]);
	memset((void *)s->map[C2H_MSGBUFF], value, s->bytes[C2H_MSGBUFF]);
}

static size_t others(struct session *s, int region, uint8_t value)
{
	size_t count = 0;
	for (size_t i = 0; i < s->bytes[region]; i++)
		count += s->map[region][i] != value;
	return count;
}

void isolation(struct session *s)
{
	int ready[2], go[2], status;
	if (pipe(ready) || pipe(go))
		exit(2);
	pid_t child = fork();
	if (child == 0) {
		struct session own;
		char byte = 0;
		if (open_session(&own, s->card))
			_exit(90);
		check(own.info.user != s->info.user, "the other program is another user (%u, %u)", own.info.user, s->info.user);
		check(others(&own, H2C_MSGBUFF, 0) + others(&own, C2H_MSGBUFF, 0) + others(&own, C2H_METADATA, 0) == 0,
		      "it finds its memory cleared");
		fill(&own, 0x22);
		attack(&own);
		(void)!write(ready[1], &byte, 1);
		(void)!read(go[0], &byte, 1);
		check(others(&own, H2C_MSGBUFF, 0x22) + others(&own, C2H_MSGBUFF, 0x22) == 0, "its bytes are as it left them");
		fflush(stdout);
		_exit(failures());
	}
	char byte = 0;
	fill(s, 0x11);
	(void)!read(ready[0], &byte, 1);
	check(others(s, H2C_MSGBUFF, 0x11) + others(s, C2H_MSGBUFF, 0x11) == 0, "our bytes are as we left them");
	nops(s, 50);
	(void)!write(go[1], &byte, 1);
	waitpid(child, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the other program saw nothing wrong (%d)", WEXITSTATUS(status));

	// The next user of a number must not see what the last one left.
	close_session(s);
	int error = open_session(s, s->card);
	check(error == 0 && others(s, H2C_MSGBUFF, 0) + others(s, C2H_MSGBUFF, 0) == 0, "memory is cleared at open");
}
