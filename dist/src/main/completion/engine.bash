# What follows is the same for all of the project's programs; the table above is one program's.
#
# A kind of value is one of the words file dir user variable signal command type entry exposed session pid,
# choices with | between, or - for what cannot be guessed.

_qtfs_strings() { # MEMBER, JSON on standard input: the texts of that member, one a line
	grep -o "\"$1\":\"[^\"]*\"" | sed 's/^"[^"]*":"//; s/"$//'
}

_qtfs_among() { # COMPREPLY: the lines of standard input that begin with what is there; none is expanded
	local line
	while IFS= read -r line; do
		[[ $line != "$cur"* ]] || COMPREPLY+=("$line")
	done
}

_qtfs_ask() { # MEMBER COMMAND...: a running daemon
	"$program" ctl "${@:2}" --json ${run_dir:+--run-dir "$run_dir"} 2>/dev/null | _qtfs_strings "$1"
}

_qtfs_values() { # KIND: COMPREPLY
	case $1 in
	-) ;;
	file | dir | command)
		compopt -o filenames 2>/dev/null
		_qtfs_among < <(compgen -A "${1/dir/directory}" -- "$cur")
		;;
	user) _qtfs_among < <(compgen -u) ;;
	variable) _qtfs_among < <(compgen -e) ;;
	signal) _qtfs_among < <(compgen -A signal SIG | sed 's/^SIG//') ;;
	type) _qtfs_among < <(printf '%s\n' $types) ;;
	entry)
		compopt -o filenames 2>/dev/null
		# All texts of the list's array.
		_qtfs_among < <("$program" list "${operands[0]}" --json 2>/dev/null | sed 's/.*\[//; s/\].*//' |
			grep -o '"[^"]*"' | tr -d '"')
		;;
	exposed)
		compopt -o filenames 2>/dev/null
		_qtfs_among < <(_qtfs_ask local exposed)
		;;
	session)
		compopt -o filenames 2>/dev/null
		_qtfs_among < <(_qtfs_ask path sessions | sort -u)
		;;
	pid)
		_qtfs_among < <("$program" ctl ps --json ${run_dir:+--run-dir "$run_dir"} 2>/dev/null |
			grep -o '"pid":[0-9]*' | cut -d: -f2)
		;;
	*) _qtfs_among < <(tr '|' '\n' <<<"$1") ;;
	esac
}

_qtfs_kind() { # OPTION: the kind of its value; fails if it has none
	local each
	for each in $valued; do
		[ "${each%%=*}" != "$1" ] || { echo "${each#*=}"; return 0; }
	done
	return 1
}

_qtfs_complete() { # TABLE
	local program=${COMP_WORDS[0]} cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options= valued= commands= kinds= first= command= run_dir= operands=() word kind i
	COMPREPLY=()
	"$1" "$command"
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--run-dir)
			[ "${COMP_WORDS[i + 1]-}" != = ] || ((i++))
			((i++))
			((i >= COMP_CWORD)) || run_dir=${COMP_WORDS[i]}
			;;
		-*)
			_qtfs_kind "$word" >/dev/null || continue
			[ "${COMP_WORDS[i + 1]-}" != = ] || ((i++))
			((i++))
			;;
		*)
			case " $commands " in
			*" $word "*)
				command+="${command:+ }$word"
				"$1" "$command"
				;;
			*) operands+=("$word") ;;
			esac
			;;
		esac
	done
	# What follows the program of rexec is its own.
	if [ -n "$first" ] && [ ${#operands[@]} -gt 0 ]; then
		_qtfs_values file
		return
	fi
	# Bash splits at =.
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ] && [ "$COMP_CWORD" -gt 2 ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if kind=$(_qtfs_kind "$prev"); then
		_qtfs_values "$kind"
	elif [[ $cur == -* ]]; then
		_qtfs_among < <(printf '%s\n' $options)
	else
		[ ${#operands[@]} -gt 0 ] || [ -z "$commands" ] || _qtfs_among < <(printf '%s\n' $commands)
		_qtfs_operand
	fi
}

_qtfs_operand() { # the one that comes next; the last may be there many times
	local left=${#operands[@]}
	set -- $kinds
	while [ $# -gt 1 ] && ((left > 0)); do
		shift
		((left--))
	done
	if [ $# -gt 0 ] && { ((left == 0)) || [[ $1 == *... ]]; }; then
		_qtfs_values "${1%...}"
	fi
}
