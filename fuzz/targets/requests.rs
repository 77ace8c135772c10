#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentmill::fuzz_entry::requests(bytes));
