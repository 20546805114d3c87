-- Times are microseconds since 1970-01-01 UTC. The tenant leads every key.

CREATE TABLE calls (
    tenant      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    -- The provider's identifier of the call.
    call_id     TEXT    NOT NULL,
    interaction BLOB    NOT NULL CHECK (length(interaction) = 16),
    state       TEXT    NOT NULL CHECK (state IN ('ringing', 'answered', 'ended')),
    -- E.164; NULL when the caller withheld the number.
    from_number TEXT,
    to_number   TEXT,
    queue       TEXT,
    agent       TEXT,
    cause       TEXT,
    ringing_at  INTEGER NOT NULL,
    answered_at INTEGER,
    ended_at    INTEGER,
    -- The plugins that were asked for the card, one a line.
    asked       TEXT    NOT NULL DEFAULT '',
    -- How many of them have not answered.
    pending     INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
    -- Who changes a row names the revision that it read.
    revision    INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, call_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX calls_by_interaction ON calls (tenant, interaction);
CREATE INDEX calls_by_time ON calls (tenant, ringing_at DESC);
CREATE INDEX calls_pending ON calls (ringing_at) WHERE pending > 0;

CREATE TABLE call_events (
    tenant      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    call_id     TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, event_id)
) STRICT, WITHOUT ROWID;

-- What a plugin answered for a call: a card, none, or a failure.
CREATE TABLE findings (
    tenant      TEXT    NOT NULL,
    interaction BLOB    NOT NULL,
    plugin      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, interaction, plugin)
) STRICT, WITHOUT ROWID;

CREATE TABLE live_events (
    tenant      TEXT    NOT NULL,
    id          INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    interaction BLOB,
    body        TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- The last id given out. A table of its own, so that pruning the events can never give an id a second time.
CREATE TABLE live_heads (
    tenant  TEXT    NOT NULL PRIMARY KEY,
    last_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
