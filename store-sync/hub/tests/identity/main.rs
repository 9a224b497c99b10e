//! A hub as a real process with TLS, carts that join it by its own commands, and the line between them.

mod broker;
mod harness;
mod joining;
mod line;
mod releases;
mod secrecy;
