//! What is PostgreSQL's own: the wall between tenants, a server that dies, a role that may too much. All people and
//! numbers are invented.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use ramal_capability::Listed;
use ramal_store::testing::TestPostgres;
use ramal_store::*;
use sqlx::Connection as _;
use support::*;
use uuid::Uuid;

#[allow(dead_code, reason = "shared with the conformance suite")]
#[path = "conformance/support.rs"]
mod support;

#[tokio::test]
async fn a_query_that_forgets_its_tenant_finds_only_its_own() {
    let Some(postgres) = TestPostgres::start("a_query_that_forgets_its_tenant").await.unwrap() else {
        return;
    };
    let url = postgres.database().await.unwrap();
    let store = PostgresStore::open(&PostgresSettings::new(&url)).await.unwrap();
    for whose in ["a", "b"] {
        fill(&store, whose).await;
    }
    // Every table, by the catalogue: a new one without a wall would show here.
    let mut conn = sqlx::PgConnection::connect(&url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT table_name::TEXT FROM information_schema.columns
         WHERE table_schema = current_schema() AND column_name = 'tenant' AND table_name <> 'tenants'",
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    assert!(tables.len() >= 10, "{tables:?}");
    let count = async |conn: &mut sqlx::PgConnection, what: &str| -> i64 {
        sqlx::query_scalar(sqlx::AssertSqlSafe(what.to_owned())).fetch_one(conn).await.unwrap()
    };
    for table in &tables {
        let all = format!("SELECT count(*) FROM {table}");
        assert_eq!(count(&mut conn, &all).await, 0, "{table}: seen by nobody's transaction");
        let mut tx = conn.begin().await.unwrap();
        sqlx::query("SELECT set_config('ramal.tenant', 'a', true)").execute(&mut *tx).await.unwrap();
        let others = format!("SELECT count(*) FROM {table} WHERE tenant <> 'a'");
        assert_eq!(count(&mut tx, &others).await, 0, "{table}: another's rows are seen");
        let touched = format!("UPDATE {table} SET tenant = tenant WHERE tenant = 'b'");
        let touched = sqlx::query(sqlx::AssertSqlSafe(touched)).execute(&mut *tx).await.unwrap();
        assert_eq!(touched.rows_affected(), 0, "{table}: another's rows are changed");
        // Nor can a row be given away.
        let given = format!("UPDATE {table} SET tenant = 'b' WHERE tenant = 'a'");
        let own = count(&mut tx, &all).await;
        assert!(own > 0, "{table} has no row, so that this proves nothing: add one to `fill`");
        let given = sqlx::query(sqlx::AssertSqlSafe(given)).execute(&mut *tx).await;
        assert!(given.is_err(), "{table}: a row was given to another tenant");
        tx.rollback().await.unwrap();
    }
}

/// One row at least in every table.
async fn fill(store: &PostgresStore, whose: &str) {
    let call = stored(store, ringing(whose, "c1", 0, &["one"])).await;
    stored(store, finding(&call, "one", 1)).await;
    let names = [phone("+5511987654321"), bsuid("B")];
    let chat = stored(store, begin(whose, started(Channel::Sms, None, &names), 1)).await;
    stored(store, change(&chat, message("m1", InteractionDirection::Inbound, 2), 2)).await;
    let limits = PluginLimits { entries: 9, bytes: 999 };
    let entry = PluginEntry { key: "k".into(), value: b"v".to_vec(), expires_at: None };
    store.set_entry(&tenant(whose), &plugin("p"), entry, limits, at(0)).await.unwrap();

    let target = Target::Plugin(plugin("p"));
    let delivery = |step: &str| NewDelivery {
        tenant: tenant(whose),
        target: target.clone(),
        lane: Lane("x".to_owned()),
        interaction: Some(call.id),
        step: Step(step.to_owned()),
        key: NewDelivery::key(&tenant(whose), &target, Some(call.id), &Step(step.to_owned())),
        payload: "{}".to_owned(),
        not_before: at(0),
        at: at(0),
    };
    let both = [delivery("journal"), delivery("amend:2")];
    assert_eq!(store.enqueue(&tenant(whose), &both).await.unwrap(), 2);
    let (whole, until) = (tenant(whose), at(60));
    let order = LeaseOrder { tenant: whole.clone(), target: target.clone(), lanes: 1, now: at(0), until };
    let leased = store.lease(&order).await.unwrap().remove(0);
    let record = CrmRecord { kind: "note".into(), id: "n-1".into(), url: None };
    let done = Settlement::Done { record: Some(record) };
    assert_eq!(store.settle(&leased, &done, None, at(1)).await.unwrap(), Settled::Yes);

    let hook = NewHook {
        tenant: tenant(whose),
        plugin: plugin("p"),
        hook: "changes".parse().unwrap(),
        digest: [1; 32],
        came: Listed { headers: Vec::new(), body: Clear::new("{}") },
        at: at(0),
        repeats_since: at(-600),
    };
    assert_eq!(store.take_hook(&hook).await.unwrap(), Taken::Stored);
    let order = InboundOrder { tenant: tenant(whose), plugin: plugin("p"), now: at(0), until };
    assert!(store.lease_sync(&order).await.unwrap().is_some());

    let key =
        CredentialKey { tenant: tenant(whose), plugin: plugin("p"), credential: "api".parse().unwrap() };
    let sealed = Sealed { key_id: "k1".into(), wrapped: vec![1], bytes: vec![2] };
    let row =
        CredentialRow { key: key.clone(), revision: 1, sealed: Some(sealed.clone()), updated_at: at(0) };
    assert!(store.put_credential(&row, 0).await.unwrap());
    let minute = Duration::from_secs(60);
    store.lease_credential(&key, Uuid::from_u128(1), at(0), minute).await.unwrap();
    let consent =
        ConsentRow { state: [7; 32], key, admin: "ana".parse().unwrap(), sealed, expires_at: at(600) };
    store.begin_consent(&consent, at(0)).await.unwrap();
}

#[tokio::test]
async fn a_role_that_passes_over_the_wall_is_refused() {
    let Some(postgres) = TestPostgres::start("a_role_that_passes_over_the_wall").await.unwrap() else {
        return;
    };
    let url = postgres.database().await.unwrap();
    let role = url.rsplit('/').next().unwrap().to_owned();
    let mut admin = postgres.as_admin(&url).await.unwrap();
    let grant = sqlx::AssertSqlSafe(format!("ALTER ROLE {role} BYPASSRLS"));
    sqlx::query(grant).execute(&mut admin).await.unwrap();
    let error = PostgresStore::open(&PostgresSettings::new(&url)).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Privileged);
    assert!(error.to_string().contains("NOBYPASSRLS"), "{error}");
    assert!(!error.to_string().contains('@'), "the address with its password is told: {error}");
}

