-- Schema 4: alerts with a life of their own: flapping, held back, acknowledged, silenced, delivered by several channels.


-- What changes is queued for an archive elsewhere: the table of the queue learns new kinds, its triggers are made anew.
DROP TRIGGER queue_round_begun;
DROP TRIGGER queue_round_ended;
DROP TRIGGER queue_poll;
DROP TRIGGER queue_alert_new;
DROP TRIGGER queue_alert_changed;
DROP TRIGGER queue_notification_new;
DROP TRIGGER queue_notification_changed;
DROP TRIGGER queue_event;
DROP TRIGGER queue_limit_new;
DROP TRIGGER queue_limit_changed;
DROP TRIGGER queue_limit_gone;

ALTER TABLE limit_state ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;  -- last known; what is too old does not count on
ALTER TABLE alert ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;       -- 1: it comes and goes, and does not end meanwhile
ALTER TABLE host_memory ADD COLUMN clock_skewed INTEGER NOT NULL DEFAULT 0;  -- 1: told that its clock is wrong
ALTER TABLE activity_sample ADD COLUMN ping_seconds REAL;
ALTER TABLE activity_sample ADD COLUMN ping_loss_percent REAL;
ALTER TABLE poll ADD COLUMN ping_seconds REAL;                          -- the echo requests of this poll took so long
-- What counted when the program was replaced goes on counting.
UPDATE limit_state
   SET seen_ms = COALESCE((SELECT at_ms FROM host_latest WHERE host_latest.host_id = limit_state.host_id),
                          (SELECT MAX(started_ms) FROM round), since_ms);
CREATE INDEX alert_by_open ON alert (host_id) WHERE closed_ms IS NULL;

-- How restless a (metric, labels) is; no row when it was steady for 20 polls.
CREATE TABLE flap_state (
    host_id  INTEGER NOT NULL REFERENCES host (id),
    metric   TEXT    NOT NULL,
    labels   TEXT    NOT NULL,
    changes  INTEGER NOT NULL,            -- bit i: the state changed i polls ago; 20 bits
    flapping INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (host_id, metric, labels)
) WITHOUT ROWID;

-- Somebody takes care of an alert. Nothing here is ever deleted but with its alert.
CREATE TABLE acknowledgement (
    id         TEXT    NOT NULL PRIMARY KEY,  -- UUIDv7
    alert_id   TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    at_ms      INTEGER NOT NULL,
    author     TEXT    NOT NULL,
    comment    TEXT    NOT NULL,
    until_ms   INTEGER,                       -- NULL: as long as the alert lasts
    ended_ms   INTEGER,                       -- taken back before that, or replaced
    ended_by   TEXT    NOT NULL DEFAULT '',
    updated_ms INTEGER NOT NULL
);
CREATE INDEX acknowledgement_by_alert ON acknowledgement (alert_id, at_ms);

-- Nobody is told of what fits all three globs between the two instants.
CREATE TABLE silence (
    id         TEXT    NOT NULL PRIMARY KEY,  -- UUIDv7
    host       TEXT    NOT NULL,              -- globs
    metric     TEXT    NOT NULL,
    label      TEXT    NOT NULL,
    from_ms    INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    at_ms      INTEGER NOT NULL,
    author     TEXT    NOT NULL,
    comment    TEXT    NOT NULL,
    ended_ms   INTEGER,                       -- lifted before its time
    ended_by   TEXT    NOT NULL DEFAULT '',
    updated_ms INTEGER NOT NULL
);
CREATE INDEX silence_by_end ON silence (until_ms);

-- What a host was busy with when an alert opened.
CREATE TABLE evidence (
    alert_id TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    part     TEXT    NOT NULL,                -- processes, sockets or kernel
    at_ms    INTEGER NOT NULL,
    content  TEXT    NOT NULL,
    PRIMARY KEY (alert_id, part)
) WITHOUT ROWID;

-- Messages as they were accepted; notification.message_id says what was in them.
CREATE TABLE message (
    id      TEXT    NOT NULL PRIMARY KEY,
    contact TEXT    NOT NULL,
    channel TEXT    NOT NULL,
    sent_ms INTEGER NOT NULL,
    subject TEXT    NOT NULL,
    digest  INTEGER NOT NULL DEFAULT 0        -- what a quota had kept back
);
CREATE INDEX message_by_time ON message (sent_ms);
CREATE INDEX message_by_contact ON message (contact, sent_ms);

