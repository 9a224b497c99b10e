//! What keeps a program of ours running for months without anybody looking.
//!
//! The cart and the hub share it. [`watch`] tells the service manager that the program is ready and alive, and
//! so has it started again when it hangs. [`restarts`] counts how often a part may fall over before the whole is
//! better started anew, and [`supervise`] does so for a thread. [`health`] writes down how the program is, for
//! whoever asks. [`log_file`] keeps a log within its bounds, [`room`] keeps disk space for what must not fail. [`file`]
//! reads what people write, and not without end.
//!
//! In: the time, as an argument, and the environment of the service manager. Out: datagrams, small files.
//! Deliberately absent: what the program is for.

pub mod file;
pub mod health;
pub mod log_file;
pub mod restarts;
pub mod room;
pub mod supervise;
pub mod watch;

pub use health::HealthFile;
pub use log_file::LogFile;
pub use restarts::{Next, Restarts};
pub use room::Reserve;
pub use supervise::Failure;
pub use watch::Watch;
