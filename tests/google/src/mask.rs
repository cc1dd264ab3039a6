//! The field mask that Google applies: <https://cloud.google.com/apis/docs/system-parameters>, `fields`, with the
//! grammar of <https://developers.google.com/drive/api/guides/performance#partial>.

use serde_json::{Map, Value};

use crate::table::Table;

/// A parsed mask: the fields that are kept, and what is kept of each; empty for all of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Mask(Vec<(String, Self)>);

impl Mask {
    /// Parses `a,b/c,d(e,f)`.
    ///
    /// # Errors
    /// The text from which on it is no mask.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text;
        let mask = Self::list(&mut rest)?;
        if rest.is_empty() { Ok(mask) } else { Err(rest.to_owned()) }
    }

    fn list(rest: &mut &str) -> Result<Self, String> {
        let mut fields = Vec::new();
        loop {
            let end = rest.find(['/', '(', ')', ',']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if name.is_empty() || name.contains(|c: char| !(c.is_ascii_alphanumeric() || "*_-.@".contains(c)))
            {
                return Err((*rest).to_owned());
            }
            *rest = after;
            let inner = if let Some(after) = rest.strip_prefix('/') {
                *rest = after;
                Self(vec![Self::path(rest)?])
            } else {
                Self::group(rest)?
            };
            fields.push((name.to_owned(), inner));
            match rest.strip_prefix(',') {
                Some(after) => *rest = after,
                None => return Ok(Self(fields)),
            }
        }
    }

    /// A name after a slash: a comma behind it belongs to the list around it.
    fn path(rest: &mut &str) -> Result<(String, Self), String> {
        let end = rest.find(['/', '(', ')', ',']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return Err((*rest).to_owned());
        }
        *rest = after;
        if let Some(after) = rest.strip_prefix('/') {
            *rest = after;
            return Ok((name.to_owned(), Self(vec![Self::path(rest)?])));
        }
        Ok((name.to_owned(), Self::group(rest)?))
    }

    fn group(rest: &mut &str) -> Result<Self, String> {
        let Some(after) = rest.strip_prefix('(') else { return Ok(Self::default()) };
        *rest = after;
        let inner = Self::list(rest)?;
        *rest = rest.strip_prefix(')').ok_or_else(|| (*rest).to_owned())?;
        Ok(inner)
    }

    /// Checks that every field exists in a shape, as Google does.
    ///
    /// # Errors
    /// The path of the field that does not.
    pub fn check(&self, table: &Table, shape: &Value) -> Result<(), String> {
        self.0.iter().try_for_each(|(name, inner)| {
            let mut shape = table.resolved(shape);
            while let Value::Array(items) = shape {
                shape = table.resolved(&items[0]);
            }
            let Value::Object(fields) = shape else { return Err(name.clone()) };
            if name == "*" {
                return fields.values().try_for_each(|field| inner.check(table, field));
            }
            let field = fields.get(name).or_else(|| fields.get("*")).ok_or_else(|| name.clone())?;
            inner.check(table, field).map_err(|path| format!("{name}.{path}"))
        })
    }

    /// The part of a value that the mask keeps.
    #[must_use]
    pub fn apply(&self, value: &Value) -> Value {
        if self.0.is_empty() {
            return value.clone();
        }
        match value {
            Value::Array(items) => items.iter().map(|item| self.apply(item)).collect(),
            Value::Object(fields) => {
                let kept = fields.iter().filter_map(|(name, value)| {
                    let mut inner = self.0.iter().filter(|(kept, _)| kept == name || kept == "*");
                    // `a/b,a/c` keeps both.
                    let first = inner.next()?.1.clone();
                    let all = inner.fold(first, |all, (_, more)| all.with(more));
                    Some((name.clone(), all.apply(value)))
                });
                kept.collect::<Map<_, _>>().into()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    fn with(mut self, other: &Self) -> Self {
        if self.0.is_empty() || other.0.is_empty() {
            return Self::default();
        }
        self.0.extend(other.0.iter().cloned());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Mask;
    use crate::table::Table;

    /// The examples of Google's page on partial responses.
    #[test]
    fn a_mask_keeps_what_it_names() {
        let value = json!({"kind": "k", "items": [{"title": "t", "author": {"uri": "u", "name": "n"}, "x": 1}],
            "context": {"facets": {"label": "l", "anchor": "a"}}});
        for (mask, kept) in [
            ("kind", json!({"kind": "k"})),
            ("items(title,author/uri)", json!({"items": [{"title": "t", "author": {"uri": "u"}}]})),
            ("items/author/name,kind", json!({"kind": "k", "items": [{"author": {"name": "n"}}]})),
            ("context/facets/label", json!({"context": {"facets": {"label": "l"}}})),
            ("items/author/uri,items/author/name", json!({"items": [{"author": {"uri": "u", "name": "n"}}]})),
            ("items/*(uri)", json!({"items": [{"title": "t", "author": {"uri": "u"}, "x": 1}]})),
            ("*", value.clone()),
            ("absent", json!({})),
        ] {
            assert_eq!(Mask::parse(mask).unwrap().apply(&value), kept, "{mask}");
        }
        for bad in ["", "a,", ",a", "a(b", "a)", "a/", "a b", "a(b))", "a()", "a{b}"] {
            assert!(Mask::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_field_that_no_schema_has_is_found() {
        let check = |mask: &str| {
            let shape = json!("cloudfunctions.v2/ListFunctionsResponse");
            Mask::parse(mask).unwrap().check(Table::google(), &shape)
        };
        assert_eq!(check("functions(name,labels/x,serviceConfig/uri),nextPageToken"), Ok(()));
        assert_eq!(check("functions(nam)"), Err("functions.nam".to_owned()));
        assert_eq!(check("functions/serviceConfig/url"), Err("functions.serviceConfig.url".to_owned()));
        assert_eq!(check("nextPageToken/x"), Err("nextPageToken.x".to_owned()));
    }
}
