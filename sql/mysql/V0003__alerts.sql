-- Schema 3 of the archive: alerts that flap, are acknowledged, silenced, and delivered by several channels. Tables and
-- views are those of schema 4 of the journal, without what only the journal needs.
--
-- As in the steps before, every statement can be run again. MySQL knows no ADD COLUMN IF NOT EXISTS: there a second run
-- of one of these ALTER TABLEs changes nothing and says 1060 "Duplicate column name", which means that it is done (the
-- poller knows; `mysql --force` goes on). What stands in /*M! */ is for MariaDB only, in /*!80016 */ for MySQL only.

ALTER TABLE limit_state
    ADD COLUMN /*M! IF NOT EXISTS */ seen_ms BIGINT NOT NULL DEFAULT 0 AFTER active;  -- last known; what is too old does not count on

UPDATE limit_state
   SET seen_ms = COALESCE((SELECT at_ms FROM host_latest WHERE host_latest.host_id = limit_state.host_id),
                          (SELECT MAX(started_ms) FROM round), since_ms)
 WHERE seen_ms = 0;

ALTER TABLE alert
    ADD COLUMN /*M! IF NOT EXISTS */ flapping BIGINT NOT NULL DEFAULT 0 AFTER reason;  -- 1: it comes and goes, and does not end meanwhile

ALTER TABLE activity_sample
    ADD COLUMN /*M! IF NOT EXISTS */ ping_seconds DOUBLE,
    ADD COLUMN /*M! IF NOT EXISTS */ ping_loss_percent DOUBLE;

ALTER TABLE poll
    ADD COLUMN /*M! IF NOT EXISTS */ ping_seconds DOUBLE AFTER host_clock_ms;  -- the echo requests of this poll took so long

