//! Every value of a database, with the column in which it stands: for tests that look for what must not be there.

use std::io;
use std::path::Path;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

/// `table.column` and a text that stands there, for each value of an SQLite file; bytes as far as they are text.
///
/// # Errors
/// When the file cannot be read.
pub async fn texts(file: &Path) -> io::Result<Vec<(String, String)>> {
    let mut database =
        SqliteConnectOptions::new().filename(file).connect().await.map_err(io::Error::other)?;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'",
    )
    .fetch_all(&mut database)
    .await
    .map_err(io::Error::other)?;
    let mut all = Vec::new();
    for (table, column) in columns {
        let sql = format!(r#"SELECT CAST("{column}" AS BLOB) FROM "{table}" WHERE "{column}" IS NOT NULL"#);
        let values: Vec<(Vec<u8>,)> =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut database).await.map_err(io::Error::other)?;
        let place = format!("{table}.{column}");
        all.extend(
            values.iter().map(|(value,)| (place.clone(), String::from_utf8_lossy(value).into_owned())),
        );
    }
    database.close().await.map_err(io::Error::other)?;
    Ok(all)
}
