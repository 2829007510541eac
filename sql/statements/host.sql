-- name: find_host(name)^
SELECT id, boot_id, hostname, kernel, kernel_release, machine, distribution, distribution_version, distribution_name, cpus,
       python, probe, address, host_key
  FROM host
 WHERE name = :name;

-- name: add_host(name, now_ms)!
INSERT INTO host (name, first_seen_ms) VALUES (:name, :now_ms);

-- name: change_host(id, now_ms, hostname, kernel, kernel_release, machine, distribution, distribution_version, distribution_name, cpus, python, probe, boot_id, booted_ms, address, host_key)!
UPDATE host
   SET last_seen_ms = :now_ms, hostname = :hostname, kernel = :kernel, kernel_release = :kernel_release, machine = :machine,
       distribution = :distribution, distribution_version = :distribution_version,
       distribution_name = :distribution_name, cpus = :cpus, python = :python, probe = :probe, boot_id = :boot_id,
       booted_ms = :booted_ms, address = :address, host_key = :host_key
 WHERE id = :id;

-- name: touch_host(id, now_ms)!
UPDATE host SET last_seen_ms = :now_ms WHERE id = :id;

-- name: find_memory(name)^
SELECT reading, stuck, host_memory.address, failures, sudo_denied_until_ms, auth_failures, retry_at_ms, report_ms,
       host_key, stage || '/' || code, clock_skewed
  FROM host
  JOIN host_latest ON host_latest.host_id = host.id
  LEFT JOIN host_memory ON host_memory.host_id = host.id
 WHERE name = :name;

-- name: remember_reading(host_id, reading, stuck, address)!
INSERT INTO host_memory (host_id, reading, stuck, address)
VALUES (:host_id, :reading, COALESCE(:stuck, '[]'), :address)
    ON CONFLICT (host_id) DO UPDATE
   SET reading = excluded.reading, stuck = COALESCE(:stuck, stuck), address = excluded.address;

-- name: renew_reading(host_id, reading)!
-- Only where a poll has left one: what a host says by itself is held against it.
UPDATE host_memory SET reading = :reading WHERE host_id = :host_id AND reading IS NOT NULL;

-- name: remember_skew(host_id, skewed)!
INSERT INTO host_memory (host_id, clock_skewed)
VALUES (:host_id, :skewed)
    ON CONFLICT (host_id) DO UPDATE SET clock_skewed = excluded.clock_skewed;

-- name: remember_sudo(host_id, until_ms)!
INSERT INTO host_memory (host_id, sudo_denied_until_ms)
VALUES (:host_id, :until_ms)
    ON CONFLICT (host_id) DO UPDATE
   SET sudo_denied_until_ms = excluded.sudo_denied_until_ms;

-- name: find_logins(name)^
SELECT auth_failures, retry_at_ms
  FROM host
  JOIN host_memory ON host_memory.host_id = host.id
 WHERE name = :name;

-- name: remember_refusal(host_id, tries, until_ms)!
-- After so many refusals in a row no login is tried before that instant.
INSERT INTO host_memory (host_id, auth_failures, retry_at_ms)
VALUES (:host_id, 1, CASE WHEN :tries <= 1 THEN :until_ms ELSE 0 END)
    ON CONFLICT (host_id) DO UPDATE
   SET auth_failures = auth_failures + 1,
       retry_at_ms = CASE WHEN auth_failures + 1 >= :tries THEN :until_ms ELSE 0 END;

-- name: forget_refusals(host_id)!
UPDATE host_memory SET auth_failures = 0, retry_at_ms = 0 WHERE host_id = :host_id AND auth_failures > 0;

-- name: forget_refusals_of(name)!
UPDATE host_memory
   SET auth_failures = 0, retry_at_ms = 0
 WHERE host_id = (SELECT id FROM host WHERE name = :name);

-- name: newest_reports()
SELECT name, report_ms FROM host_latest JOIN host ON host.id = host_latest.host_id WHERE report_ms IS NOT NULL;
