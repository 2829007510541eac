-- Schema 3: what is plugged in, mounted and listening, who talks to whom, processes, services, people and log lines.

-- Inventories of what comes and goes: one row for each time it was there. gone_ms is NULL while it is; between two
-- polls nobody looks, so that something is gone some time between last_seen_ms and gone_ms. While it is there
-- last_seen_ms may be ten minutes behind: to write it at each poll would cost more than all news together.

CREATE TABLE usb_device (
    id                    INTEGER PRIMARY KEY,
    host_id               INTEGER NOT NULL REFERENCES host (id),
    port                  TEXT    NOT NULL,  -- path of hub ports: 1-1.2.3
    vendor                TEXT    NOT NULL,  -- four hex digits, as lsusb shows them
    product               TEXT    NOT NULL,
    serial                TEXT    NOT NULL,
    vendor_name           TEXT    NOT NULL,
    product_name          TEXT    NOT NULL,
    device_class          TEXT    NOT NULL,
    interface_classes     TEXT    NOT NULL,
    kind                  TEXT    NOT NULL,  -- hub, storage, phone, keyboard, ...
    speed_bits_per_second INTEGER NOT NULL,  -- 0 unknown
    devices               TEXT    NOT NULL,  -- what it brings: sdb, eth1
    first_seen_ms         INTEGER NOT NULL,
    last_seen_ms          INTEGER NOT NULL,
    gone_ms               INTEGER,
    told_ms               INTEGER,           -- the poll that told of it, when it came and went between two polls
    UNIQUE (host_id, first_seen_ms, port, vendor, product, serial)
);
CREATE INDEX usb_device_by_end ON usb_device (host_id, gone_ms);
CREATE INDEX usb_device_told ON usb_device (host_id, told_ms) WHERE told_ms IS NOT NULL;

-- Cards, optical and hot-plugged disks, Bluetooth adapters, monitors, network cards.
CREATE TABLE device (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    kind          TEXT    NOT NULL,  -- mmc, optical, disk, bluetooth, monitor or network
    name          TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    serial        TEXT    NOT NULL,
    size_bytes    INTEGER NOT NULL,  -- 0: has none
    removable     INTEGER NOT NULL,
    bus           TEXT    NOT NULL,  -- a USB port, or pci, virtio, ...
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    gone_ms       INTEGER,
    UNIQUE (host_id, first_seen_ms, kind, name, model, serial)
);
CREATE INDEX device_by_end ON device (host_id, gone_ms);

CREATE TABLE mount (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    mountpoint    TEXT    NOT NULL,
    device        TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    root          TEXT    NOT NULL,  -- the folder of the file system that is mounted
    options       TEXT    NOT NULL,
    removable     INTEGER NOT NULL,
    usb           INTEGER NOT NULL,
    network       INTEGER NOT NULL,
    loop_device   INTEGER NOT NULL,
    carrier       TEXT    NOT NULL,  -- the disk, image file or server
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    gone_ms       INTEGER,
    UNIQUE (host_id, first_seen_ms, mountpoint, device, type, root)
);
CREATE INDEX mount_by_end ON mount (host_id, gone_ms);

CREATE TABLE listener (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    protocol      TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    port          INTEGER NOT NULL,
    uid           INTEGER NOT NULL,  -- 4294967295 unknown
    process       TEXT    NOT NULL,  -- '' when the poller may not know
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    gone_ms       INTEGER,
    UNIQUE (host_id, first_seen_ms, protocol, address, port)
);
CREATE INDEX listener_by_end ON listener (host_id, gone_ms);

CREATE TABLE login (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    account       TEXT    NOT NULL,
    terminal      TEXT    NOT NULL,
    since_ms      INTEGER NOT NULL,  -- by the host's clock
    source        TEXT    NOT NULL,  -- from where
    pid           INTEGER NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    gone_ms       INTEGER,
    UNIQUE (host_id, first_seen_ms, account, terminal, since_ms)
);
CREATE INDEX login_by_end ON login (host_id, gone_ms);

-- One row per connection, with what it has moved since it began (NULL unknown). Kept as <retention connections=> says.
CREATE TABLE connection (
    id             INTEGER PRIMARY KEY,
    host_id        INTEGER NOT NULL REFERENCES host (id),
    protocol       TEXT    NOT NULL,
    local_address  TEXT    NOT NULL,
    local_port     INTEGER NOT NULL,
    remote_address TEXT    NOT NULL,
    remote_port    INTEGER NOT NULL,
    inbound        INTEGER NOT NULL,
    uid            INTEGER NOT NULL,
    process        TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    sent_bytes     INTEGER,
    received_bytes INTEGER,
    first_seen_ms  INTEGER NOT NULL,
    last_seen_ms   INTEGER NOT NULL,
    gone_ms        INTEGER,
    UNIQUE (host_id, first_seen_ms, protocol, local_address, local_port, remote_address, remote_port)
);
CREATE INDEX connection_by_end ON connection (host_id, gone_ms);

