#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| agentmill::foreign::attached(bytes));
