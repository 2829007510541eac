-- Schema 1 of the poller's database. Never edited after release: its checksum is recorded in each database.
--
-- How to read it: tables are singular, the views for people are plural and show names and datetimes (UTC).
-- Instants are UTC epoch milliseconds (*_ms) of the poller's clock, durations seconds, sizes bytes, shares
-- percent 0-100. Foreign text is stored as the probe sent it: bytes that XML cannot hold as \xHH.

CREATE TABLE schema_migration (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    checksum   TEXT    NOT NULL,  -- SHA-256 of the migration file
    applied_ms INTEGER NOT NULL
);

-- One run of the poller over all hosts or some. ended_ms stays NULL when it was killed.
CREATE TABLE round (
    id         TEXT    NOT NULL PRIMARY KEY,  -- UUIDv7
    kind       TEXT    NOT NULL CHECK (kind IN ('full', 'selected')),
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    hosts      INTEGER NOT NULL,              -- how many it was to poll
    ok         INTEGER NOT NULL DEFAULT 0,
    partial    INTEGER NOT NULL DEFAULT 0,
    failed     INTEGER NOT NULL DEFAULT 0,
    skipped    INTEGER NOT NULL DEFAULT 0,
    stopped_by INTEGER NOT NULL DEFAULT 0     -- the signal that ended it early
) WITHOUT ROWID;
CREATE INDEX round_by_time ON round (started_ms);

-- What a machine is. Columns but name and the two instants are of its newest report, NULL before the first.
CREATE TABLE host (
    id                   INTEGER PRIMARY KEY,
    name                 TEXT    NOT NULL UNIQUE,  -- as configured
    first_seen_ms        INTEGER NOT NULL,         -- first attempt to poll it
    last_seen_ms         INTEGER,                  -- newest report
    hostname             TEXT,                     -- as the machine calls itself
    kernel               TEXT,
    kernel_release       TEXT,
    machine              TEXT,
    distribution         TEXT,
    distribution_version TEXT,
    distribution_name    TEXT,
    cpus                 INTEGER,
    python               TEXT,
    probe                TEXT,                     -- SHA-256 of the probe that ran there
    boot_id              TEXT,
    booted_ms            INTEGER,
    address              TEXT,
    host_key             TEXT                      -- SHA256:... as ssh-keygen -l prints it, or local
);

-- Every attempt, whatever came of it.
CREATE TABLE poll (
    id                TEXT    NOT NULL PRIMARY KEY,  -- UUIDv7
    host_id           INTEGER NOT NULL REFERENCES host (id),
    round_id          TEXT,                          -- the round may be pruned before
    at_ms             INTEGER NOT NULL,
    outcome           TEXT    NOT NULL CHECK (outcome IN ('ok', 'partial', 'failed', 'skipped')),
    stage             TEXT    NOT NULL DEFAULT '',   -- where it ended; '' when a report came
    code              TEXT    NOT NULL DEFAULT '',   -- what happened there (docs/troubleshooting.md)
    error             TEXT    NOT NULL DEFAULT '',
    security          INTEGER NOT NULL DEFAULT 0,
    seconds           REAL    NOT NULL DEFAULT 0,    -- all of it
    dns_seconds       REAL,
    connect_seconds   REAL,
    handshake_seconds REAL,
    hostkey_seconds   REAL,
    auth_seconds      REAL,
    session_seconds   REAL,
    python_seconds    REAL,
    probe_seconds     REAL,
    envelope_seconds  REAL,
    report_seconds    REAL,
    collect_seconds   REAL,                          -- how long the probe says that it worked
    sent_bytes        INTEGER NOT NULL DEFAULT 0,
    received_bytes    INTEGER NOT NULL DEFAULT 0,
    address           TEXT    NOT NULL DEFAULT '',
    host_key          TEXT    NOT NULL DEFAULT '',
    sudo_denied       INTEGER NOT NULL DEFAULT 0,
    asked_ms          INTEGER,
    answered_ms       INTEGER,
    host_clock_ms     INTEGER                        -- the host's own clock, between asked_ms and answered_ms
) WITHOUT ROWID;
CREATE UNIQUE INDEX poll_by_host ON poll (host_id, at_ms, id);

