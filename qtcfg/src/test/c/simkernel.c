/*
 * A stand-in for the two kernel modules, for tests: preloaded, it plays /dev/qtfs_client and
 * /dev/qtfs_server behind open(2) and ioctl(2), by the rules that were measured on the real ones.
 *
 * SIMKERNEL_DIR names a directory. A file "client" or "server" in it is a loaded module, and holds
 * its state, so that all processes see one kernel; each request holds flock on it. An empty file is
 * a module that was just loaded. "client.errno" holds the number with which opening fails, and
 * "client.size" the size of struct qtinfo of a module of another version. "server.racer" is a
 * program of somebody else who works on the same lists: while its first byte is greater than 0,
 * each WL_GET takes 1 from it and exchanges the server's first Open entry.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CLIENT, SERVER };
enum { TYPES = 14, ENTRIES = 64, PATH_SIZE = 4096, EVENTS = 36, CONNECTIONS = 16 };

static const char *const NAMES[] = {"client", "server"};
static const char *const DEVICES[] = {"/dev/qtfs_client", "/dev/qtfs_server"};
static const unsigned SIZES[] = {2888, 2856};
static const char LEVELS[][8] = {"NONE", "ERROR", "WARN", "INFO", "DEBUG"};

struct state {
	uint32_t loaded;
	uint32_t counts[TYPES];
	char lists[TYPES][ENTRIES][PATH_SIZE];
	int32_t log_level;
	uint32_t epoll_any;
	unsigned char info[4096]; /* struct qtinfo, as the test wrote it */
};

struct item {
	uint32_t bits;
	uint32_t pad;
	char *path;
};

static const uint32_t REQ_SIZE[EVENTS] = {
	24, 4096, 4112, 4, 0, 24, 135168, 4096, 4112, 4098, 4096, 4104, 4176, 4100, 4104, 4096, 135168,
	135168, 4096, 0, 135168, 4104, 135168, 0, 135168, 4100, 4, 4096, 135168, 24, 2056};
static const uint32_t RSP_SIZE[EVENTS] = {
	24, 8, 8, 4, 0, 135168, 16, 152, 135168, 152, 8, 152, 8, 152, 152, 4, 152,
	152, 4104, 0, 8, 135168, 135168, 0, 4, 4, 8, 128, 4108, 4, 4};

typedef int (*open_fn)(const char *, int, ...);
typedef int (*ioctl_fn)(int, unsigned long, ...);

static const char *file_name(char *out, int role, const char *suffix)
{
	const char *dir = getenv("SIMKERNEL_DIR");
	snprintf(out, 4096, "%s/%s%s", dir ? dir : "/nonexistent", NAMES[role], suffix);
	return out;
}

static long number_in(int role, const char *suffix, long otherwise)
{
	char name[4096];
	FILE *file = fopen(file_name(name, role, suffix), "r");
	long number = otherwise;
	if (file) {
		if (fscanf(file, "%ld", &number) != 1)
			number = otherwise;
		fclose(file);
	}
	return number;
}

static int open_device(int role, int flags)
{
	char name[4096];
	long failure = number_in(role, ".errno", 0);
	open_fn real = (open_fn)dlsym(RTLD_NEXT, "open");
	if (failure) {
		errno = (int)failure;
		return -1;
	}
	return real(file_name(name, role, ""), (flags & ~O_ACCMODE) | O_RDWR);
}

static int any_open(const char *real_name, const char *path, int flags, int mode)
{
	for (int role = CLIENT; role <= SERVER; role++)
		if (strcmp(path, DEVICES[role]) == 0)
			return open_device(role, flags);
	open_fn real = (open_fn)dlsym(RTLD_NEXT, real_name);
	return real(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int mode = va_arg(arguments, int);
	va_end(arguments);
	return any_open("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	va_start(arguments, flags);
	int mode = va_arg(arguments, int);
	va_end(arguments);
	return any_open("open64", path, flags, mode);
}

/* The role whose state file the descriptor is, or -1. */
static int role_of(int fd)
{
	char link[64], target[4096], name[4096], resolved[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, target, sizeof target - 1);
	if (length < 0)
		return -1;
	target[length] = 0;
	for (int role = CLIENT; role <= SERVER; role++) {
		if (!realpath(file_name(name, role, ""), resolved))
			continue;
		if (strcmp(target, resolved) == 0)
			return role;
	}
	return -1;
}

/* Memory of the caller as the kernel sees it: a bad address is an answer, not a crash. */
static int copy(void *to, const void *from, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)from, length};
	return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)length;
}

static int copy_out(void *to, const void *from, size_t length)
{
	struct iovec local = {(void *)from, length}, remote = {to, length};
	return process_vm_writev(getpid(), &local, 1, &remote, 1, 0) == (ssize_t)length;
}

static int types(int role)
{
	return role == CLIENT ? 1 : TYPES;
}

static void journal(int role, char sign, unsigned type, const char *path)
{
	char name[4096];
	if (access(file_name(name, role, ".journal"), W_OK) != 0)
		return;
	FILE *file = fopen(name, "a");
	fprintf(file, "%c %u %s\n", sign, type, path);
	fclose(file);
}

