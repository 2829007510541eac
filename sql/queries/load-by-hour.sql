-- CPU, memory and load of 30 days, by hour.
--
-- Least, mean and greatest from the hourly roll-ups, for a chart; hours that are not over yet are not in it.
WITH given AS (
    SELECT now_ms - 2592000000 AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT system_1h.at_ms, host.name AS host, ROUND(cpu_percent_avg + 1e-6, 1) AS cpu_percent,
       ROUND(cpu_percent_max + 1e-6, 1) AS cpu_peak_percent, ROUND(memory_percent_avg + 1e-6, 1) AS memory_percent,
       ROUND(memory_percent_max + 1e-6, 1) AS memory_peak_percent, ROUND(load_1m_avg + 1e-6, 2) AS load_1m,
       ROUND(load_1m_max + 1e-6, 2) AS load_peak, samples
  FROM given
 CROSS JOIN host
 CROSS JOIN system_1h
 WHERE host.name LIKE given.host_like
   AND system_1h.host_id = host.id
   AND system_1h.at_ms > given.since_ms - 3600000
   AND system_1h.at_ms <= given.until_ms
 ORDER BY system_1h.at_ms, host.name;
