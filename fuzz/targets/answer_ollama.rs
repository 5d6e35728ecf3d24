#![no_main]

use tidegate_dialect::DialectId;

libfuzzer_sys::fuzz_target!(|data: &[u8]| tidegate_fuzz::answer::any(DialectId::Ollama, data));
