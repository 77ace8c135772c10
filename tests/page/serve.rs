//! The least that serves a folder's page: for asking how the page looks for its next version.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// Serves the folder's page until the test's process ends; tells its address.
pub fn folder(folder: &Path) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = format!("http://{}/", listener.local_addr().unwrap());
    let page = folder.join("index.html");
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| answer(stream, &page)));
    home
}

fn answer(mut stream: TcpStream, page: &PathBuf) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let asked = lines.next().unwrap_or_default();
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let bytes = std::fs::read(page).unwrap_or_default();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        bytes.len()
    );
    // A browser that goes away is no concern of ours.
    let _ = stream.write_all(head.as_bytes());
    if !asked.starts_with("HEAD") {
        let _ = stream.write_all(&bytes);
    }
}
