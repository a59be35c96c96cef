#!/bin/sh
# Runs a program on the other host, in a JVM of its own: what bin/rexec is where there was no C
# compiler, and becomes where no rexec_agent takes the call.
case $0 in
*/*) home=${0%/*}/.. ;;
*) home=.. ;;
esac
if [ -h "$0" ]; then
	home=$(readlink -f "$0")
	home=${home%/*}/..
fi

# The name that bin/rexec was called by, which is that of a program if it is a link's.
argv0=${QTFS_ARGV0-${0%.sh}}
unset QTFS_ARGV0

aot=
name=rexec
main=qtfs.rexec.Rexec
failure=125
jars='rexec udsproxy linux whitelist jackson-core picocli'
# Compiled late: what runs for a tenth of a second is done before its compiler is (95 to 62 ms of CPU).
flags='-Xmx32m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=20'
# Those that rexec passes on, which the JVM can only do if all of its threads are born deaf to them.
signals=HUP,INT,QUIT,USR1,USR2,TERM,CONT,TSTP,WINCH
. "$home/lib/launch.sh"
