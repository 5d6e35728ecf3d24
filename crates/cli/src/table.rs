//! Rows in aligned columns, for people.

use std::fmt::Write as _;

/// Below a header in capitals. Cells that are empty show `-`.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let shown = |cell: &str| if cell.is_empty() { "-".to_owned() } else { visible(cell) };
    let mut lines: Vec<Vec<String>> = vec![header.iter().map(|name| (*name).to_owned()).collect()];
    lines.extend(rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect()));
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let mut written = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(written, "{cell:<width$}  ");
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

/// A list, or words that say there is nothing.
pub(crate) fn table_or(header: &[&str], rows: &[Vec<String>], nothing: &str) -> String {
    if rows.is_empty() { nothing.to_owned() } else { table(header, rows) }
}

/// One object: a line for each member that has a value.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let given: Vec<_> = fields.iter().filter(|(_, value)| !value.is_empty()).collect();
    let width = given.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines: Vec<_> =
        given.iter().map(|(name, value)| format!("{name:<width$}  {}", visible(value))).collect();
    lines.join("\n")
}

/// Names come from others: nothing in them moves the cursor.
pub(crate) fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters() {
        let rows = [vec!["é".to_owned(), "1".to_owned()], vec!["long".to_owned(), String::new()]];
        assert_eq!(table(&["NAME", "N"], &rows), "NAME  N\né     1\nlong  -");
        assert_eq!(table_or(&["A"], &[], "no keys"), "no keys");
    }

    #[test]
    fn objects_show_what_they_have() {
        assert_eq!(
            fields(&[("id", "1".to_owned()), ("note", String::new()), ("name", "x".to_owned())]),
            "id    1\nname  x"
        );
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(visible("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }
}
