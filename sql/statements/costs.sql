-- What polls cost, for `poller capacity`. Ids of polls are UUIDv7, so that a day of them is one stretch of the table.

-- name: newest_poll()^
SELECT MAX(at_ms) FROM host_latest;

-- name: cost_of_polls(since_id, since_ms)^
-- Means over the polls that gave a report. One in a session that was there already shook no hands.
SELECT COUNT(*), COUNT(DISTINCT host_id), MIN(at_ms), MAX(at_ms), COALESCE(SUM(good), 0),
       COALESCE(SUM(outcome = 'failed'), 0), COALESCE(SUM(outcome = 'skipped'), 0),
       COALESCE(SUM(good AND handshake_seconds IS NULL), 0),
       AVG(CASE WHEN good THEN sent_bytes END), AVG(CASE WHEN good THEN received_bytes END),
       AVG(CASE WHEN good THEN seconds END), AVG(CASE WHEN good THEN dns_seconds END),
       AVG(CASE WHEN good THEN connect_seconds END), AVG(CASE WHEN good THEN handshake_seconds END),
       AVG(CASE WHEN good THEN hostkey_seconds END), AVG(CASE WHEN good THEN auth_seconds END),
       AVG(CASE WHEN good THEN session_seconds END), AVG(CASE WHEN good THEN python_seconds END),
       AVG(CASE WHEN good THEN probe_seconds END), AVG(CASE WHEN good THEN envelope_seconds END),
       AVG(CASE WHEN good THEN report_seconds END), AVG(CASE WHEN good THEN collect_seconds END)
  FROM (SELECT *, outcome IN ('ok', 'partial') AS good
          FROM poll
         WHERE id >= :since_id AND at_ms >= :since_ms);

-- name: newest_good_polls(since_id, since_ms, at_most)
SELECT host_id, at_ms, id
  FROM poll
 WHERE id >= :since_id AND at_ms >= :since_ms AND outcome IN ('ok', 'partial')
 ORDER BY id DESC
 LIMIT :at_most;

-- name: rows_of_poll(host_id, at_ms, id)^
-- The poll itself among them.
SELECT 1
     + (SELECT COUNT(*) FROM section WHERE poll_id = :id)
     + (SELECT COUNT(*) FROM system_sample WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM activity_sample WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM process_sample WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM log_line WHERE host_id = :host_id AND seen_ms = :at_ms)
     + (SELECT COUNT(*) FROM connection WHERE host_id = :host_id AND first_seen_ms = :at_ms)
     + (SELECT COUNT(*) FROM core JOIN core_sample ON core_id = core.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM filesystem JOIN filesystem_sample ON filesystem_id = filesystem.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM disk JOIN disk_sample ON disk_id = disk.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM interface JOIN interface_sample ON interface_id = interface.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM series JOIN series_sample ON series_id = series.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM peer JOIN peer_sample ON peer_id = peer.id
         WHERE host_id = :host_id AND at_ms = :at_ms);

-- name: rolled_of_poll(host_id, at_ms)^
-- The same without what is never rolled up: each leaves a window of five minutes, and an hour.
SELECT (SELECT COUNT(*) FROM system_sample WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM activity_sample WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM filesystem JOIN filesystem_sample ON filesystem_id = filesystem.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM disk JOIN disk_sample ON disk_id = disk.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM interface JOIN interface_sample ON interface_id = interface.id
         WHERE host_id = :host_id AND at_ms = :at_ms)
     + (SELECT COUNT(*) FROM series JOIN series_sample ON series_id = series.id
         WHERE host_id = :host_id AND at_ms = :at_ms);

-- name: oldest_rolled()^
-- By the primary key, host by host.
SELECT MIN(at_ms)
  FROM (SELECT (SELECT MIN(at_ms) FROM system_5m WHERE host_id = host.id) AS at_ms FROM host
        UNION ALL
        SELECT (SELECT MIN(at_ms) FROM system_1h WHERE host_id = host.id) FROM host);

-- name: polls_since(since_id, since_ms)^
-- The oldest of them, and how many: what the bytes of the file are shared among.
SELECT COUNT(*), MIN(at_ms) FROM poll WHERE id >= :since_id AND at_ms >= :since_ms;
