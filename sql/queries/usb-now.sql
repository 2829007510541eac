-- USB devices that are plugged in now.
--
-- As the newest report of each host has them, storage and phones first, hubs left out.
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT usb_devices.host, usb_devices.kind, usb_devices.vendor, usb_devices.product, usb_devices.vendor_name,
       usb_devices.product_name, usb_devices.serial, usb_devices.port, usb_devices.devices, usb_devices.first_seen
  FROM given
 CROSS JOIN usb_devices
 WHERE usb_devices.gone_ms IS NULL
   AND usb_devices.kind <> 'hub'
   AND usb_devices.host LIKE given.host_like
 ORDER BY CASE WHEN usb_devices.kind IN ('storage', 'phone', 'card') THEN 1 ELSE 2 END, usb_devices.host,
       usb_devices.port, usb_devices.vendor, usb_devices.product, usb_devices.serial;
