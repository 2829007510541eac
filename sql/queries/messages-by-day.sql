-- How many messages went to whom, by day and channel.
--
-- A message may hold many notifications; a digest holds what a quota had kept back.
WITH given AS (
    SELECT week_ago_ms AS since_ms, now_ms AS until_ms FROM moment
)
SELECT messages.sent_ms - messages.sent_ms % 86400000 AS day_ms, messages.contact, messages.channel,
       COUNT(*) AS messages, SUM(messages.digest) AS digests, SUM(messages.notifications) AS notifications
  FROM given
 CROSS JOIN messages
 WHERE messages.sent_ms BETWEEN given.since_ms AND given.until_ms
 GROUP BY messages.sent_ms - messages.sent_ms % 86400000, messages.contact, messages.channel
 ORDER BY day_ms DESC, messages.contact, messages.channel;
