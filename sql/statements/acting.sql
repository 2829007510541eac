-- For the command line: alerts with what people did about them.

-- name: alerts_since(since_ms, everything)
-- Open ones that opened since then; or everything that was open at any time since.
SELECT host.name, alert.id, metric, labels, severity, value, limit_text, opened_ms, updated_ms, since_ms, closed_ms,
       reason, flapping
  FROM alert
  JOIN host ON host.id = alert.host_id
 WHERE closed_ms IS NULL AND (:everything OR opened_ms >= :since_ms)
UNION ALL
SELECT host.name, alert.id, metric, labels, severity, value, limit_text, opened_ms, updated_ms, since_ms, closed_ms,
       reason, flapping
  FROM alert
  JOIN host ON host.id = alert.host_id
 WHERE :everything AND closed_ms >= :since_ms
 ORDER BY 8, 2;

-- name: acknowledgements_of(alert_ids, now_ms)
-- In force, of these alerts (a JSON list of ids).
SELECT acknowledgement.id, alert_id, at_ms, author, comment, until_ms, ended_ms, ended_by
  FROM acknowledgement
  JOIN alert ON alert.id = acknowledgement.alert_id
 WHERE alert_id IN (SELECT value FROM json_each(:alert_ids))
   AND closed_ms IS NULL AND ended_ms IS NULL AND (until_ms IS NULL OR until_ms > :now_ms)
 ORDER BY at_ms, acknowledgement.id;

-- name: all_acknowledgements(alert_id)
-- Also those that were taken back, replaced, or are over.
SELECT id, alert_id, at_ms, author, comment, until_ms, ended_ms, ended_by
  FROM acknowledgement
 WHERE alert_id = :alert_id
 ORDER BY at_ms, id;

-- name: tellings_of(alert_ids)
-- How many of each sort: what was delivered, and why the rest was not.
SELECT alert_id, state, CASE state WHEN 'failed' THEN error ELSE why END, COUNT(*)
  FROM notification
 WHERE alert_id IN (SELECT value FROM json_each(:alert_ids))
 GROUP BY 1, 2, 3;

-- name: evidence_of(alert_ids)
SELECT alert_id, part FROM evidence WHERE alert_id IN (SELECT value FROM json_each(:alert_ids)) ORDER BY 1, 2;

-- name: limits_counting()
SELECT host.name, metric, labels, limit_key, since_ms, polls, seen_ms
  FROM limit_state
  JOIN host ON host.id = limit_state.host_id
 WHERE active = 0
 ORDER BY host.name, metric, labels, limit_key;

-- name: is_open(alert_id)$
SELECT closed_ms IS NULL FROM alert WHERE id = :alert_id;

-- name: end_acknowledgements(alert_id, now_ms, by)!
UPDATE acknowledgement
   SET ended_ms = :now_ms, ended_by = :by, updated_ms = :now_ms
 WHERE alert_id = :alert_id AND ended_ms IS NULL AND (until_ms IS NULL OR until_ms > :now_ms);

-- name: add_acknowledgement(id, alert_id, at_ms, author, comment, until_ms)!
INSERT INTO acknowledgement (id, alert_id, at_ms, author, comment, until_ms, updated_ms)
VALUES (:id, :alert_id, :at_ms, :author, :comment, :until_ms, :at_ms);

-- name: all_silences(since_ms)
-- Those that are, or are to come; from another time on also what was.
SELECT id, from_ms, until_ms, at_ms, author, comment, host, metric, label, ended_ms, ended_by
  FROM silence
 WHERE until_ms > :since_ms
 ORDER BY from_ms, id;

-- name: add_silence(id, host, metric, label, from_ms, until_ms, at_ms, author, comment)!
INSERT INTO silence (id, host, metric, label, from_ms, until_ms, at_ms, author, comment, updated_ms)
VALUES (:id, :host, :metric, :label, :from_ms, :until_ms, :at_ms, :author, :comment, :at_ms);

-- name: end_silence(id, now_ms, by)!
UPDATE silence
   SET ended_ms = :now_ms, ended_by = :by, updated_ms = :now_ms
 WHERE id = :id AND ended_ms IS NULL AND until_ms > :now_ms;