#[tokio::test]
async fn a_table_without_a_wall_is_refused_with_its_name() {
    let Some(postgres) = TestPostgres::start("a_table_without_a_wall").await.unwrap() else { return };
    let url = postgres.database().await.unwrap();
    PostgresStore::open(&PostgresSettings::new(&url)).await.unwrap().close().await.unwrap();
    let mut conn = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::query("ALTER TABLE findings NO FORCE ROW LEVEL SECURITY").execute(&mut conn).await.unwrap();
    let error = PostgresStore::open(&PostgresSettings::new(&url)).await.unwrap_err();
    assert_eq!(error.fault(), Fault::NoWall);
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("findings"), "{source}");
}

#[rstest::rstest]
#[case::no_address("the server in the cellar", Fault::BadAddress)]
#[case::nobody_there("postgres://r:secret-word@127.0.0.1:1/d", Fault::Unreachable)]
#[tokio::test]
async fn an_address_that_does_not_work_is_named_without_its_password(
    #[case] url: &str,
    #[case] fault: Fault,
) {
    let mut settings = PostgresSettings::new(url);
    settings.acquire = Duration::from_millis(200);
    let error = PostgresStore::open(&settings).await.unwrap_err();
    assert!([fault, Fault::Busy].contains(&error.fault()), "{error}");
    assert!(!format!("{error:?} {settings:?}").contains("secret-word"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_server_that_is_killed() {
    let name = "what_was_acknowledged_survives";
    let Some(mut postgres) = TestPostgres::start_durable(name).await.unwrap() else { return };
    let mut settings = PostgresSettings::new(postgres.database().await.unwrap());
    settings.acquire = Duration::from_secs(2);
    let store = Arc::new(PostgresStore::open(&settings).await.unwrap());
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut kept = Vec::new();
                for i in 0..400 {
                    let call = format!("c{writer}-{i}");
                    if let Ok(Recorded::Stored(_)) = store.append(ringing("a", &call, i, &[])).await {
                        kept.push(call);
                    }
                }
                kept
            })
        })
        .collect();
    // In the middle of it, as the first live events show.
    while store.live_after(&tenant("a"), LiveId(0), 1).await.is_ok_and(|page| page.last < LiveId(50)) {
        tokio::task::yield_now().await;
    }
    postgres.kill_and_start().await.unwrap();
    let mut kept = Vec::new();
    for writer in writers {
        kept.extend(writer.await.unwrap());
    }
    // A new connection pool: the old one may still be finding out.
    let after = PostgresStore::open(&settings).await.unwrap();
    for call in &kept {
        let known = after.situation(&tenant("a"), &source(), &call_id(call), &event_id("x")).await.unwrap();
        assert!(known.interaction.is_some(), "{call} was acknowledged and is lost");
    }
    let checked = after.check(&tenant("a")).await.unwrap();
    assert!(checked.is_sound() && checked.interactions >= kept.len() as u64, "{checked:?}");
    let page = after.live_after(&tenant("a"), LiveId(0), 10_000).await.unwrap();
    assert_eq!(page.events.len() as u64, page.last.0, "live ids have no gap");
}

