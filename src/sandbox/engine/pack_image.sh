# Puts packages on an image:    sh pack_image.sh docker|podman BASE TAG REQUIREMENTS LOCK PIP RUNTIME
#
# Two containers of BASE do it. One has a network and downloads wheels, and nothing but wheels: none of their code runs.
# The other has no network and unpacks them, which runs none either; it becomes TAG. Nothing of this machine is mounted in
# them, and nothing of theirs gets into its files but LOCK, unless it is empty: names, versions and hashes. PIP is a wheel of pip;
# empty where BASE has pip. RUNTIME is the one that Podman is to take; empty for its own.
usage="usage: pack_image.sh docker|podman BASE TAG REQUIREMENTS LOCK PIP RUNTIME"
engine=${1:?$usage} base=${2:?$usage} tag=${3:?$usage} requirements=${4:?$usage} lock=${5-} pip=${6-} runtime=${7-}
label="agentmill.pack=$tag"

# A runtime that Docker is told of may be one without a network.
[ "$engine" = podman ] || runtime=

remove() { "$engine" ps --all --quiet --filter "label=$label" | xargs -r "$engine" rm --force >/dev/null 2>&1 || :; }

# Podman would go beyond what this process may have itself, and fail.
most=$(sed -nE 's/^Max processes +[^ ]+ +([0-9]+) .*/\1/p' /proc/self/limits 2>/dev/null || :)
[ -n "$most" ] && [ "$most" -lt 32768 ] || most=32768

# A container of BASE that runs a shell program; its id.
container() {
    program=$1
    shift
    "$engine" ${runtime:+"--runtime=$runtime"} create --label "$label" --memory 2g --pids-limit 256 --ulimit nofile=1024:1024 --ulimit "nproc=$most:$most" --cap-drop ALL --security-opt no-new-privileges \
        "$@" "$base" sh -c "$program" sh "${pip##*/}" 2>>"$log" || die "$engine could not make a container of $base"
}

put() { "$engine" cp "$2" "$1:/tmp/$3" >>"$log" 2>&1 || die "$engine could not copy ${2##*/} into a container"; }

# Debian's pip does not start without the certificates of the system, though the image without pip has none.
put_pip() {
    [ -n "$pip" ] || return 0
    put "$1" "$pip" "${pip##*/}"
    mkdir -p "$work/ssl/certs"
    cat "$work/ca.crt" >"$work/ssl/certs/ca-certificates.crt" 2>/dev/null || :
    "$engine" cp "$work/ssl" "$1:/etc/" >>"$log" 2>&1 || die "$engine could not copy certificates into a container"
}

# Runs in the containers: pip, of its wheel or of the image.
# shellcheck disable=SC2016  # the container's shell replaces these
with_pip='
set -eu
export HOME=/tmp PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1
[ ! -e /tmp/ca.crt ] || export PIP_CERT=/tmp/ca.crt
if [ -n "$1" ]; then pip=/tmp/$1/pip; else pip="-m pip"; fi
'
# shellcheck disable=SC2016
download=$with_pip'
python $pip download --progress-bar off --only-binary=:all: --dest /tmp/wheels -r /tmp/requirements.txt
python -I -c "
import hashlib, pathlib
for wheel in sorted(pathlib.Path(\"/tmp/wheels\").iterdir()):
    name, version = wheel.name.split(\"-\")[:2]
    print(f\"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\")
"
'
# shellcheck disable=SC2016
install=$with_pip'
python $pip install --no-index --find-links /tmp/wheels --no-deps --require-hashes -r /tmp/lock.txt
rm -rf /tmp/* /tmp/.[!.]*
[ -z "$1" ] || rm -rf /etc/ssl
'

remove
cp "$requirements" "$work/requirements.txt"
set -- --user 65534:65534
for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
    eval "[ -z \"\${$name-}\" ]" || set -- "$@" --env "$name"
done
say "downloading the packages"
fetcher=$(container "$download" "$@")
put "$fetcher" "$work/requirements.txt" requirements.txt
for ca in "${PIP_CERT-}" "${SSL_CERT_FILE-}" /etc/ssl/certs/ca-certificates.crt; do
    [ ! -f "$ca" ] || { cp -L "$ca" "$work/ca.crt" && put "$fetcher" "$work/ca.crt" ca.crt && break; }
done
put_pip "$fetcher"
run "$engine" start --attach "$fetcher" ||
    die "pip could not get them as wheels, which is all that is taken: packages that must be built are not"
grep -E '^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+_]+ --hash=sha256:[0-9a-f]{64}$' "$log" >"$work/lock.txt" ||
    die "the file names no package"

say "installing them"
packer=$(container "$install" --user 0:0 --network none --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER)
put_pip "$packer"
put "$packer" "$work/lock.txt" lock.txt
"$engine" cp "$fetcher:/tmp/wheels" - 2>>"$log" | "$engine" cp - "$packer:/tmp/" 2>>"$log" ||
    die "the wheels could not be copied; is there space in $engine's folder?"
run "$engine" start --attach "$packer" || die "pip could not install them"
run "$engine" commit --change 'CMD ["python3"]' --change 'LABEL agentmill.image=packed' "$packer" "$tag" ||
    die "$engine did not keep the image; is there space in its folder?"
[ -z "$lock" ] || cp "$work/lock.txt" "$lock"
