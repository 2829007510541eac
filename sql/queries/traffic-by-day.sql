-- What each host sent and received by day.
--
-- Bytes of the connections that were seen, by UTC day and by whether the peer is in a local network. Days are kept
-- longer than the samples of `talkers`.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT peer_day.at_ms AS day_ms, host.name AS host, peer.scope, SUM(peer_day.sent_bytes) AS sent_bytes,
       SUM(peer_day.received_bytes) AS received_bytes, SUM(peer_day.opened) AS opened, COUNT(*) AS peers
  FROM given
 CROSS JOIN host
 CROSS JOIN peer
 CROSS JOIN peer_day
 WHERE host.name LIKE given.host_like
   AND peer.host_id = host.id
   AND peer.scope <> 'loopback'
   AND peer_day.peer_id = peer.id
   AND peer_day.at_ms > given.since_ms - 86400000
   AND peer_day.at_ms <= given.until_ms
 GROUP BY peer_day.at_ms, host.name, peer.scope
 ORDER BY peer_day.at_ms DESC, host.name, peer.scope;
