# Builds a small image with a version of Python out of the packages of the Debian release that has it, for
# a machine that cannot pull one:    sh build_image.sh docker|podman TAG 3.11 bookworm
# or, for a machine with neither, only its files, and FOLDER.sha256 that tells
# them from others:                   sh build_image.sh folder FOLDER 3.11 bookworm
# or only the wheel of pip that goes with it: sh build_image.sh pip FOLDER 3.11 bookworm
#
# The packages are only unpacked: none of their scripts runs, nothing is installed
# on the host, apt works in a folder of its own. Stdout is the new image's id.
export PATH="$PATH:/usr/sbin:/sbin"

engine=${1:?usage: build_image.sh docker|podman|folder TAG VERSION RELEASE}
tag=${2:?usage: build_image.sh docker|podman|folder TAG VERSION RELEASE}
version=${3:?usage: build_image.sh docker|podman|folder TAG VERSION RELEASE}
release=${4:?usage: build_image.sh docker|podman|folder TAG VERSION RELEASE}

packages="python$version tzdata ncurses-base base-files base-passwd
          libc-bin dash bash coreutils findutils grep sed gzip"
# It brings lib2to3 too; Debian keeps both apart from the library, as long as Python has them.
[ "$engine" != pip ] || packages=python3-pip-whl
[ "$version" != 3.11 ] || [ "$engine" = pip ] || packages="$packages python3-distutils"

root=$work/root
network="check the network, http_proxy and the space in ${TMPDIR:-/tmp}"
have() { command -v "$1" >/dev/null; }

# Only uid 0 may enter another root; inside a user namespace anyone is uid 0.
in_root() {
    if [ "$(id -u)" -eq 0 ]; then run chroot "$root" "$@"; else run unshare -r chroot "$root" "$@"; fi
}

# The host's apt settings are left out, because their hooks act on the host; only
# those that say how to reach the network are kept.
set_up_apt() {
    mkdir "$work/state" "$work/cache" "$work/keys"
    : >"$work/status"
    for key in /etc/apt/trusted.gpg.d/* /usr/share/keyrings/debian-archive-keyring.gpg; do
        [ ! -r "$key" ] || cp "$key" "$work/keys"
    done
    apt-config dump | grep -iE '^Acquire::(https?|Retries|Check)' >"$work/apt.conf" || :
    cat >>"$work/apt.conf" <<CONF
Dir::Etc { main "/dev/null"; parts "/dev/null"; preferences "/dev/null"; preferencesparts "/dev/null"; };
Dir::Etc::trustedparts "$work/keys";
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Log "$work";
APT::Architectures { "$(dpkg --print-architecture)"; };
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
CONF
    export APT_CONFIG="$work/apt.conf"
}

# The mirrors that the host itself uses, if it runs Debian: they keep all releases.
host_sources() {
    # shellcheck disable=SC2016  # apt replaces these, not the shell
    apt-get indextargets --no-release-info --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 2>>"$log" |
        sed -nE "s/^(deb [^ ]+) (bookworm|trixie)((-updates|-security)? main)\$/\1 $release\3/p" | sort -u | grep .
}

# The mirrors that mmdebstrap has built in, run from a copy if it isn't installed.
default_sources() {
    mmdebstrap=mmdebstrap
    if ! have mmdebstrap || [ ! -e "$work/keys/debian-archive-keyring.gpg" ]; then
        say "fetching mmdebstrap, which knows where Debian is kept"
        run apt-get update || : # one broken source of the host's need not matter
        run env -C "$work/cache" apt-get download mmdebstrap debian-archive-keyring ||
            die "mmdebstrap could not be fetched; $network, or install mmdebstrap"
        for deb in "$work"/cache/*.deb; do run dpkg-deb -x "$deb" "$work/copy"; done
        cp "$work/copy/usr/share/keyrings/debian-archive-keyring.gpg" "$work/keys"
        mmdebstrap=$work/copy/usr/bin/mmdebstrap
    fi
    # shellcheck disable=SC2016  # the hook's own shell replaces these
    run env -u APT_CONFIG TMPDIR="$work" FOUND="$work/found" "$mmdebstrap" --mode=chrootless \
        --variant=custom --skip=update,cleanup --format=null \
        --setup-hook='cp "$1/etc/apt/sources.list" "$FOUND"' "$release" /dev/null ||
        die "mmdebstrap failed; install it with the host's package manager"
    sed 's/ \[[^]]*\]//' "$work/found" # its keys are ours already
}

fetch() {
    set_up_apt
    host_sources >"$work/sources" || default_sources >"$work/sources"
    for step in update "install --download-only $packages"; do
        # shellcheck disable=SC2086  # a list of words
        run apt-get -y -o Dir::Etc::sourcelist="$work/sources" -o Dir::Etc::sourceparts=/dev/null \
            -o APT::Update::Error-Mode=any $step ||
            die "the Debian packages could not be fetched; $network"
    done
    mv "$work/cache/archives" "$work/debs"
}

# /bin, /sbin and /lib* are links into /usr in Debian 12 and 13, though packages of 12
# hold both; with the links there first, each file lands where it belongs.
unpack() {
    for dir in bin sbin lib lib64; do
        mkdir -p "$root/usr/$dir"
        ln -s "usr/$dir" "$root/$dir"
    done
    for deb in "$work"/debs/*.deb; do
        case ${deb##*/} in apt_* | libapt-* | dpkg_* | debconf_* | perl-base_*) continue ;; esac
        dpkg-deb --fsys-tarfile "$deb" >"$work/tar" &&
            run tar -C "$root" -xpf "$work/tar" --no-same-owner --keep-directory-symlink ||
            die "${deb##*/} could not be unpacked; is there space in ${TMPDIR:-/tmp}?"
    done
}

