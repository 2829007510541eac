-- Who was logged in, where, and from where.
--
-- Everybody who was there at some time of the period. since is by the host's clock; gone is NULL while they are there.
-- The poller's own logins are left out.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like FROM moment
)
SELECT logins.host, logins.account, logins.terminal, logins.source, logins.since, logins.last_seen, logins.gone
  FROM given
 CROSS JOIN logins
 WHERE logins.first_seen_ms <= given.until_ms
   AND COALESCE(logins.gone_ms, given.until_ms) >= given.since_ms
   AND logins.host LIKE given.host_like
 ORDER BY logins.first_seen_ms DESC, logins.host, logins.account, logins.terminal, logins.since;