-- Somebody takes care of an alert. Nothing here is ever deleted but with its alert.
CREATE TABLE IF NOT EXISTS acknowledgement (
    id         VARCHAR(64) NOT NULL,  -- UUIDv7
    alert_id   VARCHAR(64) NOT NULL,
    at_ms      BIGINT      NOT NULL,
    author     TEXT        NOT NULL,
    comment    MEDIUMTEXT  NOT NULL,
    until_ms   BIGINT,  -- NULL: as long as the alert lasts
    ended_ms   BIGINT,  -- taken back before that, or replaced
    ended_by   TEXT        NOT NULL DEFAULT (''),
    updated_ms BIGINT      NOT NULL,
    PRIMARY KEY (id),
    KEY acknowledgement_by_alert (alert_id, at_ms),
    CONSTRAINT acknowledgement_of_alert FOREIGN KEY (alert_id) REFERENCES alert (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Nobody is told of what fits all three globs between the two instants.
CREATE TABLE IF NOT EXISTS silence (
    id         VARCHAR(64) NOT NULL,  -- UUIDv7
    host       TEXT        NOT NULL,  -- globs
    metric     TEXT        NOT NULL,
    label      TEXT        NOT NULL,
    from_ms    BIGINT      NOT NULL,
    until_ms   BIGINT      NOT NULL,
    at_ms      BIGINT      NOT NULL,
    author     TEXT        NOT NULL,
    comment    MEDIUMTEXT  NOT NULL,
    ended_ms   BIGINT,  -- lifted before its time
    ended_by   TEXT        NOT NULL DEFAULT (''),
    updated_ms BIGINT      NOT NULL,
    PRIMARY KEY (id),
    KEY silence_by_end (until_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a host was busy with when an alert opened.
CREATE TABLE IF NOT EXISTS evidence (
    alert_id VARCHAR(64) NOT NULL,
    part     VARCHAR(64) NOT NULL,  -- processes, sockets or kernel
    at_ms    BIGINT      NOT NULL,
    content  MEDIUMTEXT  NOT NULL,
    PRIMARY KEY (alert_id, part),
    CONSTRAINT evidence_of_alert FOREIGN KEY (alert_id) REFERENCES alert (id) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Messages as they were accepted; notification.message_id says what was in them.
CREATE TABLE IF NOT EXISTS message (
    id      VARCHAR(64) NOT NULL,
    contact TEXT        NOT NULL,
    channel TEXT        NOT NULL,
    sent_ms BIGINT      NOT NULL,
    subject TEXT        NOT NULL,
    digest  BIGINT      NOT NULL DEFAULT 0,  -- what a quota had kept back
    PRIMARY KEY (id),
    KEY message_by_time (sent_ms)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- held: not sent for now, suppressed: over before it was sent, or never to be sent; why says the reason of both.
ALTER TABLE notification
    ADD COLUMN /*M! IF NOT EXISTS */ flapping BIGINT NOT NULL DEFAULT 0 AFTER reason,
    ADD COLUMN /*M! IF NOT EXISTS */ why TEXT NOT NULL DEFAULT ('') AFTER state,  -- network, parent gw1, silence ..., downtime ..., hours, quota ..., short
    ADD COLUMN /*M! IF NOT EXISTS */ channel TEXT NOT NULL DEFAULT ('') AFTER why,  -- delivered by, or to be tried next
    ADD COLUMN /*M! IF NOT EXISTS */ retry_ms BIGINT NOT NULL DEFAULT 0 AFTER channel,  -- not tried before
    ADD COLUMN /*M! IF NOT EXISTS */ message_id VARCHAR(64) AFTER error,
    ADD KEY /*M! IF NOT EXISTS */ notification_by_message (message_id);

-- There are more kinds than the first step knew. MySQL has given that check a name of its own, MariaDB none.
ALTER TABLE notification
    /*M! MODIFY COLUMN kind VARCHAR(64) NOT NULL CHECK (kind IN ('opened', 'rose', 'fell', 'closed', 'unconfigured',
        'flapping', 'steady', 'reminder', 'escalated')) */
    /*!80016 ALTER CHECK notification_chk_1 NOT ENFORCED */;

UPDATE notification SET why = 'network' WHERE state IN ('held', 'suppressed') AND why = '';

INSERT INTO metric (name, unit, label, sample_table, sample_column, sentence)
VALUES
    ('ping.seconds', 'seconds', '', 'activity_sample', 'ping_seconds', 'round trip of an echo request, on average; of hosts that are pinged, and that SSH does not reach'),
    ('ping.loss_percent', 'percent', '', 'activity_sample', 'ping_loss_percent', 'echo requests without an answer'),
    ('poller.undelivered', 'count', '', '', '', 'notifications given up for good in the last day')
ON DUPLICATE KEY UPDATE unit = VALUES(unit), label = VALUES(label), sample_table = VALUES(sample_table),
    sample_column = VALUES(sample_column), sentence = VALUES(sentence);

-- Views. flapping, acknowledged: 0 or 1, as it is now.

CREATE OR REPLACE SQL SECURITY INVOKER VIEW alerts AS
SELECT host.name AS host, metric,
       COALESCE((SELECT GROUP_CONCAT(value ORDER BY place SEPARATOR ',')
                   FROM JSON_TABLE(JSON_EXTRACT(labels, '$.*'), '$[*]'
                        COLUMNS (place FOR ORDINALITY,
                                 value TEXT COLLATE utf8mb4_bin PATH '$')) AS found), '') AS label,
       severity, value, limit_text, TIMESTAMPADD(SECOND, since_ms DIV 1000, DATE'1970-01-01') AS since,
       TIMESTAMPADD(SECOND, opened_ms DIV 1000, DATE'1970-01-01') AS opened,
       TIMESTAMPADD(SECOND, closed_ms DIV 1000, DATE'1970-01-01') AS closed, (closed_ms - opened_ms) / 1e3 AS seconds,
       reason, alert.id, opened_ms, closed_ms, flapping,
       closed_ms IS NULL AND EXISTS (SELECT 1
                                       FROM acknowledgement
                                      WHERE acknowledgement.alert_id = alert.id
                                        AND ended_ms IS NULL
                                        AND (until_ms IS NULL OR until_ms > (SELECT now_ms FROM moment)))
       AS acknowledged
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
       TIMESTAMPADD(SECOND, done_ms DIV 1000, DATE'1970-01-01') AS done, notification.id, alert_id, at_ms, why,
       channel, message_id
  FROM notification
  JOIN alert ON alert.id = notification.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW acknowledgements AS
SELECT TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, host.name AS host, alert.metric,
       COALESCE((SELECT GROUP_CONCAT(value ORDER BY place SEPARATOR ',')
                   FROM JSON_TABLE(JSON_EXTRACT(labels, '$.*'), '$[*]'
                        COLUMNS (place FOR ORDINALITY,
                                 value TEXT COLLATE utf8mb4_bin PATH '$')) AS found), '') AS label,
       alert.severity, author, comment, TIMESTAMPADD(SECOND, until_ms DIV 1000, DATE'1970-01-01') AS ends,
       TIMESTAMPADD(SECOND, ended_ms DIV 1000, DATE'1970-01-01') AS ended, ended_by, acknowledgement.id, alert_id, at_ms,
       until_ms, ended_ms
  FROM acknowledgement
  JOIN alert ON alert.id = acknowledgement.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW silences AS
SELECT host, metric, label, TIMESTAMPADD(SECOND, from_ms DIV 1000, DATE'1970-01-01') AS begins,
       TIMESTAMPADD(SECOND, until_ms DIV 1000, DATE'1970-01-01') AS ends, author, comment,
       TIMESTAMPADD(SECOND, ended_ms DIV 1000, DATE'1970-01-01') AS ended, ended_by, id, from_ms, until_ms, ended_ms
  FROM silence;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW alert_evidence AS
SELECT host.name AS host, alert.metric,
       COALESCE((SELECT GROUP_CONCAT(value ORDER BY place SEPARATOR ',')
                   FROM JSON_TABLE(JSON_EXTRACT(labels, '$.*'), '$[*]'
                        COLUMNS (place FOR ORDINALITY,
                                 value TEXT COLLATE utf8mb4_bin PATH '$')) AS found), '') AS label,
       TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, part, content, alert_id, at_ms
  FROM evidence
  JOIN alert ON alert.id = evidence.alert_id
  JOIN host ON host.id = alert.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW messages AS
SELECT TIMESTAMPADD(SECOND, sent_ms DIV 1000, DATE'1970-01-01') AS sent, contact, channel, subject, digest,
       (SELECT COUNT(*) FROM notification WHERE message_id = message.id) AS notifications, id, sent_ms
  FROM message;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW polls AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, outcome, stage, code, error,
       seconds, connect_seconds, handshake_seconds, auth_seconds, probe_seconds, collect_seconds, sent_bytes,
       received_bytes, poll.address, poll.host_key, round_id, poll.id, poll.host_id, poll.at_ms, ping_seconds
  FROM poll
  JOIN host ON host.id = poll.host_id;

CREATE OR REPLACE SQL SECURITY INVOKER VIEW activity_samples AS
SELECT host.name AS host, TIMESTAMPADD(SECOND, at_ms DIV 1000, DATE'1970-01-01') AS at, tcp_established, tcp_syn_sent,
       tcp_syn_received, tcp_time_wait, tcp_close_wait, tcp_listening, udp_sockets, tcp_opens_per_second,
       tcp_attempt_fails_per_second, tcp_resets_per_second, tcp_retransmits_per_second, tcp_syncookies_per_second,
       tcp_listen_overflows_per_second, tcp_listen_drops_per_second, udp_no_ports_per_second, udp_in_errors_per_second,
       network_local_peers, network_internet_peers, network_coverage_percent, network_dns_bytes_per_second,
       usb_devices, usb_unlisted, mounts_removable, units_failed, users_logged_in, reboot_pending, hardware_faults,
       clock_error_seconds, ping_seconds, ping_loss_percent, at_ms
  FROM activity_sample
  JOIN host ON host.id = activity_sample.host_id;

-- As before; a host that is only pinged has the numbers of that.
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
