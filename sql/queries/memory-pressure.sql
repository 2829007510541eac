-- Hosts that run short of memory.
--
-- Memory and swap in use, bytes read back from swap, and the share of time in which tasks waited for memory.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT host.name AS host, ROUND(AVG(memory_percent) + 1e-6, 1) AS mean_percent,
       ROUND(MAX(memory_percent) + 1e-6, 1) AS peak_percent, ROUND(MAX(swap_percent) + 1e-6, 1) AS peak_swap_percent,
       ROUND(AVG(swap_in_bytes_per_second) + 1e-6) AS swap_in_bytes_per_second,
       ROUND(MAX(pressure_memory_some_percent) + 1e-6, 1) AS peak_waiting_percent,
       MIN(memory_available_bytes) AS least_available_bytes
  FROM given
 CROSS JOIN host
 CROSS JOIN system_sample
 WHERE host.name LIKE given.host_like
   AND system_sample.host_id = host.id
   AND system_sample.at_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY host.name
 ORDER BY peak_percent DESC, host.name;
