//! Lists in pages. A cursor is opaque to the client and names the list that it belongs to.

use crate::Admin;
use crate::ledger::Kept;
use crate::limits::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use crate::problem::{Problem, codes};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Documents looked at in one step of filling a page.
const STEP_ROWS: usize = 500;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Give it to the next request; null at the end.
    pub next: Option<String>,
}

/// Which page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most this many.
    pub limit: Option<usize>,
}

impl PageQuery {
    pub(crate) fn items_max(&self) -> Result<usize, Problem> {
        match self.limit {
            None => Ok(PAGE_ITEMS_DEFAULT),
            Some(limit) if (1..=PAGE_ITEMS_MAX).contains(&limit) => Ok(limit),
            Some(_) => {
                let detail = format!("A page has 1 to {PAGE_ITEMS_MAX} items.");
                Err(Problem::new(&codes::BAD_QUERY, detail).field("limit"))
            }
        }
    }

    /// The name after which the page begins.
    pub(crate) fn after(&self, list: &str) -> Result<Option<String>, Problem> {
        self.cursor.as_deref().map(|cursor| read_cursor(list, cursor)).transpose()
    }
}

pub(crate) fn write_cursor(list: &str, after: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}\0{after}"))
}

pub(crate) fn read_cursor(list: &str, cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let after =
        text.and_then(|text| text.split_once('\0').filter(|(of, _)| *of == list).map(|(_, after)| after.to_owned()));
    after.ok_or_else(|| Problem::new(&codes::BAD_CURSOR, "It does not belong to this list.").field("cursor"))
}

/// A page of a list that is all in memory, sorted by what `name` says.
pub(crate) fn of_sorted<T>(
    list: &str,
    items: Vec<T>,
    query: &PageQuery,
    name: impl Fn(&T) -> String,
) -> Result<Page<T>, Problem> {
    let (max, after) = (query.items_max()?, query.after(list)?);
    let mut rest = items.into_iter().filter(|item| after.as_deref().is_none_or(|after| name(item).as_str() > after));
    let items: Vec<T> = rest.by_ref().take(max).collect();
    let more = rest.next().is_some();
    let next = items.last().filter(|_| more).map(|last| write_cursor(list, &name(last)));
    Ok(Page { items, next })
}

/// A page of a list that is all in memory and has an order of its own; the cursor counts.
pub(crate) fn of_ordered<T>(list: &str, items: Vec<T>, query: &PageQuery) -> Result<Page<T>, Problem> {
    let (max, after) = (query.items_max()?, query.after(list)?);
    let skip = match after {
        None => 0,
        Some(text) => text
            .parse::<usize>()
            .map_err(|_| Problem::new(&codes::BAD_CURSOR, "It does not belong to this list.").field("cursor"))?,
    };
    let total = items.len();
    let items: Vec<T> = items.into_iter().skip(skip).take(max).collect();
    let end = skip.saturating_add(items.len());
    let next = (end < total).then(|| write_cursor(list, &end.to_string()));
    Ok(Page { items, next })
}

/// A page of documents of one kind, of which `see` shows those that are within reach.
pub(crate) async fn of_documents<T, V>(
    admin: &Admin,
    kind: &str,
    prefix: &str,
    query: &PageQuery,
    mut see: impl FnMut(Kept<T>) -> Option<V>,
) -> Result<Page<V>, Problem>
where
    T: DeserializeOwned,
{
    let (max, mut after) = (query.items_max()?, query.after(kind)?);
    let mut items = Vec::new();
    loop {
        let page = admin.ledger().page::<T>(kind, prefix, after, STEP_ROWS).await?;
        let count = page.documents.len();
        for (at, document) in page.documents.into_iter().enumerate() {
            let id = document.id.clone();
            items.extend(see(document));
            let is_last = at + 1 == count && page.more_after.is_none();
            if items.len() >= max && !is_last {
                return Ok(Page { items, next: Some(write_cursor(kind, &id)) });
            }
        }
        match page.more_after {
            Some(more) => after = Some(more),
            None => return Ok(Page { items, next: None }),
        }
    }
}

/// A page of documents of one kind by a moment of theirs, the newest first. `when` says the moment of those that are
/// within reach. Every document is looked at, a page of them is held.
pub(crate) async fn newest_of_documents<T: DeserializeOwned>(
    admin: &Admin,
    kind: &str,
    prefix: &str,
    query: &PageQuery,
    mut when: impl FnMut(&Kept<T>) -> Option<u64>,
) -> Result<Page<Kept<T>>, Problem> {
    let (max, after) = (query.items_max()?, query.after(kind)?);
    // Sorts the newest first, and one with the same moment by its name.
    let key = |at: u64, id: &str| format!("{:020}-{id}", u64::MAX - at);
    let mut newest = BTreeMap::new();
    let mut from = None;
    loop {
        let page = admin.ledger().page::<T>(kind, prefix, from, STEP_ROWS).await?;
        for kept in page.documents {
            let Some(at) = when(&kept) else { continue };
            let key = key(at, &kept.id);
            if after.as_deref().is_none_or(|after| key.as_str() > after) {
                newest.insert(key, kept);
            }
            if newest.len() > max + 1 {
                newest.pop_last();
            }
        }
        match page.more_after {
            Some(more) => from = Some(more),
            None => break,
        }
    }
    let more = newest.len() > max;
    if more {
        newest.pop_last();
    }
    let next = newest.last_key_value().filter(|_| more).map(|(key, _)| write_cursor(kind, key));
    Ok(Page { items: newest.into_values().collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_without_gap_or_double() {
        let all: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let query = PageQuery { cursor, limit: Some(7) };
            let page = of_sorted("things", all.clone(), &query, Clone::clone).unwrap();
            assert!(page.items.len() <= 7);
            seen.extend(page.items);
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = write_cursor("users", "anna");
        assert_eq!(read_cursor("users", &cursor).unwrap(), "anna");
        for bad in ["", "x", "%%%", "\u{0}", cursor.as_str()] {
            assert!(read_cursor("tokens", bad).is_err(), "{bad:?}");
        }
    }
}