# Does by hand what the packages' scripts would have done, drops what no program
# reads, and compiles the library: on a read-only root Python could not keep it.
finish() {
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    printf '%s\n' 'passwd: files' 'group: files' 'hosts: files dns' >"$root/etc/nsswitch.conf"
    ln -s ../usr/share/zoneinfo/Etc/UTC "$root/etc/localtime"
    ln -s mawk "$root/usr/bin/awk"
    mkdir -p "$root/usr/local/bin"
    for name in python python3 "python$version"; do
        ln -s "/usr/bin/python$version" "$root/usr/local/bin/$name"
    done
    find "$root/usr/share" -mindepth 1 -maxdepth 1 ! -name zoneinfo ! -name terminfo -exec rm -rf {} +
    rm -rf "$root"/usr/lib/*/gconv "$root/usr/lib/python$version/test" "$root/usr/lib/python$version/sitecustomize.py"
    in_root /sbin/ldconfig && in_root "/usr/bin/python$version" -I -m compileall -q \
        --invalidation-mode unchecked-hash "/usr/lib/python$version" ||
        die "Python could not be started in the new root; run this as root, with a TMPDIR that allows programs"
    find "$root" ! -type l -perm /6000 -exec chmod a-s {} +
}

load() {
    run tar -C "$root" --numeric-owner --owner=0 --group=0 -cf "$work/tar" . &&
        run "$engine" import --change 'CMD ["python3"]' --change 'ENV LANG=C.UTF-8' \
            --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
            --change 'LABEL agentmill.image=built' \
            --change "LABEL org.opencontainers.image.description=\"Python $version from packages of Debian $release\"" \
            "$work/tar" "$tag" ||
        die "$engine did not take the image; is there space in ${TMPDIR:-/tmp} and in $engine's folder?"
    "$engine" image inspect --format '{{.Id}}' "$tag"
}

# The same files give the same digest, whenever they were unpacked.
hand_over() {
    tar -C "$root" --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -cf "$work/tar" . &&
        mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/tmp" &&
        digest=$(sha256sum <"$work/tar") && echo "${digest%% *}" >"$tag.sha256" && run mv "$root" "$tag" ||
        die "$tag can't be written; is there space?"
}

# Debian keeps pip's wheel apart from all that would start it.
hand_over_pip() {
    run dpkg-deb -x "$work"/debs/python3-pip-whl_*.deb "$work/pip" &&
        run cp "$work"/pip/usr/share/python-wheels/pip-*.whl "$tag" ||
        die "the wheel of pip could not be unpacked into $tag"
}

if [ "$engine" != folder ] && [ "$engine" != pip ]; then
    have "$engine" || die "there is no command $engine; install it"
    run "$engine" version || die "$engine does not answer; start it, or get the right to use it"
fi
have apt-get && have dpkg-deb ||
    die "that needs apt-get, as in Debian or Ubuntu; build it there and bring it with '$engine save' and 'load'"
if [ "$engine" = pip ]; then
    say "fetching pip from Debian $release"
    fetch
    hand_over_pip
    exit
fi
say "fetching the packages of Python $version from Debian $release"
fetch
say "unpacking them"
unpack
say "compiling the standard library"
finish
if [ "$engine" = folder ]; then
    hand_over
else
    say "importing the image into $engine"
    load
fi