-- Parts of a report that could not be read, or not all of it. A part without a row here was read.
CREATE TABLE section (
    poll_id TEXT NOT NULL REFERENCES poll (id) ON DELETE CASCADE,
    name    TEXT NOT NULL,
    status  TEXT NOT NULL CHECK (status IN ('ok', 'denied', 'absent', 'failed', 'timeout')),
    reason  TEXT NOT NULL DEFAULT '',
    seconds REAL NOT NULL DEFAULT 0,
    PRIMARY KEY (poll_id, name)
) WITHOUT ROWID;

-- Inventories: what a host has, since when, and when it was last reported.

CREATE TABLE core (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    core          TEXT    NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, core)
);

CREATE TABLE filesystem (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    mountpoint    TEXT    NOT NULL,
    device        TEXT    NOT NULL,
    type          TEXT    NOT NULL,
    state         TEXT    NOT NULL,  -- ok, stuck, skipped or denied
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, mountpoint)
);

CREATE TABLE disk (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    device        TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    size_bytes    INTEGER NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, device)
);

CREATE TABLE interface (
    id                    INTEGER PRIMARY KEY,
    host_id               INTEGER NOT NULL REFERENCES host (id),
    interface             TEXT    NOT NULL,
    mac                   TEXT    NOT NULL,
    link                  TEXT    NOT NULL,  -- up, down or unknown
    mtu                   INTEGER NOT NULL,
    speed_bits_per_second INTEGER NOT NULL,  -- 0 unknown
    first_seen_ms         INTEGER NOT NULL,
    last_seen_ms          INTEGER NOT NULL,
    UNIQUE (host_id, interface)
);

CREATE TABLE interface_address (
    id            INTEGER PRIMARY KEY,
    host_id       INTEGER NOT NULL REFERENCES host (id),
    interface     TEXT    NOT NULL,
    family        TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    prefix        INTEGER NOT NULL,
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    UNIQUE (host_id, interface, family, address, prefix)
);

-- Samples: one row per thing and poll, one column per metric (`poller metrics` explains each).
-- NULL: not known at that poll. No foreign keys, so that they can be partitioned and pruned by time.

