#!/bin/sh
# Makes a service user for the poller and the places it uses. Run as root, once; running it again does no harm.
# docs/operations.md says what belongs where, and what comes next.
set -eu
id -u poller >/dev/null 2>&1 ||
useradd --system --home-dir /var/lib/poller --create-home --shell /usr/sbin/nologin poller
chmod 700 /var/lib/poller
install -d -o root -g poller -m 750 /etc/poller
test -e /etc/poller/config.xml || poller init /etc/poller/config.xml
chown root:poller /etc/poller/config.xml
chmod 640 /etc/poller/config.xml
