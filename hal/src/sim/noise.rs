//! Chance that can be repeated: everything random in the simulation is a hash of a seed.

/// A well mixed hash of two numbers.
/// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64).
pub(super) fn hash(seed: u64, index: u64) -> u64 {
    let mut z = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// 0 to 1, without 1.
pub(super) fn unit(seed: u64, index: u64) -> f32 {
    (hash(seed, index) >> 40) as f32 / (1u64 << 24) as f32
}

/// Normally distributed with mean 0 and deviation 1 (Box and Muller).
pub(super) fn gaussian(seed: u64, index: u64) -> f32 {
    let radius = (-2.0 * (1.0 - unit(seed, index)).ln()).sqrt();
    radius * (std::f32::consts::TAU * unit(seed ^ 0xA5A5_5A5A, index)).cos()
}

/// A row of throws from one seed.
pub(super) struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed: hash(seed, 0xD1CE), thrown: 0 }
    }

    pub(super) fn unit(&mut self) -> f32 {
        self.thrown += 1;
        unit(self.seed, self.thrown)
    }

    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// 0 to `n - 1`; 0 when `n` is 0.
    pub(super) fn pick(&mut self, n: usize) -> usize {
        ((self.unit() * n as f32) as usize).min(n.saturating_sub(1))
    }
}

/// Smooth noise in the plane, 0 to 1, with features about 1 wide.
pub(super) fn smooth(seed: u64, x: f32, y: f32) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(x - x0), ease(y - y0));
    let corner = |dx: i64, dy: i64| {
        let cell = ((x0 as i64 + dx) as u64).wrapping_mul(0x1F1F_1F1F) ^ (y0 as i64 + dy) as u64;
        unit(seed, cell)
    };
    let top = corner(0, 0) * (1.0 - u) + corner(1, 0) * u;
    let bottom = corner(0, 1) * (1.0 - u) + corner(1, 1) * u;
    top * (1.0 - v) + bottom * v
}

/// Three octaves of [`smooth`], 0 to 1.
pub(super) fn rough(seed: u64, x: f32, y: f32) -> f32 {
    (smooth(seed, x, y) * 4.0 + smooth(seed ^ 1, x * 2.0, y * 2.0) * 2.0 + smooth(seed ^ 2, x * 4.0, y * 4.0)) / 7.0
}
