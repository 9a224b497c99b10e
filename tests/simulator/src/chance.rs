//! Chance from a seed. Each part of the world draws from a stream of its own, so that leaving out one
//! fault changes nothing that has nothing to do with it.

use std::ops::Range;

/// One stream of chance.
#[derive(Clone, Debug)]
pub struct Chance(fastrand::Rng);

impl Chance {
    /// The stream `name` of the world `seed`.
    pub fn of(seed: u64, name: &str) -> Self {
        // FNV-1a: all that matters is that two names give two streams.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(fastrand::Rng::with_seed(hash))
    }

    /// A number in `range`.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        self.0.u64(range)
    }

    /// True so many times in a hundred.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.0.u64(0..100) < percent
    }

    /// A place in a list of `len`, which is not empty.
    pub fn index(&mut self, len: usize) -> usize {
        self.0.usize(0..len)
    }

    /// A number, 0..1.
    pub fn share(&mut self) -> f64 {
        self.0.f64()
    }
}
