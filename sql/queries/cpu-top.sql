-- The busiest CPUs of the period.
--
-- Mean and peak of the share of time in which the CPUs worked, and what part of it was waiting for disks or stolen.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT host.name AS host, ROUND(AVG(cpu_percent) + 1e-6, 1) AS mean_percent,
       ROUND(MAX(cpu_percent) + 1e-6, 1) AS peak_percent, ROUND(AVG(cpu_iowait_percent) + 1e-6, 1) AS iowait_percent,
       ROUND(AVG(cpu_steal_percent) + 1e-6, 1) AS steal_percent,
       ROUND(MAX(load_1m_per_cpu) + 1e-6, 2) AS peak_load_per_cpu, COUNT(*) AS samples
  FROM given
 CROSS JOIN host
 CROSS JOIN system_sample
 WHERE host.name LIKE given.host_like
   AND system_sample.host_id = host.id
   AND system_sample.at_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY host.name
 ORDER BY mean_percent DESC, host.name;
