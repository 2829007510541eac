-- Logs that are not read to their end, and why.
--
-- Denied, absent, failed, or behind: no lines of such a log is not the same as nothing happened. A row without a log is
-- a host whose logs could not be read at all.
WITH given AS (
    SELECT '%' AS host_like FROM moment
)
SELECT log_sources.host, log_sources.log, log_sources.path, log_sources.state, log_sources.reason,
       log_sources.behind_bytes, log_sources.lost_bytes, log_sources.last_seen
  FROM given
 CROSS JOIN log_sources
 CROSS JOIN section_states
 WHERE log_sources.state <> 'ok'
   AND log_sources.host LIKE given.host_like
   AND section_states.host = log_sources.host
   AND section_states.section = 'logs'
   AND log_sources.last_seen_ms >= section_states.last_seen_ms
 UNION ALL
SELECT section_states.host, '', '', section_states.status, section_states.reason, 0, 0, section_states.last_seen
  FROM given
 CROSS JOIN section_states
 WHERE section_states.section = 'logs'
   AND section_states.status <> 'ok'
   AND section_states.host LIKE given.host_like
 ORDER BY 1, 2, 3;
