//! Aligned text: titles, fields, tables.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::clean;

const TITLE: Style = Style::new().bold();
const NAME: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const CAREFUL: Style = AnsiColor::Yellow.on_default();

/// A text with a meaning that colour repeats. Built from strings without further ado.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }
    /// As it should be.
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self::styled(text, GOOD)
    }
    /// Wrong.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::styled(text, BAD)
    }
    /// Worth a look.
    pub(crate) fn careful(text: impl Into<String>) -> Self {
        Self::styled(text, CAREFUL)
    }
    /// Beside the point.
    pub(crate) fn faint(text: impl Into<String>) -> Self {
        Self::styled(text, NAME)
    }
    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::new())
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Words.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Left(name) | Self::Right(name) => name,
        }
    }
}

/// Text for a terminal, colours included: [`Terminal`](super::Terminal) takes them out where they do not belong.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// An empty page.
    pub(crate) fn new() -> Self {
        Self::default()
    }
    /// The text with its colours.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// What the page is about.
    pub(crate) fn title(&mut self, text: &str) -> &mut Self {
        self.styled(text, TITLE)
    }
    /// The name of what follows, after an empty line.
    pub(crate) fn section(&mut self, name: &str) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.styled(name, TITLE)
    }
    /// A line of words.
    pub(crate) fn line(&mut self, text: impl Into<Cell>) -> &mut Self {
        let cell = text.into();
        self.styled(&format!("  {}", cell.text), cell.style)
    }
    /// Names and values, values under one another; a value of several lines stays in its column.
    pub(crate) fn fields(&mut self, fields: &[(&str, Cell)]) -> &mut Self {
        let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, value) in fields {
            for (number, line) in value.text.split('\n').enumerate() {
                let name = if number == 0 { name } else { "" };
                let mut row = String::from("  ");
                put(&mut row, &Cell::styled(name, NAME), Some(width), false);
                row.push_str("  ");
                put(&mut row, &Cell::styled(line, value.style), None, false);
                self.end(&row);
            }
        }
        self
    }
    /// A table. The last column is as wide as its texts.
    pub(crate) fn table(&mut self, columns: &[Column], rows: &[Vec<Cell>]) -> &mut Self {
        let head: Vec<Cell> = columns.iter().map(|column| Cell::faint(column.name())).collect();
        let widths: Vec<usize> = (0..columns.len())
            .map(|at| {
                rows.iter().chain([&head]).filter_map(|row| row.get(at)).map(Cell::width).max().unwrap_or(0)
            })
            .collect();
        for row in [&head].into_iter().chain(rows) {
            let mut line = String::new();
            for (at, ((cell, column), width)) in row.iter().zip(columns).zip(&widths).enumerate() {
                let right = matches!(column, Column::Right(_));
                let is_last = at + 1 == columns.len();
                line.push_str("  ");
                put(&mut line, cell, (right || !is_last).then_some(*width), right);
            }
            self.end(&line);
        }
        self
    }

    fn styled(&mut self, text: &str, style: Style) -> &mut Self {
        let mut line = String::new();
        put(&mut line, &Cell::styled(text, style), None, false);
        self.end(&line);
        self
    }
    fn end(&mut self, line: &str) {
        self.0.push_str(line.trim_end_matches(' '));
        self.0.push('\n');
    }
}

/// Colours surround the words only, so that padding is the same with and without.
fn put(line: &mut String, cell: &Cell, width: Option<usize>, right: bool) {
    let pad = " ".repeat(width.unwrap_or_default().saturating_sub(cell.width()));
    let (before, after) = if right { (pad.as_str(), "") } else { ("", pad.as_str()) };
    let (on, off) = (cell.style.render(), cell.style.render_reset());
    // Writing to a String cannot fail.
    let _ = if cell.text.is_empty() {
        write!(line, "{pad}")
    } else {
        write!(line, "{before}{on}{}{off}{after}", clean(&cell.text))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(page: &Page) -> String {
        anstream::adapter::strip_str(page.text()).to_string()
    }

    #[test]
    fn values_stand_under_one_another() {
        let mut page = Page::new();
        page.title("practice 0.1.0");
        page.fields(&[
            ("id", "practice".into()),
            ("purposes", "screen-pop\nsearch".into()),
            ("none", "".into()),
        ]);
        insta::assert_snapshot!(plain(&page), @r"
        practice 0.1.0
          id        practice
          purposes  screen-pop
                    search
          none
        ");
    }

    #[test]
    fn columns_are_aligned_by_their_kind() {
        let mut page = Page::new();
        page.section("seen").table(
            &[Column::Left("class"), Column::Right("count"), Column::Left("outcome")],
            &[
                vec!["contact.phone".into(), "2".into(), Cell::good("sent")],
                vec!["contact.notação".into(), "120".into(), Cell::bad("")],
            ],
        );
        insta::assert_snapshot!(plain(&page), @r"
        seen
          class            count  outcome
          contact.phone        2  sent
          contact.notação    120
        ");
    }

    #[test]
    fn a_text_from_outside_stays_in_its_cell() {
        let mut page = Page::new();
        page.table(&[Column::Left("name")], &[vec!["evil\u{1b}[1A\nerror: forged".into()]]);
        assert_eq!(plain(&page), "  name\n  evil\u{fffd}[1A\u{fffd}error: forged\n");
    }

    #[test]
    fn colour_does_not_change_the_words() {
        let mut page = Page::new();
        page.fields(&[("outcome", Cell::bad("denied"))]);
        assert!(page.text().contains("\u{1b}[1m\u{1b}[31mdenied\u{1b}[0m"), "{:?}", page.text());
        assert_eq!(plain(&page), "  outcome  denied\n");
    }
}
