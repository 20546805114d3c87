-- What a plugin keeps between calls.
CREATE TABLE plugin_entries (
    tenant     TEXT NOT NULL,
    plugin     TEXT NOT NULL,
    -- Any text of the plugin's, as bytes: PostgreSQL's texts cannot hold every character.
    key        BLOB NOT NULL,
    value      BLOB NOT NULL,
    -- NULL: kept until it is deleted.
    expires_at INTEGER,
    PRIMARY KEY (tenant, plugin, key)
) STRICT, WITHOUT ROWID;
