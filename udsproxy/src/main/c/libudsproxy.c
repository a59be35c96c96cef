/*
 * libudsproxy.so: a preload library that leads an application's connect(2) to the other host.
 *
 *     LD_PRELOAD=/usr/lib64/libudsproxy.so redis-cli -s /run/redis.sock
 *
 * When the application connects to a path where nobody listens on this host (ENOENT,
 * ECONNREFUSED), udsproxyd is asked whether somebody does on the other. If so, it listens at
 * <path>.proxy, and the application's own socket is connected there instead. If connecting there
 * has failed and udsproxyd tells the errno (ours does, the request is marked for it), the
 * application gets that. In every other case it sees what it would have seen without this library:
 * the same result, the same errno, a socket as good as new.
 *
 * What it may rely on:
 *  - Only connect() is replaced, and only for AF_UNIX sockets (stream, seqpacket, datagram) and
 *    paths of at most 101 bytes. Who does not call libc's connect() is not reached: static
 *    programs, Go's, and libc itself, in syslog(3) for one.
 *  - Any thread may call it, at any time, also a signal handler or the child of a fork: no memory
 *    is allocated, no lock is taken, nothing is kept but the address of the connect() replaced.
 *  - The question takes 10 seconds at most, also for a socket that does not block; then the answer
 *    is no. Signals do not cut it short, and none is raised. Connecting to <path>.proxy is like any
 *    other connect() of the application's: it may block, and returns what that returns, EAGAIN
 *    included.
 *  - A relative path is asked for as an absolute one, since the other host has another working
 *    directory, and the stand-in is connected to by its absolute path too: it is made where
 *    udsproxyd was asked for it, whatever another thread does to the working directory meanwhile.
 *    A working directory too long for that, or not below the root, leaves the first error.
 *  - A thread named "udsproxyd" is left alone: it connects for a peer, and would be sent back.
 *
 * QTFS_RUN_DIR names another run directory than /var/run/qtfs, but not in set-user-id programs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_RUN_DIR "/var/run/qtfs"
#define REQUEST_SOCKET "/remote_uds.sock"
#define PROXY_SUFFIX ".proxy"
#define EXEMPT_THREAD "udsproxyd"

enum {
	SUN_PATH_LENGTH = sizeof(((struct sockaddr_un *)0)->sun_path),
	MAX_PATH_LENGTH = SUN_PATH_LENGTH - sizeof(PROXY_SUFFIX), /* 101: the suffix and a NUL fit */
	THREAD_NAME_LENGTH = 16,                                  /* PR_GET_NAME */
	LIMIT_MILLIS = 10000,
	RETRY_MILLIS = 5,
	READY = 1,
	MAX_ERRNO = 4095, /* linux/err.h */
	MARK_OFFSET = SUN_PATH_LENGTH - 8,
};

/*
 * What is sent to udsproxyd. The answer is an int32_t: 1 ready, anything else refused; of a daemon
 * that understands the mark perhaps -errno.
 */
struct request {
	uint16_t type;
	uint16_t reserved;
	char path[SUN_PATH_LENGTH]; /* with a NUL, the rest 0 but for the mark */
};

/* At the end of the path, where others do not look: letters, version, flags, 0. */
static const char mark[8] = {'Q', 'T', 'F', 'C', 1, 0, 0, 0};

_Static_assert(sizeof(struct request) == 112, "the request has 112 bytes");
_Static_assert(MAX_PATH_LENGTH == 101, "the path has at most 101 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "integers are little-endian");

typedef int connect_function(int, const struct sockaddr *, socklen_t);

/* Whoever writes it writes the same, so that it needs no lock. */
static connect_function *_Atomic next_connect;

static int system_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)syscall(SYS_connect, fd, address, length);
}

/* Ahead of the first call, as dlsym may take locks; but another constructor may be earlier. */
__attribute__((constructor)) static void find_next_connect(void)
{
	connect_function *found = (connect_function *)dlsym(RTLD_NEXT, "connect");
	next_connect = found ? found : system_connect;
}

static int real_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	if (!next_connect)
		find_next_connect();
	return next_connect(fd, address, length);
}

static int64_t now_millis(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until there is something to read, or the end. */
static bool await_input(int fd, int64_t deadline)
{
	struct pollfd input = {.fd = fd, .events = POLLIN};
	for (;;) {
		int64_t left = deadline - now_millis();
		int ready = poll(&input, 1, left > 0 ? (int)left : 0);
		if (ready >= 0 || errno != EINTR)
			return ready > 0;
	}
}

/* The address of udsproxyd's request socket; false if the run directory's name is too long. */
static bool request_address(struct sockaddr_un *address)
{
	const char *dir = secure_getenv("QTFS_RUN_DIR");
	if (!dir || !*dir)
		dir = DEFAULT_RUN_DIR;
	size_t length = strlen(dir);
	if (length > sizeof(address->sun_path) - sizeof(REQUEST_SOCKET))
		return false;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, dir, length);
	memcpy(address->sun_path + length, REQUEST_SOCKET, sizeof(REQUEST_SOCKET));
	return true;
}

