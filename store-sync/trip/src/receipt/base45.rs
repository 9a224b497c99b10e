//! Base45, the densest text a QR's alphanumeric mode holds.
//!
//! Source: RFC 9285.

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// Two bytes become three characters, a last single byte two.
pub(super) fn encode(bytes: &[u8]) -> String {
    let digit = |n: u32| ALPHABET[(n % 45) as usize] as char;
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for pair in bytes.chunks(2) {
        let n = pair.iter().fold(0, |n, byte| n * 256 + u32::from(*byte));
        text.push(digit(n));
        text.push(digit(n / 45));
        if pair.len() == 2 {
            text.push(digit(n / 2025));
        }
    }
    text
}

/// The inverse; `None` for a character, a length or a value that no encoding gives.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for group in text.as_bytes().chunks(3) {
        let mut n: u32 = 0;
        for character in group.iter().rev() {
            n = n * 45 + ALPHABET.iter().position(|a| a == character)? as u32;
        }
        match group.len() {
            3 => bytes.extend(u16::try_from(n).ok()?.to_be_bytes()),
            2 => bytes.push(u8::try_from(n).ok()?),
            _ => return None,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_standard_hold() {
        for (plain, encoded) in
            [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("ietf!", "QED8WEX0")]
        {
            assert_eq!(encode(plain.as_bytes()), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(plain.as_bytes()));
        }
    }

    #[test]
    fn what_no_encoding_gives_is_refused() {
        for bad in ["A", "GGW", "a b", "::"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }
}
