//! Reads pictures of products on a thread of its own: the screen never waits for a disk.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread;

use slint::{Rgba8Pixel, SharedPixelBuffer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use trip::Sku;

use super::{Key, Place, from_folder};

/// A picture that has been read.
pub(in crate::ui) struct Arrival {
    pub(super) of: Key,
    pub(super) pixels: SharedPixelBuffer<Rgba8Pixel>,
}

/// The reading thread, as the screen knows it; it ends with this.
pub(super) struct Reader {
    wanted: Sender<Key>,
}

impl Reader {
    /// Starts it; what it has read arrives by the receiver. `folders` is asked on that thread, once.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn start(
        folders: impl FnOnce() -> Vec<PathBuf> + Send + 'static,
    ) -> std::io::Result<(Self, UnboundedReceiver<Arrival>)> {
        let (wanted, asked) = mpsc::channel::<Key>();
        let (arrives, arrivals): (UnboundedSender<Arrival>, _) = unbounded_channel();
        thread::Builder::new().name("pictures".into()).spawn(move || {
            let folders = folders();
            for of in asked {
                let (sku, _, place): &(Sku, String, Place) = &of;
                let read = folders.iter().find_map(|folder: &PathBuf| from_folder(Path::new(folder), sku, *place));
                if let Some(pixels) = read
                    && arrives.send(Arrival { of, pixels }).is_err()
                {
                    return;
                }
            }
        })?;
        Ok((Self { wanted }, arrivals))
    }

    /// Asks for one; nothing comes where there is none.
    pub(super) fn ask(&self, of: Key) {
        // Without its thread it stays drawn.
        drop(self.wanted.send(of));
    }
}
