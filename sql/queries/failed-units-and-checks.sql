-- Services that failed, and checks that are not ok.
--
-- As they were read last; read_at says when that was.
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT units.host, 'unit' AS what, units.unit AS name, units.active AS state, units.description AS details,
       units.last_seen AS read_at
  FROM given
 CROSS JOIN host
 CROSS JOIN section_state
 CROSS JOIN units
 WHERE host.name LIKE given.host_like
   AND section_state.host_id = host.id
   AND section_state.section = 'units'
   AND units.host = host.name
   AND units.active = 'failed'
   AND units.last_seen_ms >= COALESCE(section_state.complete_ms, 0)
 UNION ALL
SELECT service_checks.host, 'check', service_checks.name,
       CASE service_checks.status WHEN 1 THEN 'warning' WHEN 2 THEN 'critical' ELSE 'unknown' END,
       service_checks.output, service_checks.last_seen
  FROM given
 CROSS JOIN host
 CROSS JOIN section_state
 CROSS JOIN service_checks
 WHERE host.name LIKE given.host_like
   AND section_state.host_id = host.id
   AND section_state.section = 'checks'
   AND service_checks.host = host.name
   AND service_checks.status <> 0
   AND service_checks.last_seen_ms >= COALESCE(section_state.complete_ms, 0)
 ORDER BY 1, 2, 3;
