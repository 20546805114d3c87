//! Rows, opened and sealed. Nothing else reads or writes them.

use std::sync::Arc;

use ramal_store::{CredentialKey, CredentialRow};

use super::Inner;
use super::cell::{Cell, Live};
use crate::error::KeeperError;
use crate::observer::Alert;
use crate::record::Record;
use crate::state::CredentialState;
use crate::vault::{VaultError, context};

/// How often a change is tried when others change the same row.
const TRIES: u32 = 5;

/// A row as it is in the store now.
pub(super) struct Loaded {
    /// 0 where there is none.
    pub(super) revision: u64,
    pub(super) record: Option<Record>,
}

impl Inner {
    /// Opens a row, unless it is older than one that was seen.
    pub(super) async fn open(&self, cell: &Cell, row: &CredentialRow) -> Result<Option<Record>, KeeperError> {
        let key = &row.key;
        let seen = cell.see(row.revision);
        if row.revision < seen {
            return Err(KeeperError::RolledBack { key: key.clone(), seen, found: row.revision });
        }
        let Some(sealed) = &row.sealed else { return Ok(None) };
        let failed = |source| KeeperError::Sealed { key: key.clone(), source };
        let text = self.vault.open(&context(key, row.revision), sealed).await.map_err(failed)?;
        Record::from_bytes(&text).map(Some).ok_or_else(|| failed(VaultError::Content))
    }

    /// The row as it is now.
    pub(super) async fn load(&self, key: &CredentialKey, cell: &Cell) -> Result<Loaded, KeeperError> {
        match self.store.credential(key).await? {
            None => {
                // A row that was there does not vanish: who removes one leaves its number.
                let seen = cell.see(0);
                if seen > 0 {
                    return Err(KeeperError::RolledBack { key: key.clone(), seen, found: 0 });
                }
                Ok(Loaded { revision: 0, record: None })
            }
            Some(row) => Ok(Loaded { revision: row.revision, record: self.open(cell, &row).await? }),
        }
    }

    /// Seals a record (or its absence) into the row after `before`. `None` when somebody else wrote meanwhile.
    pub(super) async fn write(
        &self,
        key: &CredentialKey,
        cell: &Cell,
        record: Option<&Record>,
        before: u64,
    ) -> Result<Option<u64>, KeeperError> {
        let failed = |source| KeeperError::Sealed { key: key.clone(), source };
        let revision = before + 1;
        let sealed = match record {
            None => None,
            Some(record) => {
                let text = record.to_bytes().ok_or_else(|| failed(VaultError::Content))?;
                Some(self.vault.seal(&context(key, revision), &text).await.map_err(failed)?)
            }
        };
        let row = CredentialRow { key: key.clone(), revision, sealed, updated_at: self.clock.now() };
        if !self.store.put_credential(&row, before).await? {
            return Ok(None);
        }
        cell.see(revision);
        Ok(Some(revision))
    }

    /// What was read a moment ago, or is read now.
    pub(super) async fn live(&self, key: &CredentialKey, cell: &Cell) -> Result<Arc<Live>, KeeperError> {
        let recheck = self.settings.recheck;
        if let Some(live) = cell.recent(self.clock.now(), recheck) {
            return Ok(live);
        }
        let _reading = cell.reading.lock().await;
        let now = self.clock.now();
        if let Some(live) = cell.recent(now, recheck) {
            return Ok(live);
        }
        let row = self.store.credential(key).await?;
        if let (Some(known), Some(row)) = (cell.live(), &row)
            && known.revision == row.revision
        {
            cell.put(Arc::clone(&known), now);
            return Ok(known);
        }
        let loaded = match row {
            Some(row) => Loaded { revision: row.revision, record: self.open(cell, &row).await? },
            None => self.load(key, cell).await?,
        };
        self.publish(key, cell, loaded).ok_or_else(|| KeeperError::Missing(key.clone()))
    }

    /// Makes a row that was read or written what this process goes by, and tells the observer.
    pub(super) fn publish(&self, key: &CredentialKey, cell: &Cell, loaded: Loaded) -> Option<Arc<Live>> {
        let Some(record) = loaded.record else {
            cell.clear();
            self.tell(key, cell, &Record::default());
            return None;
        };
        let live = Arc::new(Live::new(loaded.revision, record, self.settings.ahead, rand::random()));
        cell.put(Arc::clone(&live), self.clock.now());
        self.tell(key, cell, &live.record);
        Some(live)
    }

    /// Tells the observer what it was not told yet.
    pub(super) fn tell(&self, key: &CredentialKey, cell: &Cell, record: &Record) {
        let state = match record.fields.is_empty() {
            true => CredentialState::Missing,
            false => record.state(self.plan(key).as_deref(), self.settings.warn, self.clock.now()),
        };
        let alert = Alert::of(&state, self.settings.failures);
        let mut told = cell.told.lock();
        let changed = told.state.as_ref().map(|told| told.as_str()) != Some(state.as_str());
        let news = match (&alert, &told.alert) {
            (Some(alert), Some(told)) => !alert.repeats(told),
            (alert, _) => alert.is_some(),
        };
        told.state = Some(state.clone());
        // A renewal in between, as long as it goes well, does not make old news new.
        if alert.is_some() || !matches!(state, CredentialState::Refreshing { .. }) {
            told.alert.clone_from(&alert);
        }
        drop(told);
        if changed {
            self.observer.changed(key, &state);
        }
        if let Some(alert) = alert.filter(|_| news) {
            self.observer.alert(key, &alert);
        }
    }

    /// Changes a record in the store, whatever it is by then.
    pub(super) async fn change(
        &self,
        key: &CredentialKey,
        change: impl Fn(Option<Record>) -> Option<Record>,
    ) -> Result<u64, KeeperError> {
        let cell = self.cell(key);
        for _ in 0..TRIES {
            let loaded = match self.load(key, &cell).await {
                // What cannot be read can be replaced: this is how a person mends it.
                Err(KeeperError::Sealed { .. } | KeeperError::RolledBack { .. }) => {
                    self.blank(key, &cell).await?
                }
                loaded => loaded?,
            };
            let record = change(loaded.record);
            if let Some(revision) = self.write(key, &cell, record.as_ref(), loaded.revision).await? {
                self.publish(key, &cell, Loaded { revision, record });
                return Ok(revision);
            }
        }
        Err(KeeperError::Conflict(key.clone()))
    }

    /// Removes the secret and keeps the row's number. `found` learns whether there was one.
    pub(super) async fn remove(
        &self,
        key: &CredentialKey,
        mut found: impl FnMut(bool),
    ) -> Result<(), KeeperError> {
        let cell = self.cell(key);
        for _ in 0..TRIES {
            let row = self.store.credential(key).await?;
            let there = row.as_ref().is_some_and(|row| row.sealed.is_some());
            found(there);
            let Some(row) = row.filter(|_| there) else { return Ok(()) };
            let before = row.revision;
            if let Some(revision) = self.write(key, &cell, None, before).await? {
                *cell.unsaved.lock().await = None;
                cell.set_holds_unsaved(false);
                self.publish(key, &cell, Loaded { revision, record: None });
                return Ok(());
            }
        }
        Err(KeeperError::Conflict(key.clone()))
    }

    /// A row that cannot be read, as if it held nothing.
    async fn blank(&self, key: &CredentialKey, cell: &Cell) -> Result<Loaded, KeeperError> {
        let revision = self.store.credential(key).await?.map_or(0, |row| row.revision);
        cell.accept(revision);
        Ok(Loaded { revision, record: None })
    }
}
