# Sourced by the programs in bin/: finds Java 25 and becomes the JVM, under the caller's pid.
#
# Reads from the program: home, name, main, jars, flags, failure (the exit code when nothing can be
# started), aot, where it shares the cache of another, and signals, those to be blocked in all of the
# JVM's threads, for the program to take them from a queue. Reads from the environment:
# QTFS_JAVA_HOME, and QTFS_JAVA_OPTIONS, split at spaces and given to the JVM last. Starts no process
# of its own, but one that tells whether signals can be blocked: every rexec pays for what happens
# here.

# The number of a stream that is closed would be taken by a file or a socket of the JVM's own.
[ -e /proc/self/fd/0 ] || exec </dev/null
[ -e /proc/self/fd/1 ] || exec >/dev/null
[ -e /proc/self/fd/2 ] || exec 2>/dev/null

# A Java home of release 25? Leaves its exact build in $build.
suits() {
	build=
	[ -x "$1/bin/java" ] && [ -r "$1/release" ] || return 1
	while IFS='=' read -r key value; do
		case $key=$value in
		IMPLEMENTOR_VERSION=* | JAVA_RUNTIME_VERSION=*) build=$build$value ;;
		JAVA_VERSION='"25'[!0-9]*) return 0 ;;
		JAVA_VERSION=*) return 1 ;;
		esac
	done <"$1/release"
	return 1
}

fail() {
	echo "$name: $1" >&2
	exit "$failure"
}

if [ -n "${QTFS_JAVA_HOME-}" ]; then
	java=$QTFS_JAVA_HOME
	suits "$java" || fail "QTFS_JAVA_HOME=$java is no Java 25: point it to one, or unset it"
else
	for java in "$home/lib/runtime" "${JAVA_HOME-}" /usr/lib/jvm/*25*; do
		suits "$java" && break
		java=
	done
	[ -n "$java" ] ||
		fail "needs Java 25, and there is none in /usr/lib/jvm: install openjdk-25-jre-headless, or set QTFS_JAVA_HOME"
fi

# The JVM takes a cache of its own build only, and refusing one costs it more than to have none.
cache=$home/lib/aot/${aot:-$name}.aot
[ -r "$cache" ] && read -r trained <"$home/lib/aot/jvm" && [ "$trained" = "$build" ] || cache=

classpath=
for jar in $jars; do
	classpath=$classpath${classpath:+:}$home/lib/$jar.jar
done

# Options meant for other Java programs would be announced on standard error by this one.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS

# The JVM reads arguments and file names by the locale; in C it would lose all that is not ASCII.
# rexec_server gives its programs the caller's own locale back, which it finds in QTFS_LC_*.
unset QTFS_LC_ALL QTFS_LC_CTYPE
case ${LC_ALL:-${LC_CTYPE:-${LANG-}}} in
*[Uu][Tt][Ff]-8* | *[Uu][Tt][Ff]8*) ;;
*)
	if [ -n "${LC_ALL-}" ]; then
		export QTFS_LC_ALL="$LC_ALL" LC_ALL=C.UTF-8
	else
		export QTFS_LC_CTYPE="${LC_CTYPE-}" LC_CTYPE=C.UTF-8
	fi
	;;
esac

# Since coreutils 8.31; without, the JVM's own handlers have to do, which cannot have SIGQUIT.
block=
if [ -n "${QTFS_BLOCKED-}" ]; then
	# bin/rexec has done it.
	unset QTFS_BLOCKED
	flags="$flags -Xrs"
elif [ -n "${signals-}" ] && env --block-signal="$signals" >/dev/null 2>&1; then
	# The JVM unblocks SIGUSR2 for itself, unless told to use another signal, which nobody else does.
	block="env --block-signal=$signals _JAVA_SR_SIGNUM=16"
	flags="$flags -Xrs"
fi

# What the JVM itself has to say goes to standard error, since standard output is the program's; of
# a cache that does not fit it says nothing.
exec $block "$java/bin/java" ${cache:+"-XX:AOTCache=$cache"} \
	-Xlog:disable '-Xlog:all=error,aot*=off:stderr' -XX:-UsePerfData $flags \
	--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
	"-Dqtfs.argv0=${argv0-$0}" "-Djava.library.path=$home/lib/native" \
	"-Dorg.newsclub.net.unix.library.override=$home/lib/native/libjunixsocket-native-@junixsocket.version@.so" \
	-cp "$classpath" ${QTFS_JAVA_OPTIONS-} "$main" "$@"
