-- Ports that something began to listen on.
--
-- What was there at the first look at a host is not new. times_before says how often it had been there already, as for
-- a service that was started again.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT listeners.first_seen, listeners.host, listeners.protocol, listeners.address, listeners.port, listeners.process,
       listeners.uid, listeners.gone,
       (SELECT COUNT(*)
          FROM host
         CROSS JOIN listener
         WHERE host.name = listeners.host
           AND listener.host_id = host.id
           AND listener.protocol = listeners.protocol
           AND listener.address = listeners.address
           AND listener.port = listeners.port
           AND listener.first_seen_ms < listeners.first_seen_ms) AS times_before
  FROM given
 CROSS JOIN listeners
 CROSS JOIN section_states
 WHERE listeners.first_seen_ms BETWEEN given.since_ms AND given.until_ms
   AND listeners.host LIKE given.host_like
   AND section_states.host = listeners.host
   AND section_states.section = 'sockets'
   AND listeners.first_seen_ms > section_states.first_seen_ms
 ORDER BY listeners.first_seen_ms DESC, listeners.host, listeners.protocol, listeners.port, listeners.address;
