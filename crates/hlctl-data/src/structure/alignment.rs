//! `null` in lists of primitives. It stands only where the value or its companion (`_given` of `given`) has something at the
//! same index (R4 specification, "JSON Representation of Resources", primitive elements).
//!
//! Few objects have such a `null`, so nothing is kept of lists while they are read: the lists of those objects are read once
//! more, the two of an element side by side.

use hlctl_r4::Element;

use super::Walk;
use super::fault::Fault;
use super::object::{Key, Level};
use crate::json::{Cursor, NotJson};

/// The lists of an element in one object.
struct Lists<'a> {
    element: &'static Element,
    values: Option<Cursor<'a>>,
    companions: Option<Cursor<'a>>,
}

impl Walk<'_> {
    /// Looks at the lists of an object in which there is a `null`: those of the elements of these slots.
    #[cold]
    pub(super) fn align(&mut self, level: &Level<'_>, object: usize, slots: u128) -> Result<(), NotJson> {
        for Lists { element, values, companions } in lists(self.cursor.look_back(object), level, slots)? {
            if has_gap(values, companions)? {
                self.found.note(level, element.name(), Fault::Null);
            }
        }
        Ok(())
    }
}

fn lists<'a>(mut object: Cursor<'a>, level: &Level<'_>, slots: u128) -> Result<Vec<Lists<'a>>, NotJson> {
    let mut lists: Vec<Lists<'a>> = Vec::new();
    let mut has_more = object.open(b'{', b'}')?;
    while has_more {
        let key = Key::of(object.name()?, level);
        if let Key::Element(element) | Key::Companion(element) = key
            && slots >> element.slot() & 1 == 1
        {
            let known = lists.iter().position(|lists| lists.element == element).unwrap_or_else(|| {
                lists.push(Lists { element, values: None, companions: None });
                lists.len() - 1
            });
            let list = Some(object.look_ahead());
            match key {
                Key::Companion(_) => lists[known].companions = list,
                _ => lists[known].values = list,
            }
        }
        object.skip()?;
        has_more = object.has_more(b'}')?;
    }
    Ok(lists)
}

/// Whether there is an index at which neither list has anything. The shorter list has nothing after its end.
fn has_gap(values: Option<Cursor<'_>>, companions: Option<Cursor<'_>>) -> Result<bool, NotJson> {
    let (Some(mut values), Some(mut companions)) = (Items::of(values)?, Items::of(companions)?) else {
        // What is wrong with one of them has been noted.
        return Ok(false);
    };
    while values.has_more || companions.has_more {
        // Both move.
        if values.next_is_null()? & companions.next_is_null()? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The items of a list that is there, or of none.
struct Items<'a> {
    list: Option<Cursor<'a>>,
    has_more: bool,
}

impl<'a> Items<'a> {
    /// Nothing, if the value is no list, or is empty.
    fn of(mut list: Option<Cursor<'a>>) -> Result<Option<Self>, NotJson> {
        let Some(start) = &mut list else { return Ok(Some(Self { list, has_more: false })) };
        let has_more = start.peek() == b'[' && start.open(b'[', b']')?;
        Ok(has_more.then_some(Self { list, has_more }))
    }

    /// Goes past the next item, and says whether it is `null`. After the end all are.
    fn next_is_null(&mut self) -> Result<bool, NotJson> {
        let Some(list) = self.list.as_mut().filter(|_| self.has_more) else { return Ok(true) };
        let is_null = list.peek() == b'n';
        list.skip()?;
        self.has_more = list.has_more(b']')?;
        Ok(is_null)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::structure::check;

    /// A list of a JSON text where `true` stands, and of `null`.
    fn list(items: &[bool], text: &str) -> String {
        let items: Vec<&str> = items.iter().map(|is_there| if *is_there { text } else { "null" }).collect();
        format!("[{}]", items.join(","))
    }

    proptest! {
        #[test]
        fn a_null_is_a_fault_where_neither_list_has_anything(
            values in proptest::collection::vec(any::<bool>(), 1..5),
            companions in proptest::collection::vec(any::<bool>(), 1..5),
            have in 0..4,
        ) {
            let members = [("given", &values, r#""a""#), ("_given", &companions, r#"{"id":"b"}"#)];
            let chosen: &[usize] = match have {
                0 => &[0],
                1 => &[1],
                2 => &[0, 1],
                _ => &[1, 0],
            };
            let mut texts = chosen.iter().map(|number| {
                let (name, items, text) = members[*number];
                format!(r#""{name}":{}"#, list(items, text))
            });
            let name = format!("{},{}", texts.next().unwrap_or_default(), texts.next().unwrap_or(r#""text":"x""#.to_owned()));
            let has_any = |at: usize| chosen.iter().any(|number| members[*number].1.get(at) == Some(&true));
            let length = chosen.iter().map(|number| members[*number].1.len()).max().unwrap_or_default();
            let resource = format!(r#"{{"resourceType":"Patient","name":[{{{name}}}]}}"#);
            let found = check(&resource).map(|found| found.issues.len());
            prop_assert_eq!(found, Ok(usize::from(!(0..length).all(has_any))), "{}", resource);
        }
    }
}
