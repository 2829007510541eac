-- The hottest sensors of the period.
--
-- Mean, peak and newest temperature in degrees Celsius.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
period AS (
    SELECT host.name AS host, series.id AS series_id, series.label AS sensor, AVG(series_sample.value) AS mean,
           MAX(series_sample.value) AS peak, MAX(series_sample.at_ms) AS last_ms, COUNT(*) AS samples
      FROM given
     CROSS JOIN host
     CROSS JOIN series
     CROSS JOIN series_sample
     WHERE host.name LIKE given.host_like
       AND series.host_id = host.id
       AND series.metric = 'hardware.celsius'
       AND series_sample.series_id = series.id
       AND series_sample.at_ms BETWEEN given.since_ms AND given.until_ms
       AND series_sample.value IS NOT NULL
     GROUP BY host.name, series.id, series.label
)
SELECT period.host, period.sensor, ROUND(period.mean + 1e-6, 1) AS mean_celsius, period.peak AS peak_celsius,
       newest.value AS newest_celsius, period.samples
  FROM period
 CROSS JOIN series_sample newest
 WHERE newest.series_id = period.series_id
   AND newest.at_ms = period.last_ms
 ORDER BY period.peak DESC, period.host, period.sensor;