/// An address as PostgreSQL's own programs take it, without what only the library knows.
fn plain(url: &str) -> String {
    url.split('?').next().unwrap_or(url).to_owned()
}

#[tokio::test]
async fn a_dump_by_whom_no_wall_stops_can_be_put_back_and_one_by_the_host_fails_aloud() {
    let name = "a_dump_by_whom_no_wall_stops";
    let Some(postgres) = TestPostgres::start(name).await.unwrap() else { return };
    let (url, other) = (postgres.database().await.unwrap(), postgres.database().await.unwrap());
    let store = PostgresStore::open(&PostgresSettings::new(&url)).await.unwrap();
    store.append(ringing("a", "c1", 0, &[])).await.unwrap();
    store.append(ringing("b", "c1", 0, &[])).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    // The server's own user writes there.
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let file = folder.path().join("ramal.dump");
    let Some(mut dump) = postgres.program("pg_dump") else { return };
    let by_host = dump.args(["--format", "custom", "--file"]).arg(&file).arg(plain(&url)).output().unwrap();
    let said = String::from_utf8_lossy(&by_host.stderr);
    assert!(!by_host.status.success() && said.contains("row-level security"), "{said}");

    let admin = plain(&postgres.admin_url(&url).unwrap());
    let mut dump = postgres.program("pg_dump").unwrap();
    let done = dump.args(["--format", "custom", "--file"]).arg(&file).arg(admin).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let owner = other.parse::<sqlx::postgres::PgConnectOptions>().unwrap();
    let mut restore = postgres.program("pg_restore").unwrap();
    let done = restore
        .args(["--no-owner", "--exit-on-error", "--role", owner.get_username(), "--dbname"])
        .arg(plain(&postgres.admin_url(&other).unwrap()))
        .arg(&file)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let back = PostgresStore::open(&PostgresSettings::new(&other)).await.unwrap();
    for whose in ["a", "b"] {
        let checked = back.check(&tenant(whose)).await.unwrap();
        assert!(checked.is_sound() && checked.interactions == 1, "{checked:?}");
    }
}
