-- Every host as last seen.
--
-- Outcome of the newest poll, when it was, and the numbers of the newest report.
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT hosts.host, outcome, at, cpu_percent, memory_percent, load_1m_per_cpu, disk_percent, disk_mountpoint, failures,
       code
  FROM given
 CROSS JOIN hosts
 WHERE hosts.host LIKE given.host_like
   AND hosts.outcome IS NOT NULL
 ORDER BY hosts.host;
