-- name: host_status()
-- The poller itself has a row in host, for its alerts, but it is no host.
SELECT name, first_seen_ms, outcome, stage, code, error, at_ms, seconds, report_ms, failures, cpu_percent,
       memory_percent, load_1m_per_cpu, disk_percent, disk_mountpoint, booted_ms
  FROM host
  LEFT JOIN host_latest ON host_latest.host_id = host.id
 WHERE name <> 'poller'
 ORDER BY name;

-- name: open_alerts()
SELECT host.name, alert.id, metric, labels, severity, value, limit_text, opened_ms, updated_ms, since_ms, closed_ms,
       reason, flapping
  FROM alert
  JOIN host ON host.id = alert.host_id
 WHERE closed_ms IS NULL
 ORDER BY opened_ms, alert.id;

-- name: latest_values(host)
SELECT metric_latest.metric, metric.label, metric_latest.label, value
  FROM metric_latest
  JOIN metric ON metric.name = metric_latest.metric
 WHERE host = :host;

-- name: last_round(kind)^
SELECT id, kind, started_ms, ended_ms, hosts, ok, partial, failed, skipped, stopped_by
  FROM round
 WHERE kind = :kind OR :kind = ''
 ORDER BY started_ms DESC
 LIMIT 1;

-- name: backlog()^
-- What is owed to people, and since when.
SELECT COUNT(*), MIN(at_ms), COALESCE(MAX(attempts), 0) FROM notification WHERE state = 'owed';
