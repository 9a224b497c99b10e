//! Who may see the screen, and who may touch it.
//!
//! Two secrets, one for each right: an eye's token cannot be turned into a hand's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

/// Random bytes of a token: 192 bits, more than anyone guesses, and 32 characters to copy.
const BYTES: usize = 24;

/// What the holder of a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// See the screen; what it sends of pointer and keys is not heard.
    Look,
    /// See it, touch it and type on it.
    Touch,
}

/// The tokens of one screen: new ones each time it is opened.
pub struct Keys {
    look: [u8; BYTES],
    touch: [u8; BYTES],
}

impl Keys {
    /// Draws both.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut keys = Self { look: [0; BYTES], touch: [0; BYTES] };
        getrandom::fill(&mut keys.look)?;
        getrandom::fill(&mut keys.touch)?;
        Ok(keys)
    }

    /// The token of these rights, as it stands in the address.
    pub fn text(&self, rights: Rights) -> String {
        URL_SAFE_NO_PAD.encode(match rights {
            Rights::Look => self.look,
            Rights::Touch => self.touch,
        })
    }

    /// What the bearer of this token may do; nothing when it is none of ours. How long this takes says
    /// nothing about how much of it was right.
    pub fn rights(&self, token: &str) -> Option<Rights> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (touch, look) = (bytes.ct_eq(&self.touch), bytes.ct_eq(&self.look));
        match (bool::from(touch), bool::from(look)) {
            (true, _) => Some(Rights::Touch),
            (false, true) => Some(Rights::Look),
            (false, false) => None,
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_token_has_its_own_rights_and_no_other_has_any() {
        let keys = Keys::new().expect("randomness");
        let (touch, look) = (keys.text(Rights::Touch), keys.text(Rights::Look));
        assert_eq!((keys.rights(&touch), keys.rights(&look)), (Some(Rights::Touch), Some(Rights::Look)));
        assert_ne!(touch, look);
        let other = Keys::new().expect("randomness").text(Rights::Touch);
        let nearly = format!("{}{}", &touch[..31], if touch.ends_with('A') { 'Q' } else { 'A' });
        for wrong in ["", "A", &other, &nearly, &touch[..28], &format!("{touch}AAAA"), "not base64 at all!", "\0"] {
            assert_eq!(keys.rights(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_token_has_at_least_128_bits_and_is_never_in_a_log() {
        let keys = Keys::new().expect("randomness");
        const { assert!(BYTES * 8 >= 128) };
        assert_eq!(keys.text(Rights::Touch).len(), 32);
        let logged = format!("{keys:?}");
        assert!(!logged.contains(&keys.text(Rights::Touch)) && !logged.contains(&format!("{:?}", keys.touch)));
        assert_eq!(logged, "Keys(not shown)");
    }
}
