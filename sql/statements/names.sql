-- Names of the addresses that hosts talk to.

-- name: addresses_to_look_up(seen_since_ms, stale_ms, most)
-- Those seen lately whose name nobody looked up since `stale_ms`, the newest first.
SELECT peer.address
  FROM peer
  LEFT JOIN address_name ON address_name.address = peer.address
 WHERE last_seen_ms >= :seen_since_ms AND scope <> 'loopback' AND COALESCE(looked_ms, 0) < :stale_ms
 GROUP BY peer.address
 ORDER BY MAX(last_seen_ms) DESC, peer.address
 LIMIT :most;

-- name: store_name(address, name, looked_ms)!
INSERT INTO address_name (address, name, looked_ms)
VALUES (:address, :name, :looked_ms)
    ON CONFLICT (address) DO UPDATE
   SET name = excluded.name, looked_ms = excluded.looked_ms;

-- name: postpone_name(address, looked_ms)!
-- Nobody answered: what was known stays.
INSERT INTO address_name (address, name, looked_ms)
VALUES (:address, '', :looked_ms)
    ON CONFLICT (address) DO UPDATE
   SET looked_ms = excluded.looked_ms;

-- name: forget_names(before_ms)!
DELETE FROM address_name WHERE looked_ms < :before_ms;
