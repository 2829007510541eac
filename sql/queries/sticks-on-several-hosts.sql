-- Sticks and phones that were in more than one host.
--
-- The same vendor, product and serial number at different hosts in the period, one row for each host. Cheap sticks may
-- share a serial number.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
seen AS (
    SELECT usb_devices.host, usb_devices.vendor, usb_devices.product, usb_devices.serial,
           MAX(usb_devices.product_name) AS product_name, COUNT(*) AS times,
           MIN(usb_devices.first_seen) AS first_seen, MAX(usb_devices.last_seen) AS last_seen
      FROM given
     CROSS JOIN usb_devices
     WHERE usb_devices.first_seen_ms <= given.until_ms
       AND COALESCE(usb_devices.gone_ms, given.until_ms) >= given.since_ms
       AND usb_devices.kind IN ('storage', 'phone', 'card')
       AND usb_devices.serial <> ''
     GROUP BY usb_devices.host, usb_devices.vendor, usb_devices.product, usb_devices.serial
),
shared AS (
    SELECT vendor, product, serial, COUNT(*) AS hosts
      FROM seen
     GROUP BY vendor, product, serial
    HAVING COUNT(*) > 1
)
SELECT shared.serial, shared.vendor, shared.product, seen.product_name, shared.hosts, seen.host, seen.times,
       seen.first_seen, seen.last_seen
  FROM given
 CROSS JOIN shared
 CROSS JOIN seen
 WHERE seen.vendor = shared.vendor
   AND seen.product = shared.product
   AND seen.serial = shared.serial
   AND seen.host LIKE given.host_like
 ORDER BY shared.hosts DESC, shared.serial, shared.vendor, shared.product, seen.first_seen, seen.host;
