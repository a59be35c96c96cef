/*
 * An application as the preload library meets it, which tells what connect(2) did to it.
 *
 *     application [-t TYPE] [-n THREADS] [-c COMM] [-d DIR] [-b] [-l] [-s] [-z] NAME...
 *
 * One socket of the TYPE (1 stream, 2 datagram, 5 seqpacket) is connected to each NAME in turn
 * until one connect succeeds: a path, @abstract, or inet:PORT of 127.0.0.1. A line for each tells
 * the errno that connect left, 77 being the one from before, and how many descriptors more are
 * open since. The connected socket sends "ping"; what comes back is the last line, except for
 * datagrams.
 *
 *     -n  so many threads do this at once, each with a word of its own; only "N echoed" is told
 *     -c  the thread's name          -d  working directory        -b  the socket does not block
 *     -s  a signal every millisecond, not restarting calls        -z  no NUL after the path
 *     -l  instead listens at NAME, says "listening", sends one message back or prints a datagram
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { ERRNO_BEFORE = 77, WORD = 4, LIMIT_MILLIS = 20000 };

static int type = SOCK_STREAM;
static bool without_nul;
static const char *name;

static void fail(const char *what)
{
	perror(what);
	exit(99);
}

static socklen_t address_of(const char *text, struct sockaddr_storage *storage)
{
	memset(storage, 0, sizeof(*storage));
	if (strncmp(text, "inet:", 5) == 0) {
		struct sockaddr_in *in = (struct sockaddr_in *)storage;
		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)atoi(text + 5));
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	}
	struct sockaddr_un *un = (struct sockaddr_un *)storage;
	size_t length = strlen(text);
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, text, length);
	if (text[0] == '@')
		un->sun_path[0] = '\0';
	else if (without_nul) /* what follows is not the path's */
		memset(un->sun_path + length, 'X', sizeof(un->sun_path) - length);
	else
		length++;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static int descriptors(void)
{
	int count = 0;
	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void await_input(int fd)
{
	struct pollfd input = {.fd = fd, .events = POLLIN};
	int ready;
	while ((ready = poll(&input, 1, LIMIT_MILLIS)) < 0 && errno == EINTR)
		;
	if (ready == 0)
		fail("nothing to read");
}

static void echo_through(int fd, const char *word, char *echo)
{
	if (send(fd, word, WORD, 0) != WORD)
		fail("send");
	memset(echo, 0, WORD + 1);
	await_input(fd);
	if (recv(fd, echo, WORD, MSG_WAITALL) < 0)
		fail("recv");
}

static void *one_of_many(void *number)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(name, &address);
	char word[WORD + 1], echo[WORD + 1];
	snprintf(word, sizeof(word), "%04d", (int)(ptrdiff_t)number);
	int fd = socket(AF_UNIX, type, 0);
	if (connect(fd, (struct sockaddr *)&address, length) != 0)
		return NULL;
	echo_through(fd, word, echo);
	close(fd);
	return strcmp(word, echo) == 0 ? number : NULL;
}

static int run_many(int count)
{
	pthread_t threads[count];
	int echoed = 0;
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, one_of_many, (void *)(ptrdiff_t)(i + 1)) != 0)
			fail("pthread_create");
	for (int i = 0; i < count; i++) {
		void *result;
		pthread_join(threads[i], &result);
		echoed += result != NULL;
	}
	printf("%d echoed\n", echoed);
	return 0;
}

static int serve(void)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(name, &address);
	char message[64] = "";
	int fd = socket(AF_UNIX, type, 0);
	if (bind(fd, (struct sockaddr *)&address, length) != 0)
		fail(name);
	if (type != SOCK_DGRAM && listen(fd, 8) != 0)
		fail("listen");
	puts("listening");
	await_input(fd);
	if (type != SOCK_DGRAM && (fd = accept(fd, NULL, NULL)) < 0)
		fail("accept");
	await_input(fd);
	ssize_t n = recv(fd, message, sizeof(message) - 1, 0);
	if (type == SOCK_DGRAM)
		puts(message);
	else if (send(fd, message, (size_t)n, 0) != n)
		fail("send");
	return 0;
}

static void interrupt(int signal)
{
	(void)signal;
}

static void interrupt_often(void)
{
	struct sigaction action = {.sa_handler = interrupt};
	struct itimerval every = {{0, 1000}, {0, 1000}};
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static int run_one(char **names, int flags)
{
	int domain = strncmp(names[0], "inet:", 5) == 0 ? AF_INET : AF_UNIX;
	int fd = socket(domain, type | flags, 0);
	for (; *names; names++) {
		struct sockaddr_storage address;
		socklen_t length = address_of(*names, &address);
		int before = descriptors();
		errno = ERRNO_BEFORE;
		int result = connect(fd, (struct sockaddr *)&address, length);
		int left = errno;
		printf("%s %d %+d\n", result == 0 ? "connected" : "failed", left, descriptors() - before);
		if (result == 0 && type == SOCK_DGRAM)
			return send(fd, "ping", WORD, 0) != WORD;
		if (result == 0) {
			char echo[WORD + 1];
			echo_through(fd, "ping", echo);
			puts(echo);
			return 0;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	int flags = 0, threads = 0, option;
	bool listens = false;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_DFL);
	while ((option = getopt(argc, argv, "t:n:c:d:blsz")) != -1) {
		switch (option) {
		case 't': type = atoi(optarg); break;
		case 'n': threads = atoi(optarg); break;
		case 'c': prctl(PR_SET_NAME, optarg); break;
		case 'd': if (chdir(optarg) != 0) fail(optarg); break;
		case 'b': flags = SOCK_NONBLOCK; break;
		case 'l': listens = true; break;
		case 's': interrupt_often(); break;
		case 'z': without_nul = true; break;
		default: return 98;
		}
	}
	if (optind == argc)
		return 98;
	name = argv[optind];
	return listens ? serve() : threads ? run_many(threads) : run_one(argv + optind, flags);
}
