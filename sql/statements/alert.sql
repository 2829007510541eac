-- name: find_limit_states(host)
SELECT metric, labels, limit_key, since_ms, polls, active
  FROM limit_state
  JOIN host ON host.id = limit_state.host_id
 WHERE host.name = :host;

-- name: find_open_alerts(host)
SELECT alert.id, metric, labels, severity, value, limit_text, opened_ms, updated_ms, since_ms, closed_ms, reason
  FROM alert
  JOIN host ON host.id = alert.host_id
 WHERE host.name = :host AND closed_ms IS NULL;

-- name: put_limit_state(host_id, metric, labels, limit_key, since_ms, polls, active)!
INSERT INTO limit_state (host_id, metric, labels, limit_key, since_ms, polls, active)
VALUES (:host_id, :metric, :labels, :limit_key, :since_ms, :polls, :active)
    ON CONFLICT (host_id, metric, labels, limit_key) DO UPDATE
   SET since_ms = excluded.since_ms, polls = excluded.polls, active = excluded.active;

-- name: drop_limit_state(host_id, metric, labels, limit_key)!
DELETE FROM limit_state WHERE host_id = :host_id AND metric = :metric AND labels = :labels AND limit_key = :limit_key;

-- name: put_alert(id, open_key, host_id, metric, labels, severity, value, limit_text, since_ms, opened_ms, updated_ms, closed_ms, reason)!
INSERT INTO alert (id, open_key, host_id, metric, labels, severity, value, limit_text, since_ms, opened_ms, updated_ms,
                   closed_ms, reason)
VALUES (:id, :open_key, :host_id, :metric, :labels, :severity, :value, :limit_text, :since_ms, :opened_ms, :updated_ms,
        :closed_ms, :reason)
    ON CONFLICT (id) DO UPDATE
   SET open_key = excluded.open_key, severity = excluded.severity, value = excluded.value,
       limit_text = excluded.limit_text, since_ms = excluded.since_ms, updated_ms = excluded.updated_ms,
       closed_ms = excluded.closed_ms, reason = excluded.reason;

-- name: hosts_with_memory()
-- Hosts with an open alert or a limit that is being counted: the ones to look at when they leave the configuration.
SELECT name
  FROM host
 WHERE EXISTS (SELECT 1 FROM limit_state WHERE limit_state.host_id = host.id)
    OR EXISTS (SELECT 1 FROM alert WHERE alert.host_id = host.id AND closed_ms IS NULL)
 ORDER BY name;

-- name: add_notification(id, alert_id, kind, recipient, number, at_ms, severity, value, limit_text, since_ms, opened_ms, updated_ms, closed_ms, reason)!
INSERT INTO notification (id, alert_id, kind, recipient, number, at_ms, severity, value, limit_text, since_ms,
                          opened_ms, updated_ms, closed_ms, reason)
VALUES (:id, :alert_id, :kind, :recipient, :number, :at_ms, :severity, :value, :limit_text, :since_ms,
        :opened_ms, :updated_ms, :closed_ms, :reason)
    ON CONFLICT DO NOTHING;

-- name: told(alert_id)
-- The newest number of each recipient, and whether it was told or is owed anything: what is held back is not told yet.
SELECT recipient, MAX(number), MAX(state NOT IN ('held', 'suppressed'))
  FROM notification
 WHERE alert_id = :alert_id
 GROUP BY recipient;

-- name: hold_news(host, metric, since_ms)!
UPDATE notification
   SET state = 'held'
 WHERE state = 'owed'
   AND kind IN ('opened', 'rose')
   AND at_ms >= :since_ms
   AND alert_id IN (SELECT alert.id
                      FROM alert
                      JOIN host ON host.id = alert.host_id
                     WHERE host.name = :host AND metric = :metric AND closed_ms IS NULL AND opened_ms >= :since_ms);

-- name: release_held()!
UPDATE notification
   SET state = 'owed'
 WHERE state = 'held'
   AND EXISTS (SELECT 1 FROM alert WHERE alert.id = alert_id AND closed_ms IS NULL);

-- name: suppress_held(now_ms)!
UPDATE notification SET state = 'suppressed', done_ms = :now_ms WHERE state = 'held';

-- name: owed()
SELECT notification.id, alert_id, host.name, alert.metric, alert.labels, notification.severity, notification.value,
       notification.limit_text, notification.opened_ms, notification.updated_ms, notification.since_ms,
       notification.closed_ms, notification.reason, notification.kind, recipient, number, at_ms, attempts, error
  FROM notification
  JOIN alert ON alert.id = notification.alert_id
  JOIN host ON host.id = alert.host_id
 WHERE state = 'owed'
 ORDER BY at_ms, notification.id;

-- name: delivered(id, now_ms)!
UPDATE notification
   SET state = 'delivered', done_ms = :now_ms, attempts = attempts + 1
 WHERE id = :id AND state = 'owed';

-- name: try_again(id, error)!
UPDATE notification
   SET attempts = attempts + 1, error = :error
 WHERE id = :id AND state = 'owed';

-- name: give_up(id, now_ms, error)!
UPDATE notification
   SET state = 'failed', done_ms = :now_ms, attempts = attempts + 1, error = :error
 WHERE id = :id AND state = 'owed';
