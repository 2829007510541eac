-- Who talked to whom, and how much.
--
-- Each peer of each host in the period, by bytes; loopback is left out. direction in: the peer connected to a port of
-- the host. Bytes are NULL where only the connections are known.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT host.name AS host, CASE peer.inbound WHEN 1 THEN 'in' ELSE 'out' END AS direction, peer.address, peer.name,
       peer.scope, peer.protocol, peer.port, peer.uid, SUM(peer_sample.sent_bytes) AS sent_bytes,
       SUM(peer_sample.received_bytes) AS received_bytes, SUM(peer_sample.opened) AS opened,
       MAX(peer_sample.at_ms) AS last_ms
  FROM given
 CROSS JOIN host
 CROSS JOIN peer
 CROSS JOIN peer_sample
 WHERE host.name LIKE given.host_like
   AND peer.host_id = host.id
   AND peer.scope <> 'loopback'
   AND peer_sample.peer_id = peer.id
   AND peer_sample.at_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY host.name, peer.id, peer.inbound, peer.address, peer.name, peer.scope, peer.protocol, peer.port, peer.uid
 ORDER BY COALESCE(SUM(peer_sample.sent_bytes), 0) + COALESCE(SUM(peer_sample.received_bytes), 0) DESC, host.name,
       peer.address, peer.protocol, peer.port, peer.inbound, peer.uid;
