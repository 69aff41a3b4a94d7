//! The floor of an echo: TCP on tokio and nothing else. Whatever comes goes back, through one read block for all connections.

use std::cell::RefCell;
use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{RAW, Server, serve};
use crate::floor;

pub(super) const SERVER: Server = Server { name: RAW, run: |listener| serve(listener, echo) };

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    // The load's head comes in one piece, and its key is always the same.
    // On the heap: in the task, it would stay as long as the connection.
    let mut head = vec![0; 1024];
    let mut len = 0;
    while !head[..len].ends_with(b"\r\n\r\n") {
        len += match stream.read(&mut head[len..]).await? {
            0 => return Ok(()),
            read => read,
        };
    }
    drop(head);
    stream.write_all(&floor::reply(b"dGhlIHNhbXBsZSBub25jZQ==")).await?;
    talk(stream).await
}

async fn talk(mut stream: TcpStream) -> io::Result<()> {
    loop {
        stream.readable().await?;
        let turn = BLOCK.with_borrow_mut(|block| {
            let len = match stream.try_read(block) {
                Ok(0) => return Ok(Turn::End),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Turn::Done),
                Err(error) => return Err(error),
            };
            if block[0] == 0x88 {
                return Ok(Turn::Close);
            }
            match stream.try_write(&block[..len]) {
                Ok(written) if written == len => Ok(Turn::Done),
                Ok(written) => Ok(Turn::Rest(block[written..len].into())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    Ok(Turn::Rest(block[..len].into()))
                }
                Err(error) => Err(error),
            }
        })?;
        match turn {
            Turn::Done => {}
            Turn::Rest(rest) => stream.write_all(&rest).await?,
            Turn::Close => return stream.write_all(&[0x88, 2, 3, 0xE8]).await,
            Turn::End => return Ok(()),
        }
    }
}

/// What one read came to.
enum Turn {
    Done,
    /// The peer does not take it yet.
    Rest(Box<[u8]>),
    /// A Close frame, or what looks like one; the load sends none that is not.
    Close,
    End,
}

thread_local! {
    static BLOCK: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 * 1024]);
}
