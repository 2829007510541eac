-- Schema 2 of the archive: what is plugged in, mounted and listening, who talks to whom, processes, services, people
-- and log lines. Tables and views are those of schema 3 of the journal, without what only the journal needs. As in the
-- step before, every statement can be run again, and foreign text is unique by its SHA-256.

-- Inventories of what comes and goes: one row for each time it was there. gone_ms is NULL while it is; between two
-- polls nobody looks, so that something is gone some time between last_seen_ms and gone_ms. While it is there
-- last_seen_ms may be ten minutes behind.

CREATE TABLE IF NOT EXISTS usb_device (
    id                    BIGINT NOT NULL AUTO_INCREMENT,
    host_id               BIGINT NOT NULL,
    port                  TEXT   NOT NULL,  -- path of hub ports: 1-1.2.3
    vendor                TEXT   NOT NULL,  -- four hex digits, as lsusb shows them
    product               TEXT   NOT NULL,
    serial                TEXT   NOT NULL,
    vendor_name           TEXT   NOT NULL,
    product_name          TEXT   NOT NULL,
    device_class          TEXT   NOT NULL,
    interface_classes     TEXT   NOT NULL,
    kind                  TEXT   NOT NULL,  -- hub, storage, phone, keyboard, ...
    speed_bits_per_second BIGINT NOT NULL,  -- 0 unknown
    devices               TEXT   NOT NULL,  -- what it brings: sdb, eth1
    first_seen_ms         BIGINT NOT NULL,
    last_seen_ms          BIGINT NOT NULL,
    gone_ms               BIGINT,
    told_ms               BIGINT,  -- the poll that told of it, when it came and went between two polls
    device_hash           BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', SHA2(port, 256), SHA2(vendor, 256),
                                     SHA2(product, 256), serial), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY usb_device_once (host_id, first_seen_ms, device_hash),
    KEY usb_device_by_end (host_id, gone_ms),
    KEY usb_device_told (host_id, told_ms),
    CONSTRAINT usb_device_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Cards, optical and hot-plugged disks, Bluetooth adapters, monitors, network cards.
