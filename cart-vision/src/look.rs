//! What is looked for in which frame.
//!
//! All ways to look at a crop take several times the time of a frame, so they go round: each frame
//! has one strip of bars and one look at the crop as it lies. A strip is laid along the bars that
//! are found in the frame itself, so every frame covers every angle; what changes from frame to
//! frame is the scale at which bars are looked for and how the strip is sharpened. A misread that
//! one way of sharpening makes is not made by the next, which is what the
//! [acceptance rule](crate::acceptance) counts on.
//!
//! Measured on 227 photos and drawings of codes (a single way alone, linear codes with at least two
//! lines, upright and turned by 45°): rows as they are 126 and 12; the strongest strip as it is 86
//! and 69, at twice the pixels 84 and 83, sharpened as well 96 to 105 and 96, bars looked for at
//! half size 116 and 90. No single way comes near all of them together, 144 and 119.
//!
//! What did not pay: copies turned by fixed angles (each reads what lies within a few degrees of
//! it, and costs more than finding the bars); half or less of the pixels across the bars; stronger
//! sharpening (four times: fewer reads, and a UPC-E misread on 18 lines); evening the contrast of
//! the sharp codes (fewer DataBars); a global threshold for matrix codes (52 instead of 55); lines
//! of another height, 1 to 8 pixels (81 to 85); white beyond the crop's border (it blinds a line's
//! threshold, and gives a cut code a quiet zone).

use crate::strip::Cut;

/// The crop as it lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Upright {
    /// Linear codes, rows and columns as they are.
    Rows,
    /// Linear codes along the rows, a few rows at a time, cut like a strip.
    ThinRows(Cut),
    /// Matrix codes.
    Matrix,
    /// Matrix codes, light on dark as well.
    MatrixBothWays,
    /// Matrix codes at the next size: small crops larger, others smaller.
    MatrixResized,
}

/// The finest of the scales that bars are looked for at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// The crop's own.
    Full,
    /// Half of it: for bars of many pixels, out of focus or near.
    Half,
    /// A quarter.
    Quarter,
}

/// One frame's share of the work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// At which scale bars are looked for.
    pub scale: Scale,
    /// Which patch of bars becomes a strip: 0 for the strongest.
    pub patch: usize,
    /// How it is cut.
    pub cut: Cut,
    /// What is looked for in the crop as it lies.
    pub upright: Upright,
}

/// Twice as many pixels, sharpened a little: sharp and small codes.
const FINE: Cut = Cut { scale: 2.0, sharpen: 1.0, radius: 2.0, even: false };
/// Three times as many: codes at the limit of the camera's resolution.
const FINEST: Cut = Cut { scale: 3.0, sharpen: 1.0, radius: 2.0, even: false };
/// Widely sharpened, contrast made even: codes out of focus, in a shadow or under a shine.
const BLURRED: Cut = Cut { scale: 2.0, sharpen: 2.0, radius: 4.0, even: true };

const fn look(scale: Scale, patch: usize, cut: Cut, upright: Upright) -> Look {
    Look { scale, patch, cut, upright }
}

/// The round. Neighbours differ in all they can, so that two frames that agree did not look alike.
pub const LOOKS: [Look; 8] = [
    look(Scale::Half, 0, BLURRED, Upright::Matrix),
    look(Scale::Full, 0, FINE, Upright::Rows),
    look(Scale::Half, 0, FINEST, Upright::MatrixBothWays),
    look(Scale::Full, 0, BLURRED, Upright::ThinRows(BLURRED)),
    look(Scale::Half, 0, FINE, Upright::MatrixResized),
    look(Scale::Full, 0, FINEST, Upright::Rows),
    look(Scale::Half, 1, BLURRED, Upright::MatrixBothWays),
    look(Scale::Quarter, 0, FINE, Upright::ThinRows(FINEST)),
];
