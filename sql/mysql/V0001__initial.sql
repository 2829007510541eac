-- Schema 1 of the poller's archive in MySQL or MariaDB. Never edited after release: its checksum is recorded in each
-- database. The tables and views are those of the journal (sql/sqlite), column by column; what only the journal needs
-- is not here.
--
-- How to read it: tables are singular, the views for people are plural and show names and datetimes (UTC).
-- Instants are UTC epoch milliseconds (*_ms) of the poller's clock, durations seconds, sizes bytes, shares
-- percent 0-100. Foreign text is stored as the probe sent it: bytes that XML cannot hold as \xHH.
--
-- Every statement can be run again: MySQL and MariaDB commit each one by itself, so an upgrade that was killed goes on.
-- Text is compared byte by byte (utf8mb4_bin). Even so '/mnt/a' equals '/mnt/a ' there, and long text cannot be
-- indexed: so foreign text is unique by its SHA-256, in a column that SELECT * does not show.

CREATE TABLE IF NOT EXISTS schema_migration (
    version    BIGINT       NOT NULL,
    name       VARCHAR(100) NOT NULL,
    checksum   VARCHAR(64)  NOT NULL,  -- SHA-256 of the migration file
    applied_ms BIGINT       NOT NULL,  -- 0: it was begun; the next upgrade goes on behind the statement `done`
    done       BIGINT NOT NULL DEFAULT 0 INVISIBLE,  -- statements of this step that were carried out
    PRIMARY KEY (version)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One run of the poller over all hosts or some. ended_ms stays NULL when it was killed.
CREATE TABLE IF NOT EXISTS round (
    id         VARCHAR(64) NOT NULL,  -- UUIDv7
    kind       VARCHAR(64) NOT NULL CHECK (kind IN ('full', 'selected')),
    started_ms BIGINT      NOT NULL,
    ended_ms   BIGINT,
    hosts      BIGINT      NOT NULL,  -- how many it was to poll
    ok         BIGINT      NOT NULL DEFAULT 0,
    partial    BIGINT      NOT NULL DEFAULT 0,
    failed     BIGINT      NOT NULL DEFAULT 0,
    skipped    BIGINT      NOT NULL DEFAULT 0,
    stopped_by BIGINT      NOT NULL DEFAULT 0,  -- the signal that ended it early
    PRIMARY KEY (id),
    KEY round_by_time (started_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a machine is. Columns but name and the two instants are of its newest report, NULL before the first.
CREATE TABLE IF NOT EXISTS host (
    id                   BIGINT       NOT NULL AUTO_INCREMENT,
    name                 VARCHAR(100) NOT NULL,  -- as configured
    first_seen_ms        BIGINT       NOT NULL,  -- first attempt to poll it
    last_seen_ms         BIGINT,  -- newest report
    hostname             TEXT,  -- as the machine calls itself
    kernel               TEXT,
    kernel_release       TEXT,
    machine              TEXT,
    distribution         TEXT,
    distribution_version TEXT,
    distribution_name    TEXT,
    cpus                 BIGINT,
    python               TEXT,
    probe                TEXT,  -- SHA-256 of the probe that ran there
    boot_id              TEXT,
    booted_ms            BIGINT,
    address              TEXT,
    host_key             TEXT,  -- SHA256:... as ssh-keygen -l prints it, or local
    PRIMARY KEY (id),
    UNIQUE KEY host_by_name (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every attempt, whatever came of it.
CREATE TABLE IF NOT EXISTS poll (
    id                VARCHAR(64) NOT NULL,  -- UUIDv7
    host_id           BIGINT      NOT NULL,
    round_id          VARCHAR(64),  -- the round may be pruned before
    at_ms             BIGINT      NOT NULL,
    outcome           VARCHAR(16) NOT NULL CHECK (outcome IN ('ok', 'partial', 'failed', 'skipped')),
    stage             VARCHAR(32) NOT NULL DEFAULT '',  -- where it ended; '' when a report came
    code              VARCHAR(32) NOT NULL DEFAULT '',  -- what happened there (docs/troubleshooting.md)
    error             MEDIUMTEXT  NOT NULL DEFAULT (''),
    security          BIGINT      NOT NULL DEFAULT 0,
    seconds           DOUBLE      NOT NULL DEFAULT 0,  -- all of it
    dns_seconds       DOUBLE,
    connect_seconds   DOUBLE,
    handshake_seconds DOUBLE,
    hostkey_seconds   DOUBLE,
    auth_seconds      DOUBLE,
    session_seconds   DOUBLE,
    python_seconds    DOUBLE,
    probe_seconds     DOUBLE,
    envelope_seconds  DOUBLE,
    report_seconds    DOUBLE,
    collect_seconds   DOUBLE,  -- how long the probe says that it worked
    sent_bytes        BIGINT      NOT NULL DEFAULT 0,
    received_bytes    BIGINT      NOT NULL DEFAULT 0,
    address           TEXT        NOT NULL DEFAULT (''),
    host_key          TEXT        NOT NULL DEFAULT (''),
    sudo_denied       BIGINT      NOT NULL DEFAULT 0,
    asked_ms          BIGINT,
    answered_ms       BIGINT,
    host_clock_ms     BIGINT,  -- the host's own clock, between asked_ms and answered_ms
    PRIMARY KEY (id),
    UNIQUE KEY poll_by_host (host_id, at_ms, id),
    KEY poll_by_time (at_ms),
    CONSTRAINT poll_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Parts of a report that could not be read, or not all of it. A part without a row here was read.
CREATE TABLE IF NOT EXISTS section (
    poll_id VARCHAR(64) NOT NULL,
    name    VARCHAR(64) NOT NULL,
    status  VARCHAR(16) NOT NULL CHECK (status IN ('ok', 'denied', 'absent', 'failed', 'timeout')),
    reason  MEDIUMTEXT  NOT NULL DEFAULT (''),
    seconds DOUBLE      NOT NULL DEFAULT 0,
    PRIMARY KEY (poll_id, name),
    CONSTRAINT section_of_poll FOREIGN KEY (poll_id) REFERENCES poll (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Inventories: what a host has, since when, and when it was last reported.

CREATE TABLE IF NOT EXISTS core (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    core          TEXT   NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    core_hash     BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(core, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY core_once (host_id, core_hash),
    CONSTRAINT core_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS filesystem (
    id              BIGINT      NOT NULL AUTO_INCREMENT,
    host_id         BIGINT      NOT NULL,
    mountpoint      TEXT        NOT NULL,
    device          TEXT        NOT NULL,
    type            TEXT        NOT NULL,
    state           VARCHAR(16) NOT NULL,  -- ok, stuck, skipped or denied
    first_seen_ms   BIGINT      NOT NULL,
    last_seen_ms    BIGINT      NOT NULL,
    mountpoint_hash BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(mountpoint, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY filesystem_once (host_id, mountpoint_hash),
    CONSTRAINT filesystem_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS disk (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    device        TEXT   NOT NULL,
    model         TEXT   NOT NULL,
    size_bytes    BIGINT NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    device_hash   BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(device, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY disk_once (host_id, device_hash),
    CONSTRAINT disk_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS interface (
    id                    BIGINT      NOT NULL AUTO_INCREMENT,
    host_id               BIGINT      NOT NULL,
    interface             TEXT        NOT NULL,
    mac                   TEXT        NOT NULL,
    link                  VARCHAR(16) NOT NULL,  -- up, down or unknown
    mtu                   BIGINT      NOT NULL,
    speed_bits_per_second BIGINT      NOT NULL,  -- 0 unknown
    first_seen_ms         BIGINT      NOT NULL,
    last_seen_ms          BIGINT      NOT NULL,
    interface_hash        BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(interface, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY interface_once (host_id, interface_hash),
    CONSTRAINT interface_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS interface_address (
    id            BIGINT NOT NULL AUTO_INCREMENT,
    host_id       BIGINT NOT NULL,
    interface     TEXT   NOT NULL,
    family        TEXT   NOT NULL,
    address       TEXT   NOT NULL,
    prefix        BIGINT NOT NULL,
    first_seen_ms BIGINT NOT NULL,
    last_seen_ms  BIGINT NOT NULL,
    address_hash  BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', prefix, SHA2(family, 256), SHA2(address, 256), interface), 256)))
        STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY address_once (host_id, address_hash),
    CONSTRAINT address_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Samples: one row per thing and poll, one column per metric (`poller metrics` explains each).
-- NULL: not known at that poll. No foreign keys and at_ms in the key, so that they can be partitioned and pruned by
-- time: ALTER TABLE system_sample PARTITION BY RANGE (at_ms) (...).

CREATE TABLE IF NOT EXISTS system_sample (
    host_id                      BIGINT NOT NULL,
    at_ms                        BIGINT NOT NULL,
    cpu_percent                  DOUBLE,
    cpu_user_percent             DOUBLE,
    cpu_nice_percent             DOUBLE,
    cpu_system_percent           DOUBLE,
    cpu_idle_percent             DOUBLE,
    cpu_iowait_percent           DOUBLE,
    cpu_irq_percent              DOUBLE,
    cpu_softirq_percent          DOUBLE,
    cpu_steal_percent            DOUBLE,
    cpu_guest_percent            DOUBLE,
    cpu_count                    BIGINT,
    load_1m                      DOUBLE,
    load_5m                      DOUBLE,
    load_15m                     DOUBLE,
    load_1m_per_cpu              DOUBLE,
    uptime_seconds               DOUBLE,
    memory_percent               DOUBLE,
    memory_total_bytes           BIGINT,
    memory_available_bytes       BIGINT,
    memory_free_bytes            BIGINT,
    memory_buffers_bytes         BIGINT,
    memory_cached_bytes          BIGINT,
    memory_shared_bytes          BIGINT,
    memory_slab_bytes            BIGINT,
    memory_dirty_bytes           BIGINT,
    swap_percent                 DOUBLE,
    swap_total_bytes             BIGINT,
    swap_used_bytes              BIGINT,
    swap_in_bytes_per_second     DOUBLE,
    swap_out_bytes_per_second    DOUBLE,
    processes_total              BIGINT,
    processes_running            BIGINT,
    processes_sleeping           BIGINT,
    processes_uninterruptible    BIGINT,
    processes_zombie             BIGINT,
    processes_stopped            BIGINT,
    processes_idle               BIGINT,
    pressure_cpu_some_percent    DOUBLE,
    pressure_memory_some_percent DOUBLE,
    pressure_memory_full_percent DOUBLE,
    pressure_io_some_percent     DOUBLE,
    pressure_io_full_percent     DOUBLE,
    clock_offset_seconds         DOUBLE,
    PRIMARY KEY (host_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS core_sample (
    core_id         BIGINT NOT NULL,
    at_ms           BIGINT NOT NULL,
    percent         DOUBLE,
    user_percent    DOUBLE,
    nice_percent    DOUBLE,
    system_percent  DOUBLE,
    idle_percent    DOUBLE,
    iowait_percent  DOUBLE,
    irq_percent     DOUBLE,
    softirq_percent DOUBLE,
    steal_percent   DOUBLE,
    guest_percent   DOUBLE,
    PRIMARY KEY (core_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS filesystem_sample (
    filesystem_id   BIGINT NOT NULL,
    at_ms           BIGINT NOT NULL,
    percent         DOUBLE,
    total_bytes     BIGINT,
    used_bytes      BIGINT,
    available_bytes BIGINT,
    inodes_percent  DOUBLE,
    inodes          BIGINT,
    inodes_free     BIGINT,
    stuck           BIGINT,
    read_only       BIGINT,
    PRIMARY KEY (filesystem_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS disk_sample (
    disk_id                BIGINT NOT NULL,
    at_ms                  BIGINT NOT NULL,
    read_bytes_per_second  DOUBLE,
    write_bytes_per_second DOUBLE,
    reads_per_second       DOUBLE,
    writes_per_second      DOUBLE,
    busy_percent           DOUBLE,
    read_seconds           DOUBLE,
    write_seconds          DOUBLE,
    PRIMARY KEY (disk_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE IF NOT EXISTS interface_sample (
    interface_id                BIGINT NOT NULL,
    at_ms                       BIGINT NOT NULL,
    receive_bytes_per_second    DOUBLE,
    receive_packets_per_second  DOUBLE,
    receive_errors_per_second   DOUBLE,
    receive_dropped_per_second  DOUBLE,
    transmit_bytes_per_second   DOUBLE,
    transmit_packets_per_second DOUBLE,
    transmit_errors_per_second  DOUBLE,
    transmit_dropped_per_second DOUBLE,
    up                          BIGINT,
    PRIMARY KEY (interface_id, at_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The catalogue: every number the poller knows, and the column that holds its history ('' when there is none).
CREATE TABLE IF NOT EXISTS metric (
    name          VARCHAR(64) NOT NULL,
    unit          VARCHAR(32) NOT NULL,
    label         VARCHAR(32) NOT NULL,  -- what tells several values of one host apart
    sample_table  VARCHAR(64) NOT NULL,
    sample_column VARCHAR(64) NOT NULL,
    sentence      TEXT        NOT NULL,
    PRIMARY KEY (name),
    KEY metric_by_table (sample_table)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT INTO metric (name, unit, label, sample_table, sample_column, sentence)
VALUES
    ('cpu.percent', 'percent', '', 'system_sample', 'cpu_percent', 'share of the time since the last poll in which the CPUs worked: all modes but idle and iowait'),
    ('cpu.user_percent', 'percent', '', 'system_sample', 'cpu_user_percent', 'share of the CPUs'' time spent on running programs (guests included)'),
    ('cpu.nice_percent', 'percent', '', 'system_sample', 'cpu_nice_percent', 'share of the CPUs'' time spent on running programs of lowered priority'),
    ('cpu.system_percent', 'percent', '', 'system_sample', 'cpu_system_percent', 'share of the CPUs'' time spent on the kernel'),
    ('cpu.idle_percent', 'percent', '', 'system_sample', 'cpu_idle_percent', 'share of the CPUs'' time spent on nothing'),
    ('cpu.iowait_percent', 'percent', '', 'system_sample', 'cpu_iowait_percent', 'share of the CPUs'' time spent on nothing, while a disk request was open'),
    ('cpu.irq_percent', 'percent', '', 'system_sample', 'cpu_irq_percent', 'share of the CPUs'' time spent on hardware interrupts'),
    ('cpu.softirq_percent', 'percent', '', 'system_sample', 'cpu_softirq_percent', 'share of the CPUs'' time spent on soft interrupts'),
    ('cpu.steal_percent', 'percent', '', 'system_sample', 'cpu_steal_percent', 'share of the CPUs'' time spent on waiting for the hypervisor'),
    ('cpu.guest_percent', 'percent', '', 'system_sample', 'cpu_guest_percent', 'share of the CPUs'' time spent on virtual machines'),
    ('cpu.count', 'count', '', 'system_sample', 'cpu_count', 'CPUs that are online'),
    ('cpu.core_percent', 'percent', 'core', 'core_sample', 'percent', 'share of the time in which this core worked'),
    ('cpu.core_user_percent', 'percent', 'core', 'core_sample', 'user_percent', 'share of this core''s time spent on running programs (guests included)'),
    ('cpu.core_nice_percent', 'percent', 'core', 'core_sample', 'nice_percent', 'share of this core''s time spent on running programs of lowered priority'),
    ('cpu.core_system_percent', 'percent', 'core', 'core_sample', 'system_percent', 'share of this core''s time spent on the kernel'),
    ('cpu.core_idle_percent', 'percent', 'core', 'core_sample', 'idle_percent', 'share of this core''s time spent on nothing'),
    ('cpu.core_iowait_percent', 'percent', 'core', 'core_sample', 'iowait_percent', 'share of this core''s time spent on nothing, while a disk request was open'),
    ('cpu.core_irq_percent', 'percent', 'core', 'core_sample', 'irq_percent', 'share of this core''s time spent on hardware interrupts'),
    ('cpu.core_softirq_percent', 'percent', 'core', 'core_sample', 'softirq_percent', 'share of this core''s time spent on soft interrupts'),
    ('cpu.core_steal_percent', 'percent', 'core', 'core_sample', 'steal_percent', 'share of this core''s time spent on waiting for the hypervisor'),
    ('cpu.core_guest_percent', 'percent', 'core', 'core_sample', 'guest_percent', 'share of this core''s time spent on virtual machines'),
    ('load.1m', 'count', '', 'system_sample', 'load_1m', 'runnable or uninterruptible tasks, average over 1 min'),
    ('load.5m', 'count', '', 'system_sample', 'load_5m', 'runnable or uninterruptible tasks, average over 5 min'),
    ('load.15m', 'count', '', 'system_sample', 'load_15m', 'runnable or uninterruptible tasks, average over 15 min'),
    ('load.1m_per_cpu', 'count', '', 'system_sample', 'load_1m_per_cpu', 'load.1m / CPUs online'),
    ('uptime.seconds', 'seconds', '', 'system_sample', 'uptime_seconds', 'time since boot'),
    ('memory.percent', 'percent', '', 'system_sample', 'memory_percent', 'memory in use: what is not available (MemAvailable)'),
    ('memory.total_bytes', 'bytes', '', 'system_sample', 'memory_total_bytes', 'memory the kernel manages'),
    ('memory.available_bytes', 'bytes', '', 'system_sample', 'memory_available_bytes', 'memory programs can still get without swapping (MemAvailable)'),
    ('memory.free_bytes', 'bytes', '', 'system_sample', 'memory_free_bytes', 'memory not used for anything'),
    ('memory.buffers_bytes', 'bytes', '', 'system_sample', 'memory_buffers_bytes', 'block device cache'),
    ('memory.cached_bytes', 'bytes', '', 'system_sample', 'memory_cached_bytes', 'page cache'),
    ('memory.shared_bytes', 'bytes', '', 'system_sample', 'memory_shared_bytes', 'shared memory and tmpfs'),
    ('memory.slab_bytes', 'bytes', '', 'system_sample', 'memory_slab_bytes', 'kernel structures'),
    ('memory.dirty_bytes', 'bytes', '', 'system_sample', 'memory_dirty_bytes', 'waiting to be written to disk'),
    ('swap.percent', 'percent', '', 'system_sample', 'swap_percent', 'swap in use; 0 without swap'),
    ('swap.total_bytes', 'bytes', '', 'system_sample', 'swap_total_bytes', 'swap there is'),
    ('swap.used_bytes', 'bytes', '', 'system_sample', 'swap_used_bytes', 'swap in use'),
    ('swap.in_bytes_per_second', 'bytes per second', '', 'system_sample', 'swap_in_bytes_per_second', 'read back from swap'),
    ('swap.out_bytes_per_second', 'bytes per second', '', 'system_sample', 'swap_out_bytes_per_second', 'written out to swap'),
    ('disk.percent', 'percent', 'mountpoint', 'filesystem_sample', 'percent', 'space in use as df(1) shows it: used / (used + available)'),
    ('disk.total_bytes', 'bytes', 'mountpoint', 'filesystem_sample', 'total_bytes', 'size of the file system'),
    ('disk.used_bytes', 'bytes', 'mountpoint', 'filesystem_sample', 'used_bytes', 'space in use'),
    ('disk.available_bytes', 'bytes', 'mountpoint', 'filesystem_sample', 'available_bytes', 'space left for users other than root'),
    ('disk.inodes_percent', 'percent', 'mountpoint', 'filesystem_sample', 'inodes_percent', 'inodes in use'),
    ('disk.inodes', 'count', 'mountpoint', 'filesystem_sample', 'inodes', 'inodes there are'),
    ('disk.inodes_free', 'count', 'mountpoint', 'filesystem_sample', 'inodes_free', 'inodes left'),
    ('disk.stuck', '0 or 1', 'mountpoint', 'filesystem_sample', 'stuck', '1 when the file system does not respond'),
    ('disk.read_only', '0 or 1', 'mountpoint', 'filesystem_sample', 'read_only', '1 when it is mounted read-only'),
    ('block.read_bytes_per_second', 'bytes per second', 'device', 'disk_sample', 'read_bytes_per_second', 'read from the disk'),
    ('block.write_bytes_per_second', 'bytes per second', 'device', 'disk_sample', 'write_bytes_per_second', 'written to the disk'),
    ('block.reads_per_second', 'per second', 'device', 'disk_sample', 'reads_per_second', 'read requests completed'),
    ('block.writes_per_second', 'per second', 'device', 'disk_sample', 'writes_per_second', 'write requests completed'),
    ('block.busy_percent', 'percent', 'device', 'disk_sample', 'busy_percent', 'share of the time in which a request was in flight'),
    ('block.read_seconds', 'seconds', 'device', 'disk_sample', 'read_seconds', 'average time of a read request, queue included'),
    ('block.write_seconds', 'seconds', 'device', 'disk_sample', 'write_seconds', 'average time of a write request, queue included'),
    ('network.receive_bytes_per_second', 'bytes per second', 'interface', 'interface_sample', 'receive_bytes_per_second', 'bytes received'),
    ('network.receive_packets_per_second', 'per second', 'interface', 'interface_sample', 'receive_packets_per_second', 'packets received'),
    ('network.receive_errors_per_second', 'per second', 'interface', 'interface_sample', 'receive_errors_per_second', 'errors received'),
    ('network.receive_dropped_per_second', 'per second', 'interface', 'interface_sample', 'receive_dropped_per_second', 'dropped received'),
    ('network.transmit_bytes_per_second', 'bytes per second', 'interface', 'interface_sample', 'transmit_bytes_per_second', 'bytes sent'),
    ('network.transmit_packets_per_second', 'per second', 'interface', 'interface_sample', 'transmit_packets_per_second', 'packets sent'),
    ('network.transmit_errors_per_second', 'per second', 'interface', 'interface_sample', 'transmit_errors_per_second', 'errors sent'),
    ('network.transmit_dropped_per_second', 'per second', 'interface', 'interface_sample', 'transmit_dropped_per_second', 'dropped sent'),
    ('network.up', '0 or 1', 'interface', 'interface_sample', 'up', '1 when the link is up; none when unknown'),
    ('processes.total', 'count', '', 'system_sample', 'processes_total', 'processes there are'),
    ('processes.running', 'count', '', 'system_sample', 'processes_running', 'processes running or ready to run'),
    ('processes.sleeping', 'count', '', 'system_sample', 'processes_sleeping', 'processes waiting for an event'),
    ('processes.uninterruptible', 'count', '', 'system_sample', 'processes_uninterruptible', 'processes in state D, mostly waiting for a disk'),
    ('processes.zombie', 'count', '', 'system_sample', 'processes_zombie', 'ended processes whose parent has not asked for their status'),
    ('processes.stopped', 'count', '', 'system_sample', 'processes_stopped', 'processes stopped or traced'),
    ('processes.idle', 'count', '', 'system_sample', 'processes_idle', 'idle kernel threads'),
    ('pressure.cpu_some_percent', 'percent', '', 'system_sample', 'pressure_cpu_some_percent', 'share of the time in which at least one task waited for cpu'),
    ('pressure.memory_some_percent', 'percent', '', 'system_sample', 'pressure_memory_some_percent', 'share of the time in which at least one task waited for memory'),
    ('pressure.memory_full_percent', 'percent', '', 'system_sample', 'pressure_memory_full_percent', 'share of the time in which all tasks at once waited for memory'),
    ('pressure.io_some_percent', 'percent', '', 'system_sample', 'pressure_io_some_percent', 'share of the time in which at least one task waited for io'),
    ('pressure.io_full_percent', 'percent', '', 'system_sample', 'pressure_io_full_percent', 'share of the time in which all tasks at once waited for io'),
    ('clock.offset_seconds', 'seconds', '', 'system_sample', 'clock_offset_seconds', 'how far the host''s clock is ahead (+) or behind (-); true to about half of poll.seconds'),
    ('poll.seconds', 'seconds', '', '', '', 'how long the poll took'),
    ('host.down', '0 or 1', '', '', '', '1 when the host could not be polled'),
    ('host.security', '0 or 1', '', '', '', '1 when the poll ended as if somebody meddled: a changed host key, a report whose seal is broken'),
    ('poller.unreachable_percent', 'percent', '', '', '', 'share of the hosts that answered lately which became unreachable; 0 for fewer than three such hosts'),
    ('poller.archive_away_seconds', 'seconds', '', '', '', 'for so long the archive has not answered'),
    ('poller.backlog_polls', 'count', '', '', '', 'polls that the archive does not have yet'),
    ('poller.journal_percent', 'percent', '', '', '', 'how much of bound= of <journal> is in use, while the archive is away'),
    ('poller.rejected_polls', 'count', '', '', '', 'what the archive refused for good'),
    ('poller.round_percent', 'percent', '', '', '', 'seconds that it took / the shortest interval='),
    ('poller.clock_step_seconds', 'seconds', '', '', '', 'how far the clock of the poller''s machine was set since the round before'),
    ('poller.disk_free_percent', 'percent', '', '', '', 'space left on the disk of the journal')
ON DUPLICATE KEY UPDATE unit = VALUES(unit), label = VALUES(label), sample_table = VALUES(sample_table),
    sample_column = VALUES(sample_column), sentence = VALUES(sentence);

-- What happened, on a host or (host_id NULL) to the poller itself.
CREATE TABLE IF NOT EXISTS event (
    id       VARCHAR(64) NOT NULL,  -- UUIDv7
    host_id  BIGINT,
    kind     VARCHAR(64) NOT NULL,
    at_ms    BIGINT      NOT NULL,
    severity VARCHAR(16) NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    details  MEDIUMTEXT  NOT NULL,
    PRIMARY KEY (id),
    KEY event_by_time (at_ms),
    KEY event_by_host (host_id, at_ms),
    CONSTRAINT event_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- One episode of one metric over its limits. open_key is NULL once it is closed.
CREATE TABLE IF NOT EXISTS alert (
    id            VARCHAR(64)  NOT NULL,
    open_key      TEXT,
    host_id       BIGINT       NOT NULL,
    metric        VARCHAR(100) NOT NULL,
    labels        TEXT         NOT NULL,  -- JSON object, {} without labels
    severity      VARCHAR(16)  NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    value         DOUBLE,  -- newest
    limit_text    TEXT         NOT NULL,
    since_ms      BIGINT       NOT NULL,  -- the limit was passed
    opened_ms     BIGINT       NOT NULL,  -- it had lasted long enough to count
    updated_ms    BIGINT       NOT NULL,
    closed_ms     BIGINT,
    reason        MEDIUMTEXT   NOT NULL DEFAULT (''),
    open_key_hash BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(open_key, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY alert_open (open_key_hash),
    KEY alert_by_host (host_id, opened_ms),
    KEY alert_by_closing (closed_ms),
    CONSTRAINT alert_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a recipient is owed or was told, with the alert as it was then.
CREATE TABLE IF NOT EXISTS notification (
    id             VARCHAR(64) NOT NULL,
    alert_id       VARCHAR(64) NOT NULL,
    kind           VARCHAR(64) NOT NULL CHECK (kind IN ('opened', 'rose', 'fell', 'closed', 'unconfigured')),
    recipient      TEXT        NOT NULL,
    number         BIGINT      NOT NULL,  -- counts what this recipient gets about this alert
    at_ms          BIGINT      NOT NULL,
    severity       VARCHAR(16) NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    value          DOUBLE,
    limit_text     TEXT        NOT NULL,
    since_ms       BIGINT      NOT NULL,
    opened_ms      BIGINT      NOT NULL,
    updated_ms     BIGINT      NOT NULL,
    closed_ms      BIGINT,
    reason         MEDIUMTEXT  NOT NULL DEFAULT (''),
    state          VARCHAR(16) NOT NULL DEFAULT 'owed'
        CHECK (state IN ('owed', 'held', 'delivered', 'failed', 'suppressed')),
    attempts       BIGINT      NOT NULL DEFAULT 0,
    done_ms        BIGINT,  -- delivered, given up or suppressed
    error          MEDIUMTEXT  NOT NULL DEFAULT (''),  -- of the last attempt that failed
    recipient_hash BINARY(32) GENERATED ALWAYS AS (UNHEX(SHA2(recipient, 256))) STORED INVISIBLE,
    PRIMARY KEY (id),
    UNIQUE KEY notification_once (alert_id, kind, recipient_hash, number),
    KEY notification_by_time (at_ms),
    CONSTRAINT notification_of_alert FOREIGN KEY (alert_id) REFERENCES alert (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Limits that are or were just breached: what `for` and `polls` count.
CREATE TABLE IF NOT EXISTS limit_state (
    host_id    BIGINT       NOT NULL,
    metric     VARCHAR(100) NOT NULL,
    labels     TEXT         NOT NULL,
    limit_key  TEXT         NOT NULL,
    since_ms   BIGINT       NOT NULL,
    polls      BIGINT       NOT NULL,
    active     BIGINT       NOT NULL,
    limit_hash BINARY(32)
        GENERATED ALWAYS AS (UNHEX(SHA2(CONCAT_WS('|', metric, limit_key, labels), 256))) STORED INVISIBLE,
    row_id     BIGINT NOT NULL AUTO_INCREMENT INVISIBLE,
    PRIMARY KEY (row_id),
    UNIQUE KEY limit_once (host_id, limit_hash),
    CONSTRAINT limit_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The newest poll of every host, kept by the writer: a GROUP BY over all polls would be slow.
CREATE TABLE IF NOT EXISTS host_latest (
    host_id         BIGINT      NOT NULL,
    poll_id         VARCHAR(64) NOT NULL,
    at_ms           BIGINT      NOT NULL,
    outcome         VARCHAR(16) NOT NULL,
    stage           VARCHAR(32) NOT NULL,
    code            VARCHAR(32) NOT NULL,
    error           MEDIUMTEXT  NOT NULL,
    seconds         DOUBLE      NOT NULL,
    failures        BIGINT      NOT NULL,  -- failed polls in a row
    report_ms       BIGINT,  -- newest poll that brought a report: its samples have this at_ms
    cpu_percent     DOUBLE,  -- of that report, as the next four
    memory_percent  DOUBLE,
    load_1m_per_cpu DOUBLE,
    disk_percent    DOUBLE,  -- the fullest file system
    disk_mountpoint TEXT,
    PRIMARY KEY (host_id),
    CONSTRAINT latest_of_host FOREIGN KEY (host_id) REFERENCES host (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- When something was last done here that is done now and then.
CREATE TABLE IF NOT EXISTS housekeeping (
    task    VARCHAR(64) NOT NULL,
    done_ms BIGINT      NOT NULL,
    PRIMARY KEY (task)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Views. They see what their reader may see (SQL SECURITY INVOKER), whoever made them.

CREATE OR REPLACE SQL SECURITY INVOKER VIEW moment AS
SELECT now_ms, now_ms - 3600000 AS hour_ago_ms, now_ms - 86400000 AS day_ago_ms, now_ms - 604800000 AS week_ago_ms
  FROM (SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS now_ms) AS clock;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW rounds AS
SELECT id, kind, TIMESTAMPADD(SECOND, started_ms DIV 1000, DATE'1970-01-01') AS started,
       TIMESTAMPADD(SECOND, ended_ms DIV 1000, DATE'1970-01-01') AS ended, (ended_ms - started_ms) / 1e3 AS seconds,
       hosts, ok, partial, failed, skipped, stopped_by
  FROM round;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW hosts AS
SELECT host.name AS host, outcome, stage, code, error, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at,
       TIMESTAMPADD(SECOND, report_ms DIV 1000, DATE'1970-01-01') AS reported, failures, cpu_percent, memory_percent,
       load_1m_per_cpu, disk_percent, disk_mountpoint,
       TIMESTAMPADD(SECOND, booted_ms DIV 1000, DATE'1970-01-01') AS booted, hostname, distribution_name,
       kernel_release, machine, cpus, address, host_key, python,
       TIMESTAMPADD(SECOND, first_seen_ms DIV 1000, DATE'1970-01-01') AS first_seen
  FROM host
  LEFT JOIN host_latest ON host_latest.host_id = host.id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW polls AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, outcome, stage, code, error,
       seconds, connect_seconds, handshake_seconds, auth_seconds, probe_seconds, collect_seconds, sent_bytes,
       received_bytes, poll.address, poll.host_key, round_id, poll.id, poll.host_id, poll.at_ms
  FROM poll
  JOIN host ON host.id = poll.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW sections AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, section.name AS section,
       status, reason, section.seconds, poll_id, at_ms
  FROM section
  JOIN poll ON poll.id = section.poll_id
  JOIN host ON host.id = poll.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW events AS
SELECT TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, host.name AS host, kind, severity, details, at_ms
  FROM event
  LEFT JOIN host ON host.id = event.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW alerts AS
SELECT host.name AS host, metric,
       COALESCE((SELECT GROUP_CONCAT(value ORDER BY place SEPARATOR ',')
                   FROM JSON_TABLE(JSON_EXTRACT(labels, '$.*'), '$[*]'
                        COLUMNS (place FOR ORDINALITY,
                                 value TEXT COLLATE utf8mb4_bin PATH '$')) AS found), '') AS label,
       severity, value, limit_text, TIMESTAMPADD(SECOND, since_ms DIV 1000, DATE'1970-01-01') AS since,
       TIMESTAMPADD(SECOND, opened_ms DIV 1000, DATE'1970-01-01') AS opened,
       TIMESTAMPADD(SECOND, closed_ms DIV 1000, DATE'1970-01-01') AS closed, (closed_ms - opened_ms) / 1e3 AS seconds,
       reason, alert.id, opened_ms, closed_ms
  FROM alert
  JOIN host ON host.id = alert.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW notifications AS
SELECT TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, recipient, notification.kind, host.name AS host,
       alert.metric,
       COALESCE((SELECT GROUP_CONCAT(value ORDER BY place SEPARATOR ',')
                   FROM JSON_TABLE(JSON_EXTRACT(labels, '$.*'), '$[*]'
                        COLUMNS (place FOR ORDINALITY,
                                 value TEXT COLLATE utf8mb4_bin PATH '$')) AS found), '') AS label,
       notification.severity, state, attempts, error,
       TIMESTAMPADD(SECOND, done_ms DIV 1000, DATE'1970-01-01') AS done, notification.id, alert_id, at_ms
  FROM notification
  JOIN alert ON alert.id = notification.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW system_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, cpu_percent, cpu_user_percent,
       cpu_nice_percent, cpu_system_percent, cpu_idle_percent, cpu_iowait_percent, cpu_irq_percent,
       cpu_softirq_percent, cpu_steal_percent, cpu_guest_percent, cpu_count, load_1m, load_5m, load_15m,
       load_1m_per_cpu, uptime_seconds, memory_percent, memory_total_bytes, memory_available_bytes, memory_free_bytes,
       memory_buffers_bytes, memory_cached_bytes, memory_shared_bytes, memory_slab_bytes, memory_dirty_bytes,
       swap_percent, swap_total_bytes, swap_used_bytes, swap_in_bytes_per_second, swap_out_bytes_per_second,
       processes_total, processes_running, processes_sleeping, processes_uninterruptible, processes_zombie,
       processes_stopped, processes_idle, pressure_cpu_some_percent, pressure_memory_some_percent,
       pressure_memory_full_percent, pressure_io_some_percent, pressure_io_full_percent, clock_offset_seconds, at_ms
  FROM system_sample
  JOIN host ON host.id = system_sample.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW core_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, core.core, percent,
       user_percent, nice_percent, system_percent, idle_percent, iowait_percent, irq_percent, softirq_percent,
       steal_percent, guest_percent, at_ms
  FROM core_sample
  JOIN core ON core.id = core_sample.core_id
  JOIN host ON host.id = core.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW filesystem_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, filesystem.mountpoint,
       percent, total_bytes, used_bytes, available_bytes, inodes_percent, inodes, inodes_free, stuck, read_only, at_ms
  FROM filesystem_sample
  JOIN filesystem ON filesystem.id = filesystem_sample.filesystem_id
  JOIN host ON host.id = filesystem.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW disk_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, disk.device,
       read_bytes_per_second, write_bytes_per_second, reads_per_second, writes_per_second, busy_percent, read_seconds,
       write_seconds, at_ms
  FROM disk_sample
  JOIN disk ON disk.id = disk_sample.disk_id
  JOIN host ON host.id = disk.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW interface_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, interface.interface,
       receive_bytes_per_second, receive_packets_per_second, receive_errors_per_second, receive_dropped_per_second,
       transmit_bytes_per_second, transmit_packets_per_second, transmit_errors_per_second,
       transmit_dropped_per_second, up, at_ms
  FROM interface_sample
  JOIN interface ON interface.id = interface_sample.interface_id
  JOIN host ON host.id = interface.host_id;

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
