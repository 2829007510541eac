-- When file systems will be full.
--
-- A straight line through all samples of the period (least squares), so that one large file that came and went counts
-- little; full_ms and days_left are NULL where less than 1 kB a day is added.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
period AS (
    SELECT host.name AS host, filesystem.id AS filesystem_id, filesystem.mountpoint, COUNT(*) AS n,
           MAX(filesystem_sample.at_ms) AS last_ms, SUM((filesystem_sample.at_ms - given.since_ms) / 8.64e7) AS x,
           SUM(filesystem_sample.used_bytes * 1e0) AS y,
           SUM((filesystem_sample.at_ms - given.since_ms) / 8.64e7 * filesystem_sample.used_bytes) AS xy,
           SUM((filesystem_sample.at_ms - given.since_ms) / 8.64e7 * (filesystem_sample.at_ms - given.since_ms) / 8.64e7)
               AS xx
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
    HAVING COUNT(*) > 1
),
line AS (
    SELECT host, filesystem_id, mountpoint, n, last_ms, (n * xy - x * y) / (n * xx - x * x) AS slope FROM period
)
SELECT line.host, line.mountpoint, ROUND(newest.percent + 1e-6, 1) AS used_percent, newest.available_bytes,
       ROUND(line.slope + 1e-6) AS bytes_per_day,
       CASE WHEN line.slope >= 1e3 THEN ROUND(newest.available_bytes / line.slope + 1e-6, 1) END AS days_left,
       CASE WHEN line.slope >= 1e3 THEN ROUND(line.last_ms + newest.available_bytes / line.slope * 8.64e7) END
           AS full_ms,
       line.n AS samples
  FROM line
 CROSS JOIN filesystem_sample newest
 WHERE newest.filesystem_id = line.filesystem_id
   AND newest.at_ms = line.last_ms
 ORDER BY CASE WHEN line.slope >= 1e3 THEN newest.available_bytes / line.slope ELSE 1e18 END, line.host,
       line.mountpoint;
