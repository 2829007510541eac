-- The interfaces with the most traffic.
--
-- Mean and peak rates in both directions, and packets lost to errors or full queues. lo is left out.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT host.name AS host, interface.interface, ROUND(AVG(receive_bytes_per_second) + 1e-6) AS receive_bytes_per_second,
       ROUND(AVG(transmit_bytes_per_second) + 1e-6) AS transmit_bytes_per_second,
       ROUND(MAX(receive_bytes_per_second) + 1e-6) AS receive_peak,
       ROUND(MAX(transmit_bytes_per_second) + 1e-6) AS transmit_peak,
       ROUND(MAX(receive_errors_per_second + receive_dropped_per_second) + 1e-6, 2) AS receive_lost_peak,
       ROUND(MAX(transmit_errors_per_second + transmit_dropped_per_second) + 1e-6, 2) AS transmit_lost_peak
  FROM given
 CROSS JOIN host
 CROSS JOIN interface
 CROSS JOIN interface_sample
 WHERE host.name LIKE given.host_like
   AND interface.host_id = host.id
   AND interface.interface <> 'lo'
   AND interface_sample.interface_id = interface.id
   AND interface_sample.at_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY host.name, interface.interface
 ORDER BY AVG(COALESCE(receive_bytes_per_second, 0) + COALESCE(transmit_bytes_per_second, 0)) DESC, host.name,
       interface.interface;
