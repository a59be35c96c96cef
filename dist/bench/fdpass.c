// fdpass - sessions that pass descriptors and half-close, one after another, for the soak.
//
//   fdpass serve  LISTEN
//   fdpass client CONNECT COUNT
//
// A session: the client sends one byte with a regular file and the read end of a pipe, writes into the pipe, and
// ends its direction. The server reads both descriptors to their ends, the socket to its end, and answers with the
// sum of all bytes. Only then may the client read the end. Prints how many were right and how many were not; exits 1
// if any was not.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PIPED = 5000, FILED = 3000, SENT = 777, SECONDS = 30 };

static void die(const char *s) { perror(s); exit(2); }

static int address(const char *path, struct sockaddr_un *a) {
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) die("socket");
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path, sizeof a->sun_path, "%s", path);
	return fd;
}
static uint64_t sum_to_end(int fd) {
	unsigned char b[4096]; uint64_t sum = 0; ssize_t n;
	while ((n = read(fd, b, sizeof b)) > 0) for (ssize_t i = 0; i < n; i++) sum = sum * 31 + b[i];
	return n < 0 ? 0 : sum;
}
static uint64_t sum_of(int seed, int count) {
	uint64_t sum = 0;
	for (int i = 0; i < count; i++) sum = sum * 31 + (unsigned char)(seed + i);
	return sum;
}
static void fill(unsigned char *b, int seed, int count) { for (int i = 0; i < count; i++) b[i] = seed + i; }

static void *answer(void *p) {
	int c = (int)(intptr_t)p, fds[2];
	union { struct cmsghdr align; char room[CMSG_SPACE(sizeof fds)]; } u;
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u };
	uint64_t sums[3] = { 0 };
	ssize_t n = recvmsg(c, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	int passed = h ? (h->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	for (int i = 0; i < passed; i++) {
		memcpy(&fds[i], CMSG_DATA(h) + i * sizeof(int), sizeof(int));
		sums[i] = sum_to_end(fds[i]);
		close(fds[i]);
	}
	sums[2] = sum_to_end(c);
	send(c, sums, sizeof sums, MSG_NOSIGNAL);
	close(c);
	return NULL;
}
static void serve(const char *path) {
	struct sockaddr_un a; pthread_attr_t at; pthread_t t;
	int fd = address(path, &a);
	unlink(path);
	if (bind(fd, (void *)&a, sizeof a) || listen(fd, 1024)) die(path);
	pthread_attr_init(&at); pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED); pthread_attr_setstacksize(&at, 128 << 10);
	for (;;) {
		int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (c < 0) die("accept");
		if (pthread_create(&t, &at, answer, (void *)(intptr_t)c)) close(c);
	}
}

static const char *session(const char *path, int file) {
	struct sockaddr_un a; int p[2], fd = address(path, &a);
	struct timeval tv = { SECONDS, 0 };
	unsigned char b[PIPED]; char byte = 'd'; uint64_t got[3], size = 0; ssize_t n;
	const char *wrong = NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
	if (connect(fd, (void *)&a, sizeof a)) { close(fd); return "connect"; }
	if (pipe2(p, O_CLOEXEC)) die("pipe");
	union { struct cmsghdr align; char room[CMSG_SPACE(2 * sizeof(int))]; } u = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET; h->cmsg_type = SCM_RIGHTS; h->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(h), (int[]){ file, p[0] }, 2 * sizeof(int));
	if (sendmsg(fd, &m, MSG_NOSIGNAL) != 1) wrong = "sendmsg";
	close(p[0]);
	fill(b, 1, PIPED);
	if (!wrong && write(p[1], b, PIPED) != PIPED) wrong = "pipe";
	close(p[1]);
	fill(b, 2, SENT);
	if (!wrong && send(fd, b, SENT, MSG_NOSIGNAL) != SENT) wrong = "send";
	shutdown(fd, SHUT_WR);
	while (!wrong && size < sizeof got) {
		if ((n = recv(fd, (char *)got + size, sizeof got - size, 0)) <= 0) wrong = n ? "recv" : "ended early";
		else size += n;
	}
	if (!wrong && got[0] != sum_of(3, FILED)) wrong = "the file";
	if (!wrong && got[1] != sum_of(1, PIPED)) wrong = "the pipe";
	if (!wrong && got[2] != sum_of(2, SENT)) wrong = "the bytes";
	if (!wrong && recv(fd, &byte, 1, 0) != 0) wrong = "the end";
	close(fd);
	return wrong;
}
static int client(const char *path, long count) {
	char name[] = "fdpass.XXXXXX"; unsigned char b[FILED]; long bad = 0;
	int file = mkstemp(name);
	if (file < 0) die("mkstemp");
	fill(b, 3, FILED);
	if (write(file, b, FILED) != FILED) die("write");
	close(file);
	for (long i = 0; i < count; i++) {
		int each = open(name, O_RDONLY | O_CLOEXEC);
		const char *wrong = session(path, each);
		close(each);
		if (wrong) { bad++; fprintf(stderr, "session %ld: %s: %s\n", i, wrong, strerror(errno)); }
	}
	unlink(name);
	printf("ok %ld fail %ld\n", count - bad, bad);
	return bad != 0;
}
int main(int argc, char **argv) {
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve")) serve(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "client")) return client(argv[2], atol(argv[3]));
	fprintf(stderr, "usage: see the head of fdpass.c\n");
	return 2;
}
