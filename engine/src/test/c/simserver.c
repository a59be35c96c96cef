/*
 * What only the engine asks of the server's kernel module, for tests: preloaded in front of
 * simkernel.so, which keeps the lists, it plays the thread requests by the rules that were measured
 * on the real module, and writes every request of the process to SIMKERNEL_DIR/server.log:
 *
 *     <microseconds> <comm of the calling thread> <request> <facts> = <answer>
 *
 * A file in SIMKERNEL_DIR changes a rule while the process runs. It holds a number:
 *   server.run_ms       how long THREAD_RUN and EPOLL_THREAD_INIT wait; 320, as without a client
 *   server.client       1: EPOLL_THREAD_INIT answers 0
 *   server.room         how many entries WL_ADD takes in this process, in all
 *   server.thread_init  the answer of THREAD_INIT
 *   server.interrupts   how many of the first waits of this process a signal ends
 *   server.gone         the errno with which every request fails
 *   server.info_gone    the errno with which ALLINFO fails
 *   server.fault        "REQUEST n errno": the n-th such request from now on fails; n is counted down
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct buffers {
	uint64_t size;
	char *first, *second;
};

static const char *const NAMES[] = {
	"THREAD_INIT", "THREAD_RUN", "EPFDSET", "EPOLL_THREAD_INIT", "EPOLL_THREAD_RUN", "EXIT",
	"ALLINFO", "CLEARALL", "LOGLEVEL", "EPOLL_SUPPORT", "WL_ADD", "WL_DEL", "WL_GET"};

static atomic_int armed, added, waits;
static struct buffers *buffers;

static const char *name_of(char *out, const char *suffix)
{
	const char *dir = getenv("SIMKERNEL_DIR");
	snprintf(out, PATH_MAX, "%s/server%s", dir ? dir : "/nonexistent", suffix);
	return out;
}

static long knob(const char *suffix, long otherwise)
{
	char name[PATH_MAX];
	long number;
	FILE *file = fopen(name_of(name, suffix), "re");
	if (!file)
		return otherwise;
	if (fscanf(file, "%ld", &number) != 1)
		number = otherwise;
	fclose(file);
	return number;
}

/* The errno with which this request is to fail, or 0. */
static int fault(const char *request)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	char name[PATH_MAX], wanted[32];
	int left, error, strikes = 0;
	pthread_mutex_lock(&one);
	FILE *file = fopen(name_of(name, ".fault"), "r+e");
	if (file) {
		if (fscanf(file, "%31s %d %d", wanted, &left, &error) == 3 && left > 0 &&
				strcmp(wanted, request) == 0) {
			strikes = --left == 0;
			rewind(file);
			fprintf(file, "%s %d %d\n", wanted, left, error);
		}
		fclose(file);
	}
	pthread_mutex_unlock(&one);
	return strikes ? error : 0;
}

