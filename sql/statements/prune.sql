-- Deletions by age, each in the shape DELETE FROM table WHERE condition, so that it can be counted first.
-- name: prune_round(before_ms)!
DELETE FROM round WHERE started_ms < :before_ms;

-- name: prune_event(before_ms)!
DELETE FROM event WHERE at_ms < :before_ms;

-- name: prune_alert(before_ms)!
-- Closed ones only, and none that somebody still has to be told about. What belongs to them goes along.
DELETE FROM alert
 WHERE closed_ms < :before_ms
   AND NOT EXISTS (SELECT 1 FROM notification WHERE alert_id = alert.id AND state IN ('owed', 'held'));

-- name: prune_core(before_ms)!
DELETE FROM core WHERE last_seen_ms < :before_ms;

-- name: prune_filesystem(before_ms)!
DELETE FROM filesystem WHERE last_seen_ms < :before_ms;

-- name: prune_disk(before_ms)!
DELETE FROM disk WHERE last_seen_ms < :before_ms;

-- name: prune_interface(before_ms)!
DELETE FROM interface WHERE last_seen_ms < :before_ms;

-- name: prune_interface_address(before_ms)!
DELETE FROM interface_address WHERE last_seen_ms < :before_ms;

-- name: prune_unit(before_ms)!
DELETE FROM unit WHERE last_seen_ms < :before_ms;

-- name: prune_service_check(before_ms)!
DELETE FROM service_check WHERE last_seen_ms < :before_ms;

-- name: prune_section_state(before_ms)!
DELETE FROM section_state WHERE last_seen_ms < :before_ms;

-- name: prune_series(before_ms)!
DELETE FROM series WHERE last_seen_ms < :before_ms;

-- name: prune_peer(before_ms)!
DELETE FROM peer WHERE last_seen_ms < :before_ms;

-- name: prune_log_source(before_ms)!
-- Not while its host is away: where its log goes on is still needed.
DELETE FROM log_source
 WHERE last_seen_ms < :before_ms
   AND last_seen_ms < (SELECT report_ms FROM host_latest WHERE host_latest.host_id = log_source.host_id);

-- name: prune_log_cursor(before_ms)!
-- Of logs that nobody asks for any more.
DELETE FROM log_cursor
 WHERE at_ms < :before_ms
   AND name LIKE 'logs%'
   AND name NOT IN (SELECT 'logs' || char(10) || log || char(10) || path
                      FROM log_source
                     WHERE log_source.host_id = log_cursor.host_id);

-- name: prune_limit_state(before_ms)!
-- Of hosts that nobody polls any more: what was counted then says nothing when they come back.
DELETE FROM limit_state WHERE host_id IN (SELECT host_id FROM host_latest WHERE at_ms < :before_ms);

-- name: prune_flap_state(before_ms)!
DELETE FROM flap_state WHERE host_id IN (SELECT host_id FROM host_latest WHERE at_ms < :before_ms);

-- name: prune_silence(before_ms)!
DELETE FROM silence WHERE until_ms < :before_ms;

-- name: prune_message(before_ms)!
DELETE FROM message WHERE sent_ms < :before_ms;

-- name: last_done(task)$
SELECT done_ms FROM housekeeping WHERE task = :task;

-- name: note_done(task, now_ms)!
INSERT INTO housekeeping (task, done_ms) VALUES (:task, :now_ms)
    ON CONFLICT (task) DO UPDATE
   SET done_ms = excluded.done_ms;

-- name: forget_done(task)!
DELETE FROM housekeeping WHERE task = :task;

-- name: done_like(pattern)
SELECT task, done_ms FROM housekeeping WHERE task LIKE :pattern;
