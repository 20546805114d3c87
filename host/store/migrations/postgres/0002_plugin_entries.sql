-- What a plugin keeps between calls.
CREATE TABLE plugin_entries (
    tenant     TEXT NOT NULL,
    plugin     TEXT NOT NULL,
    -- Any text of the plugin's, as bytes: PostgreSQL's texts cannot hold every character.
    key        BYTEA NOT NULL,
    value      BYTEA NOT NULL,
    -- NULL: kept until it is deleted.
    expires_at BIGINT,
    PRIMARY KEY (tenant, plugin, key)
);

SELECT wall_off('plugin_entries');
