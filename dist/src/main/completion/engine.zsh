# What follows is the same for all of the project's programs.

_qtfs_ask() { # MEMBER COMMAND...: the texts of that member in the JSON of its answer
	local member=$1
	shift
	"$@" --json 2>/dev/null | grep -o "\"$member\":\"[^\"]*\"" | sed 's/^"[^"]*":"//; s/"$//' | sort -u
}

_qtfs_own() { # sets own: the run directory that the line names
	own=()
	[[ -z ${opt_args[--run-dir]-} ]] || own=(--run-dir ${opt_args[--run-dir]})
}

_qtfs_exposed() {
	local -a own found
	_qtfs_own
	found=(${(f)"$(_qtfs_ask local udsproxyd ctl exposed $own)"})
	compadd -a found
}

_qtfs_session() {
	local -a own found
	_qtfs_own
	found=(${(f)"$(_qtfs_ask path udsproxyd ctl sessions $own)"})
	compadd -a found
}

_qtfs_pid() {
	local -a own found
	_qtfs_own
	found=(${(f)"$(rexec_server ctl ps --json $own 2>/dev/null | grep -o '"pid":[0-9]*' | cut -d: -f2)"})
	compadd -a found
}

_qtfs_entry() {
	local -a found
	found=(${(f)"$(qtcfg list ${line[1]} --json 2>/dev/null | sed 's/.*\[//; s/\].*//' | grep -o '"[^"]*"' | tr -d '"')"})
	compadd -a found
}
