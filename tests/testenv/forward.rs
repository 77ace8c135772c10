//! A port of the loopback device that leads to a socket.

use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

/// Passes on whatever comes to a free port until the test's process ends; gives its address.
pub fn to_socket(socket: PathBuf) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = join(client, &socket);
        }
    });
    format!("tcp://{address}")
}

/// Each way ends on its own: a client that has said all still reads.
fn join(client: TcpStream, socket: &Path) -> io::Result<()> {
    let engine = UnixStream::connect(socket)?;
    let (mut from, mut to) = (client.try_clone()?, engine.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (engine, client);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    Ok(())
}