CREATE TABLE system_sample (
    host_id                      INTEGER NOT NULL,
    at_ms                        INTEGER NOT NULL,
    cpu_percent                  REAL,
    cpu_user_percent             REAL,
    cpu_nice_percent             REAL,
    cpu_system_percent           REAL,
    cpu_idle_percent             REAL,
    cpu_iowait_percent           REAL,
    cpu_irq_percent              REAL,
    cpu_softirq_percent          REAL,
    cpu_steal_percent            REAL,
    cpu_guest_percent            REAL,
    cpu_count                    INTEGER,
    load_1m                      REAL,
    load_5m                      REAL,
    load_15m                     REAL,
    load_1m_per_cpu              REAL,
    uptime_seconds               REAL,
    memory_percent               REAL,
    memory_total_bytes           INTEGER,
    memory_available_bytes       INTEGER,
    memory_free_bytes            INTEGER,
    memory_buffers_bytes         INTEGER,
    memory_cached_bytes          INTEGER,
    memory_shared_bytes          INTEGER,
    memory_slab_bytes            INTEGER,
    memory_dirty_bytes           INTEGER,
    swap_percent                 REAL,
    swap_total_bytes             INTEGER,
    swap_used_bytes              INTEGER,
    swap_in_bytes_per_second     REAL,
    swap_out_bytes_per_second    REAL,
    processes_total              INTEGER,
    processes_running            INTEGER,
    processes_sleeping           INTEGER,
    processes_uninterruptible    INTEGER,
    processes_zombie             INTEGER,
    processes_stopped            INTEGER,
    processes_idle               INTEGER,
    pressure_cpu_some_percent    REAL,
    pressure_memory_some_percent REAL,
    pressure_memory_full_percent REAL,
    pressure_io_some_percent     REAL,
    pressure_io_full_percent     REAL,
    clock_offset_seconds         REAL,
    PRIMARY KEY (host_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE core_sample (
    core_id         INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    percent         REAL,
    user_percent    REAL,
    nice_percent    REAL,
    system_percent  REAL,
    idle_percent    REAL,
    iowait_percent  REAL,
    irq_percent     REAL,
    softirq_percent REAL,
    steal_percent   REAL,
    guest_percent   REAL,
    PRIMARY KEY (core_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE filesystem_sample (
    filesystem_id   INTEGER NOT NULL,
    at_ms           INTEGER NOT NULL,
    percent         REAL,
    total_bytes     INTEGER,
    used_bytes      INTEGER,
    available_bytes INTEGER,
    inodes_percent  REAL,
    inodes          INTEGER,
    inodes_free     INTEGER,
    stuck           INTEGER,
    read_only       INTEGER,
    PRIMARY KEY (filesystem_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE disk_sample (
    disk_id                INTEGER NOT NULL,
    at_ms                  INTEGER NOT NULL,
    read_bytes_per_second  REAL,
    write_bytes_per_second REAL,
    reads_per_second       REAL,
    writes_per_second      REAL,
    busy_percent           REAL,
    read_seconds           REAL,
    write_seconds          REAL,
    PRIMARY KEY (disk_id, at_ms)
) WITHOUT ROWID;

CREATE TABLE interface_sample (
    interface_id                INTEGER NOT NULL,
    at_ms                       INTEGER NOT NULL,
    receive_bytes_per_second    REAL,
    receive_packets_per_second  REAL,
    receive_errors_per_second   REAL,
    receive_dropped_per_second  REAL,
    transmit_bytes_per_second   REAL,
    transmit_packets_per_second REAL,
    transmit_errors_per_second  REAL,
    transmit_dropped_per_second REAL,
    up                          INTEGER,
    PRIMARY KEY (interface_id, at_ms)
) WITHOUT ROWID;

-- The catalogue: every number the poller knows, and the column that holds its history ('' when there is none).
CREATE TABLE metric (
    name          TEXT NOT NULL PRIMARY KEY,
    unit          TEXT NOT NULL,
    label         TEXT NOT NULL,  -- what tells several values of one host apart
    sample_table  TEXT NOT NULL,
    sample_column TEXT NOT NULL,
    sentence      TEXT NOT NULL
) WITHOUT ROWID;
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
    ('host.down', '0 or 1', '', '', '', '1 when the host could not be polled');

-- What happened, on a host or (host_id NULL) to the poller itself.
CREATE TABLE event (
    id       INTEGER PRIMARY KEY,
    host_id  INTEGER REFERENCES host (id),
    kind     TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    severity TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    details  TEXT    NOT NULL
);
CREATE INDEX event_by_time ON event (at_ms);
CREATE INDEX event_by_host ON event (host_id, at_ms);

-- One episode of one metric over its limits. open_key is NULL once it is closed.
CREATE TABLE alert (
    id         TEXT    NOT NULL PRIMARY KEY,
    open_key   TEXT    UNIQUE,           -- host, metric and labels: at most one open episode of each
    host_id    INTEGER NOT NULL REFERENCES host (id),
    metric     TEXT    NOT NULL,
    labels     TEXT    NOT NULL,         -- JSON object, {} without labels
    severity   TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    value      REAL,                     -- newest
    limit_text TEXT    NOT NULL,
    since_ms   INTEGER NOT NULL,         -- the limit was passed
    opened_ms  INTEGER NOT NULL,         -- it had lasted long enough to count
    updated_ms INTEGER NOT NULL,
    closed_ms  INTEGER,
    reason     TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX alert_by_host ON alert (host_id, opened_ms);
CREATE INDEX alert_by_closing ON alert (closed_ms);

-- What a recipient is owed or was told, with the alert as it was then. Also the outbox (state owed).
CREATE TABLE notification (
    id          TEXT    NOT NULL PRIMARY KEY,
    alert_id    TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL CHECK (kind IN ('opened', 'rose', 'fell', 'closed', 'unconfigured')),
    recipient   TEXT    NOT NULL,
    number      INTEGER NOT NULL,         -- counts what this recipient gets about this alert
    at_ms       INTEGER NOT NULL,
    severity    TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    value       REAL,
    limit_text  TEXT    NOT NULL,
    since_ms    INTEGER NOT NULL,
    opened_ms   INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    closed_ms   INTEGER,
    reason      TEXT    NOT NULL DEFAULT '',
    state       TEXT    NOT NULL DEFAULT 'owed' CHECK (state IN ('owed', 'delivered', 'failed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    done_ms     INTEGER,                  -- delivered or given up
    error       TEXT    NOT NULL DEFAULT '',  -- of the last attempt that failed
    UNIQUE (alert_id, kind, recipient, number)
);
CREATE INDEX notification_owed ON notification (at_ms) WHERE state = 'owed';

-- Limits that are or were just breached: what `for` and `polls` count.
CREATE TABLE limit_state (
    host_id   INTEGER NOT NULL REFERENCES host (id),
    metric    TEXT    NOT NULL,
    labels    TEXT    NOT NULL,
    limit_key TEXT    NOT NULL,
    since_ms  INTEGER NOT NULL,
    polls     INTEGER NOT NULL,
    active    INTEGER NOT NULL,
    PRIMARY KEY (host_id, metric, labels, limit_key)
) WITHOUT ROWID;

-- The newest poll of every host, kept by the writer: a GROUP BY over all polls would be slow.
CREATE TABLE host_latest (
    host_id         INTEGER PRIMARY KEY REFERENCES host (id),
    poll_id         TEXT    NOT NULL,
    at_ms           INTEGER NOT NULL,
    outcome         TEXT    NOT NULL,
    stage           TEXT    NOT NULL,
    code            TEXT    NOT NULL,
    error           TEXT    NOT NULL,
    seconds         REAL    NOT NULL,
    failures        INTEGER NOT NULL,  -- failed polls in a row
    report_ms       INTEGER,           -- newest poll that brought a report: its samples have this at_ms
    cpu_percent     REAL,              -- of that report, as the next four
    memory_percent  REAL,
    load_1m_per_cpu REAL,
    disk_percent    REAL,              -- the fullest file system
    disk_mountpoint TEXT
);

-- What the next poll of a host needs to know; written for the poller, not for people.
CREATE TABLE host_memory (
    host_id              INTEGER PRIMARY KEY REFERENCES host (id),
    address              TEXT,
    sudo_denied_until_ms INTEGER NOT NULL DEFAULT 0,
    stuck                TEXT    NOT NULL DEFAULT '[]',  -- JSON: mount points that did not respond
    reading              TEXT                            -- JSON: the newest complete reading, for rates
);

-- When the poller last did what it does now and then.
CREATE TABLE housekeeping (
    task    TEXT    NOT NULL PRIMARY KEY,
    done_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Views.

CREATE VIEW moment AS
SELECT now_ms, now_ms - 3600000 AS hour_ago_ms, now_ms - 86400000 AS day_ago_ms, now_ms - 604800000 AS week_ago_ms
  FROM (SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) AS now_ms);

CREATE VIEW rounds AS
SELECT id, kind, datetime(started_ms / 1000, 'unixepoch') AS started, datetime(ended_ms / 1000, 'unixepoch') AS ended,
       (ended_ms - started_ms) / 1000.0 AS seconds, hosts, ok, partial, failed, skipped, stopped_by
  FROM round;

CREATE VIEW hosts AS
SELECT host.name AS host, outcome, stage, code, error, datetime(at_ms / 1000, 'unixepoch') AS at,
       datetime(report_ms / 1000, 'unixepoch') AS reported, failures, cpu_percent, memory_percent, load_1m_per_cpu,
       disk_percent, disk_mountpoint, datetime(booted_ms / 1000, 'unixepoch') AS booted, hostname, distribution_name,
       kernel_release, machine, cpus, address, host_key, python, datetime(first_seen_ms / 1000, 'unixepoch') AS first_seen
  FROM host
  LEFT JOIN host_latest ON host_latest.host_id = host.id;

CREATE VIEW polls AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, outcome, stage, code, error, seconds,
       connect_seconds, handshake_seconds, auth_seconds, probe_seconds, collect_seconds, sent_bytes, received_bytes,
       poll.address, poll.host_key, round_id, poll.id, poll.host_id, poll.at_ms
  FROM poll
  JOIN host ON host.id = poll.host_id;

CREATE VIEW sections AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, section.name AS section, status, reason,
       section.seconds, poll_id, at_ms
  FROM section
  JOIN poll ON poll.id = section.poll_id
  JOIN host ON host.id = poll.host_id;

CREATE VIEW events AS
SELECT datetime(at_ms / 1000, 'unixepoch') AS at, host.name AS host, kind, severity, details, at_ms
  FROM event
  LEFT JOIN host ON host.id = event.host_id;

CREATE VIEW alerts AS
SELECT host.name AS host, metric, COALESCE((SELECT group_concat(value) FROM json_each(labels)), '') AS label, severity,
       value, limit_text, datetime(since_ms / 1000, 'unixepoch') AS since,
       datetime(opened_ms / 1000, 'unixepoch') AS opened, datetime(closed_ms / 1000, 'unixepoch') AS closed,
       (closed_ms - opened_ms) / 1000.0 AS seconds, reason, alert.id, opened_ms, closed_ms
  FROM alert
  JOIN host ON host.id = alert.host_id;

CREATE VIEW notifications AS
SELECT datetime(at_ms / 1000, 'unixepoch') AS at, recipient, notification.kind, host.name AS host, alert.metric,
       COALESCE((SELECT group_concat(value) FROM json_each(labels)), '') AS label, notification.severity, state,
       attempts, error, datetime(done_ms / 1000, 'unixepoch') AS done, notification.id, alert_id, at_ms
  FROM notification
  JOIN alert ON alert.id = notification.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE VIEW system_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, cpu_percent, cpu_user_percent, cpu_nice_percent,
       cpu_system_percent, cpu_idle_percent, cpu_iowait_percent, cpu_irq_percent, cpu_softirq_percent,
       cpu_steal_percent, cpu_guest_percent, cpu_count, load_1m, load_5m, load_15m, load_1m_per_cpu, uptime_seconds,
       memory_percent, memory_total_bytes, memory_available_bytes, memory_free_bytes, memory_buffers_bytes,
       memory_cached_bytes, memory_shared_bytes, memory_slab_bytes, memory_dirty_bytes, swap_percent,
       swap_total_bytes, swap_used_bytes, swap_in_bytes_per_second, swap_out_bytes_per_second, processes_total,
       processes_running, processes_sleeping, processes_uninterruptible, processes_zombie, processes_stopped,
       processes_idle, pressure_cpu_some_percent, pressure_memory_some_percent, pressure_memory_full_percent,
       pressure_io_some_percent, pressure_io_full_percent, clock_offset_seconds, at_ms
  FROM system_sample
  JOIN host ON host.id = system_sample.host_id;

CREATE VIEW core_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, core.core, percent, user_percent, nice_percent,
       system_percent, idle_percent, iowait_percent, irq_percent, softirq_percent, steal_percent, guest_percent, at_ms
  FROM core_sample
  JOIN core ON core.id = core_sample.core_id
  JOIN host ON host.id = core.host_id;

CREATE VIEW filesystem_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, filesystem.mountpoint, percent, total_bytes,
       used_bytes, available_bytes, inodes_percent, inodes, inodes_free, stuck, read_only, at_ms
  FROM filesystem_sample
  JOIN filesystem ON filesystem.id = filesystem_sample.filesystem_id
  JOIN host ON host.id = filesystem.host_id;

CREATE VIEW disk_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, disk.device, read_bytes_per_second,
       write_bytes_per_second, reads_per_second, writes_per_second, busy_percent, read_seconds, write_seconds, at_ms
  FROM disk_sample
  JOIN disk ON disk.id = disk_sample.disk_id
  JOIN host ON host.id = disk.host_id;

CREATE VIEW interface_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, interface.interface, receive_bytes_per_second,
       receive_packets_per_second, receive_errors_per_second, receive_dropped_per_second, transmit_bytes_per_second,
       transmit_packets_per_second, transmit_errors_per_second, transmit_dropped_per_second, up, at_ms
  FROM interface_sample
  JOIN interface ON interface.id = interface_sample.interface_id
  JOIN host ON host.id = interface.host_id;

-- Every metric of each host's newest report, one row each. label: the core, mount point, device or interface.
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
