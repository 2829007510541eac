-- Where the time of polling goes.
--
-- Mean and worst seconds per host, and the mean of each stage: connect and handshake speak of the network, auth of
-- the login, python and probe of the host, collect of the probe's own work.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT host.name AS host, COUNT(*) AS polls, ROUND(AVG(poll.seconds) + 1e-6, 3) AS mean_seconds,
       ROUND(MAX(poll.seconds) + 1e-6, 3) AS worst_seconds, ROUND(AVG(connect_seconds) + 1e-6, 3) AS connect_seconds,
       ROUND(AVG(handshake_seconds) + 1e-6, 3) AS handshake_seconds, ROUND(AVG(auth_seconds) + 1e-6, 3) AS auth_seconds,
       ROUND(AVG(python_seconds) + 1e-6, 3) AS python_seconds, ROUND(AVG(probe_seconds) + 1e-6, 3) AS probe_seconds,
       ROUND(AVG(collect_seconds) + 1e-6, 3) AS collect_seconds
  FROM given
 CROSS JOIN host
 CROSS JOIN poll
 WHERE host.name LIKE given.host_like
   AND poll.host_id = host.id
   AND poll.at_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY host.name
 ORDER BY mean_seconds DESC, host.name;
