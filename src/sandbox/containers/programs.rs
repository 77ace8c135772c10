//! Programs of containers, compiled once for each image: to compile them takes more CPU time than all else in a start.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::sandbox::channel::Channel;
use crate::sandbox::guest::frames::ToBoot;
use crate::util::digest;

/// Code of programs as the interpreter of an image keeps it. It comes from containers that no agent was in yet.
#[derive(Debug, Default)]
pub struct Programs(Mutex<HashMap<String, Arc<[u8]>>>);

impl Programs {
    /// Sends a program: its code, if a container of this image has compiled it, else its text.
    pub fn send(&self, channel: &mut Channel, image: &str, program: &str) {
        let code = self.0.lock().get(&key(image, program)).cloned();
        match code {
            Some(code) => channel.send(ToBoot::Code, &code),
            None => channel.send(ToBoot::Program, program.as_bytes()),
        }
    }

    /// Keeps the code that a container of this image has made of a program.
    pub fn keep(&self, image: &str, program: &str, code: Vec<u8>) {
        self.0.lock().entry(key(image, program)).or_insert_with(|| code.into());
    }
}

fn key(image: &str, program: &str) -> String {
    digest::hex([image.as_bytes(), program.as_bytes()])
}
