// SPDX-License-Identifier: Apache-2.0
// What a program can do to the driver, right and wrong. `probe NAME [NUMBER]`; one line per check, exit code 1 when one
// failed.
#include "probe.h"

static void limits_of_mmap(struct session *s)
{
	int rw = PROT_READ | PROT_WRITE;
	for (int r = 0; r < REGIONS; r++) {
		char what[64];
		errno = 0;
		snprintf(what, sizeof what, "region %d mapped private", r);
		check_errno((long)mmap(NULL, 4096, rw, MAP_PRIVATE, s->fd[r], 0), EINVAL, what);
		snprintf(what, sizeof what, "region %d mapped executable", r);
		check_errno((long)mmap(NULL, 4096, rw | PROT_EXEC, MAP_SHARED, s->fd[r], 0), EINVAL, what);
		snprintf(what, sizeof what, "region %d mapped a page too long", r);
		check_errno((long)mmap(NULL, s->bytes[r] + 4096, rw, MAP_SHARED, s->fd[r], 0), EINVAL, what);
		snprintf(what, sizeof what, "region %d mapped at page 1", r);
		check_errno((long)mmap(NULL, 4096, rw, MAP_SHARED, s->fd[r], 4096), EINVAL, what);
		snprintf(what, sizeof what, "region %d mapped at 1 GiB", r);
		check_errno((long)mmap(NULL, 4096, rw, MAP_SHARED, s->fd[r], 1 << 30), EINVAL, what);
		snprintf(what, sizeof what, "region %d made executable later", r);
		check_errno(mprotect((void *)s->map[r], 4096, rw | PROT_EXEC), EACCES, what);
		snprintf(what, sizeof what, "region %d grown", r);
		check_errno((long)mremap((void *)s->map[r], s->bytes[r], s->bytes[r] + 4096, MREMAP_MAYMOVE), EFAULT, what);
		if (r != H2C_METADATA) {
			void *part = mmap(NULL, 4096, rw, MAP_SHARED, s->fd[r], 0);
			check(part != MAP_FAILED, "region %d mapped in part", r);
			munmap(part, 4096);
		}
		char byte;
		check(read(s->fd[r], &byte, 1) < 0, "region %d cannot be read as a file", r);
		check(write(s->fd[r], "x", 1) < 0, "region %d cannot be written as a file", r);
	}
	check_errno((long)mmap(NULL, 4096, rw, MAP_SHARED, s->fd[H2C_METADATA], 0), EBUSY,
		    "aperture mapped with both memory types");
}

static void limits_of_ioctl(struct session *s)
{
	struct homa_nic_info info = { .argsz = 8 };
	struct homa_nic_port port = { .argsz = sizeof port, .port = 4000 };
	int fd = s->fd[C2H_MSGBUFF];
	check_errno(ioctl(fd, HOMA_NIC_IOC_INFO, &info), EINVAL, "INFO with a small argsz");
	info = (struct homa_nic_info){ .argsz = sizeof info, .flags = 1 };
	check_errno(ioctl(fd, HOMA_NIC_IOC_INFO, &info), EINVAL, "INFO with an unknown flag");
	check_errno(ioctl(fd, HOMA_NIC_IOC_INFO, (void *)8), EFAULT, "INFO to a bad pointer");
	check_errno(ioctl(fd, _IO(HOMA_NIC_IOC_MAGIC, 99), 0), ENOTTY, "an unknown ioctl");
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, (void *)8), EFAULT, "BIND_PORT from a bad pointer");
	port.flags = 1;
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port), EINVAL, "BIND_PORT with an unknown flag");
	port.flags = 0;
	port.reserved[1] = 1;
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port), EINVAL, "BIND_PORT with a reserved field");
	port.reserved[1] = 0;
	port.argsz = 4;
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port), EINVAL, "BIND_PORT with a small argsz");
	port.argsz = sizeof port;
	port.port = 0;
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port), EINVAL, "port 0");
	port.port = 32768;
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port), EINVAL, "port 32768");
	port.port = 4000;
	check_errno(ioctl(fd, HOMA_NIC_IOC_UNBIND_PORT, &port), EADDRNOTAVAIL, "freeing a port that is not ours");
	for (int i = 0; i < 8; i++) {
		port.port = (uint16_t)(4000 + i);
		check(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port) == 0, "port %d of 8 is bound", i + 1);
	}
	port.port = 4008;
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port), ENOSPC, "a ninth port");
	port.port = 4000;
	check_errno(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port), EADDRINUSE, "a port of our own again");
	pid_t child = fork();
	if (child == 0) {
		int own = open_region(s->card, C2H_METADATA);
		_exit(ioctl(own, HOMA_NIC_IOC_BIND_PORT, &port) < 0 ? errno : 0);
	}
	int status;
	waitpid(child, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == EADDRINUSE, "a port that another program has: EADDRINUSE");
	check(ioctl(fd, HOMA_NIC_IOC_UNBIND_PORT, &port) == 0, "the port is given back");
	check(ioctl(fd, HOMA_NIC_IOC_BIND_PORT, &port) == 0, "and bound again");
}

