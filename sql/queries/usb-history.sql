-- Who had which USB device, and when.
--
-- Everything that was plugged in at some time of the period, hubs left out: "who had a stick between 10 and 11" is
-- --since and --until. gone is NULL while it is there; it went some time between last_seen and gone.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT usb_devices.host, usb_devices.kind, usb_devices.vendor, usb_devices.product, usb_devices.vendor_name,
       usb_devices.product_name, usb_devices.serial, usb_devices.port, usb_devices.devices, usb_devices.first_seen,
       usb_devices.last_seen, usb_devices.gone
  FROM given
 CROSS JOIN usb_devices
 WHERE usb_devices.first_seen_ms <= given.until_ms
   AND COALESCE(usb_devices.gone_ms, given.until_ms) >= given.since_ms
   AND usb_devices.kind <> 'hub'
   AND usb_devices.host LIKE given.host_like
 ORDER BY usb_devices.first_seen_ms DESC, usb_devices.host, usb_devices.port, usb_devices.vendor,
       usb_devices.product, usb_devices.serial;
