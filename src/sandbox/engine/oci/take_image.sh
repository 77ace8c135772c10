#!/bin/sh
# Takes the files of an image out of an engine's store into a new folder:    sh take_image.sh docker|podman ID FOLDER
#
# A container is made for it and never started. A read-only root needs the folders that are mounted on to be there.
set -eu
umask 022 # other users than its owner go through the folders made here
engine=$1
image=$2
folder=$3
container=
leave() {
    status=$?
    [ -z "$container" ] || "$engine" rm --force "$container" >/dev/null 2>&1 || :
    rm -f "$folder.tar"
    exit "$status"
}
trap leave EXIT
trap 'exit 143' HUP INT TERM

container=$("$engine" create --network none --label agentmill=image "$image" true)
"$engine" export --output "$folder.tar" "$container"
mkdir "$folder"
tar -x -p --numeric-owner --exclude='dev/*' --exclude='./dev/*' -C "$folder" -f "$folder.tar"
rm -f "$folder/.dockerenv"
mkdir -p "$folder/dev" "$folder/proc" "$folder/sys" "$folder/tmp"
