#!/bin/sh
# Installs the programs from the directory that this file is in, or removes them again.
set -eu
export LC_ALL=C
umask 022

usage() {
	cat <<-'END'
		As root: ./install.sh --prefix /usr

		Usage: install.sh [--prefix DIR] [--destdir DIR] [--replace] [--dry-run]
		       install.sh --uninstall [--prefix DIR] [--destdir DIR] [--dry-run]

		  --prefix DIR   where to: DIR/lib/qtfs, with links in DIR/bin (default /usr/local)
		  --destdir DIR  put all of it, /etc too, below DIR, for a package or another root
		  --replace      move programs that are there already, such as the C ones, to NAME.replaced;
		                 --uninstall moves them back
		  --uninstall    remove what was installed, and leave the configuration
		  --dry-run      only say what would be done
		  --package      leave out the list of files that --uninstall needs

		Configuration in /etc is never overwritten and never removed. Nothing is started or restarted.
	END
}

fail() {
	echo "install.sh: $*" >&2
	exit 1
}

say() { printf '%s\n' "$*"; }
run() { [ -n "$dry" ] || "$@"; }

here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd -P)
prefix='' destdir='' dry='' replace='' uninstall='' package=''
while [ $# -gt 0 ]; do
	case $1 in
	--prefix=* | --destdir=*)
		option=${1%%=*} value=${1#*=}
		shift
		set -- "$option" "$value" "$@"
		continue
		;;
	--prefix | --destdir)
		[ $# -ge 2 ] || fail "$1 needs a directory"
		case $2 in
		/*) ;;
		*) fail "$1 $2: must begin with a slash" ;;
		esac
		case $1 in
		--prefix) prefix=${2%/} ;;
		*) destdir=${2%/} ;;
		esac
		shift
		;;
	--replace) replace=1 ;;
	--uninstall) uninstall=1 ;;
	--dry-run) dry=1 ;;
	--package) package=1 ;;
	--help | -h)
		usage
		exit 0
		;;
	*) fail "$1 is not an option; --help lists them" ;;
	esac
	shift
done

# Run where it was installed to, it knows the prefix.
if [ -z "$prefix" ] && [ -r "$here/installed" ]; then
	prefix=$(sed -n 's/^prefix //p' "$here/installed")
fi
prefix=${prefix:-/usr/local}
home=$destdir$prefix/lib/qtfs
list=$home/installed

# --- Removing -------------------------------------------------------------------------------------

# Removes a file of the list, and a directory of our own that it leaves empty.
forget() {
	if [ -e "$destdir$1" ] || [ -h "$destdir$1" ]; then
		say "remove   $destdir$1"
		run rm -f "$destdir$1"
	fi
	if [ -e "$destdir$1.replaced" ] || [ -h "$destdir$1.replaced" ]; then
		say "restore  $destdir$1"
		run mv "$destdir$1.replaced" "$destdir$1"
	fi
	case $1 in
	*/qtfs/*) run rmdir "$(dirname "$destdir$1")" 2>/dev/null || : ;;
	esac
}

if [ -n "$uninstall" ]; then
	[ -r "$list" ] || fail "$list is missing: not installed with this --prefix, or by a package"
	while IFS= read -r file; do
		[ -z "$file" ] || forget "$file"
	done <<-END
		$(sed -n 's/^file //p' "$list")
	END
	say "remove   $home"
	run rm -rf "$home"
	say "kept     configuration in $destdir/etc/qtfs and $destdir/etc/rexec"
	[ -n "$destdir$dry" ] || say "then     systemctl daemon-reload"
	exit 0
fi

# --- Installing -----------------------------------------------------------------------------------

[ -x "$here/bin/rexec" ] || fail "$here is no install image: bin/rexec is missing"
[ "$here" != "$(readlink -f "$home" 2>/dev/null || :)" ] || fail "$here is where it would install to"
parent=$destdir$prefix/lib
while [ ! -e "$parent" ]; do parent=$(dirname "$parent"); done
[ -w "$parent" ] || fail "$parent is not writable: run as root, or give another --prefix"

new=$home.new
files=

# The one record of what is installed outside of lib/qtfs.
record() {
	files="${files}file $1
"
}

# place SOURCE TARGET: a file; what is in its way and not ours is moved aside, or stops all.
place() {
	mode=644
	[ ! -x "$1" ] || mode=755
	aside "$2"
	say "install  $destdir$2"
	run mkdir -p "$(dirname "$destdir$2")"
	run rm -f "$destdir$2"
	run install -m "$mode" -p "$1" "$destdir$2"
	record "$2"
}

# By the list, or as what an installation that was cut off has left.
ours() {
	{ [ -r "$list" ] && grep -qxF "file $1" "$list"; } ||
		[ "$(readlink "$destdir$1")" = "../lib/qtfs/bin/${1##*/}" ] ||
		{ [ -f "$here/lib/${1##*/}" ] && cmp -s "$here/lib/${1##*/}" "$destdir$1"; }
}

