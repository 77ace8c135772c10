# Starts a container's runtime as root of a user namespace, where agentmill is not root:
#   sh in_namespace.sh FOLDER IMAGE RUNTIME ARGUMENT…
#
# Mounts by which root's agentmill prepares a container are made here, in a namespace of the container's own, and go with it.
set -eu
folder=$1
image=$2
shift 2

# No device can be made in here, so the runtime binds the machine's. Where that is read-only, nobody sets their times: a mark that all
# cells would see.
mount --rbind /dev /dev
while read -r _ _ _ _ place _; do
    case $place in
    /dev | /dev/null | /dev/zero | /dev/full | /dev/random | /dev/urandom | /dev/tty)
        mount -o remount,bind,ro,nosuid,noexec "$place"
        ;;
    esac
done </proc/self/mountinfo

if [ -d "$folder/masks" ]; then
    mount -t tmpfs -o nosuid,nodev,noexec,mode=755,size=4k tmpfs "$folder/masks"
    : >"$folder/masks/nothing"
    chmod 444 "$folder/masks/nothing"
fi
# Out of crun's sight, as one_version.rs does it for root.
case ${1##*/} in
crun) [ ! -e /sys/fs/cgroup/unified/cgroup.procs ] || mount -t tmpfs -o nosuid,nodev,noexec,mode=700,size=64k tmpfs /sys/fs/cgroup/unified ;;
esac
# Newer mounts hand on no option of more than 255 bytes, which two paths below a long home may have.
(cd "$image" && mount -t overlay -o ro,nosuid,nodev,lowerdir=empty:root overlay "$folder/root")
exec "$@"
