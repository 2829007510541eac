-- What was: for rules that look back, and for looking at them again later.

-- name: host_id(name)$
SELECT id FROM host WHERE name = :name;

-- name: polls_between(host_id, since_ms, until_ms, at_most)
-- The newest first. host_clock_ms: it brought a report.
SELECT at_ms, outcome, stage, code, security, seconds, host_clock_ms IS NOT NULL
  FROM poll
 WHERE host_id = :host_id AND at_ms >= :since_ms AND at_ms < :until_ms
 ORDER BY at_ms DESC
 LIMIT :at_most;

-- name: answered_between(host_id, since_ms, until_ms, at_most)
-- Those that brought a report, or a ping that was answered; the newest first.
SELECT at_ms
  FROM poll
 WHERE host_id = :host_id AND at_ms >= :since_ms AND at_ms < :until_ms AND outcome IN ('ok', 'partial')
 ORDER BY at_ms DESC
 LIMIT :at_most;

-- name: poll_at(host_id, at_ms)^
-- The newest at or before that instant, but for those that did not take place.
SELECT at_ms, outcome, stage, code, security, seconds, host_clock_ms IS NOT NULL, id
  FROM poll
 WHERE host_id = :host_id AND at_ms <= :at_ms AND (outcome <> 'skipped' OR (stage = 'auth' AND code = 'backoff'))
 ORDER BY at_ms DESC
 LIMIT 1;

-- name: poll_before(host_id, at_ms)$
SELECT MAX(at_ms) FROM poll WHERE host_id = :host_id AND at_ms < :at_ms;

-- name: lines_between(host_id, since_ms, until_ms, logs, every_log, at_most)
-- Of the logs in a JSON list, or all; the newest first.
SELECT seen_ms, log, path, at_ms, program, pid, priority, severity, repeats, trusted, message
  FROM log_line
 WHERE host_id = :host_id AND seen_ms >= :since_ms AND seen_ms < :until_ms
   AND (:every_log OR log IN (SELECT value FROM json_each(:logs)))
 ORDER BY seen_ms DESC, number DESC
 LIMIT :at_most;

-- name: events_between(host_id, since_ms, until_ms, kinds, at_most)
-- Of the kinds in a JSON list; the newest first.
SELECT kind, at_ms, severity, details
  FROM event
 WHERE host_id = :host_id AND at_ms >= :since_ms AND at_ms < :until_ms
   AND kind IN (SELECT value FROM json_each(:kinds))
 ORDER BY at_ms DESC, id DESC
 LIMIT :at_most;

-- name: unread_sections(poll_id)
SELECT name FROM section WHERE poll_id = :poll_id;

-- name: complete_sections(host_id, at_ms)
SELECT section FROM section_state WHERE host_id = :host_id AND complete_ms = :at_ms;
