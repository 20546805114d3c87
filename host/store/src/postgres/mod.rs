//! PostgreSQL 15 or later: for several nodes over one database.
//!
//! Every transaction names its tenant (`SET LOCAL ramal.tenant`), and row-level security shows it only that
//! tenant's rows: a query that forgets its tenant finds nothing instead of everything. A role that may pass over the
//! policies would make them a picture of a wall, so the store refuses to work with one.
//!
//! Writers of one tenant take turns by an advisory lock, on all nodes together. So the ids of live events come in
//! the order of commit, two writers can never wait for each other in a circle, and a node commits in groups as with
//! SQLite. Tenants do not wait for each other.
//!
//! The queries are in `src/sql/`, one text for both databases; here is what differs.

#[path = "../sql/activity.rs"]
mod activity;
#[path = "../sql/check.rs"]
mod check;
#[path = "../sql/credential.rs"]
mod credential;
mod fault;
#[path = "../sql/inbound.rs"]
mod inbound;
#[path = "../sql/interactions.rs"]
mod interactions;
#[path = "../sql/live.rs"]
mod live;
mod others;
mod outbox;
#[path = "../sql/plugins.rs"]
mod plugins;
#[path = "../sql/reads.rs"]
mod reads;
#[path = "../sql/writer.rs"]
mod writer;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Postgres, Transaction};

use crate::{Answer, Fault, OutboxBell, Store, StoreError, StoreHealth, TenantId};
pub(crate) use fault::{failed, reaching, unreadable};
pub(crate) use writer::Writer;

// What the shared queries see of this backend.
pub(crate) type Backend = PostgresStore;
pub(crate) type Conn = sqlx::PgConnection;
pub(crate) type Pool = PgPool;
pub(crate) type Row = sqlx::postgres::PgRow;
type Tx = Transaction<'static, Postgres>;
type Held = sqlx::pool::PoolConnection<Postgres>;
/// A transaction sees one tenant.
const MIXES_TENANTS: bool = false;
/// A transaction ends when it is told to, or with its connection.
const ENDS_BY_ITSELF: bool = false;
/// Tasks that write, each for some of the tenants.
const WRITERS: usize = 4;

/// How the store is opened.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://role:password@host:port/database`. The role owns the database's schema and is no superuser.
    pub url: String,
    /// Connections, for reading and writing.
    pub connections: u32,
    /// Live events kept for each tenant; older ones are pruned.
    pub live_events: u32,
    /// How long to wait for a free connection.
    pub acquire: Duration,
}

impl PostgresSettings {
    /// The usual settings for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), connections: 16, live_events: 10_000, acquire: Duration::from_secs(5) }
    }
}

// The address holds a password.
impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresSettings").field("connections", &self.connections).finish_non_exhaustive()
    }
}

/// The PostgreSQL store. Cloning is cheap and shares the connections.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pub(crate) writer: Writer,
    pub(crate) bell: OutboxBell,
    pub(crate) live_bell: OutboxBell,
    pool: PgPool,
    live_events: u32,
}

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

impl PostgresStore {
    /// Connects, brings the schema up to date and checks the wall between tenants.
    ///
    /// # Errors
    /// When the database cannot be reached or migrated, or when its role could pass over row-level security: the text
    /// says what to do.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(&settings.url)
            .map_err(|_| fault::not_reached("the address in the configuration", Fault::BadAddress, None))?
            .application_name("ramal");
        // Without role and password.
        let place = format!(
            "{}:{}/{}",
            options.get_host(),
            options.get_port(),
            options.get_database().unwrap_or_default()
        );
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections.max(1))
            .acquire_timeout(settings.acquire)
            .connect_with(options)
            .await
            .map_err(|e| reaching(&place, e))?;
        refuse_privileged(&pool, &place).await?;
        MIGRATIONS.run(&pool).await.map_err(|e| reaching(&place, e.into()))?;
        let bells = others::Bells::default();
        let store = Self {
            writer: Writer::start(pool.clone(), WRITERS),
            bell: bells.outbox.clone(),
            live_bell: bells.live.clone(),
            pool,
            live_events: settings.live_events.max(1),
        };
        match store.database_faults().await?.as_slice() {
            [] => {
                others::listen(store.pool.clone(), bells);
                Ok(store)
            }
            faults => {
                Err(StoreError::Reach { place, fault: Fault::NoWall, source: Some(faults.join(", ").into()) })
            }
        }
    }

    /// Several reads of one moment, which see the rows of one tenant.
    pub(crate) async fn read(&self, tenant: &TenantId, doing: &'static str) -> Result<Tx, StoreError> {
        const MOMENT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut tx = self.pool.begin_with(MOMENT).await.map_err(|e| failed(doing, e))?;
        sqlx::query("SELECT set_config('ramal.tenant', $1, true)")
            .bind(tenant.as_str())
            .execute(&mut *tx)
            .await
            .map_err(|e| failed(doing, e))?;
        Ok(tx)
    }

    fn reading(&self) -> &Pool {
        &self.pool
    }

    /// Tables without a wall between tenants.
    async fn database_faults(&self) -> Result<Vec<String>, StoreError> {
        const CHECKING: &str = "check the walls of";
        let open: Vec<String> = sqlx::query_scalar(
            "SELECT c.relname::TEXT FROM pg_class c WHERE c.relnamespace = current_schema()::REGNAMESPACE
                 AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('tenants', '_sqlx_migrations')
                 AND NOT (c.relrowsecurity AND c.relforcerowsecurity
                     AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid))
             ORDER BY 1",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|e| failed(CHECKING, e))?;
        Ok(open.iter().map(|table| format!("the table `{table}` has no row-level security")).collect())
    }
}

/// A transaction of one tenant, when it is its turn to write.
async fn begin(pool: &Pool, tenant: &TenantId) -> Result<Held, sqlx::Error> {
    let mut conn = pool.acquire().await?;
    sqlx::query("BEGIN").execute(&mut *conn).await?;
    let turn = sqlx::query(
        "SELECT set_config('ramal.tenant', $1, true), pg_advisory_xact_lock(hashtextextended('ramal/' || $1, 0))",
    )
    .bind(tenant.as_str())
    .execute(&mut *conn)
    .await;
    match turn {
        Ok(_) => Ok(conn),
        Err(error) => {
            // Whatever its state is, nobody may get this connection again.
            conn.close_on_drop();
            Err(error)
        }
    }
}

/// Tells every process over this database that a tenant has live events, once the transaction is committed.
async fn tell_live(conn: &mut Conn, tenant: &TenantId, doing: &'static str) -> Result<(), StoreError> {
    others::tell(conn, others::LIVE, tenant, doing).await
}

async fn refuse_privileged(pool: &Pool, place: &str) -> Result<(), StoreError> {
    let privileged: bool =
        sqlx::query_scalar("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            .fetch_one(pool)
            .await
            .map_err(|e| reaching(place, e))?;
    if privileged { Err(fault::not_reached(place, Fault::Privileged, None)) } else { Ok(()) }
}

impl StoreHealth for PostgresStore {
    fn check_writable(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            const DOING: &str = "write to";
            let read_only: bool = sqlx::query_scalar(
                "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::BOOLEAN",
            )
            .fetch_one(&self.pool)
            .await
            .map_err(|e| failed(DOING, e))?;
            if read_only {
                return Err(StoreError::Failed { doing: DOING, fault: Fault::Standby, source: None });
            }
            Ok(())
        })
    }
}

impl Store for PostgresStore {
    fn close(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.writer.close().await;
            self.pool.close().await;
            Ok(())
        })
    }
}
