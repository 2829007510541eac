-- What nobody is told of, until when, and who said so.
--
-- host, metric and label are patterns; what fits all three is silent. With --until as it was then.
WITH given AS (
    SELECT now_ms AS until_ms FROM moment
)
SELECT silences.host, silences.metric, silences.label, silences.author, silences.comment, silences.begins,
       silences.ends
  FROM given
 CROSS JOIN silences
 WHERE silences.from_ms <= given.until_ms
   AND silences.until_ms > given.until_ms
   AND COALESCE(silences.ended_ms, silences.until_ms) > given.until_ms
 ORDER BY silences.until_ms, silences.id;
