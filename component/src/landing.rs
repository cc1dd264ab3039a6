//! Places for what the host hands over: as a rule new ones on the heap, and for a piece of an answer the place where the
//! answer grows.
//!
//! The canonical ABI has the host ask the component for a place (`cabi_realloc`) and write there. A piece of a body that gets
//! a place of its own has to be copied behind the pieces before it; one that lands behind them has not.

use std::{
    alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc},
    cell::Cell,
    mem::{self, ManuallyDrop},
    ptr,
};

/// The place for the next bytes that the host hands over, and the room there.
struct Landing(Cell<Option<(*mut u8, usize)>>);

// SAFETY: a component has one thread.
unsafe impl Sync for Landing {}

static LANDING: Landing = Landing(Cell::new(None));

/// Lets the host hand over bytes, as many as it is asked for at most, and has them stand behind `bytes`.
///
/// Where there is no room, they are copied there; the first ones of all stay where they are.
pub(crate) fn append<E>(
    bytes: &mut Vec<u8>,
    most: usize,
    hand_over: impl FnOnce(u64) -> Result<Vec<u8>, E>,
) -> Result<usize, E> {
    let room = bytes.spare_capacity_mut();
    let (place, room) = (room.as_mut_ptr().cast::<u8>(), room.len().min(most));
    let landing = (room != 0).then_some((place, room));
    LANDING.0.set(landing);
    let handed_over = hand_over(if room == 0 { most } else { room } as u64);
    let has_landed = LANDING.0.take() != landing;
    // What has landed is no block of the heap, but stands in the middle of one.
    let mut piece = ManuallyDrop::new(handed_over?);
    let length = piece.len();
    if has_landed {
        assert!(ptr::eq(piece.as_ptr(), place) && length <= room, "the host keeps to the place it was given");
        // SAFETY: so many bytes behind the others were written, and there is room for them.
        unsafe { bytes.set_len(bytes.len() + length) };
        return Ok(length);
    }
    let piece = mem::take(&mut *piece);
    if bytes.capacity() == 0 {
        *bytes = piece;
    } else {
        bytes.extend_from_slice(&piece);
    }
    Ok(length)
}

/// The function that the canonical ABI has for this. A host that gets no place is told so by a trap.
#[unsafe(export_name = "cabi_realloc")]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    if (old_size, align) == (0, 1)
        && size != 0
        && let Some((place, room)) = LANDING.0.take()
        && size <= room
    {
        return place;
    }
    // SAFETY: the canonical ABI hands over a power of two, and what it was given before.
    let layout = |size| unsafe { Layout::from_size_align_unchecked(size, align) };
    // SAFETY: none is of no bytes.
    let block = unsafe {
        match (old_size, size) {
            (0, 0) => return ptr::without_provenance_mut(align),
            (0, _) => alloc(layout(size)),
            (_, 0) => {
                dealloc(old, layout(old_size));
                return ptr::without_provenance_mut(align);
            }
            (_, _) => realloc(old, layout(old_size), size),
        }
    };
    if block.is_null() {
        handle_alloc_error(layout(size));
    }
    block
}
