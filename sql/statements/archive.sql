-- The queue of what an archive elsewhere does not have yet, and how that archive is.

-- name: waiting()^
-- All of it, its polls, the time of the oldest poll, and what was refused for good.
SELECT (SELECT COUNT(*) FROM outgoing), (SELECT COUNT(*) FROM outgoing WHERE kind = 'poll'),
       (SELECT at_ms FROM outgoing WHERE kind = 'poll' ORDER BY seq LIMIT 1), (SELECT COUNT(*) FROM rejected);

-- name: next_outgoing(polls, items)
-- Whole commits are not kept together, but what a poll brought goes after it or with it.
SELECT seq, kind, item, at_ms
  FROM outgoing
 WHERE seq <= COALESCE((SELECT seq FROM outgoing WHERE kind = 'poll' ORDER BY seq LIMIT 1 OFFSET :polls - 1),
                       9223372036854775807)
 ORDER BY seq
 LIMIT :items;

-- name: drop_outgoing(first, last)!
DELETE FROM outgoing WHERE seq BETWEEN :first AND :last;

-- name: add_rejected(seq, kind, item, at_ms, now_ms, error)!
INSERT INTO rejected (seq, kind, item, at_ms, rejected_ms, error)
VALUES (:seq, :kind, :item, :at_ms, :now_ms, :error)
    ON CONFLICT (seq) DO NOTHING;

-- name: retry_rejected()!
INSERT INTO outgoing (kind, item, at_ms) SELECT kind, item, at_ms FROM rejected ORDER BY seq;

-- name: forget_rejected()!
DELETE FROM rejected;

-- name: archive_state()^
SELECT enabled, shipped_ms, away_since_ms, code, error FROM archive_state;

-- name: enable_archive(enabled)!
UPDATE archive_state SET enabled = :enabled WHERE enabled <> :enabled;

-- name: note_shipped(now_ms)!
UPDATE archive_state SET shipped_ms = :now_ms, away_since_ms = NULL, code = '', error = '';

-- name: note_away(now_ms, code, error)!
UPDATE archive_state SET away_since_ms = COALESCE(away_since_ms, :now_ms), code = :code, error = :error;

-- name: oldest_outgoing_poll()$
SELECT MIN(at_ms) FROM outgoing WHERE kind = 'poll';

-- name: has_hosts()$
SELECT EXISTS (SELECT 1 FROM host);

-- name: report_before(host_id, at_ms)^
-- The one before that the archive was sent.
SELECT at_ms
  FROM poll
 WHERE host_id = :host_id AND at_ms < :at_ms AND outcome IN ('ok', 'partial') AND id NOT IN (SELECT item FROM rejected)
 ORDER BY at_ms DESC
 LIMIT 1;

-- Rows that an archive elsewhere has. Of a poll that it refused for good nothing is deleted.

-- name: shipped_round(before_ms)!
DELETE FROM round
 WHERE started_ms < :before_ms
   AND id NOT IN (SELECT item FROM rejected)
   AND id NOT IN (SELECT item FROM outgoing WHERE kind = 'round');

-- name: shipped_event(before_ms)!
DELETE FROM event
 WHERE at_ms < :before_ms
   AND id NOT IN (SELECT item FROM rejected)
   AND id NOT IN (SELECT item FROM outgoing WHERE kind = 'event');

-- name: shipped_alert(before_ms)!
-- With all that belongs to it, so none of that may wait for anything either.
DELETE FROM alert
 WHERE closed_ms < :before_ms
   AND id NOT IN (SELECT item FROM rejected)
   AND id NOT IN (SELECT item FROM outgoing WHERE kind IN ('alert', 'evidence'))
   AND NOT EXISTS (SELECT 1
                     FROM acknowledgement
                    WHERE alert_id = alert.id
                      AND (acknowledgement.id IN (SELECT item FROM rejected)
                           OR acknowledgement.id IN (SELECT item FROM outgoing WHERE kind = 'acknowledgement')))
   AND NOT EXISTS (SELECT 1
                     FROM notification
                    WHERE alert_id = alert.id
                      AND (state IN ('owed', 'held')
                           OR notification.id IN (SELECT item FROM rejected)
                           OR notification.id IN (SELECT item FROM outgoing WHERE kind = 'notification')));

-- What may be given up while the archive is away and the journal has reached its bound.

-- name: oldest_samples()^
-- The oldest sample that is not of a host's newest report.
SELECT MIN((SELECT MIN(at_ms) FROM system_sample WHERE host_id = host.id AND at_ms < COALESCE(report_ms, at_ms + 1)))
  FROM host
  LEFT JOIN host_latest ON host_latest.host_id = host.id;

-- name: waiting_reports(since_ms)
SELECT outgoing.at_ms
  FROM outgoing
  JOIN poll ON poll.id = outgoing.item
 WHERE kind = 'poll' AND outgoing.at_ms >= :since_ms AND outcome IN ('ok', 'partial')
   AND outgoing.at_ms < COALESCE((SELECT report_ms FROM host_latest WHERE host_latest.host_id = poll.host_id), 0)
 ORDER BY outgoing.at_ms;

-- name: waiting_polls(since_ms)
-- Those without log lines.
SELECT outgoing.at_ms
  FROM outgoing
  LEFT JOIN poll ON poll.id = outgoing.item
 WHERE kind = 'poll' AND outgoing.at_ms >= :since_ms
   AND NOT EXISTS (SELECT 1 FROM log_line WHERE log_line.host_id = poll.host_id AND seen_ms = poll.at_ms)
 ORDER BY outgoing.at_ms;

-- name: waiting_lines(since_ms)
SELECT outgoing.at_ms
  FROM outgoing
  JOIN poll ON poll.id = outgoing.item
 WHERE kind = 'poll' AND outgoing.at_ms >= :since_ms
   AND EXISTS (SELECT 1 FROM log_line WHERE log_line.host_id = poll.host_id AND seen_ms = poll.at_ms)
 ORDER BY outgoing.at_ms;

-- name: drop_polls(id, before_ms)!
DELETE FROM poll
 WHERE host_id = :id AND at_ms < :before_ms
   AND NOT EXISTS (SELECT 1 FROM log_line WHERE log_line.host_id = poll.host_id AND seen_ms = poll.at_ms);

-- name: lines_of(first, last)
-- About how many log lines each poll of a part of the queue brought.
SELECT seq, (SELECT MAX(number) + 1 FROM log_line WHERE log_line.host_id = poll.host_id AND seen_ms = poll.at_ms)
  FROM outgoing
  JOIN poll ON poll.id = item
 WHERE kind = 'poll' AND seq BETWEEN :first AND :last;

-- name: waiting_events(since_ms)
-- Not the gaps: they say what is missing.
SELECT event.at_ms
  FROM outgoing
  JOIN event ON event.id = outgoing.item
 WHERE outgoing.kind = 'event' AND event.kind <> 'gap' AND event.at_ms >= :since_ms
 ORDER BY event.at_ms;

-- name: forget_polls(before_ms)!
DELETE FROM outgoing WHERE kind = 'poll' AND at_ms < :before_ms AND item NOT IN (SELECT id FROM poll);

-- name: drop_events(before_ms)!
DELETE FROM event WHERE at_ms < :before_ms AND kind <> 'gap';

-- name: forget_events()!
DELETE FROM outgoing WHERE kind = 'event' AND item NOT IN (SELECT id FROM event);

-- name: first_rejected(at_most)
SELECT kind, item, at_ms, rejected_ms, error FROM rejected ORDER BY seq LIMIT :at_most;