aside() {
	{ [ -e "$destdir$1" ] || [ -h "$destdir$1" ]; } && ! ours "$1" || return 0
	if [ -e "$destdir$1.replaced" ]; then return 0; fi
	[ -n "$replace" ] ||
		fail "$destdir$1 is there already: remove its package, or give --replace to move it aside"
	say "aside    $destdir$1 to $destdir$1.replaced"
	run mv "$destdir$1" "$destdir$1.replaced"
}

# Asked before anything is changed.
if [ -z "$replace" ]; then
	for program in "$here"/bin/*; do
		(aside "$prefix/bin/${program##*/}")
	done
fi

# A running program keeps the files it has open: they are replaced as a whole, never written into.
say "install  $home"
run rm -rf "$new" "$home.old"
run mkdir -p "$new/lib"
run cp -R -P --preserve=mode,timestamps "$here/bin" "$new/"
for part in "$here"/lib/* "$here/install.sh" "$here/LICENSE"; do
	case ${part##*/} in
	systemd | tmpfiles.d | sysusers.d) continue ;;
	install.sh | LICENSE) to=$new ;;
	*) to=$new/lib ;;
	esac
	[ ! -e "$part" ] || run cp -R -P --preserve=mode,timestamps "$part" "$to/"
done

for program in "$here"/bin/*; do
	name=${program##*/}
	aside "$prefix/bin/$name"
	say "link     $destdir$prefix/bin/$name"
	run mkdir -p "$destdir$prefix/bin"
	run ln -sfn "../lib/qtfs/bin/$name" "$destdir$prefix/bin/$name"
	record "$prefix/bin/$name"
done
[ ! -e "$here/lib/libudsproxy.so" ] ||
	place "$here/lib/libudsproxy.so" "$prefix/lib64/libudsproxy.so"

# every DIRECTORY: the files below one of the image's, a line each, or none
every() {
	[ ! -d "$here/$1" ] || (cd "$here/$1" && find . -type f ! -name '.*' | sed 's,^\./,,' | sort)
}

# Here-documents, not pipes: the loops change variables.
while IFS= read -r file; do
	[ -z "$file" ] || place "$here/share/$file" "$prefix/share/$file"
done <<END
$(every share)
END
programs='\(udsproxyd\|rexec\|engine\|qtcfg\|qtinfo\)'
while IFS= read -r file; do
	[ -n "$file" ] || continue
	place "$here/lib/systemd/$file" "$prefix/lib/systemd/$file"
	# They name the programs where packages put them.
	[ "$prefix" = /usr ] || run sed -i "s#/usr/\(bin/$programs\|lib/qtfs/\|lib64/libudsproxy\)#$prefix/\1#g" \
		"$destdir$prefix/lib/systemd/$file"
done <<END
$(every lib/systemd)
END
while IFS= read -r file; do
	[ -z "$file" ] || place "$here/lib/tmpfiles.d/$file" "$prefix/lib/tmpfiles.d/$file"
done <<END
$(every lib/tmpfiles.d)
END
while IFS= read -r file; do
	[ -n "$file" ] || continue
	target=$destdir/etc/$file
	# What rexec_server may run is root's business alone.
	mode=644 directory=755
	case $file in rexec/*) mode=600 directory=700 ;; esac
	if [ -e "$target" ] || [ -h "$target" ]; then
		if cmp -s "$here/etc/$file" "$target"; then
			say "same     $target"
		else
			say "kept     $target, which differs from $here/etc/$file"
		fi
	elif [ -z "$dry" ] && ! { [ -d "${target%/*}" ] || { mkdir -p "$(dirname "${target%/*}")" && mkdir -m "$directory" "${target%/*}"; }; } 2>/dev/null; then
		say "NOT      $target: ${target%/*} cannot be made; copy $here/etc/$file as root"
	else
		say "install  $target"
		run install -m "$mode" -p "$here/etc/$file" "$target"
	fi
done <<END
$(every etc)
END

# What an earlier version had and this one has not.
if [ -r "$list" ]; then
	while IFS= read -r file; do
		case "$files" in
		*"file $file
"*) ;;
		*) [ -z "$file" ] || forget "$file" ;;
		esac
	done <<-END
		$(sed -n 's/^file //p' "$list")
	END
fi

if [ -z "$dry" ]; then
	[ -n "$package" ] || printf 'prefix %s\n%s' "$prefix" "$files" >"$new/installed"
	[ ! -e "$home" ] || mv "$home" "$home.old"
	mv "$new" "$home"
	rm -rf "$home.old"
fi
[ -n "$package" ] || {
	[ -n "$destdir" ] || say "then     systemctl daemon-reload"
	say "then     restart udsproxyd, rexec_server and engine when it suits: what runs goes on as it is"
}
