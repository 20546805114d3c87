//! The database that the configuration names: a file in the data folder, or a server.

use std::sync::Arc;

use ramal_store::{PostgresSettings, PostgresStore, SqliteSettings, SqliteStore, Store};

use super::ComposeError;
use crate::config::{ConfigError, ServerConfig};

/// Opens the database that the configuration names and brings its schema up to date.
///
/// # Errors
/// When it cannot be opened, or the file with its address cannot be read.
pub async fn open(config: &ServerConfig) -> Result<Arc<dyn Store>, ComposeError> {
    let Some(postgres) = &config.postgres else {
        return Ok(Arc::new(SqliteStore::open(&SqliteSettings::new(config.database())).await?));
    };
    let url = match (&postgres.url, &postgres.url_file) {
        (Some(url), _) => url.expose().to_owned(),
        (None, Some(path)) => super::read(path)?,
        // `ServerConfig::parse` has refused it.
        (None, None) => {
            return Err(ComposeError::Config(ConfigError::Secret {
                of: "the database".to_owned(),
                what: "it has no address; give `[postgres]` an `url-file`".to_owned(),
            }));
        }
    };
    Ok(Arc::new(PostgresStore::open(&PostgresSettings::new(url.trim())).await?))
}