static void tell(const char *request, const char *facts, long answer)
{
	char line[2 * PATH_MAX], name[PATH_MAX], comm[17] = {0};
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	prctl(PR_GET_NAME, comm);
	int length = snprintf(line, sizeof line, "%ld %s %s%s%s = %ld\n",
			now.tv_sec * 1000000 + now.tv_nsec / 1000, comm, request, *facts ? " " : "", facts,
			answer);
	int fd = ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open"))(
			name_of(name, ".log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line, length) != length)
		abort();
	close(fd);
}

static int is_server(int fd)
{
	char name[PATH_MAX];
	struct stat device, file;
	return fstat(fd, &device) == 0 && stat(name_of(name, ""), &file) == 0 &&
			device.st_ino == file.st_ino && device.st_dev == file.st_dev;
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int mode = va_arg(arguments, int);
	va_end(arguments);
	int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	int fd = real(path, flags, mode);
	if (strcmp(path, "/dev/qtfs_server") == 0) {
		char facts[64];
		snprintf(facts, sizeof facts, "access=%d cloexec=%d", flags & O_ACCMODE,
				(flags & O_CLOEXEC) != 0);
		tell("open", facts, fd < 0 ? -errno : 0);
	}
	return fd;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

/* Waits as a request without a client does; -1 if a signal has ended it. */
static int wait_for_client(void)
{
	long ms = knob(".run_ms", 320);
	struct timespec time = {ms / 1000, ms % 1000 * 1000000};
	if (atomic_fetch_add(&waits, 1) < knob(".interrupts", 0))
		return fail(EINTR);
	return nanosleep(&time, NULL) ? fail(EINTR) : 1;
}

static int use_epoll(const char *argument, char *facts)
{
	int32_t epfd, events;
	char link[64], target[64] = {0};
	uint64_t address;
	memcpy(&epfd, argument, 4);
	memcpy(&events, argument + 4, 4);
	memcpy(&address, argument + 8, 8);
	snprintf(link, sizeof link, "/proc/self/fd/%d", epfd);
	if (readlink(link, target, sizeof target - 1) < 0)
		return 1;
	memset((void *)address, 0, (size_t)events * 12);
	sprintf(facts, "%s events=%d", target, events);
	return epfd < 3 || events < 1 || events > 64;
}

static int take_buffers(const char *argument, char *facts)
{
	struct rlimit limit;
	uint32_t threads;
	long page = sysconf(_SC_PAGESIZE), answer = knob(".thread_init", 0);
	mode_t mask = umask(0);
	umask(mask);
	getrlimit(RLIMIT_NOFILE, &limit);
	memcpy(&threads, argument, 4);
	memcpy(&buffers, argument + 8, 8);
	sprintf(facts, "threads=%u umask=%o full_rlimit=%d", threads, mask,
			limit.rlim_cur == limit.rlim_max || limit.rlim_cur >= 65536);
	for (uint32_t i = 0; i < threads; i++) {
		struct buffers *pair = buffers + i;
		if (pair->size != 65536 || (uintptr_t)pair->first % page || (uintptr_t)pair->second % page)
			return 1;
		memset(pair->first, 0, pair->size);
		memset(pair->second, 0, pair->size);
	}
	return answer ? (int)answer : threads < 1 || threads > 16;
}

static int run(void)
{
	if (!armed)
		return 2;
	buffers[0].first[0]++;
	return wait_for_client();
}

static int epoll_run(void)
{
	struct timespec time = {0, 10000000};
	if (!armed)
		return 2;
	nanosleep(&time, NULL);
	return 0;
}

/* What simkernel.so knows better. */
static int pass_on(int fd, unsigned long request, long argument)
{
	int (*real)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, argument);
}

static int serve(int fd, unsigned long request, long argument, char *facts)
{
	uint32_t bits = 0;
	char *path = NULL;
	long gone = knob(".gone", 0);
	int error = gone ? (int)gone : fault(NAMES[request - 0x5100]);
	if (error)
		return fail(error);
	switch (request) {
	case 0x5100:
		return take_buffers((const char *)argument, facts);
	case 0x5101:
		return run();
	case 0x5102:
		return use_epoll((const char *)argument, facts);
	case 0x5103:
		return knob(".client", 0) == 1 ? 0 : armed ? wait_for_client() : 2;
	case 0x5104:
		return epoll_run();
	case 0x5105:
		armed = argument == 1;
		sprintf(facts, "%ld", argument);
		return pass_on(fd, request, argument);
	case 0x5106:
		gone = knob(".info_gone", 0);
		return gone ? fail((int)gone) : pass_on(fd, request, argument);
	case 0x510a:
		memcpy(&bits, (const char *)argument, 4);
		memcpy(&path, (const char *)argument + 8, 8);
		snprintf(facts, PATH_MAX, "%u %.*s", bits & 0x3ff, (int)(bits >> 10 & 0xfff), path);
		if (atomic_fetch_add(&added, 1) >= knob(".room", INT_MAX))
			return 1;
		return pass_on(fd, request, argument);
	case 0x510b:
		memcpy(&bits, (const char *)argument, 4);
		sprintf(facts, "%u %u", bits & 0x3ff, bits >> 22);
		return pass_on(fd, request, argument);
	default:
		return pass_on(fd, request, argument);
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	char facts[PATH_MAX] = "";
	va_list arguments;
	va_start(arguments, request);
	long argument = va_arg(arguments, long);
	va_end(arguments);
	if (request < 0x5100 || request > 0x510c || !is_server(fd))
		return pass_on(fd, request, argument);
	int answer = serve(fd, request, argument, facts);
	int error = errno;
	tell(NAMES[request - 0x5100], facts, answer < 0 ? -error : answer);
	errno = error;
	return answer;
}
