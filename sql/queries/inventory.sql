-- What the machines are.
--
-- System, size and address of each host, from its newest report.
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT hosts.host, hosts.distribution_name, hosts.kernel_release, hosts.machine, hosts.cpus,
       system_sample.memory_total_bytes, hosts.address, hosts.python, hosts.booted, hosts.first_seen
  FROM given
 CROSS JOIN host
 CROSS JOIN hosts
  LEFT JOIN host_latest ON host_latest.host_id = host.id
  LEFT JOIN system_sample ON system_sample.host_id = host.id AND system_sample.at_ms = host_latest.report_ms
 WHERE host.name LIKE given.host_like
   AND hosts.host = host.name
 ORDER BY hosts.host;
