-- What happened, the newest first.
--
-- First contacts, reboots, and everything that looked like tampering (kind security).
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT events.at, events.host, events.kind, events.severity, events.details
  FROM given
 CROSS JOIN events
 WHERE events.at_ms BETWEEN given.since_ms AND given.until_ms
   AND COALESCE(events.host, '') LIKE given.host_like
 ORDER BY events.at_ms DESC, events.host, events.kind, events.details;