static void limits_of_fork(struct session *s)
{
	for (int r = 0; r < REGIONS; r++) {
		int status;
		pid_t child = fork();
		if (child == 0)
			_exit(s->map[r][0]);
		waitpid(child, &status, 0);
		check(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "a child has no mapping of region %d", r);
	}
	int status;
	pid_t child = fork();
	if (child == 0) {
		struct homa_nic_info inherited, own;
		int fd = open_region(s->card, C2H_METADATA);
		if (fd < 0 || get_info(fd, &own) || get_info(s->fd[0], &inherited))
			_exit(1);
		if (inherited.user != s->info.user)
			_exit(2);
		_exit(own.user == s->info.user ? 3 : 0);
	}
	waitpid(child, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	      "an inherited descriptor keeps the session, an own one makes another (%d)", WEXITSTATUS(status));
}

static void limits(struct session *s)
{
	for (int r = 0; r < REGIONS; r++) {
		int fd = open_region(s->card, r);
		check(fd == -EBUSY, "region %d opened twice: EBUSY (%d)", r, fd);
	}
	limits_of_mmap(s);
	limits_of_ioctl(s);
	limits_of_fork(s);
	check((nop(s, 1, 1, 5000) & HOMA_NIC_RESULT_FLAG_FINAL) != 0, "after all that the card still answers");
}

/* One more program than there are users. */
static void users(int card)
{
	enum { PROGRAMS = 17 };
	int answers[2], go[2];
	if (pipe(answers) || pipe(go))
		exit(2);
	pid_t children[PROGRAMS];
	for (int i = 0; i < PROGRAMS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct homa_nic_info info;
			close(go[1]);
			int fd = open_region(card, C2H_METADATA);
			int answer = fd;
			if (fd >= 0)
				answer = get_info(fd, &info) ? -1000 : (int)info.user;
			(void)!write(answers[1], &answer, sizeof answer);
			char byte;
			(void)!read(go[0], &byte, 1);
			_exit(0);
		}
		int answer;
		if (read(answers[0], &answer, sizeof answer) != sizeof answer)
			exit(2);
		if (i < PROGRAMS - 1)
			check(answer == i + 1, "program %d is user %d", i + 1, answer);
		else
			check(answer == -EUSERS, "program %d gets EUSERS (%d)", i + 1, answer);
	}
	close(go[1]);
	for (int i = 0; i < PROGRAMS; i++)
		waitpid(children[i], NULL, 0);
	int fd = open_region(card, C2H_METADATA);
	check(fd >= 0, "when they have ended there is room again (%d)", fd);
}

