-- The processes that took most.
--
-- Of the busiest and the largest processes of each poll, by name: cpu_percent is of one core, samples how often a
-- process of that name was among them.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT host.name AS host, process_sample.name, process_sample.account,
       ROUND(AVG(process_sample.cpu_percent) + 1e-6, 1) AS mean_cpu_percent,
       ROUND(MAX(process_sample.cpu_percent) + 1e-6, 1) AS peak_cpu_percent,
       MAX(process_sample.memory_bytes) AS peak_memory_bytes, COUNT(*) AS samples
  FROM given
 CROSS JOIN host
 CROSS JOIN process_sample
 WHERE host.name LIKE given.host_like
   AND process_sample.host_id = host.id
   AND process_sample.at_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY host.name, process_sample.name, process_sample.account
 ORDER BY SUM(COALESCE(process_sample.cpu_percent, 0)) DESC, MAX(process_sample.memory_bytes) DESC, host.name,
       process_sample.name, process_sample.account;
