-- Which thresholds and rules make the most noise.
--
-- Episodes that opened in the period by metric (or name of the rule), on how many hosts, how long those that are over
-- lasted, and what people were told of them; unread is what was suppressed: mostly it was over too soon to tell.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
episode AS (
    SELECT alert.metric, alert.host_id, alert.opened_ms, alert.closed_ms,
           (SELECT COUNT(*)
              FROM notification
             WHERE notification.alert_id = alert.id AND state = 'delivered') AS told,
           (SELECT COUNT(*)
              FROM notification
             WHERE notification.alert_id = alert.id AND state = 'suppressed') AS unread
      FROM given
     CROSS JOIN host
     CROSS JOIN alert
     WHERE host.name LIKE given.host_like
       AND alert.host_id = host.id
       AND alert.opened_ms BETWEEN given.since_ms AND given.until_ms
)
SELECT metric, COUNT(*) AS episodes, COUNT(DISTINCT host_id) AS hosts,
       SUM(CASE WHEN closed_ms IS NULL THEN 1 ELSE 0 END) AS open_now,
       ROUND(AVG(closed_ms - opened_ms) / 6e4 + 1e-6, 1) AS minutes, SUM(told) AS told, SUM(unread) AS unread
  FROM episode
 GROUP BY metric
 ORDER BY episodes DESC, told DESC, metric;
