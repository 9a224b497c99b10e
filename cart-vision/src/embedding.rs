//! What the model says about one crop: a place in metric space and the logits of the classes it was taught.

use serde::{Deserialize, Serialize};

/// A unit vector; near means alike. `[dim]` f32.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Brings a vector to length one; `None` when it has no direction (zero, NaN, infinite).
    pub fn new(mut vector: Vec<f32>) -> Option<Self> {
        let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
        if !length.is_finite() || length < 1e-12 {
            return None;
        }
        vector.iter_mut().for_each(|v| *v /= length);
        Some(Self(vector))
    }

    /// The number of dimensions.
    pub fn dim(&self) -> usize {
        self.0.len()
    }

    /// The vector.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Cosine of the angle between two, -1 to 1.
    pub fn similarity(&self, other: &Embedding) -> f32 {
        // Side by side, for a single sum waits for each of its additions: a gallery of hundreds took milliseconds.
        const LANES: usize = 8;
        let (own, theirs) = (self.0.chunks_exact(LANES), other.0.chunks_exact(LANES));
        let rest: f32 = own.remainder().iter().zip(theirs.remainder()).map(|(a, b)| a * b).sum();
        let mut sums = [0.0f32; LANES];
        for (own, theirs) in own.zip(theirs) {
            sums.iter_mut().zip(own.iter().zip(theirs)).for_each(|(sum, (a, b))| *sum += a * b);
        }
        rest + sums.iter().sum::<f32>()
    }
}

/// One look through the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// Where it lies among the enrolled views.
    pub embedding: Embedding,
    /// One a class the model was taught, in the order of [`crate::ModelDescription::classes`].
    pub logits: Vec<f32>,
}

/// Up to `count` typical views of many: centres of spherical k-means, started from the farthest
/// points, so that the same views always give the same centres.
pub fn typical(views: &[Embedding], count: usize) -> Vec<Embedding> {
    if views.len() <= count {
        return views.to_vec();
    }
    let mut centres: Vec<Embedding> = vec![views[0].clone()];
    while centres.len() < count {
        let nearest = |v: &Embedding| centres.iter().map(|c| c.similarity(v)).fold(f32::MIN, f32::max);
        match views.iter().min_by(|a, b| nearest(a).total_cmp(&nearest(b))) {
            Some(farthest) => centres.push(farthest.clone()),
            None => break,
        }
    }
    for _ in 0..10 {
        let mut sums = vec![vec![0.0f32; views[0].dim()]; centres.len()];
        for view in views {
            let best = (0..centres.len())
                .max_by(|a, b| centres[*a].similarity(view).total_cmp(&centres[*b].similarity(view)))
                .unwrap_or(0);
            sums[best].iter_mut().zip(&view.0).for_each(|(s, v)| *s += v);
        }
        for (centre, sum) in centres.iter_mut().zip(sums) {
            if let Some(moved) = Embedding::new(sum) {
                *centre = moved;
            }
        }
    }
    centres
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_without_direction_is_no_embedding() {
        let check = |vector: Vec<f32>, dim: Option<usize>| assert_eq!(Embedding::new(vector).map(|e| e.dim()), dim);
        check(vec![3.0, 4.0], Some(2));
        check(vec![0.0, 0.0], None);
        check(vec![f32::NAN, 1.0], None);
        check(vec![f32::INFINITY, 1.0], None);
        check(vec![], None);
    }

    #[test]
    fn typical_views_stand_for_each_cluster() {
        let at =
            |degrees: f32| Embedding::new(vec![degrees.to_radians().cos(), degrees.to_radians().sin()]).expect("unit");
        let views: Vec<_> = [0.0, 1.0, 2.0, 90.0, 91.0, 180.0].map(at).to_vec();
        let centres = typical(&views, 3);
        for degrees in [1.0, 90.5, 180.0] {
            assert!(centres.iter().any(|c| c.similarity(&at(degrees)) > 0.9999), "no centre at {degrees}");
        }
    }
}
