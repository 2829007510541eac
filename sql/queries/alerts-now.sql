-- Alerts that are open, the worst first.
--
-- The value is the newest one, since is when the limit was passed.
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT alerts.host, alerts.metric, alerts.label, alerts.severity, alerts.value, alerts.limit_text, alerts.since
  FROM given
 CROSS JOIN alerts
 WHERE alerts.closed_ms IS NULL
   AND alerts.host LIKE given.host_like
 ORDER BY CASE alerts.severity WHEN 'high' THEN 1 WHEN 'medium' THEN 2 ELSE 3 END, alerts.since, alerts.host,
       alerts.metric, alerts.label;