CREATE TABLE IF NOT EXISTS device (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    kind          TEXT   NOT NULL,  -- mmc, optical, disk, bluetooth, monitor or network
    name          TEXT   NOT NULL,
    model         TEXT   NOT NULL,
    serial        TEXT   NOT NULL,
    size_bytes    BIGINT NOT NULL,  -- 0: has none
    removable     BIGINT NOT NULL,
    bus           TEXT   NOT NULL,  -- a USB port, or pci, virtio, ...
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    gone_ms       BIGINT,
    device_hash   BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', SHA2(kind, 256), SHA2(name, 256),
                                     SHA2(model, 256), serial), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY device_once (host_id, first_seen_ms, device_hash),
    KEY device_by_end (host_id, gone_ms),
    CONSTRAINT device_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS mount (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    mountpoint    TEXT   NOT NULL,
    device        TEXT   NOT NULL,
    type          TEXT   NOT NULL,
    root          TEXT   NOT NULL,  -- the folder of the file system that is mounted
    options       TEXT   NOT NULL,
    removable     BIGINT NOT NULL,
    usb           BIGINT NOT NULL,
    network       BIGINT NOT NULL,
    loop_device   BIGINT NOT NULL,
    carrier       TEXT   NOT NULL,  -- the disk, image file or server
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    gone_ms       BIGINT,
    mount_hash    BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', SHA2(mountpoint, 256), SHA2(device, 256),
                                     SHA2(type, 256), root), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY mount_once (host_id, first_seen_ms, mount_hash),
    KEY mount_by_end (host_id, gone_ms),
    CONSTRAINT mount_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS listener (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    protocol      TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    port          BIGINT NOT NULL,
    uid           BIGINT NOT NULL,  -- 4294967295 unknown
    process       TEXT   NOT NULL,  -- '' when the poller may not know
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    gone_ms       BIGINT,
    listener_hash BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', port, SHA2(protocol, 256), address), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY listener_once (host_id, first_seen_ms, listener_hash),
    KEY listener_by_end (host_id, gone_ms),
    CONSTRAINT listener_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS login (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    account       TEXT   NOT NULL,
    terminal      TEXT   NOT NULL,
    since_ms      BIGINT NOT NULL,  -- by the host's clock
    source        TEXT   NOT NULL,  -- from where
    pid           BIGINT NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    gone_ms       BIGINT,
    login_hash    BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', since_ms, SHA2(account, 256), terminal), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY login_once (host_id, first_seen_ms, login_hash),
    KEY login_by_end (host_id, gone_ms),
    CONSTRAINT login_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One row per connection, with what it has moved since it began (NULL unknown). Kept as <retention connections=> says.
CREATE TABLE IF NOT EXISTS connection (
    id              BIGINT NOT NULL AUTO_INCREMENT,
    host_id         BIGINT NOT NULL,
    protocol        TEXT   NOT NULL,
    local_address   TEXT   NOT NULL,
    local_port      BIGINT NOT NULL,
    remote_address  TEXT   NOT NULL,
    remote_port     BIGINT NOT NULL,
    inbound         BIGINT NOT NULL,
    uid             BIGINT NOT NULL,
    process         TEXT   NOT NULL,
    state           TEXT   NOT NULL,
    sent_bytes      BIGINT,
    received_bytes  BIGINT,
    first_seen_ms   BIGINT NOT NULL,
    last_seen_ms    BIGINT NOT NULL,
    gone_ms         BIGINT,
    connection_hash BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', local_port, remote_port, SHA2(protocol, 256),
                                     SHA2(local_address, 256), remote_address), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY connection_once (host_id, first_seen_ms, connection_hash),
    KEY connection_by_end (host_id, gone_ms),
    CONSTRAINT connection_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Inventories of what stays.

-- Whom a host talks to: on which port of which side, as which user.
CREATE TABLE IF NOT EXISTS peer (
    id            BIGINT      NOT NULL AUTO_INCREMENT,
    host_id       BIGINT      NOT NULL,
    protocol      TEXT        NOT NULL,
    inbound       BIGINT      NOT NULL,  -- 1: it connects to a port here
    address       TEXT        NOT NULL,
    port          BIGINT      NOT NULL,  -- of the service: the local one when inbound
    uid           BIGINT      NOT NULL,  -- 4294967295 unknown
    name          TEXT        NOT NULL,  -- by reverse look-up at the poller, '' unknown
    scope         VARCHAR(16) NOT NULL,  -- local, internet or loopback
    listed        BIGINT      NOT NULL,  -- 1: <network-allow> has it
    first_seen_ms BIGINT      NOT NULL,
    last_seen_ms  BIGINT      NOT NULL,
    peer_hash     BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', port, inbound, uid, SHA2(protocol, 256),
                                     address), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY peer_once (host_id, peer_hash),
    KEY peer_by_address (host_id, address(45)),
    CONSTRAINT peer_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A systemd unit that failed once or that a threshold names.
CREATE TABLE IF NOT EXISTS unit (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    unit          TEXT   NOT NULL,
    load_state    TEXT   NOT NULL,
    active        TEXT   NOT NULL,
    sub           TEXT   NOT NULL,
    description   TEXT   NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    unit_hash     BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(unit, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY unit_once (host_id, unit_hash),
    CONSTRAINT unit_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS service_check (
    id            BIGINT     NOT NULL AUTO_INCREMENT,
    host_id       BIGINT     NOT NULL,
    name          TEXT       NOT NULL,
    status        BIGINT     NOT NULL,  -- 0 ok, 1 warning, 2 critical, 3 unknown
    output        MEDIUMTEXT NOT NULL,
    perfdata      TEXT       NOT NULL,
    first_seen_ms BIGINT     NOT NULL,
    last_seen_ms  BIGINT     NOT NULL,
    name_hash     BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(name, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY service_check_once (host_id, name_hash),
    CONSTRAINT service_check_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS log_source (
    id            BIGINT     NOT NULL AUTO_INCREMENT,
    host_id       BIGINT     NOT NULL,
    log           TEXT       NOT NULL,  -- the name in config.xml
    path          TEXT       NOT NULL,
    state         TEXT       NOT NULL,  -- ok, behind, absent, denied or failed
    reason        MEDIUMTEXT NOT NULL,
    behind_bytes  BIGINT     NOT NULL,
    lost_bytes    BIGINT     NOT NULL,  -- all that are known to be gone unread
    first_seen_ms BIGINT     NOT NULL,
    last_seen_ms  BIGINT     NOT NULL,
    source_hash   BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', SHA2(log, 256), path), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY log_source_once (host_id, source_hash),
    CONSTRAINT log_source_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Each part of a host's reports as it was read last: how old what is known about it is.
CREATE TABLE IF NOT EXISTS section_state (
    id            BIGINT      NOT NULL AUTO_INCREMENT,
    host_id       BIGINT      NOT NULL,
    section       VARCHAR(64) NOT NULL,
    status        VARCHAR(16) NOT NULL,
    reason        MEDIUMTEXT  NOT NULL,
    complete_ms   BIGINT,  -- when all of it was read last; NULL never
    first_seen_ms BIGINT      NOT NULL,
    last_seen_ms  BIGINT      NOT NULL,  -- when it was asked for last, whatever came of that
    PRIMARY KEY (id),
    UNIQUE KEY section_state_once (host_id, section),
    CONSTRAINT section_state_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What has one number and says by its label what that is. last_seen_ms may be ten minutes behind its newest sample.
CREATE TABLE IF NOT EXISTS series (
    id            BIGINT      NOT NULL AUTO_INCREMENT,
    host_id       BIGINT      NOT NULL,
    metric        VARCHAR(64) NOT NULL,
    label         TEXT        NOT NULL,
    first_seen_ms BIGINT      NOT NULL,
    last_seen_ms  BIGINT      NOT NULL,
    series_hash   BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', SHA2(metric, 256), label), 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY series_once (host_id, series_hash),
    CONSTRAINT series_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Samples. No foreign keys and at_ms (seen_ms) in the key, so that they can be partitioned and pruned by time.

CREATE TABLE IF NOT EXISTS series_sample (
    series_id BIGINT NOT NULL,
    at_ms     BIGINT NOT NULL,
    value     DOUBLE,
    PRIMARY KEY (series_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was moved since the poll before, in so many seconds (NULL: only the connections are known).
CREATE TABLE IF NOT EXISTS peer_sample (
    peer_id        BIGINT NOT NULL,
    at_ms          BIGINT NOT NULL,
    sent_bytes     BIGINT,
    received_bytes BIGINT,
    seconds        DOUBLE NOT NULL,
    connections    BIGINT NOT NULL,  -- open at that poll
    opened         BIGINT NOT NULL,  -- new since the poll before
    PRIMARY KEY (peer_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The same by day (UTC), and kept longer.
CREATE TABLE IF NOT EXISTS peer_day (
    peer_id        BIGINT NOT NULL,
    at_ms          BIGINT NOT NULL,  -- midnight at its beginning
    sent_bytes     BIGINT NOT NULL,
    received_bytes BIGINT NOT NULL,
    opened         BIGINT NOT NULL,
    updated_ms     BIGINT NOT NULL,  -- the newest poll that is in it
    PRIMARY KEY (peer_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The busiest and the largest processes of each poll.
CREATE TABLE IF NOT EXISTS process_sample (
    host_id      BIGINT NOT NULL,
    at_ms        BIGINT NOT NULL,
    pid          BIGINT NOT NULL,
    name         TEXT   NOT NULL,
    uid          BIGINT NOT NULL,
    account      TEXT   NOT NULL,
    cpu_percent  DOUBLE,  -- of one core since the poll before; NULL when it is not known what it had used then
    memory_bytes BIGINT NOT NULL,
    command      TEXT   NOT NULL,  -- '' unless asked for
    PRIMARY KEY (host_id, at_ms, pid)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Log lines, each once. seen_ms is the at_ms of the poll that brought it, number its place there.
CREATE TABLE IF NOT EXISTS log_line (
    host_id  BIGINT      NOT NULL,
    seen_ms  BIGINT      NOT NULL,
    number   BIGINT      NOT NULL,
    log      TEXT        NOT NULL,
    path     TEXT        NOT NULL,
    at_ms    BIGINT      NOT NULL,  -- by the host's clock
    program  TEXT        NOT NULL,
    pid      BIGINT,
    priority BIGINT,  -- syslog(3): 0 emergency to 7 debug
    severity VARCHAR(16) NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    repeats  BIGINT      NOT NULL,  -- so often ("message repeated 3 times")
    trusted  BIGINT      NOT NULL,  -- program and pid are journald's word, not the client's
    message  MEDIUMTEXT  NOT NULL,
    PRIMARY KEY (host_id, seen_ms, number),
    KEY log_line_by_time (at_ms),
    KEY log_line_by_host (host_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What goes on: who is connected, plugged in, logged in, broken. One row per host and poll, as in system_sample.
CREATE TABLE IF NOT EXISTS activity_sample (
    host_id                         BIGINT NOT NULL,
    at_ms                           BIGINT NOT NULL,
    tcp_established                 BIGINT,
    tcp_syn_sent                    BIGINT,
    tcp_syn_received                BIGINT,
    tcp_time_wait                   BIGINT,
    tcp_close_wait                  BIGINT,
    tcp_listening                   BIGINT,
    udp_sockets                     BIGINT,
    tcp_opens_per_second            DOUBLE,
    tcp_attempt_fails_per_second    DOUBLE,
    tcp_resets_per_second           DOUBLE,
    tcp_retransmits_per_second      DOUBLE,
    tcp_syncookies_per_second       DOUBLE,
    tcp_listen_overflows_per_second DOUBLE,
    tcp_listen_drops_per_second     DOUBLE,
    udp_no_ports_per_second         DOUBLE,
    udp_in_errors_per_second        DOUBLE,
    network_local_peers             BIGINT,
    network_internet_peers          BIGINT,
    network_coverage_percent        DOUBLE,
    network_dns_bytes_per_second    DOUBLE,
    usb_devices                     BIGINT,
    usb_unlisted                    BIGINT,
    mounts_removable                BIGINT,
    units_failed                    BIGINT,
    users_logged_in                 BIGINT,
    reboot_pending                  BIGINT,
    hardware_faults                 BIGINT,
    clock_error_seconds             DOUBLE,
    PRIMARY KEY (host_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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
    ('log.behind_bytes', 'bytes', 'log', 'series_sample', 'value', 'what of the log is still to be fetched')
ON DUPLICATE KEY UPDATE unit = VALUES(unit), label = VALUES(label), sample_table = VALUES(sample_table),
    sample_column = VALUES(sample_column), sentence = VALUES(sentence);

-- Views.

CREATE OR REPLACE SQL SECURITY INVOKER VIEW usb_devices AS
SELECT host.name AS host, port, vendor, product, serial, vendor_name, product_name, device_class, interface_classes,
       kind, speed_bits_per_second, devices,
       TIMESTAMPADD(SECOND, usb_device.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, usb_device.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       TIMESTAMPADD(SECOND, gone_ms DIV 1000, DATE'1970-01-01') AS gone, usb_device.first_seen_ms,
       usb_device.last_seen_ms, gone_ms
  FROM usb_device
  JOIN host ON host.id = usb_device.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW devices AS
SELECT host.name AS host, kind, device.name, model, serial, size_bytes, removable, bus,
       TIMESTAMPADD(SECOND, device.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, device.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       TIMESTAMPADD(SECOND, gone_ms DIV 1000, DATE'1970-01-01') AS gone, device.first_seen_ms, device.last_seen_ms,
       gone_ms
  FROM device
  JOIN host ON host.id = device.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW mounts AS
SELECT host.name AS host, mountpoint, device, type, root, options, removable, usb, network, loop_device, carrier,
       TIMESTAMPADD(SECOND, mount.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, mount.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       TIMESTAMPADD(SECOND, gone_ms DIV 1000, DATE'1970-01-01') AS gone, mount.first_seen_ms, mount.last_seen_ms,
       gone_ms
  FROM mount
  JOIN host ON host.id = mount.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW listeners AS
SELECT host.name AS host, protocol, listener.address, port, uid, process,
       TIMESTAMPADD(SECOND, listener.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, listener.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       TIMESTAMPADD(SECOND, gone_ms DIV 1000, DATE'1970-01-01') AS gone, listener.first_seen_ms, listener.last_seen_ms,
       gone_ms
  FROM listener
  JOIN host ON host.id = listener.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW logins AS
SELECT host.name AS host, account, terminal, TIMESTAMPADD(SECOND, since_ms DIV 1000, DATE'1970-01-01') AS since, source,
       pid, TIMESTAMPADD(SECOND, login.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, login.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       TIMESTAMPADD(SECOND, gone_ms DIV 1000, DATE'1970-01-01') AS gone, login.first_seen_ms, login.last_seen_ms,
       gone_ms
  FROM login
  JOIN host ON host.id = login.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW connections AS
SELECT host.name AS host, protocol, local_address, local_port, remote_address, remote_port, inbound, uid, process,
       state, sent_bytes, received_bytes,
       TIMESTAMPADD(SECOND, connection.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, connection.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       TIMESTAMPADD(SECOND, gone_ms DIV 1000, DATE'1970-01-01') AS gone, connection.first_seen_ms,
       connection.last_seen_ms, gone_ms
  FROM connection
  JOIN host ON host.id = connection.host_id;

-- With what was moved up to the newest poll at which they talked, and on that day (UTC).
CREATE OR REPLACE SQL SECURITY INVOKER VIEW peers AS
SELECT host.name AS host, protocol, inbound, peer.address, peer.port, uid, peer.name, scope, listed,
       peer_sample.sent_bytes, peer_sample.received_bytes, seconds, connections, peer_sample.opened,
       peer_day.sent_bytes AS day_sent_bytes, peer_day.received_bytes AS day_received_bytes,
       peer_day.opened AS day_opened, TIMESTAMPADD(SECOND, peer.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, peer.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen, peer.first_seen_ms,
       peer.last_seen_ms
  FROM peer
  JOIN host ON host.id = peer.host_id
  LEFT JOIN peer_sample ON peer_sample.peer_id = peer.id AND peer_sample.at_ms = peer.last_seen_ms
  LEFT JOIN peer_day ON peer_day.peer_id = peer.id
                    AND peer_day.at_ms = peer.last_seen_ms - peer.last_seen_ms % 86400000;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW peer_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, protocol, inbound, peer.address,
       peer.port, uid, peer.name, scope, listed, sent_bytes, received_bytes, seconds, connections, opened, at_ms
  FROM peer_sample
  JOIN peer ON peer.id = peer_sample.peer_id
  JOIN host ON host.id = peer.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW peer_days AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, protocol, inbound, peer.address,
       peer.port, uid, peer.name, scope, listed, sent_bytes, received_bytes, opened, at_ms
  FROM peer_day
  JOIN peer ON peer.id = peer_day.peer_id
  JOIN host ON host.id = peer.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW units AS
SELECT host.name AS host, unit, load_state, active, sub, description,
       TIMESTAMPADD(SECOND, unit.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, unit.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen, unit.first_seen_ms,
       unit.last_seen_ms
  FROM unit
  JOIN host ON host.id = unit.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW service_checks AS
SELECT host.name AS host, service_check.name, status, output, perfdata,
       TIMESTAMPADD(SECOND, service_check.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, service_check.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       service_check.first_seen_ms, service_check.last_seen_ms
  FROM service_check
  JOIN host ON host.id = service_check.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW log_sources AS
SELECT host.name AS host, log, path, state, reason, behind_bytes, lost_bytes,
       TIMESTAMPADD(SECOND, log_source.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, log_source.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen, log_source.first_seen_ms,
       log_source.last_seen_ms
  FROM log_source
  JOIN host ON host.id = log_source.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW log_lines AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, log, path, program, pid,
       priority, severity, repeats, trusted, message, TIMESTAMPADD(SECOND, seen_ms DIV 1000, DATE'1970-01-01') AS seen,
       at_ms, seen_ms, number
  FROM log_line
  JOIN host ON host.id = log_line.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW section_states AS
SELECT host.name AS host, section, status, reason,
       TIMESTAMPADD(SECOND, complete_ms DIV 1000, DATE'1970-01-01') AS complete,
       TIMESTAMPADD(SECOND, section_state.first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen,
       TIMESTAMPADD(SECOND, section_state.last_seen_ms DIV 1000, DATE'1970-01-01') AS last_seen,
       section_state.first_seen_ms, section_state.last_seen_ms
  FROM section_state
  JOIN host ON host.id = section_state.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW series_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, metric, label, value, at_ms
  FROM series_sample
  JOIN series ON series.id = series_sample.series_id
  JOIN host ON host.id = series.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW activity_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, tcp_established, tcp_syn_sent,
       tcp_syn_received, tcp_time_wait, tcp_close_wait, tcp_listening, udp_sockets, tcp_opens_per_second,
       tcp_attempt_fails_per_second, tcp_resets_per_second, tcp_retransmits_per_second, tcp_syncookies_per_second,
       tcp_listen_overflows_per_second, tcp_listen_drops_per_second, udp_no_ports_per_second, udp_in_errors_per_second,
       network_local_peers, network_internet_peers, network_coverage_percent, network_dns_bytes_per_second,
       usb_devices, usb_unlisted, mounts_removable, units_failed, users_logged_in, reboot_pending, hardware_faults, clock_error_seconds, at_ms
  FROM activity_sample
  JOIN host ON host.id = activity_sample.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW process_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, pid, process_sample.name, uid,
       account, cpu_percent, memory_bytes, command, at_ms
  FROM process_sample
  JOIN host ON host.id = process_sample.host_id;

-- Every number of the newest report; of each series the newest value, when it was there within two hours of that.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW metric_latest AS
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
