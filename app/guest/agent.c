// SPDX-License-Identifier: Apache-2.0
// First process of the guest: runs programs for the host, over a virtio port. See src/exec/agent-protocol.ts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TO_EXEC = 1, TO_STDIN = 2, TO_STDIN_END = 3, TO_KILL = 4 };
enum { FROM_HELLO = 16, FROM_STDOUT = 17, FROM_STDERR = 18, FROM_EXIT = 19, FROM_NO_START = 20 };
enum { MAX_PROGRAMS = 64, MAX_WORDS = 1024, CHUNK_BYTES = 16384, MAX_FRAME_BYTES = 1 << 20 };

struct head {
	uint32_t type, id, length;
};

struct program {
	uint32_t id;
	pid_t pid; // 0: this entry is free
	int in, out, err; // our ends of its pipes, -1 when closed
	char *pending; // what it has not yet read
	size_t pending_bytes, pending_done;
	int in_ends; // close `in` once `pending` is empty
};

static struct program programs[MAX_PROGRAMS];
static int port = -1;

static void write_all(const void *bytes, size_t count)
{
	const char *at = bytes;
	while (count > 0) {
		ssize_t n = write(port, at, count);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0) {
			usleep(10000); // the host is away; it comes back or ends us
			continue;
		}
		at += n;
		count -= (size_t)n;
	}
}

static void tell(uint32_t type, uint32_t id, const void *bytes, size_t count)
{
	static char frame[sizeof(struct head) + CHUNK_BYTES];
	struct head head = { type, id, (uint32_t)count };
	memcpy(frame, &head, sizeof head);
	memcpy(frame + sizeof head, bytes, count);
	write_all(frame, sizeof head + count);
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void drop_pending(struct program *p)
{
	free(p->pending);
	p->pending = NULL;
	p->pending_bytes = p->pending_done = 0;
}

static struct program *find_program(uint32_t id)
{
	for (int i = 0; i < MAX_PROGRAMS; i++)
		if (programs[i].pid != 0 && programs[i].id == id)
			return &programs[i];
	return NULL;
}

static void refuse(uint32_t id, int error)
{
	uint32_t code = (uint32_t)error;
	tell(FROM_NO_START, id, &code, sizeof code);
}

// Words of an exec request, each ended by NUL: folder, number of variables, variables, argv.
static int split_words(char *bytes, size_t count, char **words)
{
	int n = 0;
	if (count == 0 || bytes[count - 1] != 0)
		return -1;
	for (char *at = bytes; at < bytes + count; at += strlen(at) + 1) {
		if (n == MAX_WORDS)
			return -1;
		words[n++] = at;
	}
	words[n] = NULL;
	return n;
}

static void start_child(char **words, int variables, int in, int out, int err, int report)
{
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	for (int i = 0; i < variables; i++)
		putenv(words[2 + i]);
	char **argv = words + 2 + variables;
	if (chdir(words[0]) == 0)
		execvp(argv[0], argv);
	int error = errno;
	(void)!write(report, &error, sizeof error);
	_exit(127);
}

static void start_program(uint32_t id, char *bytes, size_t count)
{
	static char *words[MAX_WORDS + 1];
	int n = split_words(bytes, count, words);
	int variables = n >= 3 ? atoi(words[1]) : -1;
	struct program *p = NULL;
	for (int i = 0; i < MAX_PROGRAMS && !p; i++)
		if (programs[i].pid == 0)
			p = &programs[i];
	if (variables < 0 || n < 3 + variables || !p) {
		refuse(id, p ? EINVAL : EAGAIN);
		return;
	}
	int in[2], out[2], err[2], report[2];
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC) || pipe2(report, O_CLOEXEC)) {
		refuse(id, errno);
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		start_child(words, variables, in[0], out[1], err[1], report[1]);
	int fork_error = errno;
	close(in[0]);
	close(out[1]);
	close(err[1]);
	close(report[1]);
	int error = pid < 0 ? fork_error : 0;
	if (pid > 0 && read(report[0], &error, sizeof error) <= 0)
		error = 0;
	close(report[0]);
	if (error) {
		close(in[1]);
		close(out[0]);
		close(err[0]);
		refuse(id, error);
		return;
	}
	*p = (struct program){ .id = id, .pid = pid, .in = in[1], .out = out[0], .err = err[0] };
	fcntl(p->in, F_SETFL, O_NONBLOCK);
	fcntl(p->out, F_SETFL, O_NONBLOCK);
	fcntl(p->err, F_SETFL, O_NONBLOCK);
}

static void feed(struct program *p)
{
	while (p->in >= 0 && p->pending_done < p->pending_bytes) {
		ssize_t n = write(p->in, p->pending + p->pending_done, p->pending_bytes - p->pending_done);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			close_end(&p->in);
			break;
		}
		p->pending_done += (size_t)n;
	}
	drop_pending(p);
	if (p->in_ends)
		close_end(&p->in);
}

