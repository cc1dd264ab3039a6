//! Small sorted lists. Sets and maps of the standard library would do the same with more wasm.

/// Inserts an item in its place, unless it is there; says whether it was new.
pub(crate) fn insert<T: Ord>(list: &mut Vec<T>, item: T) -> bool {
    match list.binary_search(&item) {
        Ok(_) => false,
        Err(at) => {
            list.insert(at, item);
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_in_order_and_once() {
        let mut list = Vec::new();
        assert_eq!(["b", "a", "c", "b"].map(|item| insert(&mut list, item)), [true, true, true, false]);
        assert_eq!(list, ["a", "b", "c"]);
    }
}