-- Inventories of what stays.

-- Whom a host talks to: on which port of which side, as which user.
CREATE TABLE peer (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    protocol      TEXT    NOT NULL,
    inbound       INTEGER NOT NULL,  -- 1: it connects to a port here
    address       TEXT    NOT NULL,
    port          INTEGER NOT NULL,  -- of the service: the local one when inbound
    uid           INTEGER NOT NULL,  -- 4294967295 unknown
    name          TEXT    NOT NULL,  -- by reverse look-up at the poller, '' unknown
    scope         TEXT    NOT NULL,  -- local, internet or loopback
    listed        INTEGER NOT NULL,  -- 1: <network-allow> has it
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, address, port, protocol, inbound, uid)
);

-- A systemd unit that failed once or that a threshold names.
CREATE TABLE unit (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    unit          TEXT    NOT NULL,
    load_state    TEXT    NOT NULL,
    active        TEXT    NOT NULL,
    sub           TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, unit)
);

CREATE TABLE service_check (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    name          TEXT    NOT NULL,
    status        INTEGER NOT NULL,  -- 0 ok, 1 warning, 2 critical, 3 unknown
    output        TEXT    NOT NULL,
    perfdata      TEXT    NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, name)
);

CREATE TABLE log_source (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    log           TEXT    NOT NULL,  -- the name in config.xml
    path          TEXT    NOT NULL,
    state         TEXT    NOT NULL,  -- ok, behind, absent, denied or failed
    reason        TEXT    NOT NULL,
    behind_bytes  INTEGER NOT NULL,
    lost_bytes    INTEGER NOT NULL,  -- all that are known to be gone unread
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, log, path)
);

-- Each part of a host's reports as it was read last: how old what is known about it is.
CREATE TABLE section_state (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    section       TEXT    NOT NULL,
    status        TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    complete_ms   INTEGER,           -- when all of it was read last; NULL never
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,  -- when it was asked for last, whatever came of that
    UNIQUE (host_id, section)
);

-- What has one number and says by its label what that is. last_seen_ms may be ten minutes behind its newest sample.
CREATE TABLE series (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    metric        TEXT    NOT NULL,
    label         TEXT    NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, metric, label)
);

-- Samples. No foreign keys, so that they can be partitioned and pruned by time.

CREATE TABLE series_sample (
    series_id INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    value     REAL,
    PRIMARY KEY (series_id, at_ms)
) WITHOUT ROWID;

-- What was moved since the poll before, in so many seconds (NULL: only the connections are known).
CREATE TABLE peer_sample (
    peer_id        INTEGER NOT NULL,
    at_ms          INTEGER NOT NULL,
    sent_bytes     INTEGER,
    received_bytes INTEGER,
    seconds        REAL    NOT NULL,
    connections    INTEGER NOT NULL,  -- open at that poll
    opened         INTEGER NOT NULL,  -- new since the poll before
    PRIMARY KEY (peer_id, at_ms)
) WITHOUT ROWID;

-- The same by day (UTC), and kept longer.
CREATE TABLE peer_day (
    peer_id        INTEGER NOT NULL,
    at_ms          INTEGER NOT NULL,  -- midnight at its beginning
    sent_bytes     INTEGER NOT NULL,
    received_bytes INTEGER NOT NULL,
    opened         INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,  -- the newest poll that is in it
    PRIMARY KEY (peer_id, at_ms)
) WITHOUT ROWID;

-- The busiest and the largest processes of each poll.
CREATE TABLE process_sample (
    host_id      INTEGER NOT NULL,
    at_ms        INTEGER NOT NULL,
    pid          INTEGER NOT NULL,
    name         TEXT    NOT NULL,
    uid          INTEGER NOT NULL,
    account      TEXT    NOT NULL,
    cpu_percent  REAL,              -- of one core since the poll before; NULL when it is not known what it had used then
    memory_bytes INTEGER NOT NULL,
    command      TEXT    NOT NULL,  -- '' unless asked for
    PRIMARY KEY (host_id, at_ms, pid)
) WITHOUT ROWID;

