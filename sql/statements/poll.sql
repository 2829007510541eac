-- name: add_round(id, kind, now_ms, hosts)!
INSERT INTO round (id, kind, started_ms, hosts) VALUES (:id, :kind, :now_ms, :hosts);

-- name: end_round(id, now_ms, ok, partial, failed, skipped, stopped_by)!
UPDATE round
   SET ended_ms = :now_ms, ok = :ok, partial = :partial, failed = :failed, skipped = :skipped, stopped_by = :stopped_by
 WHERE id = :id;

-- name: add_poll(id, host_id, round_id, at_ms, outcome, stage, code, error, security, seconds, dns_seconds, connect_seconds, handshake_seconds, hostkey_seconds, auth_seconds, session_seconds, python_seconds, probe_seconds, envelope_seconds, report_seconds, collect_seconds, sent_bytes, received_bytes, address, host_key, sudo_denied, asked_ms, answered_ms, host_clock_ms, ping_seconds)!
-- A poll that is stored already changes nothing: polls are told apart by their id, however often one is handed in.
INSERT INTO poll (id, host_id, round_id, at_ms, outcome, stage, code, error, security, seconds, dns_seconds,
                  connect_seconds, handshake_seconds, hostkey_seconds, auth_seconds, session_seconds, python_seconds,
                  probe_seconds, envelope_seconds, report_seconds, collect_seconds, sent_bytes, received_bytes, address,
                  host_key, sudo_denied, asked_ms, answered_ms, host_clock_ms, ping_seconds)
VALUES (:id, :host_id, :round_id, :at_ms, :outcome, :stage, :code, :error, :security, :seconds, :dns_seconds,
        :connect_seconds, :handshake_seconds, :hostkey_seconds, :auth_seconds, :session_seconds, :python_seconds,
        :probe_seconds, :envelope_seconds, :report_seconds, :collect_seconds, :sent_bytes, :received_bytes, :address,
        :host_key, :sudo_denied, :asked_ms, :answered_ms, :host_clock_ms, :ping_seconds)
    ON CONFLICT (id) DO NOTHING;

-- name: add_section(poll_id, name, status, reason, seconds)!
INSERT INTO section (poll_id, name, status, reason, seconds) VALUES (:poll_id, :name, :status, :reason, :seconds);

-- name: latest_report(host_id, poll_id, at_ms, outcome, seconds, cpu_percent, memory_percent, load_1m_per_cpu, disk_percent, disk_mountpoint)!
INSERT INTO host_latest (host_id, poll_id, at_ms, outcome, stage, code, error, seconds, failures, report_ms,
                         cpu_percent, memory_percent, load_1m_per_cpu, disk_percent, disk_mountpoint)
VALUES (:host_id, :poll_id, :at_ms, :outcome, '', '', '', :seconds, 0, :at_ms,
        :cpu_percent, :memory_percent, :load_1m_per_cpu, :disk_percent, :disk_mountpoint)
    ON CONFLICT (host_id) DO UPDATE
   SET poll_id = excluded.poll_id, at_ms = excluded.at_ms, outcome = excluded.outcome, stage = '', code = '',
       error = '', seconds = excluded.seconds, failures = 0, report_ms = excluded.report_ms,
       cpu_percent = excluded.cpu_percent, memory_percent = excluded.memory_percent,
       load_1m_per_cpu = excluded.load_1m_per_cpu, disk_percent = excluded.disk_percent,
       disk_mountpoint = excluded.disk_mountpoint;

-- name: latest_poll(host_id)^
SELECT poll_id FROM host_latest WHERE host_id = :host_id;

-- name: latest_trouble(host_id)^
SELECT stage, code FROM host_latest WHERE host_id = :host_id;

-- name: latest_failure(host_id, poll_id, at_ms, outcome, stage, code, error, seconds, failed)!
-- Keeps what the newest report said. A skipped poll (failed = 0) is neither a failure nor a success.
INSERT INTO host_latest (host_id, poll_id, at_ms, outcome, stage, code, error, seconds, failures)
VALUES (:host_id, :poll_id, :at_ms, :outcome, :stage, :code, :error, :seconds, :failed)
    ON CONFLICT (host_id) DO UPDATE
   SET poll_id = excluded.poll_id, at_ms = excluded.at_ms, outcome = excluded.outcome, stage = excluded.stage,
       code = excluded.code, error = excluded.error, seconds = excluded.seconds,
       failures = host_latest.failures + excluded.failures;

-- name: add_event(id, host_id, kind, at_ms, severity, details)!
INSERT INTO event (id, host_id, kind, at_ms, severity, details) VALUES (:id, :host_id, :kind, :at_ms, :severity, :details);
