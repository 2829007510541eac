-- name: find_limit_states(host)
SELECT metric, labels, limit_key, since_ms, polls, active, seen_ms
  FROM limit_state
  JOIN host ON host.id = limit_state.host_id
 WHERE host.name = :host;

-- name: find_open_alerts(host)
SELECT alert.id, metric, labels, severity, value, limit_text, opened_ms, updated_ms, since_ms, closed_ms, reason,
       flapping
  FROM alert
  JOIN host ON host.id = alert.host_id
 WHERE host.name = :host AND closed_ms IS NULL;

-- name: put_limit_state(host_id, metric, labels, limit_key, since_ms, polls, active, seen_ms)!
INSERT INTO limit_state (host_id, metric, labels, limit_key, since_ms, polls, active, seen_ms)
VALUES (:host_id, :metric, :labels, :limit_key, :since_ms, :polls, :active, :seen_ms)
    ON CONFLICT (host_id, metric, labels, limit_key) DO UPDATE
   SET since_ms = excluded.since_ms, polls = excluded.polls, active = excluded.active, seen_ms = excluded.seen_ms;

-- name: drop_limit_state(host_id, metric, labels, limit_key)!
DELETE FROM limit_state WHERE host_id = :host_id AND metric = :metric AND labels = :labels AND limit_key = :limit_key;

-- name: put_alert(id, open_key, host_id, metric, labels, severity, value, limit_text, since_ms, opened_ms, updated_ms, closed_ms, reason, flapping)!
INSERT INTO alert (id, open_key, host_id, metric, labels, severity, value, limit_text, since_ms, opened_ms, updated_ms,
                   closed_ms, reason, flapping)
VALUES (:id, :open_key, :host_id, :metric, :labels, :severity, :value, :limit_text, :since_ms, :opened_ms, :updated_ms,
        :closed_ms, :reason, :flapping)
    ON CONFLICT (id) DO UPDATE
   SET open_key = excluded.open_key, severity = excluded.severity, value = excluded.value,
       limit_text = excluded.limit_text, since_ms = excluded.since_ms, updated_ms = excluded.updated_ms,
       closed_ms = excluded.closed_ms, reason = excluded.reason, flapping = excluded.flapping;

-- name: open_names(host)
SELECT metric, labels
  FROM alert
  JOIN host ON host.id = alert.host_id
 WHERE host.name = :host AND closed_ms IS NULL;

-- name: find_flaps(host)
SELECT metric, labels, changes, flapping
  FROM flap_state
  JOIN host ON host.id = flap_state.host_id
 WHERE host.name = :host;

-- name: put_flap(host_id, metric, labels, changes, flapping)!
INSERT INTO flap_state (host_id, metric, labels, changes, flapping)
VALUES (:host_id, :metric, :labels, :changes, :flapping)
    ON CONFLICT (host_id, metric, labels) DO UPDATE
   SET changes = excluded.changes, flapping = excluded.flapping;

-- name: drop_flap(host_id, metric, labels)!
DELETE FROM flap_state WHERE host_id = :host_id AND metric = :metric AND labels = :labels;

-- name: poll_instants(host, at_most)
SELECT at_ms
  FROM poll
 WHERE host_id = (SELECT id FROM host WHERE name = :host)
 ORDER BY at_ms DESC
 LIMIT :at_most;

-- name: poll_instants_of_all(at_most)
-- Comma-separated, of every host.
SELECT name, (SELECT group_concat(at_ms)
                FROM (SELECT at_ms FROM poll WHERE host_id = host.id ORDER BY at_ms DESC LIMIT :at_most))
  FROM host;

-- name: round_instants(at_most)
SELECT started_ms FROM round WHERE kind = 'full' ORDER BY started_ms DESC LIMIT :at_most;

-- name: hosts_with_memory()
-- Hosts with an open alert or a limit that is being counted: the ones to look at when they leave the configuration.
SELECT name
  FROM host
 WHERE EXISTS (SELECT 1 FROM limit_state WHERE limit_state.host_id = host.id)
    OR EXISTS (SELECT 1 FROM alert WHERE alert.host_id = host.id AND closed_ms IS NULL)
 ORDER BY name;
