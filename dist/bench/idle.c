/*
 * Holds unix connections that nobody uses: the load of dist/bench/idle.
 *
 *     idle -l PATH      listens at PATH, keeps every connection, until it is killed
 *     idle PATH COUNT   connects COUNT times, prints how many it has, until it is killed
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "idle: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail("setrlimit");
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		fail("socket");
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int listens = argc == 3 && strcmp(argv[1], "-l") == 0;
	if (argc != 3 || strlen(argv[1 + listens]) >= sizeof(address.sun_path)) {
		fputs("usage: idle -l PATH | idle PATH COUNT\n", stderr);
		return 2;
	}
	strcpy(address.sun_path, argv[1 + listens]);
	raise_limit();
	if (listens) {
		int fd = unix_socket();
		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 128) != 0)
			fail(argv[2]);
		while (accept(fd, NULL, NULL) >= 0)
			;
		fail("accept");
	}
	int count = atoi(argv[2]);
	for (int i = 0; i < count; i++)
		if (connect(unix_socket(), (struct sockaddr *)&address, sizeof(address)) != 0)
			fail(argv[1]);
	printf("%d\n", count);
	fflush(stdout);
	for (;;)
		pause();
}
