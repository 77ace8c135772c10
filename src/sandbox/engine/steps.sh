#!/bin/sh
# Steps of a script that makes the image $tag: this text is put before build_image.sh and pack_image.sh. There is a folder for its
# work; what its steps say is kept there, and the end of it is shown where one fails. By hand: cat steps.sh build_image.sh | sh -s ...
set -eu
umask 022
export LC_ALL=C

work=$(mktemp -d "${TMPDIR:-/tmp}/agentmill-image.XXXXXXXX")
log=$work/log
: >"$log"
child= tag=
reason="a step failed, see the lines above"

remove() { :; } # what a script leaves elsewhere
leave() {
    status=$?
    trap '' HUP INT TERM
    [ -z "$child" ] || { kill "$child" && wait "$child"; } 2>/dev/null || :
    remove
    case $status in
    0 | 129 | 130 | 143) ;; # done, or stopped by a signal: nothing to explain
    *)
        tail -n 15 "$log" >&2 || :
        say "cannot build the image $tag: $reason"
        ;;
    esac
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

say() { echo "$*" >&2; }
die() { reason=$*; exit 1; }

# Waiting for a background job, unlike running one in front, lets a signal act at once.
run() {
    "$@" >>"$log" 2>&1 &
    child=$!
    result=0
    wait "$child" || result=$?
    child=
    return "$result"
}
