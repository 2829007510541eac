-- What alerts most, and for how long.
--
-- Episodes that were open at any time of the period; hours counts only the part inside it.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
episode AS (
    SELECT alerts.host, alerts.metric, alerts.label, alerts.closed_ms,
           CASE WHEN alerts.opened_ms > given.since_ms THEN alerts.opened_ms ELSE given.since_ms END AS from_ms,
           CASE WHEN alerts.closed_ms < given.until_ms THEN alerts.closed_ms ELSE given.until_ms END AS to_ms
      FROM given
     CROSS JOIN alerts
     WHERE alerts.host LIKE given.host_like
       AND alerts.opened_ms <= given.until_ms
       AND COALESCE(alerts.closed_ms, given.until_ms) >= given.since_ms
)
SELECT host, metric, label, COUNT(*) AS episodes, ROUND(SUM(to_ms - from_ms) / 3.6e6 + 1e-6, 2) AS hours,
       SUM(CASE WHEN closed_ms IS NULL THEN 1 ELSE 0 END) AS open_now
  FROM episode
 GROUP BY host, metric, label
 ORDER BY episodes DESC, hours DESC, host, metric, label;
