//! The cart as a whole: inputs in, effects and views out.

/// What differs by store and board.
#[derive(Clone, Debug)]
pub struct Setup {}
/// The cart.
#[derive(Debug)]
pub struct Cart {}
