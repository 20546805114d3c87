-- Times are microseconds since 1970-01-01 UTC. The tenant leads every key.

-- Whose data is here.
CREATE TABLE tenants (
    tenant TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- What happened, in order. Never changed.
CREATE TABLE interaction_events (
    tenant      TEXT    NOT NULL,
    interaction BLOB    NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq > 0),
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    at          INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    actor       TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    -- JSON.
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, interaction, seq),
    FOREIGN KEY (tenant, interaction) REFERENCES interactions
) STRICT;

-- What the events make of each call and conversation: `body` is all of it, the columns are what is searched for.
CREATE TABLE interactions (
    tenant      TEXT    NOT NULL,
    interaction BLOB    NOT NULL CHECK (length(interaction) = 16),
    source      TEXT    NOT NULL,
    -- The provider's identifier of a call.
    reference   TEXT,
    -- What a conversation is found by while it goes on.
    open_key    TEXT,
    channel     TEXT    NOT NULL,
    direction   TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    queue       TEXT,
    started_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    -- The number of its last event. Who changes a row names the number that it read.
    seq         INTEGER NOT NULL,
    -- How many plugins were asked for the card and have not answered.
    pending     INTEGER NOT NULL DEFAULT 0 CHECK (pending >= 0),
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, interaction)
) STRICT;

CREATE UNIQUE INDEX interactions_by_reference ON interactions (tenant, source, reference) WHERE reference IS NOT NULL;
CREATE UNIQUE INDEX interactions_open ON interactions (tenant, source, open_key) WHERE open_key IS NOT NULL;
CREATE INDEX interactions_by_time ON interactions (tenant, started_at DESC, interaction DESC);
CREATE INDEX interactions_pending ON interactions (tenant, started_at) WHERE pending > 0;
CREATE INDEX interactions_idle ON interactions (tenant, updated_at) WHERE open_key IS NOT NULL;

-- The messages of conversations, as their events left them.
CREATE TABLE messages (
    tenant      TEXT    NOT NULL,
    interaction BLOB    NOT NULL,
    seq         INTEGER NOT NULL,
    source      TEXT    NOT NULL,
    -- The provider's identifier.
    reference   TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (tenant, interaction, seq),
    FOREIGN KEY (tenant, interaction) REFERENCES interactions
) STRICT;

CREATE UNIQUE INDEX messages_by_reference ON messages (tenant, source, reference);

-- What came from outside and was taken: the same identifier of the same source is taken once.
CREATE TABLE receipts (
    tenant      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    interaction BLOB    NOT NULL,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, event_id)
) STRICT, WITHOUT ROWID;

-- A customer's timeline, by each of the customer's names.
CREATE TABLE interaction_contacts (
    tenant      TEXT    NOT NULL,
    contact     TEXT    NOT NULL,
    started_at  INTEGER NOT NULL,
    interaction BLOB    NOT NULL,
    PRIMARY KEY (tenant, contact, started_at, interaction)
) STRICT, WITHOUT ROWID;

-- Names that stood in one interaction together: one customer's. Both ways round.
CREATE TABLE contact_aliases (
    tenant  TEXT    NOT NULL,
    contact TEXT    NOT NULL,
    alias   TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    PRIMARY KEY (tenant, contact, alias)
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
