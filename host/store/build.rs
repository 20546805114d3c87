//! A migration added to the folder must rebuild the crate: `sqlx::migrate!` sees only the files of its last run.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
