-- What changed: events, and disks, file systems and addresses that came or went.
--
-- The newest first. What was there when a host was seen first is not new; something is gone when it has been missing
-- from two hours of newer reports.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
things AS (
    SELECT host_id, 'disk_new' AS came, 'disk_gone' AS went, device AS name, model AS details, first_seen_ms,
           last_seen_ms
      FROM disk
     UNION ALL
    SELECT host_id, 'filesystem_new', 'filesystem_gone', mountpoint, device, first_seen_ms, last_seen_ms
      FROM filesystem
     UNION ALL
    SELECT host_id, 'interface_new', 'interface_gone', interface, mac, first_seen_ms, last_seen_ms
      FROM interface
     UNION ALL
    SELECT host_id, 'address_new', 'address_gone', address, interface, first_seen_ms, last_seen_ms
      FROM interface_address
)
SELECT event.at_ms, host.name AS host, event.kind AS what, '' AS name, event.severity, event.details
  FROM given
 CROSS JOIN event
 CROSS JOIN host
 WHERE event.at_ms BETWEEN given.since_ms AND given.until_ms
   AND host.id = event.host_id
   AND host.name LIKE given.host_like
 UNION ALL
SELECT things.first_seen_ms, host.name, things.came, things.name, 'low', things.details
  FROM given
 CROSS JOIN host
 CROSS JOIN things
 WHERE host.name LIKE given.host_like
   AND things.host_id = host.id
   AND things.first_seen_ms BETWEEN given.since_ms AND given.until_ms
   AND things.first_seen_ms > (SELECT MIN(core.first_seen_ms) FROM core WHERE core.host_id = host.id)
 UNION ALL
SELECT things.last_seen_ms, host.name, things.went, things.name, 'low', things.details
  FROM given
 CROSS JOIN host
 CROSS JOIN host_latest
 CROSS JOIN things
 WHERE host.name LIKE given.host_like
   AND host_latest.host_id = host.id
   AND things.host_id = host.id
   AND things.last_seen_ms BETWEEN given.since_ms AND given.until_ms
   AND things.last_seen_ms < host_latest.report_ms - 7200000
 ORDER BY 1 DESC, 2, 3, 4, 6;
