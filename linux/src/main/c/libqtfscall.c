// libqtfscall: calls a function of the C library for qtfs.linux.NativeCall, as the JVM's own linker
// would, but without the code that the linker writes and compiles at each start of a program.
//
// JNI passes its environment and the class first, of which nothing here has need, and a jlong is a
// long on the 64-bit Linux that we support; so neither jni.h nor the JDK's directory is wanted.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>

_Static_assert(sizeof(long) == 8 && sizeof(void *) == 8, "a jlong is to be a long, and to hold an address");

#define EXPORTED __attribute__((visibility("default")))

typedef long function(long, long, long, long, long, long);

// Leaves errno, as the function left it, in *error: afterwards the JVM may overwrite it at any time.
EXPORTED long Java_qtfs_linux_NativeCall_call(
	void *env, void *class, long address, long error, long a, long b, long c, long d, long e, long f) {
	(void)env, (void)class;
	long result = ((function *)address)(a, b, c, d, e, f);
	*(int *)error = errno;
	return result;
}

// The search for all other functions: by what, and where.
EXPORTED long Java_qtfs_linux_NativeCall_dlsym(void *env, void *class) {
	(void)env, (void)class;
	return (long)dlsym;
}

EXPORTED long Java_qtfs_linux_NativeCall_library(void *env, void *class) {
	(void)env, (void)class;
	return (long)dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
}
