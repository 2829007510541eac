-- The fullest file systems now.
--
-- From the newest report of each host, space and inodes.
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT host.name AS host, filesystem.mountpoint, filesystem.device, filesystem.type,
       ROUND(filesystem_sample.percent + 1e-6, 1) AS used_percent, filesystem_sample.available_bytes,
       filesystem_sample.total_bytes, ROUND(filesystem_sample.inodes_percent + 1e-6, 1) AS used_inodes_percent
  FROM given
 CROSS JOIN host
 CROSS JOIN host_latest
 CROSS JOIN filesystem
 CROSS JOIN filesystem_sample
 WHERE host.name LIKE given.host_like
   AND host_latest.host_id = host.id
   AND filesystem.host_id = host.id
   AND filesystem_sample.filesystem_id = filesystem.id
   AND filesystem_sample.at_ms = host_latest.report_ms
 ORDER BY used_percent DESC, host.name, filesystem.mountpoint;
