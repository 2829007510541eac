-- Log lines that hold some words, the newest first.
--
-- --text gives the words, capital letters and all. Times are the lines' own, by the hosts' clocks. `poller logs` has
-- regular expressions and follows.
WITH given AS (
    SELECT day_ago_ms AS since_ms, now_ms AS until_ms, '%' AS host_like, '%' AS text_like FROM moment
)
SELECT log_lines.at, log_lines.host, log_lines.log, log_lines.program, log_lines.pid, log_lines.severity,
       log_lines.repeats, log_lines.message
  FROM given
 CROSS JOIN log_lines
 WHERE log_lines.at_ms BETWEEN given.since_ms AND given.until_ms
   AND log_lines.host LIKE given.host_like
   AND log_lines.message LIKE given.text_like ESCAPE '!'
 ORDER BY log_lines.at_ms DESC, log_lines.host, log_lines.seen_ms DESC, log_lines.number DESC;
