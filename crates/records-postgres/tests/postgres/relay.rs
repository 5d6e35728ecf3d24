//! Something between a client and a server that can lose an answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Passes connections on to a port.
pub struct Relay {
    pub port: u16,
    /// So many commits from now on lose their answer, and their connection with it.
    pub lose: Arc<AtomicU32>,
}

impl Relay {
    pub fn new(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, lose) = (listener.local_addr().unwrap().port(), Arc::new(AtomicU32::new(0)));
        let losing = lose.clone();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(("127.0.0.1", to)).unwrap());
                let (up, down) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                std::thread::spawn(move || pass(up, server, |_| true));
                let losing = losing.clone();
                std::thread::spawn(move || pass(down, client, |bytes| !lost(&losing, bytes)));
            }
        });
        Self { port, lose }
    }
}

fn lost(losing: &AtomicU32, bytes: &[u8]) -> bool {
    let committed = bytes.windows(7).any(|part| part == b"COMMIT\0");
    let one_less = |left: u32| left.checked_sub(1);
    committed && losing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
}

fn pass(mut from: TcpStream, mut to: TcpStream, may: impl Fn(&[u8]) -> bool) {
    let mut bytes = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        if !may(&bytes[..length]) || to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
