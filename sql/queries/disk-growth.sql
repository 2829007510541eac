-- File systems that fill up, and when they will be full.
--
-- Compares the first and the last sample of the period. days_left assumes that it goes on like that; NULL: it shrinks.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
period AS (
    SELECT host.name AS host, filesystem.id AS filesystem_id, filesystem.mountpoint,
           MIN(filesystem_sample.at_ms) AS first_ms, MAX(filesystem_sample.at_ms) AS last_ms
      FROM given
     CROSS JOIN host
     CROSS JOIN filesystem
     CROSS JOIN filesystem_sample
     WHERE host.name LIKE given.host_like
       AND filesystem.host_id = host.id
       AND filesystem_sample.filesystem_id = filesystem.id
       AND filesystem_sample.at_ms BETWEEN given.since_ms AND given.until_ms
       AND filesystem_sample.used_bytes IS NOT NULL
     GROUP BY host.name, filesystem.id, filesystem.mountpoint
),
growth AS (
    SELECT host, mountpoint, newest.percent, newest.available_bytes,
           newest.used_bytes - oldest.used_bytes AS grown_bytes,
           (newest.used_bytes - oldest.used_bytes) * 8.64e7 / (last_ms - first_ms) AS bytes_per_day
      FROM period
     CROSS JOIN filesystem_sample oldest
     CROSS JOIN filesystem_sample newest
     WHERE oldest.filesystem_id = period.filesystem_id AND oldest.at_ms = first_ms
       AND newest.filesystem_id = period.filesystem_id AND newest.at_ms = last_ms
       AND last_ms > first_ms
)
SELECT host, mountpoint, ROUND(percent + 1e-6, 1) AS used_percent, grown_bytes,
       ROUND(bytes_per_day + 1e-6) AS bytes_per_day,
       CASE WHEN bytes_per_day > 0 THEN ROUND(available_bytes / bytes_per_day + 1e-6, 1) END AS days_left
  FROM growth
 ORDER BY CASE WHEN bytes_per_day > 0 THEN available_bytes / bytes_per_day ELSE 1e18 END, host, mountpoint;