/* Connects to udsproxyd; tries again while its backlog is full, as waiting there has no limit. */
static bool connect_to_daemon(int fd, int64_t deadline)
{
	struct sockaddr_un address;
	if (!request_address(&address))
		return false;
	while (real_connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		if ((errno != EAGAIN && errno != EINTR) || now_millis() >= deadline)
			return false;
		poll(NULL, 0, RETRY_MILLIS);
	}
	return true;
}

static bool receive_answer(int fd, int32_t *answer, int64_t deadline)
{
	char *to = (char *)answer;
	size_t missing = sizeof(*answer);
	while (missing > 0) {
		if (!await_input(fd, deadline))
			return false;
		ssize_t n = recv(fd, to, missing, 0);
		if (n > 0) {
			to += n;
			missing -= (size_t)n;
		} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			return false;
		}
	}
	return true;
}

/* Has udsproxyd connect on the other host: 0 if a stand-in listens on this one, else an errno. */
static int ask(const struct request *request, int failure)
{
	int64_t deadline = now_millis() + LIMIT_MILLIS;
	int32_t answer = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return failure;
	/* In one piece: the C daemon reads a request with one blocking call. */
	bool answered = connect_to_daemon(fd, deadline) &&
	                send(fd, request, sizeof(*request), MSG_NOSIGNAL) == sizeof(*request) &&
	                receive_answer(fd, &answer, deadline);
	close(fd);
	if (answered && answer == READY)
		return 0;
	return answered && answer < 0 && answer >= -MAX_ERRNO ? -answer : failure;
}

/* Whether a socket is one that udsproxyd can be asked about; then sets its type. */
static bool socket_type(int fd, uint16_t *type)
{
	int domain = 0;
	int number = 0;
	socklen_t length = sizeof(int);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) != 0 || domain != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &number, &length) != 0)
		return false;
	*type = (uint16_t)number;
	return number == SOCK_STREAM || number == SOCK_SEQPACKET || number == SOCK_DGRAM;
}

/* Puts the working directory and a '/' into a path; returns their length, 0 if impossible. */
static size_t working_directory(char path[static MAX_PATH_LENGTH + 1])
{
	/* The call of the system, as libc's may allocate. It counts the NUL, and never fills in part. */
	long size = syscall(SYS_getcwd, path, MAX_PATH_LENGTH + 1);
	if (size < 2 || path[0] != '/')
		return 0;
	size_t length = (size_t)size - 1;
	if (path[length - 1] != '/')
		path[length++] = '/';
	return length;
}

/* The absolute path that an address names, into a buffer of zeros; false if it names none. */
static bool absolute_path(const struct sockaddr *address, socklen_t length,
                          char path[static MAX_PATH_LENGTH + 1])
{
	const size_t offset = offsetof(struct sockaddr_un, sun_path);
	if (length <= offset || length > sizeof(struct sockaddr_un) || address->sa_family != AF_UNIX)
		return false;
	/* A NUL may be missing, and an abstract name starts with one. */
	const char *name = ((const struct sockaddr_un *)address)->sun_path;
	size_t name_length = strnlen(name, length - offset);
	if (name_length == 0)
		return false;
	size_t prefix = 0;
	if (name[0] != '/') {
		prefix = working_directory(path);
		if (prefix == 0)
			return false;
		while (name_length > 2 && name[0] == '.' && name[1] == '/') {
			name += 2;
			name_length -= 2;
		}
	}
	if (prefix + name_length > MAX_PATH_LENGTH)
		return false;
	memcpy(path + prefix, name, name_length);
	path[prefix + name_length] = '\0';
	return true;
}

static bool is_exempt_thread(void)
{
	char name[THREAD_NAME_LENGTH] = "";
	return prctl(PR_GET_NAME, name) == 0 && strcmp(name, EXEMPT_THREAD) == 0;
}

/*
 * Finds what stands in for an address where connecting has failed; 0, or the errno that is the
 * application's: that failure, or the one on the other host.
 */
static int stand_in(int fd, const struct sockaddr *address, socklen_t length, int failure,
                    struct sockaddr_un *proxy)
{
	struct request request = {0};
	if (!absolute_path(address, length, request.path) || !socket_type(fd, &request.type) ||
	    is_exempt_thread())
		return failure;
	size_t path_length = strlen(request.path);
	if (path_length < MARK_OFFSET)
		memcpy(request.path + MARK_OFFSET, mark, sizeof(mark));
	failure = ask(&request, failure);
	if (failure != 0)
		return failure;
	*proxy = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(proxy->sun_path, request.path, path_length);
	memcpy(proxy->sun_path + path_length, PROXY_SUFFIX, sizeof(PROXY_SUFFIX));
	return 0;
}

__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address,
                                                   socklen_t length)
{
	int errno_before = errno;
	int result = real_connect(fd, address, length);
	if (result == 0 || (errno != ENOENT && errno != ECONNREFUSED))
		return result;

	int failure = errno;
	struct sockaddr_un proxy;
	int cancel_state;
	/* A thread that were cancelled while it asks would leave the request's socket open. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	failure = stand_in(fd, address, length, failure, &proxy);
	pthread_setcancelstate(cancel_state, NULL);
	if (failure != 0) {
		errno = failure;
		return -1;
	}
	result = real_connect(fd, (const struct sockaddr *)&proxy, sizeof(proxy));
	if (result == 0)
		errno = errno_before;
	return result;
}
