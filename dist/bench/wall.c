// wall - runs a command again and again and prints the wall time of each run, in milliseconds:
// from posix_spawn to the end of the process, a line a run. Build: cc -O2 -o wall wall.c
//
//   wall COUNT COMMAND [ARGUMENT]...
//
// Standard input and output of the command are /dev/null. Ends with 1, and a line that says so, when
// a run ends with another code than 0: a run that failed is no measurement.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double milliseconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
	posix_spawn_file_actions_t null;
	if (argc < 3) {
		fprintf(stderr, "usage: wall COUNT COMMAND [ARGUMENT]...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&null);
	posix_spawn_file_actions_addopen(&null, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&null, 1, "/dev/null", O_WRONLY, 0);
	for (int i = atoi(argv[1]); i > 0; i--) {
		pid_t pid;
		int status;
		double start = milliseconds();
		int error = posix_spawnp(&pid, argv[2], &null, NULL, argv + 2, environ);
		if (error) {
			fprintf(stderr, "wall: %s: %s\n", argv[2], strerror(error));
			return 1;
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR);
		if (status != 0) {
			fprintf(stderr, "wall: %s ended with wait status 0x%x\n", argv[2], status);
			return 1;
		}
		printf("%.3f\n", milliseconds() - start);
	}
	return 0;
}
