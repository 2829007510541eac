-- Everything about one host, for `poller show`: one statement for each part. What is there now has gone_ms NULL, or
-- was there when its section was read last.

-- name: show_host(host)^
SELECT host.id, first_seen_ms, outcome, stage, code, error, at_ms, seconds, report_ms, failures, hostname, kernel,
       kernel_release, machine, distribution_name, cpus, python, boot_id, booted_ms, address, host_key
  FROM host
  LEFT JOIN host_latest ON host_latest.host_id = host.id
 WHERE name = :host;

-- name: show_sections(host_id)
-- How old what is known about each part is, and whether it could be read then.
SELECT section, status, reason, complete_ms, last_seen_ms AS asked_ms
  FROM section_state
 WHERE host_id = :host_id
 ORDER BY section;

-- name: show_filesystems(host_id)
SELECT mountpoint, device, type, state, percent AS used_percent, used_bytes, available_bytes, total_bytes,
       inodes_percent, read_only
  FROM filesystem
  LEFT JOIN filesystem_sample ON filesystem_sample.filesystem_id = filesystem.id AND at_ms = last_seen_ms
 WHERE filesystem.host_id = :host_id
   AND last_seen_ms >= COALESCE((SELECT MAX(last_seen_ms) FROM filesystem WHERE host_id = :host_id), 0)
 ORDER BY mountpoint;

-- name: show_disks(host_id)
SELECT device, model, size_bytes, busy_percent, read_bytes_per_second, write_bytes_per_second
  FROM disk
  LEFT JOIN disk_sample ON disk_sample.disk_id = disk.id AND at_ms = last_seen_ms
 WHERE disk.host_id = :host_id
   AND last_seen_ms >= COALESCE((SELECT MAX(last_seen_ms) FROM disk WHERE host_id = :host_id), 0)
 ORDER BY device;

-- name: show_interfaces(host_id)
SELECT interface, link, mac, mtu, speed_bits_per_second, receive_bytes_per_second, transmit_bytes_per_second,
       receive_errors_per_second, transmit_errors_per_second
  FROM interface
  LEFT JOIN interface_sample ON interface_sample.interface_id = interface.id AND at_ms = last_seen_ms
 WHERE interface.host_id = :host_id
   AND last_seen_ms >= COALESCE((SELECT MAX(last_seen_ms) FROM interface WHERE host_id = :host_id), 0)
 ORDER BY interface;

-- name: show_addresses(host_id)
SELECT interface, family, address, prefix
  FROM interface_address
 WHERE host_id = :host_id
   AND last_seen_ms >= COALESCE((SELECT MAX(last_seen_ms) FROM interface_address WHERE host_id = :host_id), 0)
 ORDER BY interface, family, address;

-- name: show_usb(host_id)
SELECT kind, vendor, product, vendor_name, product_name, serial, port, devices, speed_bits_per_second,
       first_seen_ms AS since_ms
  FROM usb_device
 WHERE host_id = :host_id AND gone_ms IS NULL
 ORDER BY kind = 'hub', port;

-- name: show_devices(host_id)
SELECT kind, name, model, serial, size_bytes, removable, bus, first_seen_ms AS since_ms
  FROM device
 WHERE host_id = :host_id AND gone_ms IS NULL
 ORDER BY kind, name;

-- name: show_mounts(host_id)
SELECT mountpoint, device, type, options, removable, usb, network, loop_device, carrier, first_seen_ms AS since_ms
  FROM mount
 WHERE host_id = :host_id AND gone_ms IS NULL
 ORDER BY removable + usb + network DESC, mountpoint;

-- name: show_listeners(host_id)
SELECT protocol, address, port, process, uid, first_seen_ms AS since_ms
  FROM listener
 WHERE host_id = :host_id AND gone_ms IS NULL
 ORDER BY address LIKE '127.%' OR address = '::1', protocol, port, address;

-- name: show_peers(host_id, since_ms)
SELECT name, address, scope, inbound, protocol, port, SUM(sent_bytes) AS sent_bytes,
       SUM(received_bytes) AS received_bytes, SUM(opened) AS opened, listed, uid, last_seen_ms
  FROM peer
 CROSS JOIN peer_sample
 WHERE peer.host_id = :host_id AND last_seen_ms >= :since_ms
   AND peer_id = peer.id AND at_ms >= :since_ms
 GROUP BY peer.id
 ORDER BY COALESCE(SUM(sent_bytes), 0) + COALESCE(SUM(received_bytes), 0) DESC, SUM(opened) DESC, address, port;

-- name: show_processes(host_id)
SELECT name, pid, account, cpu_percent, memory_bytes, command
  FROM process_sample
 WHERE host_id = :host_id AND at_ms = (SELECT MAX(at_ms) FROM process_sample WHERE host_id = :host_id)
 ORDER BY COALESCE(cpu_percent, 0) DESC, memory_bytes DESC, pid;

-- name: show_units(host_id)
SELECT unit, active, sub, load_state, description
  FROM unit
 WHERE host_id = :host_id
   AND last_seen_ms >= COALESCE((SELECT MAX(complete_ms) FROM section_state
                                  WHERE host_id = :host_id AND section = 'units'), 0)
 ORDER BY active <> 'failed', unit;

-- name: show_checks(host_id)
SELECT name, status, output, perfdata, last_seen_ms AS read_ms
  FROM service_check
 WHERE host_id = :host_id
   AND last_seen_ms >= COALESCE((SELECT MAX(complete_ms) FROM section_state
                                  WHERE host_id = :host_id AND section = 'checks'), 0)
 ORDER BY status = 0, name;

-- name: show_series(host_id, since_ms)
-- Temperatures, arrays, values of checks and textfiles, ports: the newest value of each.
SELECT metric, label, value, at_ms AS read_ms
  FROM series
 CROSS JOIN series_sample
 WHERE host_id = :host_id AND last_seen_ms >= :since_ms
   AND series_id = series.id
   AND at_ms = (SELECT MAX(at_ms) FROM series_sample AS newest WHERE newest.series_id = series.id)
 ORDER BY metric, label;

-- name: show_people(host_id)
SELECT account, terminal, source, since_ms, pid FROM login
 WHERE host_id = :host_id AND gone_ms IS NULL
 ORDER BY since_ms, account;

-- name: show_logs(host_id)
SELECT log, path, state, reason, behind_bytes, lost_bytes, last_seen_ms AS read_ms
  FROM log_source
 WHERE host_id = :host_id
   AND last_seen_ms >= COALESCE((SELECT MAX(last_seen_ms) FROM section_state
                                  WHERE host_id = :host_id AND section = 'logs'), 0)
 ORDER BY state = 'ok', log, path;

-- name: show_events(host_id)
SELECT at_ms, kind, severity, details
  FROM event
 WHERE host_id = :host_id
 ORDER BY at_ms DESC, id DESC
 LIMIT 100;
