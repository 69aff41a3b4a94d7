//! A program without `std` that opens a connection between two endpoints in memory and sends a message through it.
//!
//! It has a panic handler of its own. If anything below it brought `std` along, there would be two, and it would not
//! compile.
#![no_std]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Buf, BytesMut};
use sansocket::{
    Accept, ClientConfig, ClientHandshake, ClientRequest, ClientStep, CloseCode, Entropy, Event, Instant,
    ServerConfig, ServerHandshake, ServerStep,
};

/// Returns how many bytes of text arrived, or 0 if anything went wrong.
#[unsafe(no_mangle)]
pub extern "C" fn sansocket_echo() -> usize {
    echo().unwrap_or(0)
}

fn echo() -> Option<usize> {
    let now = Instant::ZERO;
    let (mut to_server, mut to_client) = (BytesMut::new(), BytesMut::new());
    let request = ClientRequest::new("ws://example.com/chat").ok()?;
    let mut client =
        ClientHandshake::new(&request, &ClientConfig::default(), Entropy::from_seed([7; 32]), now);
    to_server.extend_from_slice(client.transmit());
    let mut server = ServerHandshake::new(&ServerConfig::default(), now);
    let ServerStep::Request(pending) = server.receive(&mut to_server, now).ok()? else { return None };
    let mut server = pending.accept(Accept::new(), now).ok()?;
    write(server.transmit(), &mut to_client);
    let ClientStep::Open(mut client, _) = client.receive(&mut to_client, now).ok()? else { return None };

    client.send("hello").ok()?;
    client.close(CloseCode::NORMAL, "").ok()?;
    write(client.transmit(), &mut to_server);
    let mut reader = server.read(&mut to_server);
    let Some(Event::Text(text)) = reader.next() else { return None };
    let len = text.len();
    let Some(Event::Close(_)) = reader.next() else { return None };
    drop(reader);
    server.timeout(now);
    write(server.transmit(), &mut to_client);
    server.take_closed().filter(|closed| closed.is_clean()).map(|_| len)
}

fn write(mut from: impl Buf, to: &mut BytesMut) {
    while from.has_remaining() {
        let len = from.chunk().len();
        to.extend_from_slice(from.chunk());
        from.advance(len);
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Hands out one block after the other and takes none back: enough for a proof.
struct Arena {
    blocks: UnsafeCell<[u128; ARENA / 16]>,
    used: AtomicUsize,
}

const ARENA: usize = 1 << 20;

#[global_allocator]
static HEAP: Arena = Arena { blocks: UnsafeCell::new([0; ARENA / 16]), used: AtomicUsize::new(0) };

// SAFETY: every part of `blocks` is handed out once, so nobody shares it.
unsafe impl Sync for Arena {}

// SAFETY: the blocks do not overlap, lie in `blocks`, and are aligned as asked.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = layout.size().next_multiple_of(16);
        let start = self.used.fetch_add(size, Ordering::Relaxed);
        if layout.align() > 16 || size > ARENA || start > ARENA - size {
            return null_mut();
        }
        // SAFETY: `start + size` is within the arena, as was just checked.
        unsafe { self.blocks.get().cast::<u8>().add(start) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
