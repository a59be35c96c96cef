# What run, contenders and idle have in common. Sourced by bash scripts that have set `here`, their own
# directory, and `image`; `place` has to be called before anything is started.

die() { echo "${0##*/}: $*" >&2; exit 1; }
check_numbers() { # OPTION...: each one's value is a number
	local option
	for option; do
		[[ ${!option} =~ ^[1-9][0-9]*$ ]] || die "--$option ${!option}: not a number"
	done
}
check_sizes() { # OPTION...: each one's value is a number of bytes
	local option
	for option; do
		[[ ${!option} =~ ^[1-9][0-9]*[KMG]?$ ]] || die "--$option ${!option}: not a number, nor one with K, M or G"
	done
}
find_image() {
	[ -x "$image/bin/udsproxyd" ] || die "no install image in $image: ./mvnw -q -DskipTests package, or --image DIR"
	image=$(cd "$image" && pwd)
}

# --- What must be there -------------------------------------------------------------------------

missing=()
need() { # COMMAND PACKAGE...
	local path
	path=$(find_command "$1")
	shift
	[ -n "$path" ] || missing+=("$@")
}
find_command() { PATH=$PATH:/usr/sbin:/lib/systemd command -v "$1" || true; }
nothing_missing() {
	[ ${#missing[@]} = 0 ] || die "missing: ${missing[*]}; apt-get install -y ${missing[*]}"
}

# --- A place and processes of our own -----------------------------------------------------------

started=() privilege_separation=
place() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/qtfs-bench.XXXXXX")
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	mkdir "$work/log" "$work/sample" "$work/s" "$work/r" "$work/p"
	chmod 700 "$work"/?
	printf '[Udsaccept]\nPath=%s;%s;%s\n' "$work/s" "$work/r" "$work/p" >"$work/whitelist"
	chmod 600 "$work/whitelist"
}
cleanup() {
	local status=$?
	trap '' INT TERM
	if [ ${#started[@]} -gt 0 ]; then
		kill "${started[@]}" 2>/dev/null || true
		wait "${started[@]}" 2>/dev/null || true
	fi
	[ -z "$privilege_separation" ] || rmdir "$privilege_separation" || true
	[ "$status" = 0 ] || tail -n 3 "$work"/log/* >&2 2>/dev/null || true
	rm -rf "$work"
	exit "$status"
}
start() { # NAME COMMAND...: in the background, its words in a log; sets pid
	local name=$1
	shift
	"$@" >"$work/log/$name" 2>&1 </dev/null &
	pid=$!
	started+=("$pid")
}
stop() { # PID: one that was started
	local i
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
	for i in "${!started[@]}"; do
		[ "${started[i]}" != "$1" ] || unset "started[i]"
	done
}
free_port() { # sets port; ports below the ephemeral ones, so that no connection of ours takes one
	local i
	for i in {1..100}; do
		port=$((20000 + RANDOM % 10000))
		[[ " ${taken-} " == *" $port "* ]] && continue
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && continue
		taken="${taken-} $port"
		return
	done
	die "no free port"
}
patience=30 # seconds
await() { # WHAT TEST...: until the test succeeds
	local what=$1 i
	shift
	for ((i = 0; i < 10 * patience; i++)); do
		"$@" && return
		sleep 0.1
	done
	die "$what did not come up in $patience s"
}
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

build() { # NAME: of NAME.c
	gcc -O2 -pthread -o "$work/$1" "$here/$1.c"
}

# --- Samples and what becomes of them -----------------------------------------------------------

sample() { cat >>"$work/sample/$1"; } # METRIC.CONTENDER: a number a line on standard input
statistic() {                         # METRIC.CONTENDER: "median least most"
	sort -g "$work/sample/$1" | awk '{ v[NR] = $1 }
		END { printf "%.6g %.6g %.6g\n", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2, v[1], v[NR] }'
}
median() { statistic "$1" | cut -d' ' -f1; }
row() { # METRIC CONTENDER DECIMALS WORDS
	local m l h
	read -r m l h < <(statistic "$1.$2")
	printf "  %-40s %10.$3f   %.$3f - %.$3f\n" "$4" "$m" "$l" "$h"
}
ratio() { # METRIC ONE OTHER WORDS GOAL: of medians, and its spread round by round; GOAL as ">= 2.0" or "<= 1.2"
	paste -d' ' "$work/sample/$1.$2" "$work/sample/$1.$3" |
		awk -v a="$(median "$1.$2")" -v b="$(median "$1.$3")" -v words="$4" -v goal="$5" '
			{ r = $1 / $2 }
			NR == 1 { least = most = r }
			r < least { least = r }
			r > most { most = r }
			END {
				split(goal, g, " "); r = a / b
				printf "  %-40s %10.2f   %-13s  goal %s: %s\n", words, r, sprintf("%.2f - %.2f", least, most), goal,
					(g[1] == ">=" ? r >= g[2] : r <= g[2]) ? "met" : "MISSED"
			}'
}
bound() { # METRIC.CONTENDER LIMIT WORDS: of the largest sample
	awk -v v="$(statistic "$1" | cut -d' ' -f3)" -v most="$2" -v words="$3" 'BEGIN {
		printf "  %-40s %10.1f   %13s  goal <= %s: %s\n", words, v, "", most, v <= most ? "met" : "MISSED" }'
}
machine() {
	printf '%s cores (%s), %s GiB, Linux %s' "$(nproc)" \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		"$(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "$(uname -r | cut -d- -f1)"
}
load() { cut -d' ' -f1-3 /proc/loadavg; }
write_csv() { # FILE LOAD_BEFORE: all samples
	{ csv_head "$2" "$(load)" && csv_samples; } >"$1"
}
csv_head() { # LOAD_BEFORE LOAD_AFTER
	printf '# date %s\n# machine %s\n# load %s before, %s after\n' "$(date -u +%F)" "$(machine)" "$@"
	echo metric,contender,round,value
}
csv_samples() {
	local file
	for file in "$work"/sample/*; do
		awk -v name="${file##*/}" 'BEGIN { sub(/\./, ",", name) } { print name "," NR "," $1 }' "$file"
	done
}

# --- Two hosts ----------------------------------------------------------------------------------

declare -A asks    # by contender: where its host A takes requests
declare -A runs_as # by contender: the processes it started, both hosts'
host_b=()          # what the command of a host B begins with

# Two udsproxyd, and at $work/s/NAME.sock a target of their own, since pairs that share a path would
# share its stand-in. Sets pids to those of the daemons.
proxy_pair() { # NAME OPTION...
	local name=$1 port_a port_b
	shift
	mkdir -m 700 "$work/$name-a" "$work/$name-b"
	free_port; port_a=$port
	free_port; port_b=$port
	start "$name-a" "$image/bin/udsproxyd" 1 127.0.0.1 "$port_a" 127.0.0.1 "$port_b" \
		--run-dir "$work/$name-a" --whitelist "$work/whitelist" \
		--expose "$work/s/$name.sock=$work/$name-exposed.sock" "$@"
	pids=("$pid")
	start "$name-b" "${host_b[@]}" "$image/bin/udsproxyd" 1 127.0.0.1 "$port_b" 127.0.0.1 "$port_a" \
		--run-dir "$work/$name-b" --whitelist "$work/whitelist" "$@"
	pids+=("$pid")
	await "udsproxyd ($name)" listening "$name-a"
	await "udsproxyd ($name)" listening "$name-b"
	asks[$name]=$work/$name-a/remote_uds.sock
	runs_as[$name]=${pids[*]}
}
listening() { grep -qs listening "$work/log/$1"; }
tls_pair() {
	"$here/../../tools/make-test-ca" "$work/tls" 127.0.0.1
	proxy_pair tls --tls-ca "$work/tls/ca.crt" --tls-cert "$work/tls/127.0.0.1.crt" --tls-key "$work/tls/127.0.0.1.key"
}
socat_pair() { # NAME OPTION...: what two hosts without us would run
	local name=$1
	shift
	free_port
	start "$name-b" socat "$@" "TCP-LISTEN:$port,bind=127.0.0.1,fork,reuseaddr,nodelay,backlog=1024" "UNIX-CONNECT:$work/s/ours.sock"
	runs_as[$name]=$pid
	start "$name-a" socat "$@" "UNIX-LISTEN:$work/$name.sock,fork,backlog=1024" "TCP:127.0.0.1:$port,nodelay"
	runs_as[$name]+=" $pid"
	await "$name" test -S "$work/$name.sock"
	await "$name" answers "$port"
}
target() { # NAME: sets pid
	start "target-$1" "$work/ublast" serve --listen "$work/s/$1.sock"
	await "the target of $1" test -S "$work/s/$1.sock"
}

# --- Load ---------------------------------------------------------------------------------------

blast() { # CONTENDER MODE OPTION...: one line of JSON
	local contender=$1 mode=$2
	shift 2
	case $contender in
	ours | v1 | tls) "$work/ublast" "$mode" --connect "$work/s/$contender.sock" --via "${asks[$contender]}" "$@" ;;
	preload)
		LD_PRELOAD=$image/lib/libudsproxy.so QTFS_RUN_DIR=$work/preload-a \
			"$work/ublast" "$mode" --connect "$work/p/preload.sock" "$@"
		;;
	exposed) "$work/ublast" "$mode" --connect "$work/ours-exposed.sock" "$@" ;;
	direct) "$work/ublast" "$mode" --connect "$work/s/ours.sock" "$@" ;;
	*) "$work/ublast" "$mode" --connect "$work/$contender.sock" "$@" ;;
	esac || die "$contender failed at $mode $*"
}
field() { sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
in_turn() { # ROUND CONTENDER...: sets turn to them, begun with another one each round
	local first=$(($1 % ($# - 1)))
	shift
	turn=("${@:first+1}" "${@:1:first}")
}

# --- An sshd of our own -------------------------------------------------------------------------

private_sshd() {
	local key
	mkdir -m 700 "$work/ssh"
	for key in host user; do ssh-keygen -q -t ed25519 -N '' -C bench -f "$work/ssh/$key"; done
	cp "$work/ssh/user.pub" "$work/ssh/authorized"
	free_port
	printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$work/ssh/host.pub")" >"$work/ssh/known"
	# StrictModes would refuse a key below a directory that all may write, as /tmp is.
	cat >"$work/ssh/sshd_config" <<-END
	Port $port
	ListenAddress 127.0.0.1
	HostKey $work/ssh/host
	PidFile none
	AuthorizedKeysFile $work/ssh/authorized
	StrictModes no
	UsePAM no
	PermitRootLogin prohibit-password
	PasswordAuthentication no
	UseDNS no
	END
	cat >"$work/ssh/config" <<-END
	Host *
	  Port $port
	  User $(id -un)
	  IdentityFile $work/ssh/user
	  IdentitiesOnly yes
	  IdentityAgent none
	  UserKnownHostsFile $work/ssh/known
	  GlobalKnownHostsFile none
	  BatchMode yes
	END
	if [ "$(id -u)" = 0 ] && [ ! -d /run/sshd ]; then
		mkdir -m 755 /run/sshd # an sshd of root's insists on it
		privilege_separation=/run/sshd
	fi
	start sshd "$(find_command sshd)" -D -e -f "$work/ssh/sshd_config"
	await sshd answers "$port"
}
