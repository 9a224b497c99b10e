//! A machine without ONNX Runtime. A process of its own, for the library is loaded once a process.
#![cfg(feature = "onnx")]

use std::path::Path;

use cart_vision::Embedder;
use cart_vision::embedder::EmbedError;

#[test]
fn a_missing_or_foreign_runtime_is_an_error_and_no_panic() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/pair.onnx");
    for library in
        ["/nowhere/libonnxruntime.so", env!("CARGO_MANIFEST_DIR"), concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")]
    {
        let error = Embedder::open_with(&model, Path::new(library)).err().expect("nothing to run with");
        assert!(matches!(error, EmbedError::Runtime { .. }), "{error:?}");
        assert!(error.to_string().contains(library) && error.to_string().contains("ORT_DYLIB_PATH"), "{error}");
    }
}