static void add_input(struct program *p, const char *bytes, size_t count)
{
	if (p->in < 0)
		return;
	size_t left = p->pending_bytes - p->pending_done;
	char *joined = malloc(left + count);
	if (!joined)
		return;
	if (left)
		memcpy(joined, p->pending + p->pending_done, left);
	memcpy(joined + left, bytes, count);
	drop_pending(p);
	p->pending = joined;
	p->pending_bytes = left + count;
	feed(p);
}

static void drain(struct program *p, int *fd, uint32_t type)
{
	static char bytes[CHUNK_BYTES];
	for (;;) {
		ssize_t n = read(*fd, bytes, sizeof bytes);
		if (n > 0) {
			tell(type, p->id, bytes, (size_t)n);
			continue;
		}
		if (n == 0)
			close_end(fd);
		return;
	}
}

static void reap(void)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < MAX_PROGRAMS; i++) {
			struct program *p = &programs[i];
			if (p->pid != pid)
				continue;
			if (p->out >= 0)
				drain(p, &p->out, FROM_STDOUT);
			if (p->err >= 0)
				drain(p, &p->err, FROM_STDERR);
			uint32_t code = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status) : 128u + (uint32_t)WTERMSIG(status);
			close_end(&p->in);
			close_end(&p->out);
			close_end(&p->err);
			drop_pending(p);
			p->pid = 0;
			tell(FROM_EXIT, p->id, &code, sizeof code);
		}
	}
}

static void handle(const struct head *head, char *bytes)
{
	if (head->type == TO_EXEC) {
		start_program(head->id, bytes, head->length);
		return;
	}
	struct program *p = find_program(head->id);
	if (!p)
		return;
	if (head->type == TO_STDIN) {
		add_input(p, bytes, head->length);
	} else if (head->type == TO_STDIN_END) {
		p->in_ends = 1;
		feed(p);
	} else if (head->type == TO_KILL && head->length == 1) {
		kill(-p->pid, bytes[0]);
	}
}

// Takes what the port has and handles every whole frame. Returns 0 when the host is away.
static int take_input(void)
{
	static char buffer[MAX_FRAME_BYTES + sizeof(struct head)];
	static size_t filled;
	ssize_t n = read(port, buffer + filled, sizeof buffer - filled);
	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	filled += (size_t)n;
	size_t at = 0;
	struct head head;
	while (filled - at >= sizeof head) {
		memcpy(&head, buffer + at, sizeof head);
		if (head.length > MAX_FRAME_BYTES) {
			filled = at = 0; // not a frame: the stream is lost, start anew
			break;
		}
		if (filled - at < sizeof head + head.length)
			break;
		handle(&head, buffer + at + sizeof head);
		at += sizeof head + head.length;
	}
	memmove(buffer, buffer + at, filled - at);
	filled -= at;
	return 1;
}

static void prepare_system(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	mkdir("/dev/shm", 01777);
	mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL);
	setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
	setenv("HOME", "/root", 1);
}

static void open_port(const char *path)
{
	for (int tries = 0; tries < 500 && port < 0; tries++) {
		port = open(path, O_RDWR | O_CLOEXEC);
		if (port < 0)
			usleep(10000);
	}
	if (port < 0) {
		fprintf(stderr, "agent: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		prepare_system();
	signal(SIGPIPE, SIG_IGN);
	open_port(argc > 1 ? argv[1] : "/dev/vport0p1");
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	int signals = signalfd(-1, &child, SFD_NONBLOCK | SFD_CLOEXEC);
	struct utsname name;
	uname(&name);
	tell(FROM_HELLO, 0, name.release, strlen(name.release));

	for (;;) {
		struct pollfd polls[2 + 3 * MAX_PROGRAMS];
		struct program *owner[2 + 3 * MAX_PROGRAMS];
		nfds_t n = 2;
		polls[0] = (struct pollfd){ .fd = port, .events = POLLIN };
		polls[1] = (struct pollfd){ .fd = signals, .events = POLLIN };
		for (int i = 0; i < MAX_PROGRAMS; i++) {
			struct program *p = &programs[i];
			if (p->pid == 0)
				continue;
			int fds[3] = { p->in >= 0 && p->pending ? p->in : -1, p->out, p->err };
			for (int k = 0; k < 3; k++) {
				if (fds[k] < 0)
					continue;
				owner[n] = p;
				polls[n++] = (struct pollfd){ .fd = fds[k], .events = k == 0 ? POLLOUT : POLLIN };
			}
		}
		if (poll(polls, n, -1) < 0)
			continue;
		for (nfds_t i = 2; i < n; i++) {
			struct program *p = owner[i];
			if (!polls[i].revents || p->pid == 0)
				continue;
			if (polls[i].fd == p->in)
				feed(p);
			else if (polls[i].fd == p->out)
				drain(p, &p->out, FROM_STDOUT);
			else if (polls[i].fd == p->err)
				drain(p, &p->err, FROM_STDERR);
		}
		if (polls[1].revents & POLLIN) {
			struct signalfd_siginfo info;
			while (read(signals, &info, sizeof info) > 0)
				;
			reap();
		}
		if (polls[0].revents && !take_input())
			usleep(20000);
	}
}
