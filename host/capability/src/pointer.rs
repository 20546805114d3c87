//! JSON Pointer patterns (RFC 6901 with `*` for "any element of an array"), compiled into a tree, so that a
//! body or an answer is walked once however many places a route lists.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A place in a JSON document, such as `/results/*/properties/email`. A manifest lists many, so it is kept as it is
/// written and taken apart when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pattern(Box<str>);

#[derive(Debug)]
enum Step<'p> {
    Any,
    Name(Cow<'p, str>),
}

/// A text that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPattern {
    /// It does not start with `/`.
    #[error("a place starts with `/`, such as `/results/*/id`; the whole document is the empty text")]
    Start,
    /// A `~` that is neither `~0` nor `~1`.
    #[error("write `~0` for `~` and `~1` for `/` in a name (RFC 6901)")]
    Escape,
    /// Too long or too deep.
    #[error("a place has at most 16 steps and 256 characters")]
    Long,
}

impl FromStr for Pattern {
    type Err = BadPattern;
    fn from_str(text: &str) -> Result<Self, BadPattern> {
        if text.is_empty() {
            return Ok(Self(text.into()));
        }
        if !text.starts_with('/') {
            return Err(BadPattern::Start);
        }
        let escaped = text.split('~').skip(1);
        if escaped.into_iter().any(|after| !after.starts_with(['0', '1'])) {
            return Err(BadPattern::Escape);
        }
        let pattern = Self(text.into());
        if pattern.steps().count() > 16 || text.len() > 256 { Err(BadPattern::Long) } else { Ok(pattern) }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Pattern {
    /// Whether the last step is a name, so that the place has siblings.
    pub fn has_siblings(&self) -> bool {
        matches!(self.steps().last(), Some(Step::Name(_)))
    }

    fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.0.split('/').skip(1).map(|step| match step {
            "*" => Step::Any,
            // In this order: `~01` is `~1`, not `/` (RFC 6901, section 4).
            name if name.contains('~') => Step::Name(name.replace("~1", "/").replace("~0", "~").into()),
            name => Step::Name(name.into()),
        })
    }
}

/// Up to so many names are looked through one by one.
const FEW: usize = 16;

/// The listed places of a document as a tree. At an element of an array its number is looked for first,
/// `*` next; at a key only the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tree<T> {
    leaf: Option<T>,
    /// In the order of their names.
    names: Vec<(Box<str>, Tree<T>)>,
    any: Option<Box<Tree<T>>>,
    marked: bool,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { leaf: None, names: Vec::new(), any: None, marked: false }
    }
}

impl<T> Tree<T> {
    /// Adds a place; gives the value back if the place is taken.
    pub(crate) fn insert(&mut self, pattern: &Pattern, leaf: T) -> Result<(), T> {
        let mut node = self;
        for step in pattern.steps() {
            node = match step {
                Step::Any => node.any.get_or_insert_default(),
                Step::Name(name) => {
                    let at = match node.names.binary_search_by(|(known, _)| (**known).cmp(&*name)) {
                        Ok(at) => at,
                        Err(at) => {
                            // A plan is kept as long as its plugin, and most nodes have one name.
                            node.names.reserve_exact(1);
                            node.names.insert(at, (name.into(), Self::default()));
                            at
                        }
                    };
                    match node.names.get_mut(at) {
                        Some((_, child)) => child,
                        None => return Err(leaf),
                    }
                }
            };
        }
        if node.leaf.is_some() {
            return Err(leaf);
        }
        node.leaf = Some(leaf);
        Ok(())
    }
    pub(crate) fn leaf(&self) -> Option<&T> {
        self.leaf.as_ref()
    }
    /// The child of a name, and its number among the names. Most objects list few names of different lengths, and
    /// most names of an answer are not listed: a look at the lengths is all that they cost.
    pub(crate) fn named(&self, name: &str) -> Option<(usize, &str, &Self)> {
        let at = if self.names.len() <= FEW {
            self.names.iter().position(|(known, _)| **known == *name)?
        } else {
            self.names.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?
        };
        self.names.get(at).map(|(name, node)| (at, &**name, node))
    }
    pub(crate) fn named_leaves(&self) -> impl Iterator<Item = &T> {
        self.names.iter().filter_map(|(_, child)| child.leaf())
    }
    pub(crate) fn element(&self, index: usize) -> Option<&Self> {
        if !self.names.is_empty()
            && let Some((_, _, node)) = self.named(itoa(index, &mut [0; 20]))
        {
            return Some(node);
        }
        self.any.as_deref()
    }
    pub(crate) fn is_empty(&self) -> bool {
        self.leaf.is_none() && self.names.is_empty() && self.any.is_none()
    }
    /// Marks each node that has a named child whose leaf the test takes.
    pub(crate) fn mark(&mut self, test: fn(&T) -> bool) {
        self.marked = self.names.iter().any(|(_, child)| child.leaf().is_some_and(test));
        self.names
            .iter_mut()
            .map(|(_, child)| child)
            .chain(self.any.as_deref_mut())
            .for_each(|child| child.mark(test));
    }
    pub(crate) fn is_marked(&self) -> bool {
        self.marked
    }
    /// Whether anything below this node is listed.
    pub(crate) fn has_below(&self) -> bool {
        !self.names.is_empty() || self.any.is_some()
    }
}

/// The number as text without an allocation: this is on the road of every element of every answer.
fn itoa(mut number: usize, buffer: &mut [u8; 20]) -> &str {
    let mut start = buffer.len();
    for slot in buffer.iter_mut().rev() {
        *slot = b'0' + u8::try_from(number % 10).unwrap_or(0);
        start -= 1;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    buffer.get(start..).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::whole("")]
    #[case::name("/id")]
    #[case::any("/results/*/id")]
    #[case::index("/params/0")]
    #[case::escaped("/a~1b/c~0d")]
    #[case::empty_name("/")]
    fn patterns_round_trip(#[case] text: &str) {
        assert_eq!(text.parse::<Pattern>().unwrap().to_string(), text);
    }

    #[rstest]
    #[case::no_slash("id", BadPattern::Start)]
    #[case::bad_escape("/a~2", BadPattern::Escape)]
    #[case::lone_tilde("/a~", BadPattern::Escape)]
    #[case::deep("/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", BadPattern::Long)]
    fn wrong_patterns_are_refused(#[case] text: &str, #[case] error: BadPattern) {
        assert_eq!(text.parse::<Pattern>(), Err(error));
    }

    #[test]
    fn a_number_wins_over_any_element() {
        let mut tree = Tree::default();
        tree.insert(&"/a/*".parse().unwrap(), "any").unwrap();
        tree.insert(&"/a/10".parse().unwrap(), "ten").unwrap();
        let a = tree.named("a").unwrap().2;
        assert_eq!(a.element(10).and_then(Tree::leaf), Some(&"ten"));
        assert_eq!(a.element(0).and_then(Tree::leaf), Some(&"any"));
        assert_eq!(a.named("*").and_then(|(_, _, node)| node.leaf()), None);
    }

    #[test]
    fn a_place_is_listed_once() {
        let mut tree = Tree::default();
        tree.insert(&"/a".parse().unwrap(), 1).unwrap();
        assert_eq!(tree.insert(&"/a".parse().unwrap(), 2), Err(2));
    }
}
