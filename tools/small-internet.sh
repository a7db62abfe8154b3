# shellcheck shell=bash
# A small Internet (tools/lab) and a recursor for it on loopback addresses and ports that need no
# privileges: for tools/demo and tools/attack, which source this.
#
# They set before: me, build, port, dir (files go there), and may define more_settings(), which
# prints lines for recursor.conf.  They get: start_both, give_up, show, title, rec_control, lab_port and
# page, the address of the live page.
# All ends with the script; its status is $failed.
: "${me:?}" "${build:?}" "${port:?}" "${dir:?}"
lab_pid='' recursor_pid='' failed=0

# Ends a child, unless Ctrl-C has ended it already; its exit status.
stop() {
	[ -n "$1" ] || return 0
	kill "$1" 2>/dev/null
	wait "$1"
}

clean_up() {
	trap '' INT TERM
	stop "$recursor_pid" || failed=1
	stop "$lab_pid" || failed=1
	if declare -F tidy >/dev/null; then tidy; fi
}

give_up() {
	echo "$me: $*" >&2
	failed=1
	exit 1
}

trap 'clean_up; exit $failed' EXIT
trap 'exit' INT TERM

title() {
	printf '\n== %s\n' "$*"
}

# Shows a command as one would type it, then what it says.
show() {
	printf '$ %s\n' "${*/#$build\//}"
	"$@"
}

# ---- start ----

start_lab() {
	"$build/lab" --config tools/lab/world --port "$lab_port" --control "$dir/lab.sock" \
		>"$dir/lab.log" 2>&1 &
	lab_pid=$!
	for _ in {1..50}; do
		"$build/lab" ctl "$dir/lab.sock" servers >/dev/null 2>&1 && return 0
		kill -0 "$lab_pid" 2>/dev/null || break
		sleep 0.1
	done
	wait "$lab_pid" 2>/dev/null
	lab_pid=''
	return 1
}

start_recursor() {
	cat >"$dir/recursor.conf" <<-END
		# The lab is the whole Internet: its root, its port, its loopback addresses.
		hint-file=$dir/root.hints
		outgoing-port=$lab_port
		dont-query=
		negative-trustanchors=.
		local-address=127.0.0.1
		local-port=$port
		socket-dir=$dir
		threads=2
		disable-syslog=yes
		webserver=yes
		webserver-port=$web_port
	END
	if declare -F more_settings >/dev/null; then
		more_settings >>"$dir/recursor.conf"
	fi
	"$build/lab" --config tools/lab/world --hints >"$dir/root.hints" || return 1
	"$build/recursor" --config-dir="$dir" >"$dir/recursor.log" 2>&1 &
	recursor_pid=$!
	for _ in {1..100}; do
		rec_control ping >/dev/null 2>&1 && return 0
		kill -0 "$recursor_pid" 2>/dev/null || break
		sleep 0.1
	done
	wait "$recursor_pid" 2>/dev/null
	recursor_pid=''
	return 1
}

rec_control() {
	"$build/rec_control" --socket-dir="$dir" "$@"
}

start_both() {
	for _ in 1 2 3 4 5; do
		lab_port=$((port + 1))
		web_port=$((port + 2))
		# shellcheck disable=SC2034 # for who sources this
		page=http://127.0.0.1:$web_port/
		if start_lab; then
			start_recursor && return 0
			stop "$lab_pid"
			lab_pid=''
		fi
		port=$((port + 3))
	done
	cat "$dir/lab.log" "$dir/recursor.log" >&2
	return 1
}