static void cycle(int card, long count)
{
	double begin = now_ms();
	long done = 0;
	for (long i = 0; i < count; i++) {
		struct session s;
		int error = open_session(&s, card);
		if (error) {
			check(false, "cycle %ld: %s", i, strerror(-error));
			return;
		}
		uint32_t status = nop(&s, 1 + (unsigned int)(i % 255), (uint64_t)i, 5000);
		if (!(status & HOMA_NIC_RESULT_FLAG_FINAL) || status == ~0u) {
			check(false, "cycle %ld: the echo came back as %08x", i, status);
			return;
		}
		done += s.info.user == 1;
		close_session(&s);
	}
	check(done == count, "%ld times opened, mapped, used and closed, always as user 1 (%ld), %.1f ms each", count, done,
	      (now_ms() - begin) / (double)count);
}

void nops(struct session *s, long count)
{
	long good = 0;
	for (long i = 0; i < count; i++) {
		uint32_t status = nop(s, 1 + (unsigned int)(i % 255), (uint64_t)i, 5000);
		good += status != ~0u && (status & HOMA_NIC_RESULT_FLAG_FINAL) && !(status & HOMA_NIC_RESULT_FLAG_FAILED);
	}
	check(good == count, "%ld of %ld echoes by user %u are right", good, count, s->info.user);
}

/* Keeps the card busy until it is killed: fills slots without waiting for them one by one. */
static void churn(struct session *s)
{
	printf("ready\n");
	fflush(stdout);
	for (uint64_t i = 0;; i++)
		nop(s, 1 + (unsigned int)(i % 255), i, i % 3 ? 0 : 1000);
}

/* Uses the card until it goes away, then looks at what is left. */
static void gone(struct session *s)
{
	printf("ready\n");
	fflush(stdout);
	double end = now_ms() + 30000;
	int error = 0;
	long count = 0;
	struct homa_nic_info info;
	s->map[H2C_MSGBUFF][5] = 0x5a;
	while (now_ms() < end && !(error = get_info(s->fd[0], &info)))
		for (int i = 0; i < 20; i++, count++)
			nop(s, 1 + (unsigned int)(count % 255), (uint64_t)count, 0);
	check(error == -ENODEV, "INFO says ENODEV once the card is gone (%d)", error);
	struct homa_nic_port port = { .argsz = sizeof port, .port = 4000 };
	check_errno(ioctl(s->fd[1], HOMA_NIC_IOC_BIND_PORT, &port), ENODEV, "BIND_PORT then");
	check_errno((long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, s->fd[C2H_METADATA], 0), ENODEV, "mmap then");
	int fd = open_region(s->card, C2H_METADATA);
	check(fd == -ENODEV || fd == -ENOENT || fd == -EBUSY || fd == -ENXIO, "a new open is refused (%d)", fd);
	check(s->map[H2C_MSGBUFF][5] == 0x5a, "our own memory is still there");
	s->map[C2H_MSGBUFF][4096] = 1;
	s->map[C2H_METADATA][64] = 1;
	for (int i = 0; i < 100; i++)
		nop(s, 7, (uint64_t)i, 0);
	check(wait_slot(s, 7, HOMA_NIC_RESULT_FLAG_FINAL, 50) == 0, "calls go nowhere, and nobody dies of it");
	printf("done after %ld echoes\n", count);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	long number = argc > 2 ? atol(argv[2]) : 0;
	int card = argc > 3 ? atoi(argv[3]) : 0;
	struct session s;
	if (strcmp(name, "users") == 0) {
		users(card);
		return failures() > 0;
	}
	if (strcmp(name, "cycle") == 0) {
		cycle(card, number);
		return failures() > 0;
	}
	int error = open_session(&s, card);
	if (error) {
		check(false, "the card can be opened: %s", strerror(-error));
		return 1;
	}
	if (strcmp(name, "limits") == 0)
		limits(&s);
	else if (strcmp(name, "nops") == 0)
		nops(&s, number);
	else if (strcmp(name, "churn") == 0)
		churn(&s);
	else if (strcmp(name, "gone") == 0)
		gone(&s);
	else if (strcmp(name, "hold") == 0) {
		printf("ready\n");
		fflush(stdout);
		pause();
	} else if (strcmp(name, "isolation") == 0) {
		extern void isolation(struct session * s);
		isolation(&s);
	} else {
		check(false, "there is no probe '%s'", name);
	}
	close_session(&s);
	return failures() > 0;
}
