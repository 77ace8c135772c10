# Runs a command as a user who has control groups, and users and groups of its own, and is gone afterwards:
#
#   unshare --mount sh as_user.sh HOME COMMAND…       for root
#
# 77, and the reason, where that can't be had. UNDELEGATED=1: without control groups.
set -eu
home=$1
shift
user=agentmill-test
id=47110
groups=agentmill-test-$$

missing() {
    echo "$1" >&2
    exit 77
}

hierarchies() {
    awk '$3 == "cgroup" || $3 == "cgroup2" && $2 == "/sys/fs/cgroup" { print $2 }' /proc/self/mounts
}

# The tables of users, as programs see them from here on.
table() {
    [ -e "$1" ] || missing "$1 is missing: uidmap is not installed"
    { cat "$1" && echo "$2"; } >"$home/table"
    cat "$home/table" >"$home/${1##*/}"
    mount --bind "$home/${1##*/}" "$1"
}

delegate() {
    for hierarchy in $(hierarchies); do
        mkdir "$hierarchy/$groups" || missing "no control group can be made in $hierarchy"
        if [ -e "$hierarchy/cpuset.cpus" ]; then
            for file in cpuset.cpus cpuset.mems; do cat "$hierarchy/$file" >"$hierarchy/$groups/$file"; done
        fi
        if [ -e "$hierarchy/cgroup.subtree_control" ]; then
            echo +cpu +memory +pids >"$hierarchy/cgroup.subtree_control" || missing "the root keeps its controllers"
        fi
        chown -R "$id" "$hierarchy/$groups"
        echo $$ >"$hierarchy/$groups/cgroup.procs" || missing "no process can be moved in $hierarchy"
    done
}

# Fails if containers' groups are left.
leave() {
    left=0
    for hierarchy in $(hierarchies); do
        [ -d "$hierarchy/$groups" ] || continue
        echo $$ >"$hierarchy/cgroup.procs"
        ! find "$hierarchy/$groups" -mindepth 3 -type d | grep . >&2 || left=70
        find "$hierarchy/$groups" -depth -type d -exec rmdir {} \;
    done
    return $left
}

table /etc/passwd "$user:x:$id:$id::$home:/bin/sh"
table /etc/subuid "$user:1700000000:65536"
table /etc/subgid "$user:1700000000:65536"
chown -R "$id:$id" "$home"
[ -n "${UNDELEGATED:-}" ] || delegate
status=0
cd "$home"
setpriv --reuid "$id" --regid "$id" --clear-groups env -u XDG_RUNTIME_DIR -u XDG_CACHE_HOME HOME="$home" TMPDIR="$home" \
    USER="$user" "$@" || status=$?
leave || status=$?
exit "$status"
