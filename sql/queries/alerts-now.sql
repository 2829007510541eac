-- Alerts that are open, the worst first.
--
-- The value is the newest one, since is when the limit was passed. acknowledged: somebody takes care; flapping: it comes
-- and goes. told counts notifications that were delivered, not_told says why one was not (the last by the alphabet).
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT alerts.host, alerts.metric, alerts.label, alerts.severity, alerts.value, alerts.limit_text, alerts.since,
       alerts.acknowledged, alerts.flapping,
       (SELECT COUNT(*) FROM notification WHERE notification.alert_id = alerts.id AND state = 'delivered') AS told,
       COALESCE((SELECT MAX(CASE state WHEN 'failed' THEN error WHEN 'owed' THEN 'owed' ELSE why END)
                   FROM notification
                  WHERE notification.alert_id = alerts.id AND state <> 'delivered'), '') AS not_told
  FROM given
 CROSS JOIN alerts
 WHERE alerts.closed_ms IS NULL
   AND alerts.host LIKE given.host_like
 ORDER BY CASE alerts.severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, alerts.since, alerts.host,
       alerts.metric, alerts.label;
