// rexec: hands its call to rexec_agent, with all that this process was started with, and then lives
// for its program: passes its signals on, and ends as the agent says. Where no agent takes the call,
// becomes lib/rexec.sh, which starts a JVM for it. The bytes are described in docs/protocol.md.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define OWN_FAILURE 125
#define MAX_FDS 253 // SCM_MAX_FD, net/scm.h
#define MAX_DATA (128 * 1024)
#define PATIENCE 3 // seconds, until a JVM is started rather than to wait for an agent that hangs

enum { ACCEPTED = 1, DECLINED, EXIT, DIE, STOP, COMPLAIN };

static struct {
	struct {
		char magic[8];
		uint32_t length, fds, arguments, reserved;
		uint64_t namespaces[3], root_device, root_inode;
	} header;
	char data[MAX_DATA];
} request;

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGTSTP, SIGWINCH};

static void say(const char *words) {
	dprintf(2, "rexec: %s\n", words);
}

// Blocks all that are passed on; the answer is without those that this process is to be deaf to.
static sigset_t block_signals(void) {
	sigset_t all, wanted;
	struct sigaction action;
	sigemptyset(&all);
	sigemptyset(&wanted);
	for (size_t i = 0; i < sizeof forwarded / sizeof *forwarded; i++) {
		sigaddset(&all, forwarded[i]);
		if (!sigaction(forwarded[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&wanted, forwarded[i]);
	}
	sigprocmask(SIG_BLOCK, &all, NULL);
	return wanted;
}

_Noreturn static void start_jvm(char **argv, const char *why) {
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
	char *slash = n > 0 ? (path[n] = 0, strrchr(path, '/')) : NULL;
	const char *agent = getenv("REXEC_AGENT");
	if (agent && !strcmp(agent, "only")) {
		dprintf(2, "rexec: not run, since REXEC_AGENT=only: %s\n", why);
		_exit(OWN_FAILURE);
	}
	if (slash) {
		strcpy(slash, "/../lib/rexec.sh");
		setenv("QTFS_ARGV0", argv[0], 1);
		// The JVM's threads are to be born deaf to them; it then unblocks one, unless told another.
		block_signals();
		setenv("QTFS_BLOCKED", "1", 1);
		setenv("_JAVA_SR_SIGNUM", "16", 1);
		execv(path, argv);
	}
	dprintf(2, "rexec: cannot start %s: %s\n", slash ? path : "itself", strerror(errno));
	_exit(OWN_FAILURE);
}

static int inode_of(const char *path, uint64_t *inode) {
	struct stat status;
	int result = stat(path, &status);
	*inode = status.st_ino;
	return result;
}

static int ascending(const void *a, const void *b) {
	return *(const int *)a - *(const int *)b;
}

// The descriptors that this process was started with; their number, -1 for more than can be passed,
// or if they cannot be told: without them the program would run with nothing.
static int given_fds(int fds[MAX_FDS], int own) {
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;
	struct dirent *entry;
	if (!dir)
		return -1;
	while (errno = 0, (entry = readdir(dir))) {
		int fd = atoi(entry->d_name);
		if (entry->d_name[0] == '.' || fd == own || fd == dirfd(dir))
			continue;
		if (count == MAX_FDS) {
			count = -1;
			break;
		}
		fds[count++] = fd;
	}
	if (errno)
		count = -1;
	closedir(dir);
	if (count > 0)
		qsort(fds, count, sizeof *fds, ascending);
	return count;
}

static size_t add(size_t at, const void *bytes, size_t length) {
	if (at + length > MAX_DATA)
		return SIZE_MAX / 2;
	memcpy(request.data + at, bytes, length);
	return at + length;
}

static const char *fill(char **argv, char **environment, const int *fds, int count) {
	struct stat root;
	if (inode_of("/proc/self/ns/mnt", &request.header.namespaces[0]) ||
	    inode_of("/proc/self/ns/user", &request.header.namespaces[1]) ||
	    inode_of("/proc/self/ns/pid", &request.header.namespaces[2]) || stat("/", &root))
		return "no /proc";
	memcpy(request.header.magic, "rexecag1", 8);
	request.header.root_device = (uint64_t)major(root.st_dev) << 32 | minor(root.st_dev);
	request.header.root_inode = root.st_ino;
	request.header.fds = count;
	size_t at = add(0, fds, count * sizeof *fds);
	for (; *argv; argv++, request.header.arguments++)
		at = add(at, *argv, strlen(*argv) + 1);
	for (; *environment; environment++)
		at = add(at, *environment, strlen(*environment) + 1);
	request.header.length = at;
	return at > MAX_DATA ? "too long a command line or environment" : NULL;
}

static int send_request(int agent, const int *fds, int count) {
	char control[CMSG_SPACE(MAX_FDS * sizeof(int))] = {0};
	struct iovec piece = {&request, sizeof request.header + request.header.length};
	struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
	if (count > 0) {
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
	}
	while (piece.iov_len > 0) {
		ssize_t n = sendmsg(agent, &message, MSG_NOSIGNAL);
		if (n < 0)
			return -1;
		piece.iov_base = (char *)piece.iov_base + n;
		piece.iov_len -= n;
		message.msg_control = NULL;
		message.msg_controllen = 0;
	}
	return 0;
}

static int connect_to_agent(void) {
	const char *directory = getenv("REXEC_RUN_DIR");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval patience = {PATIENCE, 0};
	struct ucred other;
	socklen_t length = sizeof other;
	if (!directory || !*directory)
		directory = "/var/run/rexec";
	if (snprintf(address.sun_path, sizeof address.sun_path, "%s/agent.sock", directory) >= (int)sizeof address.sun_path)
		return -1;
	int agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	// Not among the numbers that may be missing: the program's standard streams stay closed.
	if (agent >= 0 && agent <= 2) {
		int higher = fcntl(agent, F_DUPFD_CLOEXEC, 3);
		close(agent);
		agent = higher;
	}
	if (agent < 0)
		return -1;
	setsockopt(agent, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(agent, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (connect(agent, (struct sockaddr *)&address, sizeof address) ||
	    getsockopt(agent, SOL_SOCKET, SO_PEERCRED, &other, &length) || other.uid != geteuid()) {
		close(agent);
		return -1;
	}
	return agent;
}

static int receive(int agent, void *bytes, size_t length) {
	ssize_t n;
	do
		n = recv(agent, bytes, length, MSG_WAITALL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)length ? 0 : -1;
}

_Noreturn static void die(int number) {
	struct rlimit none = {0, 0};
	sigset_t set;
	setrlimit(RLIMIT_CORE, &none);
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	kill(getpid(), number);
	_exit(128 + number);
}

static void complain(int agent, uint32_t length) {
	char words[4096];
	if (length <= sizeof words && !receive(agent, words, length))
		for (ssize_t n, at = 0; at < (ssize_t)length && (n = write(2, words + at, length - at)) > 0;)
			at += n;
}

// Does what the agent says.
static void obey(int agent) {
	uint32_t word[2];
	if (receive(agent, word, sizeof word)) {
		say("the connection to the program was lost: rexec_agent has ended");
		_exit(OWN_FAILURE);
	}
	switch (word[0]) {
	case EXIT: _exit(word[1]);
	case DIE: die(word[1]);
	case STOP: kill(getpid(), SIGSTOP); break;
	case COMPLAIN: complain(agent, word[1]); break;
	}
}

static void pass_on(int agent, int signals) {
	struct signalfd_siginfo info;
	if (read(signals, &info, sizeof info) == sizeof info) {
		char number = info.ssi_signo;
		send(agent, &number, 1, MSG_NOSIGNAL);
	}
}

int main(int argc, char **argv, char **environment) {
	static char *nameless[] = {"rexec", NULL};
	int fds[MAX_FDS], agent, count, signals;
	const char *wish = getenv("REXEC_AGENT"), *options = getenv("QTFS_JAVA_OPTIONS"), *problem;
	uint32_t answer[2];
	char go = 0;
	if (argc < 1)
		argv = nameless;
	if (wish && !strcmp(wish, "no"))
		start_jvm(argv, "REXEC_AGENT=no");
	if (options && *options)
		start_jvm(argv, "QTFS_JAVA_OPTIONS is set");
	if ((agent = connect_to_agent()) < 0)
		start_jvm(argv, "no rexec_agent answers");
	if ((count = given_fds(fds, agent)) < 0)
		start_jvm(argv, "too many open files, or they cannot be listed");
	if ((problem = fill(argv, environment, fds, count)))
		start_jvm(argv, problem);
	sigset_t wanted = block_signals();
	signals = signalfd(-1, &wanted, SFD_CLOEXEC);
	if (signals < 0 || send_request(agent, fds, count))
		start_jvm(argv, "the request cannot be sent");
	if (receive(agent, answer, sizeof answer) || answer[0] != ACCEPTED)
		start_jvm(argv, "rexec_agent declines");
	// Until it has this byte the agent does nothing, and once it may have it nobody else does.
	if (send(agent, &go, 1, MSG_NOSIGNAL) != 1)
		start_jvm(argv, "rexec_agent has ended");
	struct timeval for_ever = {0, 0};
	setsockopt(agent, SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof for_ever);
	for (;;) {
		struct pollfd both[] = {{agent, POLLIN, 0}, {signals, POLLIN, 0}};
		poll(both, 2, -1);
		if (both[1].revents)
			pass_on(agent, signals);
		if (both[0].revents)
			obey(agent);
	}
}
