-- What people are owed and were told, who takes care of what, and what nobody is to be told of.

-- name: add_notification(id, alert_id, kind, recipient, number, at_ms, severity, value, limit_text, since_ms, opened_ms, updated_ms, closed_ms, reason, flapping)!
INSERT INTO notification (id, alert_id, kind, recipient, number, at_ms, severity, value, limit_text, since_ms,
                          opened_ms, updated_ms, closed_ms, reason, flapping)
VALUES (:id, :alert_id, :kind, :recipient, :number, :at_ms, :severity, :value, :limit_text, :since_ms,
        :opened_ms, :updated_ms, :closed_ms, :reason, :flapping)
    ON CONFLICT DO NOTHING;

-- name: told(alert_id)
-- The newest number of each recipient, and whether it was told or is owed anything: what is held back is not told yet,
-- but by a quota: that comes with a digest, and its end with it.
SELECT recipient, MAX(number), MAX(state IN ('owed', 'delivered') OR (state = 'held' AND why LIKE 'quota %'))
  FROM notification
 WHERE alert_id = :alert_id
 GROUP BY recipient;

-- name: notified(alert_ids)
-- Of these alerts (a JSON list of ids) everything that was or is to be told, in order.
SELECT alert_id, recipient, kind, number, at_ms, state, done_ms, why, channel, error
  FROM notification
 WHERE alert_id IN (SELECT value FROM json_each(:alert_ids))
 ORDER BY at_ms, id;

-- name: hold_news(host, metric, since_ms, why)!
-- Not that something is over: who was told of it is told that, too.
UPDATE notification
   SET state = 'held', why = :why
 WHERE state = 'owed'
   AND kind IN ('opened', 'rose', 'flapping', 'reminder', 'escalated')
   AND at_ms >= :since_ms
   AND alert_id IN (SELECT alert.id
                      FROM alert
                      JOIN host ON host.id = alert.host_id
                     WHERE host.name = :host AND metric = :metric AND closed_ms IS NULL AND opened_ms >= :since_ms);

-- name: release_held(why)!
UPDATE notification
   SET state = 'owed', why = ''
 WHERE state = 'held' AND why = :why
   AND EXISTS (SELECT 1 FROM alert WHERE alert.id = alert_id AND closed_ms IS NULL);

-- name: suppress_held(now_ms, why)!
UPDATE notification SET state = 'suppressed', done_ms = :now_ms WHERE state = 'held' AND why = :why;

-- name: owes()$
SELECT EXISTS (SELECT 1 FROM notification WHERE state = 'owed');

-- name: undelivered(since_ms)$
SELECT COUNT(*) FROM notification WHERE state = 'failed' AND done_ms >= :since_ms;

-- name: pending(now_ms)
-- Not what is held back because a network is away: that is released by who held it.
SELECT waiting.id, waiting.alert_id, host.name, alert.metric, alert.labels, waiting.severity, waiting.value,
       waiting.limit_text, waiting.opened_ms, waiting.updated_ms, waiting.since_ms, waiting.closed_ms, waiting.reason,
       waiting.flapping, kind, recipient, number, at_ms, attempts, error,
       EXISTS (SELECT 1
                 FROM notification AS other
                WHERE other.alert_id = waiting.alert_id AND other.recipient = waiting.recipient
                  AND other.state = 'delivered'),
       alert.closed_ms IS NOT NULL,
       EXISTS (SELECT 1
                 FROM acknowledgement
                WHERE acknowledgement.alert_id = waiting.alert_id AND ended_ms IS NULL
                  AND (until_ms IS NULL OR until_ms > :now_ms)),
       why, channel, retry_ms
  FROM (SELECT * FROM notification WHERE state = 'owed'
        UNION ALL
        SELECT * FROM notification WHERE state = 'held' AND why <> 'network' AND why NOT LIKE 'parent %') AS waiting
  JOIN alert ON alert.id = waiting.alert_id
  JOIN host ON host.id = alert.host_id
 ORDER BY at_ms, waiting.id;

-- name: delivered(id, now_ms, channel, message_id)!
-- Also one that was held back meanwhile: it was sent, after all.
UPDATE notification
   SET state = 'delivered', done_ms = :now_ms, attempts = attempts + 1, channel = :channel, message_id = :message_id
 WHERE id = :id AND state IN ('owed', 'held');

-- name: try_again(id, error, channel, retry_ms)!
UPDATE notification
   SET attempts = attempts + 1, error = :error, channel = :channel, retry_ms = :retry_ms
 WHERE id = :id AND state IN ('owed', 'held');

-- name: give_up(id, now_ms, error, channel)!
UPDATE notification
   SET state = 'failed', done_ms = :now_ms, attempts = attempts + 1, error = :error, channel = :channel
 WHERE id = :id AND state IN ('owed', 'held');

-- name: hold(id, why)!
-- Not what somebody else has held back for a network since it was read.
UPDATE notification
   SET state = 'held', why = :why
 WHERE id = :id
   AND (state = 'owed' OR (state = 'held' AND why <> :why AND why <> 'network' AND why NOT LIKE 'parent %'));

-- name: release(id)!
UPDATE notification
   SET state = 'owed', why = ''
 WHERE id = :id AND state = 'held' AND why <> 'network' AND why NOT LIKE 'parent %';

-- name: suppress(id, why, now_ms)!
UPDATE notification
   SET state = 'suppressed', why = :why, done_ms = :now_ms
 WHERE id = :id AND state IN ('owed', 'held');

-- name: add_message(id, contact, channel, sent_ms, subject, digest)!
INSERT INTO message (id, contact, channel, sent_ms, subject, digest)
VALUES (:id, :contact, :channel, :sent_ms, :subject, :digest)
    ON CONFLICT (id) DO NOTHING;

-- name: sent_since(since_ms)
SELECT channel, COUNT(*) FROM message WHERE sent_ms >= :since_ms AND digest = 0 GROUP BY channel;

-- name: last_sent()
SELECT contact, MAX(sent_ms) FROM message GROUP BY contact;

-- name: put_evidence(alert_id, part, at_ms, content)!
-- The first counts: what it was busy with when it began.
INSERT INTO evidence (alert_id, part, at_ms, content)
VALUES (:alert_id, :part, :at_ms, :content)
    ON CONFLICT (alert_id, part) DO NOTHING;

-- name: find_evidence(alert_ids)
SELECT alert_id, part, at_ms, content
  FROM evidence
 WHERE alert_id IN (SELECT value FROM json_each(:alert_ids))
 ORDER BY alert_id, part;

-- name: acknowledged(now_ms)
SELECT alert.id
  FROM alert
 WHERE closed_ms IS NULL
   AND EXISTS (SELECT 1
                 FROM acknowledgement
                WHERE alert_id = alert.id AND ended_ms IS NULL AND (until_ms IS NULL OR until_ms > :now_ms));

-- name: silences_in_force(now_ms)
SELECT id, from_ms, until_ms, at_ms, author, comment, host, metric, label, ended_ms, ended_by
  FROM silence
 WHERE until_ms > :now_ms AND from_ms <= :now_ms AND ended_ms IS NULL
 ORDER BY until_ms, id;
