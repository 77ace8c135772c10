# Runs a cell beside the engine of the machine that it was carried to, and tells on stderr, a JSON line each, where that
# is, that it is still there, and what the engine records of the cell. The cell itself can't write there.
#   sh -c <this> sh ENGINE CELL SESSION FOLDER COMMAND...
engine=$1 cell=$2 session=$3 folder=$4
shift 4
beat() { while sleep 2; do echo '{"Action":"beat"}'; done; }
tell() {
    while read -r line; do
        printf '%s\n' "$line"
        case $line in *'"die'*) return ;; esac
    done
}
# Removes what a killed agentmill has left here of this folder. What runs ends by itself, and may be a newer one's.
sweep() {
    "$engine" ps --all --filter="label=agentmill.folder=$folder" \
        --filter=status=created --filter=status=exited --format='{{.Names}}' |
        while read -r name; do
            case $name in *-"$session"-*) ;; *) "$engine" rm --force "$name" ;; esac
        done
}

printf '{"Action":"node","Name":"%s"}\n' "${SLURMD_NODENAME:-$(uname -n)}" >&2
pipe=$(mktemp -u) && mkfifo -m 600 "$pipe" || exit 125
"$engine" events --since=1 --format='{{json .}}' --filter="container=$cell" \
    --filter=event=oom --filter=event=kill --filter=event=die >"$pipe" </dev/null &
follower=$!
exec 3<"$pipe"
rm "$pipe"
tell <&3 >&2 3<&- &
teller=$!
beat </dev/null >&2 3<&- &
beater=$!

# A client passes over SIGTERM, by which schedulers end a step. When it has gone the cell ends by itself.
exec 4<&0 </dev/null
"$@" <&4 3<&- 4<&- &
client=$!
trap 'kill -KILL $client' TERM
wait $client
code=$?
exec >/dev/null 2>&1 3<&- 4<&-
[ $code -ne 125 ] || kill $follower # the engine did not start it, so its end will not be told
wait $teller
kill $beater $follower
sweep
exit $code
