-- Deletions by age, each in the shape DELETE FROM table WHERE condition, so that it can be counted first.
-- prune_each_ are run once per row of the inventory, where an index leads to the old rows.

-- name: prune_each_system_sample(id, before_ms)!
DELETE FROM system_sample WHERE host_id = :id AND at_ms < :before_ms;

-- name: prune_each_core_sample(id, before_ms)!
DELETE FROM core_sample WHERE core_id = :id AND at_ms < :before_ms;

-- name: prune_each_filesystem_sample(id, before_ms)!
DELETE FROM filesystem_sample WHERE filesystem_id = :id AND at_ms < :before_ms;

-- name: prune_each_disk_sample(id, before_ms)!
DELETE FROM disk_sample WHERE disk_id = :id AND at_ms < :before_ms;

-- name: prune_each_interface_sample(id, before_ms)!
DELETE FROM interface_sample WHERE interface_id = :id AND at_ms < :before_ms;

-- name: prune_each_poll(id, before_ms)!
DELETE FROM poll WHERE host_id = :id AND at_ms < :before_ms;

-- name: prune_round(before_ms)!
DELETE FROM round WHERE started_ms < :before_ms;

-- name: prune_event(before_ms)!
DELETE FROM event WHERE at_ms < :before_ms;

-- name: prune_alert(before_ms)!
-- Closed ones only, and none that somebody still has to be told about.
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

-- name: prune_limit_state(before_ms)!
-- Of hosts that nobody polls any more: what was counted then says nothing when they come back.
DELETE FROM limit_state WHERE host_id IN (SELECT host_id FROM host_latest WHERE at_ms < :before_ms);

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
