use serde_json::json;

use super::*;

#[test]
fn an_account_is_found_by_its_whole_name() {
    let passwd =
        "root:x:0:0:root:/:/bin/sh\npostgres2:x:9:9::/:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\n";
    assert_eq!(account(passwd, "postgres"), Some((101, 104)));
    assert_eq!(account(passwd, "post"), None);
}

#[tokio::test]
async fn a_cluster_answers_sql_and_ends_with_its_handle() {
    let Some(postgres) =
        Postgres::start().await.unwrap().or_skip("a_cluster_answers_sql_and_ends_with_its_handle")
    else {
        return;
    };
    postgres.role("crm", "crm-test-only").await.unwrap();
    postgres.psql("postgres", &[], "CREATE DATABASE crm OWNER crm;").await.unwrap();
    postgres
        .execute("crm", "CREATE TABLE people (id int, name text, more jsonb); INSERT INTO people VALUES (1, 'Zoé d''Ávila', '{\"a\": \"zebra\"}');")
        .await
        .unwrap();
    let rows = postgres.rows("crm", "SELECT id, name FROM people").await.unwrap();
    assert_eq!(rows, [json!({"id": 1, "name": "Zoé d'Ávila"})]);
    assert_eq!(postgres.traces("crm", &["d'Áv"]).await.unwrap(), ["people.name"]);
    assert_eq!(postgres.traces("crm", &["zebra", "d'Áv"]).await.unwrap(), ["people.more", "people.name"]);
    assert!(postgres.traces("crm", &["giraffe"]).await.unwrap().is_empty());

    // All of the statements or none.
    postgres.execute("crm", "DELETE FROM people; SELECT 1 / 0;").await.unwrap_err();
    assert_eq!(postgres.rows("crm", "SELECT id FROM people").await.unwrap().len(), 1);

    let folder = postgres.dir.path().to_owned();
    let process = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
    let process = Path::new("/proc").join(process.lines().next().unwrap());
    assert!(process.exists());
    drop(postgres);
    assert!(!process.exists() && !folder.exists());
}
