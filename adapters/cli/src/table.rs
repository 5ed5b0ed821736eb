//! JSON as a table, without a change to its numbers or to the order of its fields.

use std::fmt;

use comfy_table::{ContentArrangement, Table, TableComponent, presets};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use skyfold::Payload;

use crate::console::Surface;

/// How many blanks are between two columns.
const COLUMN_GAP: u16 = 2;

/// Rows under a header: underlined and folded to its width on a terminal, plain in a pipe.
pub(crate) fn rows(surface: Surface, header: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.set_header(header.iter().map(|name| printable(name)));
    table.add_rows(rows.iter().map(|row| row.iter().map(|cell| printable(cell))));
    table.load_preset(presets::NOTHING);
    match surface {
        Surface::Terminal => {
            table.set_style(TableComponent::HeaderLines, '─');
            table.set_style(TableComponent::MiddleHeaderIntersections, '─');
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        Surface::Pipe => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, COLUMN_GAP));
    }
    let lines: Vec<_> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// `json` as a table: the items of a page or an array as rows, the fields of an object as pairs.
pub(crate) fn json(surface: Surface, json: &Payload) -> String {
    if let Ok(items) = json.decode::<Vec<Payload>>() {
        return items_as_rows(surface, &items);
    }
    let Ok(Fields(fields)) = json.decode() else { return printable(&cell(json)) };
    let items = fields.iter().find(|(name, _)| name == "items");
    if let Some(items) = items.and_then(|(_, items)| items.decode::<Vec<Payload>>().ok()) {
        return items_as_rows(surface, &items);
    }
    let pairs: Vec<_> = fields.into_iter().map(|(name, value)| vec![name, cell(&value)]).collect();
    rows(surface, &["field", "value"], &pairs)
}

/// Each item a row, and each field of any of them a column, in order of appearance.
fn items_as_rows(surface: Surface, items: &[Payload]) -> String {
    let fields = |item: &Payload| {
        let whole = || vec![("value".to_owned(), item.clone())];
        item.decode::<Fields>().map_or_else(|_| whole(), |fields| fields.0)
    };
    let items: Vec<_> = items.iter().map(fields).collect();
    let mut columns: Vec<&str> = vec![];
    for (name, _) in items.iter().flatten() {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        return "nothing".into();
    }
    let row = |item: &Vec<(String, Payload)>| {
        let value = |column: &&str| item.iter().find(|(name, _)| name == column);
        let text = |column| value(column).map_or_else(String::new, |(_, value)| cell(value));
        columns.iter().map(text).collect()
    };
    let table: Vec<Vec<String>> = items.iter().map(row).collect();
    rows(surface, &columns, &table)
}

/// A text without its quotes, nothing for null, and anything else as it is written.
fn cell(value: &Payload) -> String {
    match value.decode::<Option<String>>() {
        Ok(text) => text.unwrap_or_default(),
        Err(_) => value.get().to_owned(),
    }
}

/// `text` on one line, and without what could command a terminal.
pub(crate) fn printable(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// The fields of an object, in their order.
struct Fields(Vec<(String, Payload)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
        let mut fields = vec![];
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piped(text: &str) -> String {
        json(Surface::Pipe, &Payload::parse(text).unwrap())
    }

    #[test]
    fn an_object_is_shown_as_pairs_in_its_own_order() {
        let table = piped(r#"{"z":"text","a":1.10,"nested":{"b":[1]},"none":null}"#);
        let lines: Vec<_> =
            table.lines().map(|l| l.split_whitespace().collect::<Vec<_>>()).collect();
        let expected: [Vec<&str>; 5] = [
            vec!["field", "value"],
            vec!["z", "text"],
            vec!["a", "1.10"],
            vec!["nested", r#"{"b":[1]}"#],
            vec!["none"],
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn items_are_rows_and_a_field_that_one_lacks_is_left_empty() {
        let table = piped(r#"{"items":[{"id":"1","name":"a"},{"id":"2","more":true}],"next":"x"}"#);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 3, "{table}");
        assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), ["id", "name", "more"]);
        assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["2", "true"]);
        assert!(lines[2].find("true") == lines[0].find("more"), "columns line up: {table}");
    }

    #[test]
    fn scalars_and_empty_lists_have_a_form_too() {
        assert_eq!(piped("\"text\""), "text");
        assert_eq!(piped("12345678901234567890.5"), "12345678901234567890.5");
        assert_eq!(piped("[]"), "nothing");
        assert_eq!(piped(r#"["a","b"]"#).lines().count(), 3);
    }

    #[test]
    fn a_control_character_does_not_reach_the_terminal() {
        let table = piped(r#"{"a":"red\u001b[31m\nnext"}"#);
        assert!(table.contains(r"red\u{1b}[31m\nnext"), "{table}");
        assert_eq!(table.lines().count(), 2);
    }

    #[test]
    fn a_terminal_gets_a_line_and_a_pipe_does_not() {
        let row = [vec!["1".to_owned()]];
        assert!(rows(Surface::Terminal, &["a"], &row).contains('─'));
        assert!(!rows(Surface::Pipe, &["a"], &row).contains('─'));
    }
}
