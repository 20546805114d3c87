-- What CRMs tell by themselves. Times are microseconds since 1970-01-01 UTC. The tenant leads every key.

-- What came to hooks, cut down to what each hook lists.
CREATE TABLE hooks (
    tenant         TEXT    NOT NULL,
    -- A UUID of version 7: the order in which they came.
    id             BLOB    NOT NULL CHECK (length(id) = 16),
    plugin         TEXT    NOT NULL,
    hook           TEXT    NOT NULL,
    -- By what a repetition is recognised: a hash, never the sender's own words.
    digest         BLOB    NOT NULL CHECK (length(digest) = 32),
    -- JSON. Erased once it was heard.
    body           TEXT    NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('open', 'done', 'dead')),
    received_at    INTEGER NOT NULL,
    -- When to hear it; while it is leased, when the lease ends.
    due_at         INTEGER NOT NULL,
    lease          BLOB CHECK (length(lease) = 16),
    tries          INTEGER NOT NULL DEFAULT 0,
    -- The day to be heard in counts from here.
    first_tried_at INTEGER,
    settled_at     INTEGER,
    failure_code   TEXT,
    failure_text   TEXT,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX hooks_by_digest ON hooks (tenant, plugin, hook, digest, received_at);
CREATE INDEX hooks_due ON hooks (tenant, plugin, due_at) WHERE state = 'open';
CREATE INDEX hooks_settled ON hooks (tenant, settled_at) WHERE state <> 'open';

-- How far each plugin has asked its CRM for what changed.
CREATE TABLE syncs (
    tenant       TEXT    NOT NULL,
    plugin       TEXT    NOT NULL,
    -- The plugin's own words, no customer's value.
    cursor       TEXT,
    due_at       INTEGER NOT NULL,
    lease        BLOB CHECK (length(lease) = 16),
    -- Failures since it last went well.
    tries        INTEGER NOT NULL DEFAULT 0,
    -- A person must act before it goes on.
    stopped_at   INTEGER,
    went_well_at INTEGER,
    failure_code TEXT,
    failure_text TEXT,
    PRIMARY KEY (tenant, plugin)
) STRICT, WITHOUT ROWID;