-- held: not sent for now, suppressed: over before it was sent, or never to be sent; why says the reason of both.
DROP VIEW notifications;
CREATE TABLE notification_4 (
    id          TEXT    NOT NULL PRIMARY KEY,
    alert_id    TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL CHECK (kind IN ('opened', 'rose', 'fell', 'closed', 'unconfigured', 'flapping',
                                                 'steady', 'reminder', 'escalated')),
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
    flapping    INTEGER NOT NULL DEFAULT 0,
    state       TEXT    NOT NULL DEFAULT 'owed'
                CHECK (state IN ('owed', 'held', 'delivered', 'failed', 'suppressed')),
    why         TEXT    NOT NULL DEFAULT '',  -- network, parent gw1, silence ..., downtime ..., hours, quota ..., short
    channel     TEXT    NOT NULL DEFAULT '',  -- delivered by, or to be tried next; '' the first of the contact
    retry_ms    INTEGER NOT NULL DEFAULT 0,   -- not tried before
    attempts    INTEGER NOT NULL DEFAULT 0,
    done_ms     INTEGER,                  -- delivered, given up or suppressed
    error       TEXT    NOT NULL DEFAULT '',  -- of the last attempt that failed
    message_id  TEXT,
    UNIQUE (alert_id, kind, recipient, number)
);
INSERT INTO notification_4 (id, alert_id, kind, recipient, number, at_ms, severity, value, limit_text, since_ms,
                            opened_ms, updated_ms, closed_ms, reason, state, why, attempts, done_ms, error)
SELECT id, alert_id, kind, recipient, number, at_ms, severity, value, limit_text, since_ms, opened_ms, updated_ms,
       closed_ms, reason, state, CASE WHEN state IN ('held', 'suppressed') THEN 'network' ELSE '' END, attempts,
       done_ms, error
  FROM notification;
