//! The heap: a first piece that is there from the start, more where a call needs it, and nothing of the call before.
//!
//! - Growing the memory is a call of the host, so most calls do without, and those that need more take it by the
//!   megabyte.
//! - A host may let an instance serve one call after another. Nothing of this component lives on the heap between two
//!   calls, so an allocation while nothing is in use is the beginning of a call: what the call before has left there, tokens
//!   and bodies, is overwritten then. An instance that serves one call does not get there.

mod spare;

use std::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::memory_grow,
    cell::{Cell, UnsafeCell},
    hint::black_box,
    mem::MaybeUninit,
    ptr,
};

use talc::{
    base::{Talc, binning::Binning},
    cell::TalcCell,
    source::Source,
    wasm::WasmBinning,
};

use self::spare::Spare;

/// The first piece, as large as most calls need. It takes no room in the file, and none in a host before it is used.
static mut FIRST: MaybeUninit<[u8; FIRST_SIZE]> = MaybeUninit::uninit();
const FIRST_SIZE: usize = 256 * 1024;

/// The pages by which the memory grows at least.
const STEP: usize = 16;

const PAGE: usize = 64 * 1024;

/// The allocator's own account of a block and of a heap; generous.
const OVERHEAD: usize = 64;

/// The part of the stack that is overwritten: as much as a call uses, and more.
const STACK: usize = 64 * 1024;

/// The allocator of the component.
pub(crate) struct Heap {
    talc: UnsafeCell<TalcCell<Memory, WasmBinning>>,
    spare: Spare,
    /// Blocks that are in use.
    live: Cell<usize>,
    /// The end of what was in use, in the first piece and in what was grown; 0 if nothing was.
    used: [Cell<usize>; 2],
}

/// The memory that the allocator may have.
#[derive(Debug)]
struct Memory {
    /// True once the allocator has the first piece.
    has_first: bool,
    /// The beginning and the end of what was grown.
    grown: (*mut u8, *mut u8),
    /// The end of what it has of that.
    claimed: Option<ptr::NonNull<u8>>,
}

// SAFETY: a component has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    pub(crate) const fn new() -> Self {
        let nowhere = (ptr::null_mut(), ptr::null_mut());
        Self {
            talc: UnsafeCell::new(TalcCell::new(Memory::anew(nowhere))),
            spare: Spare::new(),
            live: Cell::new(0),
            used: [const { Cell::new(0) }; 2],
        }
    }

    fn talc(&self) -> &TalcCell<Memory, WasmBinning> {
        // SAFETY: the only other reference is that of `clear`, which ends before anybody allocates.
        unsafe { &*self.talc.get() }
    }

    /// Notes how far the memory is in use.
    fn note(&self, block: *mut u8, size: usize) {
        let is_grown = block.addr() >= (&raw const FIRST).addr() + FIRST_SIZE;
        let used = &self.used[usize::from(is_grown)];
        used.set(used.get().max(block.addr() + size));
    }

    /// Overwrites what the call before has left, and begins anew.
    #[cold]
    fn clear(&self) {
        // SAFETY: no block is in use, so nobody refers to the memory of the allocator, nor to the allocator.
        unsafe {
            let talc = &mut *self.talc.get();
            let grown = talc.get_mut().source.grown;
            for (used, begin) in self.used.iter().zip([(&raw mut FIRST).cast(), grown.0]) {
                let length = used.replace(0).saturating_sub(begin.addr());
                ptr::write_bytes(begin, 0, length);
            }
            *talc = TalcCell::new(Memory::anew(grown));
        }
        self.spare.forget();
        clear_stack();
    }
}

/// Overwrites what lies beyond the end of the stack.
#[inline(never)]
fn clear_stack() {
    // Written, and not a constant that is referred to.
    let mut beyond = MaybeUninit::<[u8; STACK]>::uninit();
    beyond.write([0; STACK]);
    black_box(&beyond);
}

// SAFETY: blocks are those of `talc`, and it gets back none that is kept. `clear` takes none back that is in use.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.live.get() == 0 && self.used.iter().any(|used| used.get() != 0) {
            self.clear();
        }
        if let Some(block) = self.spare.take(layout) {
            self.live.set(self.live.get() + 1);
            return block;
        }
        let layout = Spare::layout(layout);
        // SAFETY: as the caller's.
        let block = unsafe { self.talc().alloc(layout) };
        if !block.is_null() {
            self.live.set(self.live.get() + 1);
            self.note(block, layout.size());
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.live.set(self.live.get() - 1);
        // SAFETY: as the caller's.
        unsafe {
            if !self.spare.keep(block, layout) {
                self.talc().dealloc(block, Spare::layout(layout));
            }
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller's.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        if Spare::fits(layout, new) {
            return block;
        }
        if Spare::is_small(layout) || Spare::is_small(new) {
            // SAFETY: as the caller's; the two are two blocks.
            unsafe {
                let moved = self.alloc(new);
                if !moved.is_null() {
                    ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                return moved;
            }
        }
        // SAFETY: as the caller's.
        let moved = unsafe { self.talc().realloc(block, layout, size) };
        if !moved.is_null() {
            self.note(moved, size);
        }
        moved
    }
}

impl Memory {
    const fn anew(grown: (*mut u8, *mut u8)) -> Self {
        Self { has_first: false, grown, claimed: None }
    }
}

// SAFETY: it allocates nothing itself.
unsafe impl Source for Memory {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        if !talc.source.has_first {
            talc.source.has_first = true;
            // SAFETY: nobody else uses it.
            return unsafe { talc.claim((&raw mut FIRST).cast(), FIRST_SIZE) }.map(drop).ok_or(());
        }
        let (begin, end) = talc.source.grown;
        // An instance that has served a call has grown already.
        let end =
            if talc.source.claimed.is_none() && begin != end { end } else { grow(&mut talc.source, layout)? };
        let begin = talc.source.grown.0;
        // SAFETY: what was grown is in one piece, and nobody else uses it.
        talc.source.claimed = unsafe {
            match talc.source.claimed {
                None => talc.claim(begin, end.addr() - begin.addr()),
                Some(claimed) => Some(talc.extend(claimed, end)),
            }
        };
        talc.source.claimed.map(drop).ok_or(())
    }
}

/// Grows the memory by what this block needs at least, and returns its end. A host may stop whoever asks for more than there
/// is, so it is asked once.
fn grow(memory: &mut Memory, layout: Layout) -> Result<*mut u8, ()> {
    let needed = layout.size().saturating_add(layout.align()).saturating_add(OVERHEAD).div_ceil(PAGE);
    let pages = needed.max(STEP);
    let begin = match memory_grow::<0>(pages) {
        usize::MAX => return Err(()),
        before => ptr::with_exposed_provenance_mut::<u8>(before * PAGE),
    };
    let end = begin.wrapping_add(pages * PAGE);
    memory.grown = match memory.grown {
        (first, last) if first == last => (begin, end),
        (first, last) if last == begin => (first, end),
        // Nobody else grows the memory.
        _ => return Err(()),
    };
    Ok(end)
}
