// ideal - what a proxy pair of our design costs where nothing but the kernel stands behind it: the
// reference of dist/bench/contenders, and good for nothing else. Carries v1 frames, each with its
// END, a run of them in one read and one write, on one epoll loop; no handshake, no descriptors, no
// policy, and a session ends when either side does. Build: cc -O2 -o ideal ideal.c
//
//   ideal asking UNIX-PATH PORT     listens on the path, leads each client to 127.0.0.1:PORT
//   ideal asked PORT UNIX-PATH      listens on 127.0.0.1:PORT, leads each to the path
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define DATA 0xa5a5 // NORMAL in docs/protocol.md: a frame's type, before its length, both 32 bits
#define END 0xa5ab // of the message; has no payload
#define HEADER 8
#define PAYLOAD 4088 // the most of a v1 frame
#define SLOT (HEADER + PAYLOAD + HEADER)
#define SLOTS 32
#define LINK_BUFFER (256 * 1024)

struct session;
struct end { int fd; uint32_t wanted; struct session *session; };
struct session {
	struct end application, link;
	char out[SLOTS * SLOT]; // frames on their way to the link: [sent, framed)
	size_t sent, framed;
	char in[LINK_BUFFER]; // what the link has brought: [used, read)
	size_t used, read, payload; // payload: what the frame begun last still lacks
};

static int loop;

static void die(const char *what) { perror(what); exit(1); }

static void want(struct end *end, uint32_t events) {
	struct epoll_event event = { .events = events, .data.ptr = end };
	if (end->wanted != events && epoll_ctl(loop, EPOLL_CTL_MOD, end->fd, &event)) die("epoll_ctl");
	end->wanted = events;
}

static void add(struct end *end, struct session *session, int fd) {
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = end };
	*end = (struct end){ fd, EPOLLIN, session };
	if (epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

// From the application to the link: the payloads land in their frames. False at the end.
static int forth(struct session *s) {
	static const uint32_t end[2] = { END, 0 };
	for (;;) {
		while (s->sent < s->framed) {
			ssize_t n = send(s->link.fd, s->out + s->sent, s->framed - s->sent, MSG_NOSIGNAL);
			if (n < 0) return errno == EAGAIN;
			s->sent += n;
		}
		struct iovec pieces[SLOTS];
		for (int i = 0; i < SLOTS; i++) pieces[i] = (struct iovec){ s->out + i * SLOT + HEADER, PAYLOAD };
		ssize_t n = readv(s->application.fd, pieces, SLOTS);
		s->sent = s->framed = 0;
		if (n <= 0) return n < 0 && errno == EAGAIN;
		for (size_t left = n; left > 0;) {
			uint32_t length = left < PAYLOAD ? left : PAYLOAD, header[2] = { DATA, length };
			memcpy(s->out + s->framed, header, HEADER);
			s->framed += HEADER + length;
			memcpy(s->out + s->framed, end, HEADER);
			s->framed += HEADER;
			left -= length;
		}
	}
}

// Passes over the headers before the next payload, as far as they have come. False if one is no v1.
static int headers(const struct session *s, size_t *at, size_t *payload) {
	while (*payload == 0 && s->read - *at >= HEADER) {
		uint32_t header[2];
		memcpy(header, s->in + *at, HEADER);
		if (header[0] != DATA && header[0] != END) return 0;
		if (header[1] > (header[0] == DATA ? PAYLOAD : 0)) return 0;
		*at += HEADER;
		*payload = header[1];
	}
	return 1;
}

// From the link to the application: the payloads of all frames in one write. False at the end.
static int back(struct session *s) {
	for (;;) {
		if (!headers(s, &s->used, &s->payload)) return 0;
		struct iovec pieces[LINK_BUFFER / SLOT + 2];
		int count = 0, most = sizeof pieces / sizeof *pieces;
		size_t at = s->used, payload = s->payload;
		while (count < most && payload > 0 && at < s->read) {
			size_t length = payload < s->read - at ? payload : s->read - at;
			pieces[count++] = (struct iovec){ s->in + at, length };
			at += length;
			payload -= length;
			if (!headers(s, &at, &payload)) return 0;
		}
		if (count > 0) {
			struct msghdr message = { .msg_iov = pieces, .msg_iovlen = count };
			ssize_t n = sendmsg(s->application.fd, &message, MSG_NOSIGNAL);
			if (n < 0) return errno == EAGAIN;
			for (int i = 0; n > 0; i++) { // passes over what has gone
				size_t gone = (size_t)n < pieces[i].iov_len ? (size_t)n : pieces[i].iov_len;
				s->used += gone;
				s->payload -= gone;
				n -= gone;
				if (!headers(s, &s->used, &s->payload)) return 0;
			}
			continue;
		}
		memmove(s->in, s->in + s->used, s->read - s->used);
		s->read -= s->used;
		s->used = 0;
		ssize_t n = recv(s->link.fd, s->in + s->read, LINK_BUFFER - s->read, 0);
		if (n <= 0) return n < 0 && errno == EAGAIN;
		s->read += n;
	}
}

static int go_on(struct session *s) {
	if (!forth(s) || !back(s)) return 0;
	int full_link = s->sent < s->framed, full_application = s->payload > 0 && s->used < s->read;
	want(&s->link, (full_link ? EPOLLOUT : 0) | (full_application ? 0 : EPOLLIN));
	want(&s->application, (full_application ? EPOLLOUT : 0) | (full_link ? 0 : EPOLLIN));
	return 1;
}

union address { struct sockaddr any; struct sockaddr_in inet; struct sockaddr_un local; };

static int opened(const char *place, int listening) {
	union address address = { 0 };
	socklen_t size;
	int is_path = *place == '/', one = 1, fd = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (is_path) {
		address.local.sun_family = AF_UNIX;
		strncpy(address.local.sun_path, place, sizeof address.local.sun_path - 1);
		size = sizeof address.local;
	} else {
		address.inet = (struct sockaddr_in){ AF_INET, htons(atoi(place)), { htonl(INADDR_LOOPBACK) }, { 0 } };
		size = sizeof address.inet;
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	}
	if (listening ? bind(fd, &address.any, size) || listen(fd, 128) : connect(fd, &address.any, size)) die(place);
	return fd;
}

static void nonblocking(int fd) {
	int one = 1;
	if (ioctl(fd, FIONBIO, &one)) die("ioctl");
}

int main(int argc, char **argv) {
	int asking = argc == 4 && !strcmp(argv[1], "asking");
	if (argc != 4 || (!asking && strcmp(argv[1], "asked"))) {
		fprintf(stderr, "usage: ideal asking UNIX-PATH PORT | ideal asked PORT UNIX-PATH\n");
		return 2;
	}
	struct end listener;
	loop = epoll_create1(EPOLL_CLOEXEC);
	add(&listener, NULL, opened(argv[2], 1));
	for (;;) {
		struct epoll_event event;
		if (epoll_wait(loop, &event, 1, -1) < 1) continue;
		struct end *end = event.data.ptr;
		struct session *s = end->session;
		if (s == NULL) {
			int accepted = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC), one = 1;
			if (accepted < 0) continue;
			int other = opened(argv[3], 0);
			if (!asking) setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
			nonblocking(accepted);
			nonblocking(other);
			if (!(s = calloc(1, sizeof *s))) die("calloc");
			add(&s->application, s, asking ? accepted : other);
			add(&s->link, s, asking ? other : accepted);
		} else if (!go_on(s)) {
			close(s->application.fd);
			close(s->link.fd);
			free(s);
		}
	}
}
