//! The animals by name. Each file begins with what its animal tries.

use crate::bindings::ramal::crm::types::{Contact, Error};
use crate::visit::Visit;

macro_rules! animals {
    ($($file:ident = $name:literal),+ $(,)?) => {
        $(mod $file;)+

        /// Runs the animal that the settings name.
        pub(crate) fn let_out(visit: &Visit) -> Result<Vec<Contact>, Error> {
            match visit.told.animal.as_str() {
                $($name => $file::run(visit),)+
                other => Err(Error::Permanent(format!("there is no animal `{other}` in the zoo"))),
            }
        }
    };
}

animals! {
    boaster = "boaster",
    broken_utf8 = "broken-utf8",
    comparer = "comparer",
    crowd = "crowd",
    deep_recursion = "deep-recursion",
    echo_burner = "echo-burner",
    empty_records = "empty-records",
    flooder = "flooder",
    forger = "forger",
    giant_line = "giant-line",
    giant_result = "giant-result",
    guesser = "guesser",
    host_burner = "host-burner",
    infinite_loop = "infinite-loop",
    key_trickster = "key-trickster",
    late_worker = "late-worker",
    log_flood = "log-flood",
    mask_burner = "mask-burner",
    memory_bomb = "memory-bomb",
    memory_hoarder = "memory-hoarder",
    minter = "minter",
    misplacer = "misplacer",
    panicker = "panicker",
    parrot = "parrot",
    seal_keeper = "seal-keeper",
    seal_thief = "seal-thief",
    shredder = "shredder",
    store_filler = "store-filler",
    store_giant = "store-giant",
    store_hoarder = "store-hoarder",
    tame = "tame",
    tattler = "tattler",
    text_mixer = "text-mixer",
    two_steps = "two-steps",
}
