-- For each inventory: find_ reads what a host has, add_ and change_ write one, touch_ says that it was seen again.
-- find_ gives the id, then the natural key, then what may change about it.

-- name: find_core(host_id)
SELECT id, core FROM core WHERE host_id = :host_id;

-- name: add_core(host_id, now_ms, core)!
INSERT INTO core (host_id, core, first_seen_ms, last_seen_ms) VALUES (:host_id, :core, :now_ms, :now_ms);

-- name: touch_core(id, now_ms)!
UPDATE core SET last_seen_ms = :now_ms WHERE id = :id;

-- name: find_filesystem(host_id)
SELECT id, mountpoint, device, type, state FROM filesystem WHERE host_id = :host_id;

-- name: add_filesystem(host_id, now_ms, mountpoint, device, type, state)!
INSERT INTO filesystem (host_id, mountpoint, device, type, state, first_seen_ms, last_seen_ms)
VALUES (:host_id, :mountpoint, :device, :type, :state, :now_ms, :now_ms);

-- name: change_filesystem(id, device, type, state)!
UPDATE filesystem SET device = :device, type = :type, state = :state WHERE id = :id;

-- name: touch_filesystem(id, now_ms)!
UPDATE filesystem SET last_seen_ms = :now_ms WHERE id = :id;

-- name: find_disk(host_id)
SELECT id, device, model, size_bytes FROM disk WHERE host_id = :host_id;

-- name: add_disk(host_id, now_ms, device, model, size)!
INSERT INTO disk (host_id, device, model, size_bytes, first_seen_ms, last_seen_ms)
VALUES (:host_id, :device, :model, :size, :now_ms, :now_ms);

-- name: change_disk(id, model, size)!
UPDATE disk SET model = :model, size_bytes = :size WHERE id = :id;

-- name: touch_disk(id, now_ms)!
UPDATE disk SET last_seen_ms = :now_ms WHERE id = :id;

-- name: find_interface(host_id)
SELECT id, interface, mac, link, mtu, speed_bits_per_second FROM interface WHERE host_id = :host_id;

-- name: add_interface(host_id, now_ms, interface, mac, link, mtu, speed)!
INSERT INTO interface (host_id, interface, mac, link, mtu, speed_bits_per_second, first_seen_ms, last_seen_ms)
VALUES (:host_id, :interface, :mac, :link, :mtu, :speed, :now_ms, :now_ms);

-- name: change_interface(id, mac, link, mtu, speed)!
UPDATE interface SET mac = :mac, link = :link, mtu = :mtu, speed_bits_per_second = :speed WHERE id = :id;

-- name: touch_interface(id, now_ms)!
UPDATE interface SET last_seen_ms = :now_ms WHERE id = :id;

-- name: find_interface_address(host_id)
SELECT id, interface, family, address, prefix FROM interface_address WHERE host_id = :host_id;

-- name: add_interface_address(host_id, now_ms, interface, family, address, prefix)!
INSERT INTO interface_address (host_id, interface, family, address, prefix, first_seen_ms, last_seen_ms)
VALUES (:host_id, :interface, :family, :address, :prefix, :now_ms, :now_ms);

-- name: touch_interface_address(id, now_ms)!
UPDATE interface_address SET last_seen_ms = :now_ms WHERE id = :id;
