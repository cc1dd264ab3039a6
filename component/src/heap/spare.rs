//! Small blocks that were given back, for whoever asks for one of their size next.
//!
//! Most blocks of a call are small and soon given back. The allocator beneath joins each with its
//! neighbours and looks for the best place of the next; a block of the right size needs neither.

use std::{alloc::Layout, cell::Cell, ptr};

/// The bytes by which blocks grow, with the allocator's own account at the end of each: what it divides memory into.
const GRAIN: usize = 16;
const ACCOUNT: usize = 4;

/// The alignment of every block: that of a 64-bit number, and of nearly everything else.
const ALIGN: usize = 8;

/// The grains of the largest block that is kept.
const LARGEST: usize = 16;

/// The bytes that are kept at most: what is kept is not there for a larger block.
const ROOM: usize = 64 * 1024;

/// Stacks of blocks, one for each size. A block that lies in one holds the address of the next.
pub(super) struct Spare {
    tops: [Cell<*mut u8>; LARGEST + 1],
    bytes: Cell<usize>,
}

impl Spare {
    pub(super) const fn new() -> Self {
        Self { tops: [const { Cell::new(ptr::null_mut()) }; LARGEST + 1], bytes: Cell::new(0) }
    }

    /// The layout that a block has beneath, so that it serves for every other of its size.
    pub(super) fn layout(of: Layout) -> Layout {
        let Some(grains) = grains(of) else { return of };
        // SAFETY: a small size, and a power of two.
        unsafe { Layout::from_size_align_unchecked(grains * GRAIN - ACCOUNT, ALIGN) }
    }

    /// Tells whether a block of this layout may be kept.
    pub(super) fn is_small(layout: Layout) -> bool {
        grains(layout).is_some()
    }

    /// Tells whether a block of the one is as good for the other.
    pub(super) fn fits(one: Layout, other: Layout) -> bool {
        grains(one).is_some_and(|of_one| grains(other) == Some(of_one))
    }

    /// Hands out a block of this size, if one is kept.
    pub(super) fn take(&self, layout: Layout) -> Option<*mut u8> {
        let grains = grains(layout)?;
        let top = &self.tops[grains];
        let block = top.get();
        if block.is_null() {
            return None;
        }
        // SAFETY: `keep` has written it there, and nobody has the block.
        top.set(unsafe { *block.cast() });
        self.bytes.set(self.bytes.get() - grains * GRAIN);
        Some(block)
    }

    /// Keeps a block that nobody uses any more, or leaves it to the allocator.
    ///
    /// # Safety
    /// The block is one of this layout, given back.
    pub(super) unsafe fn keep(&self, block: *mut u8, layout: Layout) -> bool {
        let Some(grains) = grains(layout) else { return false };
        let bytes = self.bytes.get() + grains * GRAIN;
        if bytes > ROOM {
            return false;
        }
        let top = &self.tops[grains];
        // SAFETY: it is as large as an address at least, and aligned for one.
        unsafe { *block.cast() = top.get() };
        top.set(block);
        self.bytes.set(bytes);
        true
    }

    /// Forgets all of them: their memory is somebody else's now.
    pub(super) fn forget(&self) {
        for top in &self.tops {
            top.set(ptr::null_mut());
        }
        self.bytes.set(0);
    }
}

/// The grains of a small block.
fn grains(layout: Layout) -> Option<usize> {
    let grains = layout.size().checked_add(ACCOUNT)?.div_ceil(GRAIN);
    (grains <= LARGEST && layout.align() <= ALIGN).then_some(grains)
}
