-- How much file systems held over the last year, by 30 days.
--
-- From the hourly roll-ups: mean and most bytes in use, and how much more the mean is than that of the 30 days before.
WITH given AS (
    SELECT now_ms - 31536000000 AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
hourly AS (
    SELECT host.name AS host, filesystem.mountpoint, filesystem_1h.at_ms - filesystem_1h.at_ms % 2592000000 AS from_ms,
           used_bytes_avg, used_bytes_max, seconds
      FROM given
     CROSS JOIN host
     CROSS JOIN filesystem
     CROSS JOIN filesystem_1h
     WHERE host.name LIKE given.host_like
       AND filesystem.host_id = host.id
       AND filesystem_1h.filesystem_id = filesystem.id
       AND filesystem_1h.at_ms > given.since_ms - 3600000
       AND filesystem_1h.at_ms <= given.until_ms
       AND used_bytes_avg IS NOT NULL
),
held AS (
    SELECT host, mountpoint, from_ms, SUM(used_bytes_avg * seconds) / SUM(seconds) AS mean_bytes,
           MAX(used_bytes_max) AS most_bytes, COUNT(*) AS hours
      FROM hourly
     GROUP BY host, mountpoint, from_ms
)
SELECT newer.host, newer.mountpoint, newer.from_ms, ROUND(newer.mean_bytes + 1e-6) AS mean_bytes, newer.most_bytes,
       ROUND(newer.mean_bytes - older.mean_bytes + 1e-6) AS grown_bytes, newer.hours
  FROM held newer
  LEFT JOIN held older
    ON older.host = newer.host AND older.mountpoint = newer.mountpoint AND older.from_ms = newer.from_ms - 2592000000
 ORDER BY newer.host, newer.mountpoint, newer.from_ms;
