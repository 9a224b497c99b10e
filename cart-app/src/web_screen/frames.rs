//! The picture between the two threads: what is on the screen, and what each viewer has not seen of it.
//!
//! The event loop draws into a buffer of its own and copies here what it drew; a viewer copies out what it
//! lacks. Nothing else is done under the lock, so that neither waits for the other longer than a copy of
//! the screen takes, about a millisecond. A viewer that does not come for its share costs four rectangles.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slint::{PhysicalSize, Rgb8Pixel, SharedPixelBuffer};
use tokio::sync::Notify;

use super::dirty::{Dirty, Rect};

/// So many may look at once: a hand, staff beside it, and one who has left without a word.
pub const MOST_VIEWERS: usize = 4;

/// Tells viewers apart.
pub type ViewerId = u64;

/// A part of the screen with its pixels.
pub type Patch = (Rect, SharedPixelBuffer<Rgb8Pixel>);

/// The screen as it was drawn last.
pub struct Frames {
    size: PhysicalSize,
    // A mutex, because two threads copy into and out of one picture; see above.
    shared: Mutex<Shared>,
}

struct Shared {
    pixels: Vec<Rgb8Pixel>,
    viewers: Vec<Viewer>,
    next: ViewerId,
}

struct Viewer {
    id: ViewerId,
    /// True until something was drawn since it came: what lies here may be long past, and is not shown.
    newcomer: bool,
    dirty: Dirty,
    changed: Arc<Notify>,
}

impl Frames {
    /// Nothing drawn yet.
    pub fn new(size: PhysicalSize) -> Self {
        let pixels = vec![Rgb8Pixel::new(0, 0, 0); size.width as usize * size.height as usize];
        Self { size, shared: Mutex::new(Shared { pixels, viewers: Vec::new(), next: 1 }) }
    }

    /// The screen's size in pixels.
    pub fn size(&self) -> PhysicalSize {
        self.size
    }

    /// True while anyone looks. While nobody does, nothing needs to be drawn.
    pub fn watched(&self) -> bool {
        !self.shared().viewers.is_empty()
    }

    /// What the event loop drew: `drawn` are the parts of `screen` that are new. Who has come since the
    /// last time gets all of it.
    pub fn publish(&self, screen: &[Rgb8Pixel], drawn: &[Rect]) {
        let mut shared = self.shared();
        let shared = &mut *shared;
        for rect in drawn {
            for row in rows(*rect, self.size.width) {
                shared.pixels[row.clone()].copy_from_slice(&screen[row]);
            }
        }
        for viewer in &mut shared.viewers {
            if std::mem::take(&mut viewer.newcomer) {
                viewer.dirty.add(Rect::whole(self.size));
            }
            drawn.iter().for_each(|rect| viewer.dirty.add(*rect));
            if !viewer.dirty.is_empty() {
                viewer.changed.notify_one();
            }
        }
    }

    /// A seat for one more viewer; none when all are taken.
    pub fn join(self: &Arc<Self>) -> Option<Seat> {
        let mut shared = self.shared();
        if shared.viewers.len() >= MOST_VIEWERS {
            return None;
        }
        let (id, changed) = (shared.next, Arc::new(Notify::new()));
        shared.next += 1;
        shared.viewers.push(Viewer { id, newcomer: true, dirty: Dirty::default(), changed: changed.clone() });
        Some(Seat { id, changed, frames: self.clone() })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A viewer's seat; given up when it is dropped.
pub struct Seat {
    id: ViewerId,
    changed: Arc<Notify>,
    frames: Arc<Frames>,
}

impl Seat {
    /// Whose it is.
    pub fn id(&self) -> ViewerId {
        self.id
    }

    /// Waits until there is something this viewer has not seen.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// All that this viewer has not seen, as it is now; in its place it counts as seen.
    pub fn take(&self) -> Vec<Patch> {
        let mut shared = self.frames.shared();
        let Some(viewer) = shared.viewers.iter_mut().find(|viewer| viewer.id == self.id) else { return Vec::new() };
        let rects = viewer.dirty.take();
        rects.into_iter().map(|rect| (rect, cut(&shared.pixels, rect, self.frames.size.width))).collect()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.frames.shared().viewers.retain(|viewer| viewer.id != self.id);
    }
}

fn cut(pixels: &[Rgb8Pixel], rect: Rect, width: u32) -> SharedPixelBuffer<Rgb8Pixel> {
    let mut patch = SharedPixelBuffer::<Rgb8Pixel>::new(rect.width, rect.height);
    for (to, from) in patch.make_mut_slice().chunks_exact_mut(rect.width as usize).zip(rows(rect, width)) {
        to.copy_from_slice(&pixels[from]);
    }
    patch
}

/// Where the rows of `rect` lie in a picture so wide.
fn rows(rect: Rect, width: u32) -> impl Iterator<Item = std::ops::Range<usize>> {
    (rect.y..rect.y + rect.height).map(move |y| {
        let from = y as usize * width as usize + rect.x as usize;
        from..from + rect.width as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: PhysicalSize = PhysicalSize::new(40, 20);

    fn screen(shade: u8) -> Vec<Rgb8Pixel> {
        vec![Rgb8Pixel::new(shade, shade, shade); 800]
    }

    fn parts(seat: &Seat) -> Vec<(Rect, u8)> {
        seat.take().into_iter().map(|(rect, pixels)| (rect, pixels.as_slice()[0].r)).collect()
    }

    #[test]
    fn a_newcomer_sees_all_of_it_then_only_what_changes() {
        let frames = Arc::new(Frames::new(SIZE));
        frames.publish(&screen(1), &[Rect::whole(SIZE)]);
        let seat = frames.join().expect("a seat");
        assert_eq!(parts(&seat), [], "what lies there may be long past");
        frames.publish(&screen(1), &[]);
        assert_eq!(parts(&seat), [(Rect::whole(SIZE), 1)]);
        let corner = Rect { x: 30, y: 10, width: 10, height: 10 };
        frames.publish(&screen(2), &[corner]);
        assert_eq!(parts(&seat), [(corner, 2)]);
        assert_eq!(parts(&seat), []);
    }

    #[test]
    fn who_is_slow_gets_the_newest_of_all_that_changed_in_between() {
        let frames = Arc::new(Frames::new(SIZE));
        let (slow, quick) = (frames.join().expect("a seat"), frames.join().expect("a seat"));
        frames.publish(&screen(1), &[Rect::whole(SIZE)]);
        slow.take();
        let corner = Rect { x: 0, y: 0, width: 5, height: 5 };
        for shade in 2..100 {
            frames.publish(&screen(shade), &[corner]);
            assert_eq!(quick.take().len(), 1);
        }
        assert_eq!(parts(&slow), [(corner, 99)]);
    }

    #[test]
    fn there_are_only_so_many_seats_and_each_is_given_up() {
        let frames = Arc::new(Frames::new(SIZE));
        assert!(!frames.watched());
        let seats: Vec<Seat> = std::iter::from_fn(|| frames.join()).take(100).collect();
        assert_eq!(seats.len(), MOST_VIEWERS);
        assert!(frames.watched() && frames.join().is_none());
        drop(seats);
        assert!(!frames.watched() && frames.join().is_some());
    }
}
