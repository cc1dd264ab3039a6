//! The way from the linker's file to the one that is shipped.

use std::{fs, io, path::Path};

/// The custom section that names the parts of a component, for people who read its text form.
const NAMES: &[u8] = b"component-name";

/// Copies a component without the names of its parts, unless the copy is there already: a newer date would
/// have the cache of hosts miss. Returns its size in bytes.
pub(crate) fn keep(from: &Path, to: &Path) -> io::Result<usize> {
    let bytes = without_names(&fs::read(from)?)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is not a component"))?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(bytes.len());
    }
    // A rename, so that nobody who runs at this moment loads half a file.
    let beside = to.with_extension("wasm.new");
    fs::write(&beside, &bytes)?;
    fs::rename(&beside, to)?;
    Ok(bytes.len())
}

/// A component without the sections that name its parts. A section is an id, a length in LEB128, and as many
/// bytes.
///
/// <https://github.com/WebAssembly/component-model/blob/main/design/mvp/Binary.md>
fn without_names(component: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = component.split_at_checked(8)?;
    let mut kept = header.to_vec();
    while let Some((&id, after_id)) = rest.split_first() {
        let (length, content) = leb128(after_id)?;
        let (content, next) = content.split_at_checked(length)?;
        let section = &rest[..rest.len() - next.len()];
        let is_names =
            id == 0 && leb128(content).is_some_and(|(length, name)| name.get(..length) == Some(NAMES));
        if !is_names {
            kept.extend_from_slice(section);
        }
        rest = next;
    }
    Some(kept)
}

/// Reads an unsigned number of 32 bits, and returns the rest too.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value: u64 = 0;
    for (index, &byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, &bytes[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 8] = *b"\0asm\x0d\0\x01\0";

    fn section(id: u8, content: &[u8]) -> Vec<u8> {
        [&[id, u8::try_from(content.len()).unwrap()], content].concat()
    }

    fn named(name: &[u8]) -> Vec<u8> {
        section(0, &[&[u8::try_from(name.len()).unwrap()], name, b"content"].concat())
    }

    #[test]
    fn names_are_left_out_and_nothing_else() {
        let others = [section(1, b"module"), named(b"producers")].concat();
        let component = [&HEADER, named(NAMES).as_slice(), &others].concat();
        assert_eq!(without_names(&component).unwrap(), [&HEADER, others.as_slice()].concat());
    }

    #[test]
    fn what_is_cut_short_is_no_component() {
        let component = [&HEADER, section(1, b"module").as_slice()].concat();
        for end in (0..8).chain(9..component.len()) {
            assert_eq!(without_names(&component[..end]), None, "{end}");
        }
        assert_eq!(leb128(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x01]), None);
        assert_eq!(leb128(&[0xe5, 0x8e, 0x26, 7]), Some((624_485, &[7_u8][..])));
    }
}
