//! Small blocks that were given back, for whoever asks for one of their size next.
//!
//! Most blocks of a call are small and soon given back. The allocator beneath joins each with its
//! neighbours and looks for the best place of the next; a block of the right size needs neither.

use std::{alloc::Layout, cell::Cell, ptr};

/// The sizes of blocks are multiples of this. With 8 there are fewer that fit, and calls do more work.
const GRAIN: usize = 16;

/// The alignment of every block: that of a 64-bit number, and of nearly everything else.
const ALIGN: usize = 8;

/// The largest block that is kept.
const LARGEST: usize = 256;

/// The bytes that are kept at most: what is kept is not there for a larger block.
const ROOM: usize = 64 * 1024;

/// Stacks of blocks, one for each size. A block that lies in one holds the address of the next.
pub(super) struct Spare {
    tops: [Cell<*mut u8>; LARGEST / GRAIN + 1],
    bytes: Cell<usize>,
}

impl Spare {
    pub(super) const fn new() -> Self {
        Self { tops: [const { Cell::new(ptr::null_mut()) }; LARGEST / GRAIN + 1], bytes: Cell::new(0) }
    }

    /// The layout that a block has beneath, so that it serves for every other of its size.
    pub(super) fn layout(of: Layout) -> Layout {
        let Some(size) = size(of) else { return of };
        // SAFETY: a small size, and a power of two.
        unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
    }

    /// Tells whether a block of this layout may be kept.
    pub(super) fn is_small(layout: Layout) -> bool {
        size(layout).is_some()
    }

    /// Tells whether a block of the one is as good for the other.
    pub(super) fn fits(one: Layout, other: Layout) -> bool {
        size(one).is_some_and(|size_of_one| size(other) == Some(size_of_one))
    }

    /// Hands out a block of this size, if one is kept.
    pub(super) fn take(&self, layout: Layout) -> Option<*mut u8> {
        let size = size(layout)?;
        let top = &self.tops[size / GRAIN];
        let block = top.get();
        if block.is_null() {
            return None;
        }
        // SAFETY: `keep` has written it there, and nobody has the block.
        top.set(unsafe { *block.cast() });
        self.bytes.set(self.bytes.get() - size);
        Some(block)
    }

    /// Keeps a block that nobody uses any more, or leaves it to the allocator.
    ///
    /// # Safety
    /// The block is one of this layout, given back.
    pub(super) unsafe fn keep(&self, block: *mut u8, layout: Layout) -> bool {
        let Some(size) = size(layout) else { return false };
        let bytes = self.bytes.get() + size;
        if bytes > ROOM {
            return false;
        }
        let top = &self.tops[size / GRAIN];
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

/// The size of a small block, rounded up.
fn size(layout: Layout) -> Option<usize> {
    (layout.size() <= LARGEST && layout.align() <= ALIGN).then(|| layout.size().next_multiple_of(GRAIN))
}
