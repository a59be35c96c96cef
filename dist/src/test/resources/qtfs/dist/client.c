// client PATH: sends a line to a unix socket, ends that direction, and prints what comes back.
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char bytes[4096];
	ssize_t n;
	if (argc != 2)
		return 2;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
	if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
		perror("connect");
		return 1;
	}
	if (write(fd, "hello\n", 6) != 6 || shutdown(fd, SHUT_WR))
		return 1;
	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		if (fwrite(bytes, 1, n, stdout) != (size_t)n)
			return 1;
	return n < 0;
}
