//! What the markup beside this file compiles to: windows, globals, enums and structs, and nothing else.
//!
//! A crate of its own because the Slint compiler writes a hundred thousand lines: they are compiled when the
//! markup changes, and not whenever an adapter, a journal or a test of the device program does. The adapters
//! that fill it are in `cart-app/src/ui`; its words in other languages in `cart-app/translations`.

#![allow(missing_docs, clippy::all, clippy::todo, unsafe_code, reason = "written by the Slint compiler")]

slint::include_modules!();
