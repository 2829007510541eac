#!/bin/sh
# Installs the servers and interpreters that the tests talk to. Installed, never started: a policy-rc.d stands for the
# moment, and what was newly installed is not enabled for the next boot. Services that were there are not touched.
#   tools/system-packages.sh            install what is missing (root, Debian-like)
#   tools/system-packages.sh --if-root  the same when possible; otherwise say the one command and go on
#   ... --bench                         besides, what only `make bench` compares with
set -eu

missing=""
need() { # program, package
    PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need sshd openssh-server
need ssh openssh-client
need pypy3 pypy3
need sudo sudo
need mariadbd mariadb-server
need dropbear dropbear-bin
need fish fish
need tcsh tcsh
need faketime faketime
need ip iproute2
need iftop iftop
need /usr/lib/nagios/plugins/check_dummy monitoring-plugins-basic
need sqlite3 sqlite3
need logrotate logrotate
need mkfs.vfat dosfstools
need journalctl systemd
need sysctl procps
need mkfs.ext4 e2fsprogs
need nsenter util-linux
case " $* " in
*" --bench "*) need prometheus-node-exporter prometheus-node-exporter ;;
esac
[ -x /lib/systemd/systemd-journal-remote ] || missing="$missing systemd-journal-remote"

[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests want these packages:$missing"
    echo "Install them, as root, with: make system-packages   (without them, the tests that need them are skipped by name)"
    [ "${1:-}" = "--if-root" ] && exit 0
    exit 1
fi

policy=/usr/sbin/policy-rc.d
kept=""
if [ -e "$policy" ]; then
    kept="$policy.kept-by-poller.$$"
    mv "$policy" "$kept"
fi
restore() {
    rm -f "$policy"
    [ -z "$kept" ] || mv "$kept" "$policy"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086  # the list is ours and meant to be split
apt-get install -y -qq --no-install-recommends $missing >/dev/null
case "$missing" in
*openssh-server*)
    if command -v systemctl >/dev/null 2>&1; then
        systemctl disable --quiet ssh.service ssh.socket >/dev/null 2>&1 || true
    fi
    ;;
esac
case "$missing" in
*node-exporter*)
    if command -v systemctl >/dev/null 2>&1; then
        systemctl disable --quiet prometheus-node-exporter.service >/dev/null 2>&1 || true
    fi
    ;;
esac