DROP TABLE notification;
ALTER TABLE notification_4 RENAME TO notification;
CREATE INDEX notification_owed ON notification (at_ms) WHERE state = 'owed';
CREATE INDEX notification_held ON notification (at_ms) WHERE state = 'held';
CREATE INDEX notification_failed ON notification (done_ms) WHERE state = 'failed';
CREATE INDEX notification_by_message ON notification (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE outgoing_4 (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind  TEXT    NOT NULL CHECK (kind IN ('round', 'poll', 'alert', 'notification', 'event', 'limits',
                                           'acknowledgement', 'silence', 'evidence', 'message')),
    item  TEXT    NOT NULL,   -- id of the row; of the host for limits, of the alert for evidence
    at_ms INTEGER NOT NULL
);
INSERT INTO outgoing_4 SELECT * FROM outgoing;
-- No number is ever given twice, also not when the queue was empty: those of `rejected` are the same ones.
DELETE FROM sqlite_sequence WHERE name = 'outgoing_4';
INSERT INTO sqlite_sequence (name, seq) SELECT 'outgoing_4', seq FROM sqlite_sequence WHERE name = 'outgoing';
DROP TABLE outgoing;
ALTER TABLE outgoing_4 RENAME TO outgoing;
CREATE INDEX outgoing_by_kind ON outgoing (kind, seq);

CREATE TRIGGER queue_round_begun AFTER INSERT ON round WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('round', NEW.id, NEW.started_ms);
END;
CREATE TRIGGER queue_round_ended AFTER UPDATE ON round WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('round', NEW.id, NEW.started_ms);
END;
CREATE TRIGGER queue_poll AFTER INSERT ON poll WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('poll', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_alert_new AFTER INSERT ON alert WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('alert', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_alert_changed AFTER UPDATE ON alert WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('alert', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_notification_new AFTER INSERT ON notification WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('notification', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_notification_changed AFTER UPDATE ON notification WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('notification', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_acknowledgement_new AFTER INSERT ON acknowledgement WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('acknowledgement', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_acknowledgement_changed AFTER UPDATE ON acknowledgement WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('acknowledgement', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_silence_new AFTER INSERT ON silence WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('silence', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_silence_changed AFTER UPDATE ON silence WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('silence', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_evidence AFTER INSERT ON evidence WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('evidence', NEW.alert_id, NEW.at_ms);
END;
CREATE TRIGGER queue_message AFTER INSERT ON message WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('message', NEW.id, NEW.sent_ms);
END;
CREATE TRIGGER queue_event AFTER INSERT ON event WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('event', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_limit_new AFTER INSERT ON limit_state WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('limits', NEW.host_id, NEW.since_ms);
END;
CREATE TRIGGER queue_limit_changed AFTER UPDATE ON limit_state WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('limits', NEW.host_id, NEW.since_ms);
END;
CREATE TRIGGER queue_limit_gone AFTER DELETE ON limit_state WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('limits', OLD.host_id, OLD.since_ms);
END;

INSERT INTO metric (name, unit, label, sample_table, sample_column, sentence)
VALUES
    ('ping.seconds', 'seconds', '', 'activity_sample', 'ping_seconds', 'round trip of an echo request, on average; of hosts that are pinged, and that SSH does not reach'),
    ('ping.loss_percent', 'percent', '', 'activity_sample', 'ping_loss_percent', 'echo requests without an answer'),
    ('poller.undelivered', 'count', '', '', '', 'notifications given up for good in the last day');

-- Views. flapping, acknowledged: 0 or 1, as it is now.

DROP VIEW alerts;
CREATE VIEW alerts AS
SELECT host.name AS host, metric, COALESCE((SELECT group_concat(value) FROM json_each(labels)), '') AS label, severity,
       value, limit_text, datetime(since_ms / 1000, 'unixepoch') AS since,
       datetime(opened_ms / 1000, 'unixepoch') AS opened, datetime(closed_ms / 1000, 'unixepoch') AS closed,
       (closed_ms - opened_ms) / 1000.0 AS seconds, reason, alert.id, opened_ms, closed_ms, flapping,
       closed_ms IS NULL AND EXISTS (SELECT 1
                                       FROM acknowledgement
                                      WHERE acknowledgement.alert_id = alert.id
                                        AND ended_ms IS NULL
                                        AND (until_ms IS NULL OR until_ms > (SELECT now_ms FROM moment)))
       AS acknowledged
  FROM alert
  JOIN host ON host.id = alert.host_id;

CREATE VIEW notifications AS
SELECT datetime(at_ms / 1000, 'unixepoch') AS at, recipient, notification.kind, host.name AS host, alert.metric,
       COALESCE((SELECT group_concat(value) FROM json_each(labels)), '') AS label, notification.severity, state,
       attempts, error, datetime(done_ms / 1000, 'unixepoch') AS done, notification.id, alert_id, at_ms, why, channel,
       message_id
  FROM notification
  JOIN alert ON alert.id = notification.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE VIEW acknowledgements AS
SELECT datetime(at_ms / 1000, 'unixepoch') AS at, host.name AS host, alert.metric,
       COALESCE((SELECT group_concat(value) FROM json_each(labels)), '') AS label, alert.severity, author, comment,
       datetime(until_ms / 1000, 'unixepoch') AS ends, datetime(ended_ms / 1000, 'unixepoch') AS ended, ended_by,
       acknowledgement.id, alert_id, at_ms, until_ms, ended_ms
  FROM acknowledgement
  JOIN alert ON alert.id = acknowledgement.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE VIEW silences AS
SELECT host, metric, label, datetime(from_ms / 1000, 'unixepoch') AS begins,
       datetime(until_ms / 1000, 'unixepoch') AS ends, author, comment,
       datetime(ended_ms / 1000, 'unixepoch') AS ended, ended_by, id, from_ms, until_ms, ended_ms
  FROM silence;

CREATE VIEW alert_evidence AS
SELECT host.name AS host, alert.metric, COALESCE((SELECT group_concat(value) FROM json_each(labels)), '') AS label,
       datetime(at_ms / 1000, 'unixepoch') AS at, part, content, alert_id, at_ms
  FROM evidence
  JOIN alert ON alert.id = evidence.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE VIEW messages AS
SELECT datetime(sent_ms / 1000, 'unixepoch') AS sent, contact, channel, subject, digest,
       (SELECT COUNT(*) FROM notification WHERE message_id = message.id) AS notifications, id, sent_ms
  FROM message;

DROP VIEW polls;
CREATE VIEW polls AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, outcome, stage, code, error, seconds,
       connect_seconds, handshake_seconds, auth_seconds, probe_seconds, collect_seconds, sent_bytes, received_bytes,
       poll.address, poll.host_key, round_id, poll.id, poll.host_id, poll.at_ms, ping_seconds
  FROM poll
  JOIN host ON host.id = poll.host_id;

DROP VIEW activity_samples;
CREATE VIEW activity_samples AS
SELECT host.name AS host, datetime(at_ms / 1000, 'unixepoch') AS at, tcp_established, tcp_syn_sent, tcp_syn_received,
       tcp_time_wait, tcp_close_wait, tcp_listening, udp_sockets, tcp_opens_per_second, tcp_attempt_fails_per_second,
       tcp_resets_per_second, tcp_retransmits_per_second, tcp_syncookies_per_second, tcp_listen_overflows_per_second,
       tcp_listen_drops_per_second, udp_no_ports_per_second, udp_in_errors_per_second, network_local_peers,
       network_internet_peers, network_coverage_percent, network_dns_bytes_per_second, usb_devices, usb_unlisted,
       mounts_removable, units_failed, users_logged_in, reboot_pending, hardware_faults,
       clock_error_seconds, ping_seconds, ping_loss_percent, at_ms
  FROM activity_sample
  JOIN host ON host.id = activity_sample.host_id;

-- As before; a host that is only pinged has the numbers of that.
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
               WHEN 'ping.seconds' THEN activity_sample.ping_seconds
               WHEN 'ping.loss_percent' THEN activity_sample.ping_loss_percent
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
