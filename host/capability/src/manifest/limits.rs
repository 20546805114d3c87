//! `[limits]`, in a manifest as a wish and in a grant as a decision. One reader for both, so that neither
//! knows a limit that the other does not.

use crate::limits::{LimitWishes, Limits};
use crate::source::{Item, nearest, quote};

/// The name of a limit in files.
pub(crate) fn file_name(name: &str) -> String {
    name.replace('_', "-")
}

/// Reads the table; none of the numbers is above its ceiling.
pub(crate) fn read_limits(item: &Item<'_>) -> LimitWishes {
    let mut wishes = serde_json::Map::new();
    let names: Vec<String> = Limits::ALL.iter().map(|limit| file_name(limit.name)).collect();
    for entry in item.entries() {
        let Some((limit, name)) = Limits::ALL.iter().zip(&names).find(|(_, name)| *name == entry.key())
        else {
            let help = nearest(entry.key(), names.iter().map(String::as_str)).map_or_else(
                || format!("there are {}", names.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            entry.wrong_key(format!("unknown limit {}; {help}", quote(entry.key())));
            continue;
        };
        let Some(number) = entry.number() else { continue };
        if number > limit.ceiling {
            entry.wrong(format!(
                "`{name}` is above the ceiling; ask for at most {} {}",
                limit.ceiling, limit.unit
            ));
        } else {
            wishes.insert(name.clone(), number.into());
        }
    }
    // Every key is one of the struct's names: a test walks them all.
    serde_json::from_value(serde_json::Value::Object(wishes)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::read;

    #[test]
    fn every_limit_can_be_wished_for_by_its_name() {
        for limit in Limits::ALL {
            let text = format!("[limits]\n{} = 1", file_name(limit.name));
            let wishes = read("t", &text, |top, _| top.get("limits").map(|item| read_limits(&item))).unwrap();
            assert_ne!(wishes, LimitWishes::default(), "{}", limit.name);
        }
    }
}
