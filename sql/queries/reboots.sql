-- Hosts that were started again.
--
-- The newest first, with how long they had been up when that was noticed.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT events.host, events.at, events.details
  FROM given
 CROSS JOIN events
 WHERE events.at_ms BETWEEN given.since_ms AND given.until_ms
   AND events.kind = 'rebooted'
   AND events.host LIKE given.host_like
 ORDER BY events.at_ms DESC, events.host;
