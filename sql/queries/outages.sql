-- Polls that failed, by host and reason.
--
-- How often, when first and last, and what share of all polls of that host in the period.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
),
tried AS (
    SELECT host.id AS host_id, COUNT(*) AS polls
      FROM given
     CROSS JOIN host
     CROSS JOIN poll
     WHERE host.name LIKE given.host_like
       AND poll.host_id = host.id
       AND poll.at_ms BETWEEN given.since_ms AND given.until_ms
     GROUP BY host.id
)
SELECT polls.host, polls.stage, polls.code, COUNT(*) AS failed,
       ROUND(1e2 * COUNT(*) / MAX(tried.polls) + 1e-6, 1) AS failed_percent, MIN(polls.at) AS first_at,
       MAX(polls.at) AS last_at
  FROM given
 CROSS JOIN tried
 CROSS JOIN host
 CROSS JOIN polls
 WHERE host.id = tried.host_id
   AND polls.host_id = host.id
   AND polls.at_ms BETWEEN given.since_ms AND given.until_ms
   AND polls.outcome = 'failed'
 GROUP BY polls.host, polls.stage, polls.code
 ORDER BY failed DESC, polls.host, polls.stage, polls.code;