static int add(struct state *s, int role, const struct item *item)
{
	char path[PATH_SIZE] = {0};
	unsigned type = item->bits & 0x3ff, length = item->bits >> 10 & 0xfff;
	if (type >= (unsigned)types(role) || length == 0 || s->counts[type] == ENTRIES)
		return 1;
	if (!copy(path, item->path, length))
		return 1;
	for (unsigned i = 0; i < s->counts[type]; i++)
		if (strcmp(s->lists[type][i], path) == 0)
			return 1;
	memcpy(s->lists[type][s->counts[type]++], path, PATH_SIZE);
	journal(role, '+', type, path);
	return 0;
}

static int delete(struct state *s, int role, const struct item *item)
{
	unsigned type = item->bits & 0x3ff, index = item->bits >> 22;
	if (type >= (unsigned)types(role) || index >= s->counts[type])
		return 1;
	journal(role, '-', type, s->lists[type][index]);
	unsigned last = --s->counts[type];
	memmove(s->lists[type][index], s->lists[type][last], PATH_SIZE);
	return 0;
}

static int get(struct state *s, int role, const struct item *item)
{
	unsigned type = item->bits & 0x3ff, index = item->bits >> 22;
	if (type >= (unsigned)types(role) || index >= s->counts[type])
		return 1;
	const char *path = s->lists[type][index];
	return !copy_out(item->path, path, strlen(path));
}

static int all_info(struct state *s, int role, void *to)
{
	unsigned level = role == CLIENT ? 1784 : 1752;
	memcpy(s->info + level, &s->log_level, sizeof s->log_level);
	return !copy_out(to, s->info, (size_t)number_in(role, ".size", SIZES[role]));
}

static int log_level(struct state *s, const char *from)
{
	char level[6] = {0};
	if (!copy(level, from, 5))
		return 1;
	for (int i = 0; i < 5; i++)
		if (strcmp(level, LEVELS[i]) == 0) {
			s->log_level = i;
			return 0;
		}
	return 1;
}

static int leave(struct state *s, int role, long argument)
{
	if (role == CLIENT)
		return 0;
	if (argument != 0 && argument != 1)
		return 1;
	memset(s->counts, 0, sizeof s->counts);
	return 0;
}

static int clear_all(struct state *s, int role)
{
	/* Everything that counts stands before the sizes. */
	memset(s->info, 0, role == CLIENT ? 1496 : 888);
	return 0;
}

static int serve(struct state *s, int role, unsigned long request, long argument)
{
	struct item item = {0};
	if (request >= 0x510a && request <= 0x510c && !copy(&item, (void *)argument, sizeof item))
		return 1;
	switch (request) {
	case 0x5105:
		return leave(s, role, argument);
	case 0x5106:
		return all_info(s, role, (void *)argument);
	case 0x5107:
		return clear_all(s, role);
	case 0x5108:
		return log_level(s, (const char *)argument);
	case 0x5109:
		s->epoll_any = argument == 1;
		return role == SERVER;
	case 0x510a:
		return add(s, role, &item);
	case 0x510b:
		return delete(s, role, &item);
	case 0x510c:
		return get(s, role, &item);
	default:
		return role == SERVER;
	}
}

static void load(struct state *s, int role)
{
	s->loaded = 1;
	s->log_level = 1;
	unsigned sizes = role == CLIENT ? 1496 : 1464, states = role == CLIENT ? 1788 : 1756;
	memcpy(s->info + sizes, REQ_SIZE, sizeof REQ_SIZE);
	memcpy(s->info + sizes + sizeof REQ_SIZE, RSP_SIZE, sizeof RSP_SIZE);
	memset(s->info + states, 0xff, CONNECTIONS * sizeof(int32_t));
	int32_t epoll_state = role == CLIENT ? 1 : -1;
	memcpy(s->info + states + 64 + 1024, &epoll_state, sizeof epoll_state);
}

static void race(struct state *s, int role)
{
	char name[4096];
	long left = number_in(role, ".racer", 0);
	if (left <= 0)
		return;
	FILE *file = fopen(file_name(name, role, ".racer"), "w");
	fprintf(file, "%ld", left - 1);
	fclose(file);
	snprintf(s->lists[0][0], PATH_SIZE, "/raced/%ld", left);
	s->counts[0] = s->counts[0] ? s->counts[0] : 1;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	va_start(arguments, request);
	long argument = va_arg(arguments, long);
	va_end(arguments);
	int role = role_of(fd);
	if (role < 0)
		return ((ioctl_fn)dlsym(RTLD_NEXT, "ioctl"))(fd, request, argument);
	flock(fd, LOCK_EX);
	if (ftruncate(fd, sizeof(struct state)) != 0)
		abort();
	struct state *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s == MAP_FAILED)
		abort();
	if (!s->loaded)
		load(s, role);
	if (request == 0x510c)
		race(s, role);
	int answer = serve(s, role, request, argument);
	munmap(s, sizeof *s);
	flock(fd, LOCK_UN);
	return answer;
}
