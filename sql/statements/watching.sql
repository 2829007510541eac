-- What a poll tells beside numbers, and how far logs were read.

-- name: find_cursors(name)
SELECT log_cursor.name, place FROM log_cursor JOIN host ON host.id = log_cursor.host_id WHERE host.name = :name;

-- name: find_asked(name)
SELECT section, section_state.last_seen_ms
  FROM section_state
  JOIN host ON host.id = section_state.host_id
 WHERE host.name = :name;

-- name: place_cursor(host_id, name, place, at_ms)!
INSERT INTO log_cursor (host_id, name, place, at_ms)
VALUES (:host_id, :name, :place, :at_ms)
    ON CONFLICT (host_id, name) DO UPDATE
   SET place = excluded.place, at_ms = excluded.at_ms;

-- name: newest_line(host_id, at_ms)$
-- Two polls of a host may bear the same instant.
SELECT MAX(number) FROM log_line WHERE host_id = :host_id AND seen_ms = :at_ms;

-- name: names_of(addresses)
SELECT address, name FROM address_name WHERE name <> '' AND address IN (SELECT value FROM json_each(:addresses));

-- name: add_peer_sample(peer_id, at_ms, sent_bytes, received_bytes, seconds, connections, opened)!
INSERT OR REPLACE INTO peer_sample (peer_id, at_ms, sent_bytes, received_bytes, seconds, connections, opened)
VALUES (:peer_id, :at_ms, :sent_bytes, :received_bytes, :seconds, :connections, :opened);

-- name: add_peer_day(peer_id, day_ms, at_ms, sent_bytes, received_bytes, opened)!
INSERT INTO peer_day (peer_id, at_ms, sent_bytes, received_bytes, opened, updated_ms)
VALUES (:peer_id, :day_ms, COALESCE(:sent_bytes, 0), COALESCE(:received_bytes, 0), :opened, :at_ms)
    ON CONFLICT (peer_id, at_ms) DO UPDATE
   SET sent_bytes = peer_day.sent_bytes + excluded.sent_bytes,
       received_bytes = peer_day.received_bytes + excluded.received_bytes, opened = peer_day.opened + excluded.opened,
       updated_ms = MAX(peer_day.updated_ms, excluded.updated_ms);

-- name: add_brief(host_id, port, vendor, product, serial, vendor_name, product_name, attached_ms, removed_ms, at_ms)!
-- What it was for is not known: the kernel's log tells names only.
INSERT OR IGNORE INTO usb_device (host_id, port, vendor, product, serial, vendor_name, product_name, device_class,
                                  interface_classes, kind, speed_bits_per_second, devices, first_seen_ms, last_seen_ms,
                                  gone_ms, told_ms)
VALUES (:host_id, :port, :vendor, :product, :serial, :vendor_name, :product_name, '', '', '', 0, '', :attached_ms,
        :removed_ms, :removed_ms, :at_ms);
