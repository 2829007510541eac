-- Schema 2: an archive elsewhere, back-off after refused logins, notifications that are held back.

-- Events get ids that mean the same in every database they are copied to. Old ones: a UUIDv7 of their time and number.
DROP VIEW events;
CREATE TABLE event_2 (
    id       TEXT    NOT NULL PRIMARY KEY,  -- UUIDv7
    host_id  INTEGER REFERENCES host (id),
    kind     TEXT    NOT NULL,
    at_ms    INTEGER NOT NULL,
    severity TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    details  TEXT    NOT NULL
) WITHOUT ROWID;
INSERT INTO event_2 (id, host_id, kind, at_ms, severity, details)
SELECT printf('%08x-%04x-7000-8000-%012x', at_ms / 65536, at_ms % 65536, id), host_id, kind, at_ms, severity, details
  FROM event;
DROP TABLE event;
ALTER TABLE event_2 RENAME TO event;
CREATE INDEX event_by_time ON event (at_ms);
CREATE INDEX event_by_host ON event (host_id, at_ms);
CREATE VIEW events AS
SELECT datetime(at_ms / 1000, 'unixepoch') AS at, host.name AS host, kind, severity, details, at_ms
  FROM event
  LEFT JOIN host ON host.id = event.host_id;

-- held: not sent for now, because the poller itself lost its network. suppressed: over before it was sent.
DROP VIEW notifications;
CREATE TABLE notification_2 (
    id          TEXT    NOT NULL PRIMARY KEY,
    alert_id    TEXT    NOT NULL REFERENCES alert (id) ON DELETE CASCADE,
    kind        TEXT    NOT NULL CHECK (kind IN ('opened', 'rose', 'fell', 'closed', 'unconfigured')),
    recipient   TEXT    NOT NULL,
    number      INTEGER NOT NULL,         -- counts what this recipient gets about this alert
    at_ms       INTEGER NOT NULL,
    severity    TEXT    NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    value       REAL,
    limit_text  TEXT    NOT NULL,
    since_ms    INTEGER NOT NULL,
    opened_ms   INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    closed_ms   INTEGER,
    reason      TEXT    NOT NULL DEFAULT '',
    state       TEXT    NOT NULL DEFAULT 'owed'
                CHECK (state IN ('owed', 'held', 'delivered', 'failed', 'suppressed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    done_ms     INTEGER,                  -- delivered, given up or suppressed
    error       TEXT    NOT NULL DEFAULT '',  -- of the last attempt that failed
    UNIQUE (alert_id, kind, recipient, number)
);
INSERT INTO notification_2 SELECT * FROM notification;
DROP TABLE notification;
ALTER TABLE notification_2 RENAME TO notification;
CREATE INDEX notification_owed ON notification (at_ms) WHERE state = 'owed';
CREATE INDEX notification_held ON notification (at_ms) WHERE state = 'held';
CREATE VIEW notifications AS
SELECT datetime(at_ms / 1000, 'unixepoch') AS at, recipient, notification.kind, host.name AS host, alert.metric,
       COALESCE((SELECT group_concat(value) FROM json_each(labels)), '') AS label, notification.severity, state,
       attempts, error, datetime(done_ms / 1000, 'unixepoch') AS done, notification.id, alert_id, at_ms
  FROM notification
  JOIN alert ON alert.id = notification.alert_id
  JOIN host ON host.id = alert.host_id;

-- Logins refused in a row, and until when none is tried.
ALTER TABLE host_memory ADD COLUMN auth_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE host_memory ADD COLUMN retry_at_ms INTEGER NOT NULL DEFAULT 0;

-- What the archive does not have yet, in the order of commits. Empty, and nothing is added, without an archive elsewhere.
CREATE TABLE outgoing (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    kind  TEXT    NOT NULL CHECK (kind IN ('round', 'poll', 'alert', 'notification', 'event', 'limits')),
    item  TEXT    NOT NULL,   -- id of the row; of the host for limits
    at_ms INTEGER NOT NULL
);
CREATE INDEX outgoing_by_kind ON outgoing (kind, seq);

-- One row. enabled: an archive is configured, so that changes are queued.
CREATE TABLE archive_state (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    enabled       INTEGER NOT NULL DEFAULT 0,
    shipped_ms    INTEGER,                       -- the archive last took something, or was found up to date
    away_since_ms INTEGER,                       -- NULL: it answered last time
    code          TEXT    NOT NULL DEFAULT '',   -- why it is away
    error         TEXT    NOT NULL DEFAULT ''
);
INSERT INTO archive_state (id) VALUES (1);

-- What the archive refused for good, one row each; the data stay in this file until retention takes them.
CREATE TABLE rejected (
    seq         INTEGER PRIMARY KEY,             -- as it was in outgoing
    kind        TEXT    NOT NULL,
    item        TEXT    NOT NULL,
    at_ms       INTEGER NOT NULL,
    rejected_ms INTEGER NOT NULL,
    error       TEXT    NOT NULL
);

CREATE TRIGGER queue_round_begun AFTER INSERT ON round WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('round', NEW.id, NEW.started_ms);
END;
CREATE TRIGGER queue_round_ended AFTER UPDATE ON round WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('round', NEW.id, NEW.started_ms);
END;
CREATE TRIGGER queue_poll AFTER INSERT ON poll WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('poll', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_alert_new AFTER INSERT ON alert WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('alert', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_alert_changed AFTER UPDATE ON alert WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('alert', NEW.id, NEW.updated_ms);
END;
CREATE TRIGGER queue_notification_new AFTER INSERT ON notification WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('notification', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_notification_changed AFTER UPDATE ON notification WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('notification', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_event AFTER INSERT ON event WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('event', NEW.id, NEW.at_ms);
END;
CREATE TRIGGER queue_limit_new AFTER INSERT ON limit_state WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('limits', NEW.host_id, NEW.since_ms);
END;
CREATE TRIGGER queue_limit_changed AFTER UPDATE ON limit_state WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('limits', NEW.host_id, NEW.since_ms);
END;
CREATE TRIGGER queue_limit_gone AFTER DELETE ON limit_state WHEN (SELECT enabled FROM archive_state) BEGIN
    INSERT INTO outgoing (kind, item, at_ms) VALUES ('limits', OLD.host_id, OLD.since_ms);
END;

-- The poller's own numbers are judged like those of a host; they have no history of their own.
INSERT INTO metric (name, unit, label, sample_table, sample_column, sentence)
VALUES
    ('host.security', '0 or 1', '', '', '', '1 when the poll ended as if somebody meddled: a changed host key, a report whose seal is broken'),
    ('poller.unreachable_percent', 'percent', '', '', '', 'share of the hosts that answered lately which became unreachable; 0 for fewer than three such hosts'),
    ('poller.archive_away_seconds', 'seconds', '', '', '', 'for so long the archive has not answered'),
    ('poller.backlog_polls', 'count', '', '', '', 'polls that the archive does not have yet'),
    ('poller.journal_percent', 'percent', '', '', '', 'how much of bound= of <journal> is in use, while the archive is away'),
    ('poller.rejected_polls', 'count', '', '', '', 'what the archive refused for good'),
    ('poller.round_percent', 'percent', '', '', '', 'seconds that it took / the shortest interval='),
    ('poller.clock_step_seconds', 'seconds', '', '', '', 'how far the clock of the poller''s machine was set since the round before'),
    ('poller.disk_free_percent', 'percent', '', '', '', 'space left on the disk of the journal');
