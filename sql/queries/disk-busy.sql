-- The disks that work most.
--
-- Share of the time with a request in flight, rates, and how long a request took on average at worst.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT host.name AS host, disk.device, disk.model, ROUND(AVG(busy_percent) + 1e-6, 1) AS busy_percent,
       ROUND(MAX(busy_percent) + 1e-6, 1) AS peak_busy_percent,
       ROUND(AVG(read_bytes_per_second) + 1e-6) AS read_bytes_per_second,
       ROUND(AVG(write_bytes_per_second) + 1e-6) AS write_bytes_per_second,
       ROUND(MAX(read_seconds) + 1e-6, 4) AS worst_read_seconds,
       ROUND(MAX(write_seconds) + 1e-6, 4) AS worst_write_seconds
  FROM given
 CROSS JOIN host
 CROSS JOIN disk
 CROSS JOIN disk_sample
 WHERE host.name LIKE given.host_like
   AND disk.host_id = host.id
   AND disk_sample.disk_id = disk.id
   AND disk_sample.at_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY host.name, disk.device, disk.model
 ORDER BY busy_percent DESC, host.name, disk.device;