-- Log lines, each once. seen_ms is the at_ms of the poll that brought it, number its place there.
CREATE TABLE log_line (
    host_id  INTEGER NOT NULL,
    seen_ms  INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    log      TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,  -- by the host's clock
    program  TEXT    NOT NULL,
    pid      INTEGER,
    priority INTEGER,           -- syslog(3): 0 emergency to 7 debug
    severity TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    repeats  INTEGER NOT NULL,  -- so often ("message repeated 3 times")
    trusted  INTEGER NOT NULL,  -- program and pid are journald's word, not the client's
    message  TEXT    NOT NULL,
    PRIMARY KEY (host_id, seen_ms, number)
) WITHOUT ROWID;
CREATE INDEX log_line_by_time ON log_line (at_ms);
CREATE INDEX log_line_by_host ON log_line (host_id, at_ms);

-- For the poller, not for people: how far logs were read, and the names of addresses.

CREATE TABLE log_cursor (
    host_id INTEGER NOT NULL REFERENCES host (id),
    name    TEXT    NOT NULL,  -- a section, or logs, name and path with newlines between
    place   TEXT    NOT NULL,  -- the probe's own words
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (host_id, name)
) WITHOUT ROWID;

CREATE TABLE address_name (
    address   TEXT    NOT NULL PRIMARY KEY,
    name      TEXT    NOT NULL,  -- '' when it has none
    looked_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- What goes on: who is connected, plugged in, logged in, broken. One row per host and poll, as in system_sample.
CREATE TABLE activity_sample (
    host_id INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    tcp_established                 INTEGER,
    tcp_syn_sent                    INTEGER,
    tcp_syn_received                INTEGER,
    tcp_time_wait                   INTEGER,
    tcp_close_wait                  INTEGER,
    tcp_listening                   INTEGER,
    udp_sockets                     INTEGER,
    tcp_opens_per_second            REAL,
    tcp_attempt_fails_per_second    REAL,
    tcp_resets_per_second           REAL,
    tcp_retransmits_per_second      REAL,
    tcp_syncookies_per_second       REAL,
    tcp_listen_overflows_per_second REAL,
    tcp_listen_drops_per_second     REAL,
    udp_no_ports_per_second         REAL,
    udp_in_errors_per_second        REAL,
    network_local_peers             INTEGER,
    network_internet_peers          INTEGER,
    network_coverage_percent        REAL,
    network_dns_bytes_per_second    REAL,
    usb_devices                     INTEGER,
    usb_unlisted                    INTEGER,
    mounts_removable                INTEGER,
    units_failed                    INTEGER,
    users_logged_in                 INTEGER,
    reboot_pending                  INTEGER,
    hardware_faults                 INTEGER,
    clock_error_seconds             REAL,
    PRIMARY KEY (host_id, at_ms)
) WITHOUT ROWID;

INSERT INTO metric (name, unit, label, sample_table, sample_column, sentence)
VALUES
    ('tcp.established', 'count', '', 'activity_sample', 'tcp_established', 'TCP connections that are open'),
    ('tcp.syn_sent', 'count', '', 'activity_sample', 'tcp_syn_sent', 'TCP connections this host is trying to open'),
    ('tcp.syn_received', 'count', '', 'activity_sample', 'tcp_syn_received', 'TCP connections half open: begun from outside, not confirmed yet'),
    ('tcp.time_wait', 'count', '', 'activity_sample', 'tcp_time_wait', 'TCP connections that ended a moment ago'),
    ('tcp.close_wait', 'count', '', 'activity_sample', 'tcp_close_wait', 'TCP connections that the other side closed and the program here did not'),
    ('tcp.listening', 'count', '', 'activity_sample', 'tcp_listening', 'TCP sockets that wait for connections'),
    ('udp.sockets', 'count', '', 'activity_sample', 'udp_sockets', 'UDP sockets'),
    ('tcp.opens_per_second', 'per second', '', 'activity_sample', 'tcp_opens_per_second', 'TCP connections opened, from here or from outside'),
    ('tcp.attempt_fails_per_second', 'per second', '', 'activity_sample', 'tcp_attempt_fails_per_second', 'TCP connections that failed to open'),
    ('tcp.resets_per_second', 'per second', '', 'activity_sample', 'tcp_resets_per_second', 'open TCP connections that were reset'),
    ('tcp.retransmits_per_second', 'per second', '', 'activity_sample', 'tcp_retransmits_per_second', 'TCP segments sent again'),
    ('tcp.syncookies_per_second', 'per second', '', 'activity_sample', 'tcp_syncookies_per_second', 'SYN cookies sent: too many connections are half open'),
    ('tcp.listen_overflows_per_second', 'per second', '', 'activity_sample', 'tcp_listen_overflows_per_second', 'connections lost: a program is slow to accept'),
    ('tcp.listen_drops_per_second', 'per second', '', 'activity_sample', 'tcp_listen_drops_per_second', 'connection attempts dropped by a listening socket'),
    ('udp.no_ports_per_second', 'per second', '', 'activity_sample', 'udp_no_ports_per_second', 'UDP datagrams to a port nobody listens on'),
    ('udp.in_errors_per_second', 'per second', '', 'activity_sample', 'udp_in_errors_per_second', 'UDP datagrams that could not be delivered'),
    ('network.local_peers', 'count', '', 'activity_sample', 'network_local_peers', 'peers in local networks that <network-allow> does not list, talked to since the last poll'),
    ('network.internet_peers', 'count', '', 'activity_sample', 'network_internet_peers', 'peers elsewhere that <network-allow> does not list, talked to since the last poll'),
    ('network.coverage_percent', 'percent', '', 'activity_sample', 'network_coverage_percent', 'TCP connections that were seen / those the kernel opened since the last poll'),
    ('network.dns_bytes_per_second', 'bytes per second', '', 'activity_sample', 'network_dns_bytes_per_second', 'bytes to and from the configured resolvers while iftop looked; no other source knows them'),
    ('usb.devices', 'count', '', 'activity_sample', 'usb_devices', 'USB devices without hubs'),
    ('usb.unlisted', 'count', '', 'activity_sample', 'usb_unlisted', 'USB devices without hubs that <usb-allow> does not list'),
    ('mounts.removable', 'count', '', 'activity_sample', 'mounts_removable', 'mounts on removable or USB devices'),
    ('units.failed', 'count', '', 'activity_sample', 'units_failed', 'systemd units that failed'),
    ('users.logged_in', 'count', '', 'activity_sample', 'users_logged_in', 'logins there are, the poller''s own left out'),
    ('reboot.pending', '0 or 1', '', 'activity_sample', 'reboot_pending', '1 when the host waits to be rebooted after an update'),
    ('hardware.faults', 'count', '', 'activity_sample', 'hardware_faults', 'errors of memory, disks and file systems that the kernel counted since the last poll'),
    ('clock.error_seconds', 'seconds', '', 'activity_sample', 'clock_error_seconds', 'how far clock.offset_seconds may be off: half of the time the answer took'),
    ('process.count', 'count', 'name', 'series_sample', 'value', 'processes of that name; for names that a threshold gives without wildcards'),
    ('unit.active', '0 or 1', 'unit', 'series_sample', 'value', '1 when the unit is active; for units that a threshold names, and those that failed'),
    ('port.listening', '0 or 1', 'port', 'series_sample', 'value', '1 when something listens on the port; for ports that a threshold names'),
    ('check.status', '0 to 3', 'check', 'series_sample', 'value', '0 ok, 1 warning, 2 critical, 3 unknown'),
    ('check.value', 'any', 'value', 'series_sample', 'value', 'performance data of a check; label: check/label'),
    ('textfile.value', 'any', 'series', 'series_sample', 'value', 'a number of a *.prom file'),
    ('textfile.age_seconds', 'seconds', 'file', 'series_sample', 'value', 'since the file was written'),
    ('hardware.celsius', 'degrees Celsius', 'sensor', 'series_sample', 'value', 'what a sensor measures'),
    ('raid.missing_disks', 'count', 'array', 'series_sample', 'value', 'disks that an array lacks'),
    ('hardware.faults_of', 'count', 'fault', 'series_sample', 'value', 'errors since the last poll; label: kind/device'),
    ('log.readable', '0 or 1', 'log', 'series_sample', 'value', '1 when the log can be read'),
    ('log.behind_bytes', 'bytes', 'log', 'series_sample', 'value', 'what of the log is still to be fetched');

-- Views.

CREATE VIEW usb_devices AS
SELECT host.name AS host, port, vendor, product, serial, vendor_name, product_name, device_class, interface_classes,
       kind, speed_bits_per_second, devices, datetime(usb_device.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(usb_device.last_seen_ms / 1000, 'unixepoch') AS last_seen,
       datetime(gone_ms / 1000, 'unixepoch') AS gone, usb_device.first_seen_ms, usb_device.last_seen_ms, gone_ms
  FROM usb_device
  JOIN host ON host.id = usb_device.host_id;

CREATE VIEW devices AS
SELECT host.name AS host, kind, device.name, model, serial, size_bytes, removable, bus,
       datetime(device.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(device.last_seen_ms / 1000, 'unixepoch') AS last_seen, datetime(gone_ms / 1000, 'unixepoch') AS gone,
       device.first_seen_ms, device.last_seen_ms, gone_ms
  FROM device
  JOIN host ON host.id = device.host_id;

CREATE VIEW mounts AS
SELECT host.name AS host, mountpoint, device, type, root, options, removable, usb, network, loop_device, carrier,
       datetime(mount.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(mount.last_seen_ms / 1000, 'unixepoch') AS last_seen, datetime(gone_ms / 1000, 'unixepoch') AS gone,
       mount.first_seen_ms, mount.last_seen_ms, gone_ms
  FROM mount
  JOIN host ON host.id = mount.host_id;

CREATE VIEW listeners AS
SELECT host.name AS host, protocol, listener.address, port, uid, process,
       datetime(listener.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(listener.last_seen_ms / 1000, 'unixepoch') AS last_seen, datetime(gone_ms / 1000, 'unixepoch') AS gone,
       listener.first_seen_ms, listener.last_seen_ms, gone_ms
  FROM listener
  JOIN host ON host.id = listener.host_id;

CREATE VIEW logins AS
SELECT host.name AS host, account, terminal, datetime(since_ms / 1000, 'unixepoch') AS since, source, pid,
       datetime(login.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(login.last_seen_ms / 1000, 'unixepoch') AS last_seen, datetime(gone_ms / 1000, 'unixepoch') AS gone,
       login.first_seen_ms, login.last_seen_ms, gone_ms
  FROM login
  JOIN host ON host.id = login.host_id;

CREATE VIEW connections AS
SELECT host.name AS host, protocol, local_address, local_port, remote_address, remote_port, inbound, uid, process,
       state, sent_bytes, received_bytes, datetime(connection.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(connection.last_seen_ms / 1000, 'unixepoch') AS last_seen,
       datetime(gone_ms / 1000, 'unixepoch') AS gone, connection.first_seen_ms, connection.last_seen_ms, gone_ms
  FROM connection
  JOIN host ON host.id = connection.host_id;

-- With what was moved up to the newest poll at which they talked, and on that day (UTC).
CREATE VIEW peers AS
SELECT host.name AS host, protocol, inbound, peer.address, peer.port, uid, peer.name, scope, listed,
       peer_sample.sent_bytes, peer_sample.received_bytes, seconds, connections, peer_sample.opened,
       peer_day.sent_bytes AS day_sent_bytes, peer_day.received_bytes AS day_received_bytes,
       peer_day.opened AS day_opened, datetime(peer.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(peer.last_seen_ms / 1000, 'unixepoch') AS last_seen, peer.first_seen_ms, peer.last_seen_ms
  FROM peer
  JOIN host ON host.id = peer.host_id
  LEFT JOIN peer_sample ON peer_sample.peer_id = peer.id AND peer_sample.at_ms = peer.last_seen_ms
  LEFT JOIN peer_day ON peer_day.peer_id = peer.id
                    AND peer_day.at_ms = peer.last_seen_ms - peer.last_seen_ms % 86400000;

CREATE VIEW peer_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, protocol, inbound, peer.address, peer.port, uid,
       peer.name, scope, listed, sent_bytes, received_bytes, seconds, connections, opened, at_ms
  FROM peer_sample
  JOIN peer ON peer.id = peer_sample.peer_id
  JOIN host ON host.id = peer.host_id;

CREATE VIEW peer_days AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, protocol, inbound, peer.address, peer.port, uid,
       peer.name, scope, listed, sent_bytes, received_bytes, opened, at_ms
  FROM peer_day
  JOIN peer ON peer.id = peer_day.peer_id
  JOIN host ON host.id = peer.host_id;

CREATE VIEW units AS
SELECT host.name AS host, unit, load_state, active, sub, description,
       datetime(unit.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(unit.last_seen_ms / 1000, 'unixepoch') AS last_seen, unit.first_seen_ms, unit.last_seen_ms
  FROM unit
  JOIN host ON host.id = unit.host_id;

CREATE VIEW service_checks AS
SELECT host.name AS host, service_check.name, status, output, perfdata,
       datetime(service_check.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(service_check.last_seen_ms / 1000, 'unixepoch') AS last_seen, service_check.first_seen_ms,
       service_check.last_seen_ms
  FROM service_check
  JOIN host ON host.id = service_check.host_id;

CREATE VIEW log_sources AS
SELECT host.name AS host, log, path, state, reason, behind_bytes, lost_bytes,
       datetime(log_source.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(log_source.last_seen_ms / 1000, 'unixepoch') AS last_seen, log_source.first_seen_ms,
       log_source.last_seen_ms
  FROM log_source
  JOIN host ON host.id = log_source.host_id;

CREATE VIEW log_lines AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, log, path, program, pid, priority, severity,
       repeats, trusted, message, datetime(seen_ms / 1000, 'unixepoch') AS seen, at_ms, seen_ms, number
  FROM log_line
  JOIN host ON host.id = log_line.host_id;

CREATE VIEW section_states AS
SELECT host.name AS host, section, status, reason, datetime(complete_ms / 1000, 'unixepoch') AS complete,
       datetime(section_state.first_seen_ms / 1000, 'unixepoch') AS first_seen,
       datetime(section_state.last_seen_ms / 1000, 'unixepoch') AS last_seen, section_state.first_seen_ms,
       section_state.last_seen_ms
  FROM section_state
  JOIN host ON host.id = section_state.host_id;

CREATE VIEW series_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, metric, label, value, at_ms
  FROM series_sample
  JOIN series ON series.id = series_sample.series_id
  JOIN host ON host.id = series.host_id;

CREATE VIEW activity_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, tcp_established, tcp_syn_sent, tcp_syn_received,
       tcp_time_wait, tcp_close_wait, tcp_listening, udp_sockets, tcp_opens_per_second, tcp_attempt_fails_per_second,
       tcp_resets_per_second, tcp_retransmits_per_second, tcp_syncookies_per_second, tcp_listen_overflows_per_second,
       tcp_listen_drops_per_second, udp_no_ports_per_second, udp_in_errors_per_second, network_local_peers,
       network_internet_peers, network_coverage_percent, network_dns_bytes_per_second, usb_devices, usb_unlisted,
       mounts_removable, units_failed, users_logged_in, reboot_pending, hardware_faults, clock_error_seconds, at_ms
  FROM activity_sample
  JOIN host ON host.id = activity_sample.host_id;

CREATE VIEW process_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, pid, process_sample.name, uid, account,
       cpu_percent, memory_bytes, command, at_ms
  FROM process_sample
  JOIN host ON host.id = process_sample.host_id;

-- Every number of the newest report; of each series the newest value, when it was there within two hours of that.
DROP VIEW metric_latest;
CREATE VIEW metric_latest AS
SELECT host, metric, label, value, at_ms
  FROM (
        SELECT host.name AS host, metric.name AS metric, '' AS label, system_sample.at_ms AS at_ms,
               CASE metric.name
               WHEN 'cpu.percent' THEN system_sample.cpu_percent
               WHEN 'cpu.user_percent' THEN system_sample.cpu_user_percent
               WHEN 'cpu.nice_percent' THEN system_sample.cpu_nice_percent
               WHEN 'cpu.system_percent' THEN system_sample.cpu_system_percent
               WHEN 'cpu.idle_percent' THEN system_sample.cpu_idle_percent
               WHEN 'cpu.iowait_percent' THEN system_sample.cpu_iowait_percent
               WHEN 'cpu.irq_percent' THEN system_sample.cpu_irq_percent
               WHEN 'cpu.softirq_percent' THEN system_sample.cpu_softirq_percent
               WHEN 'cpu.steal_percent' THEN system_sample.cpu_steal_percent
               WHEN 'cpu.guest_percent' THEN system_sample.cpu_guest_percent
               WHEN 'cpu.count' THEN system_sample.cpu_count
               WHEN 'load.1m' THEN system_sample.load_1m
               WHEN 'load.5m' THEN system_sample.load_5m
               WHEN 'load.15m' THEN system_sample.load_15m
               WHEN 'load.1m_per_cpu' THEN system_sample.load_1m_per_cpu
               WHEN 'uptime.seconds' THEN system_sample.uptime_seconds
               WHEN 'memory.percent' THEN system_sample.memory_percent
               WHEN 'memory.total_bytes' THEN system_sample.memory_total_bytes
               WHEN 'memory.available_bytes' THEN system_sample.memory_available_bytes
               WHEN 'memory.free_bytes' THEN system_sample.memory_free_bytes
               WHEN 'memory.buffers_bytes' THEN system_sample.memory_buffers_bytes
               WHEN 'memory.cached_bytes' THEN system_sample.memory_cached_bytes
               WHEN 'memory.shared_bytes' THEN system_sample.memory_shared_bytes
               WHEN 'memory.slab_bytes' THEN system_sample.memory_slab_bytes
               WHEN 'memory.dirty_bytes' THEN system_sample.memory_dirty_bytes
               WHEN 'swap.percent' THEN system_sample.swap_percent
               WHEN 'swap.total_bytes' THEN system_sample.swap_total_bytes
               WHEN 'swap.used_bytes' THEN system_sample.swap_used_bytes
               WHEN 'swap.in_bytes_per_second' THEN system_sample.swap_in_bytes_per_second
               WHEN 'swap.out_bytes_per_second' THEN system_sample.swap_out_bytes_per_second
               WHEN 'processes.total' THEN system_sample.processes_total
               WHEN 'processes.running' THEN system_sample.processes_running
               WHEN 'processes.sleeping' THEN system_sample.processes_sleeping
               WHEN 'processes.uninterruptible' THEN system_sample.processes_uninterruptible
               WHEN 'processes.zombie' THEN system_sample.processes_zombie
               WHEN 'processes.stopped' THEN system_sample.processes_stopped
               WHEN 'processes.idle' THEN system_sample.processes_idle
               WHEN 'pressure.cpu_some_percent' THEN system_sample.pressure_cpu_some_percent
               WHEN 'pressure.memory_some_percent' THEN system_sample.pressure_memory_some_percent
               WHEN 'pressure.memory_full_percent' THEN system_sample.pressure_memory_full_percent
               WHEN 'pressure.io_some_percent' THEN system_sample.pressure_io_some_percent
               WHEN 'pressure.io_full_percent' THEN system_sample.pressure_io_full_percent
               WHEN 'clock.offset_seconds' THEN system_sample.clock_offset_seconds
               END AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
          JOIN system_sample ON system_sample.host_id = host.id AND system_sample.at_ms = report_ms
          JOIN metric ON metric.sample_table = 'system_sample'
        UNION ALL
        SELECT host.name AS host, metric.name AS metric, core.core AS label, core_sample.at_ms AS at_ms,
               CASE metric.name
               WHEN 'cpu.core_percent' THEN core_sample.percent
               WHEN 'cpu.core_user_percent' THEN core_sample.user_percent
               WHEN 'cpu.core_nice_percent' THEN core_sample.nice_percent
               WHEN 'cpu.core_system_percent' THEN core_sample.system_percent
               WHEN 'cpu.core_idle_percent' THEN core_sample.idle_percent
               WHEN 'cpu.core_iowait_percent' THEN core_sample.iowait_percent
               WHEN 'cpu.core_irq_percent' THEN core_sample.irq_percent
               WHEN 'cpu.core_softirq_percent' THEN core_sample.softirq_percent
               WHEN 'cpu.core_steal_percent' THEN core_sample.steal_percent
               WHEN 'cpu.core_guest_percent' THEN core_sample.guest_percent
               END AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
          JOIN core ON core.host_id = host.id
          JOIN core_sample ON core_sample.core_id = core.id AND core_sample.at_ms = report_ms
          JOIN metric ON metric.sample_table = 'core_sample'
        UNION ALL
        SELECT host.name AS host, metric.name AS metric, filesystem.mountpoint AS label, filesystem_sample.at_ms AS at_ms,
               CASE metric.name
               WHEN 'disk.percent' THEN filesystem_sample.percent
               WHEN 'disk.total_bytes' THEN filesystem_sample.total_bytes
               WHEN 'disk.used_bytes' THEN filesystem_sample.used_bytes
               WHEN 'disk.available_bytes' THEN filesystem_sample.available_bytes
               WHEN 'disk.inodes_percent' THEN filesystem_sample.inodes_percent
               WHEN 'disk.inodes' THEN filesystem_sample.inodes
               WHEN 'disk.inodes_free' THEN filesystem_sample.inodes_free
               WHEN 'disk.stuck' THEN filesystem_sample.stuck
               WHEN 'disk.read_only' THEN filesystem_sample.read_only
               END AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
          JOIN filesystem ON filesystem.host_id = host.id
          JOIN filesystem_sample ON filesystem_sample.filesystem_id = filesystem.id AND filesystem_sample.at_ms = report_ms
          JOIN metric ON metric.sample_table = 'filesystem_sample'
        UNION ALL
        SELECT host.name AS host, metric.name AS metric, disk.device AS label, disk_sample.at_ms AS at_ms,
               CASE metric.name
               WHEN 'block.read_bytes_per_second' THEN disk_sample.read_bytes_per_second
               WHEN 'block.write_bytes_per_second' THEN disk_sample.write_bytes_per_second
               WHEN 'block.reads_per_second' THEN disk_sample.reads_per_second
               WHEN 'block.writes_per_second' THEN disk_sample.writes_per_second
               WHEN 'block.busy_percent' THEN disk_sample.busy_percent
               WHEN 'block.read_seconds' THEN disk_sample.read_seconds
               WHEN 'block.write_seconds' THEN disk_sample.write_seconds
               END AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
          JOIN disk ON disk.host_id = host.id
          JOIN disk_sample ON disk_sample.disk_id = disk.id AND disk_sample.at_ms = report_ms
          JOIN metric ON metric.sample_table = 'disk_sample'
        UNION ALL
        SELECT host.name AS host, metric.name AS metric, interface.interface AS label, interface_sample.at_ms AS at_ms,
               CASE metric.name
               WHEN 'network.receive_bytes_per_second' THEN interface_sample.receive_bytes_per_second
               WHEN 'network.receive_packets_per_second' THEN interface_sample.receive_packets_per_second
               WHEN 'network.receive_errors_per_second' THEN interface_sample.receive_errors_per_second
               WHEN 'network.receive_dropped_per_second' THEN interface_sample.receive_dropped_per_second
               WHEN 'network.transmit_bytes_per_second' THEN interface_sample.transmit_bytes_per_second
               WHEN 'network.transmit_packets_per_second' THEN interface_sample.transmit_packets_per_second
               WHEN 'network.transmit_errors_per_second' THEN interface_sample.transmit_errors_per_second
               WHEN 'network.transmit_dropped_per_second' THEN interface_sample.transmit_dropped_per_second
               WHEN 'network.up' THEN interface_sample.up
               END AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
          JOIN interface ON interface.host_id = host.id
          JOIN interface_sample ON interface_sample.interface_id = interface.id AND interface_sample.at_ms = report_ms
          JOIN metric ON metric.sample_table = 'interface_sample'
        UNION ALL
        SELECT host.name AS host, metric.name AS metric, '' AS label, activity_sample.at_ms AS at_ms,
               CASE metric.name
               WHEN 'tcp.established' THEN activity_sample.tcp_established
               WHEN 'tcp.syn_sent' THEN activity_sample.tcp_syn_sent
               WHEN 'tcp.syn_received' THEN activity_sample.tcp_syn_received
               WHEN 'tcp.time_wait' THEN activity_sample.tcp_time_wait
               WHEN 'tcp.close_wait' THEN activity_sample.tcp_close_wait
               WHEN 'tcp.listening' THEN activity_sample.tcp_listening
               WHEN 'udp.sockets' THEN activity_sample.udp_sockets
               WHEN 'tcp.opens_per_second' THEN activity_sample.tcp_opens_per_second
               WHEN 'tcp.attempt_fails_per_second' THEN activity_sample.tcp_attempt_fails_per_second
               WHEN 'tcp.resets_per_second' THEN activity_sample.tcp_resets_per_second
               WHEN 'tcp.retransmits_per_second' THEN activity_sample.tcp_retransmits_per_second
               WHEN 'tcp.syncookies_per_second' THEN activity_sample.tcp_syncookies_per_second
               WHEN 'tcp.listen_overflows_per_second' THEN activity_sample.tcp_listen_overflows_per_second
               WHEN 'tcp.listen_drops_per_second' THEN activity_sample.tcp_listen_drops_per_second
               WHEN 'udp.no_ports_per_second' THEN activity_sample.udp_no_ports_per_second
               WHEN 'udp.in_errors_per_second' THEN activity_sample.udp_in_errors_per_second
               WHEN 'network.local_peers' THEN activity_sample.network_local_peers
               WHEN 'network.internet_peers' THEN activity_sample.network_internet_peers
               WHEN 'network.coverage_percent' THEN activity_sample.network_coverage_percent
               WHEN 'network.dns_bytes_per_second' THEN activity_sample.network_dns_bytes_per_second
               WHEN 'usb.devices' THEN activity_sample.usb_devices
               WHEN 'usb.unlisted' THEN activity_sample.usb_unlisted
               WHEN 'mounts.removable' THEN activity_sample.mounts_removable
               WHEN 'units.failed' THEN activity_sample.units_failed
               WHEN 'users.logged_in' THEN activity_sample.users_logged_in
               WHEN 'reboot.pending' THEN activity_sample.reboot_pending
               WHEN 'hardware.faults' THEN activity_sample.hardware_faults
               WHEN 'clock.error_seconds' THEN activity_sample.clock_error_seconds
               END AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
          JOIN activity_sample ON activity_sample.host_id = host.id AND activity_sample.at_ms = report_ms
          JOIN metric ON metric.sample_table = 'activity_sample'
        UNION ALL
        SELECT host.name AS host, series.metric AS metric, series.label AS label, series_sample.at_ms AS at_ms,
               series_sample.value AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
          JOIN series ON series.host_id = host.id AND series.last_seen_ms >= report_ms - 7200000
          JOIN series_sample ON series_sample.series_id = series.id
                            AND series_sample.at_ms = (SELECT MAX(at_ms)
                                                         FROM series_sample AS newest
                                                        WHERE newest.series_id = series.id)
        UNION ALL
        SELECT host.name AS host, 'poll.seconds' AS metric, '' AS label, at_ms, seconds AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
        UNION ALL
        SELECT host.name AS host, 'host.down' AS metric, '' AS label, at_ms, outcome = 'failed' AS value
          FROM host_latest
          JOIN host ON host.id = host_latest.host_id
         WHERE outcome <> 'skipped'
       ) AS every
 WHERE value IS NOT NULL;
