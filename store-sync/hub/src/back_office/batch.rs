//! What is sent next: the first words that wait, as one request.

use trip::Hash;

use crate::store::WordRow;

/// Most messages in a batch.
pub const MOST_WORDS: u32 = 100;

/// The largest batch, in bytes, unless one message alone is larger. The largest message there is, a trip of a thousand
/// lines with the longest names, has some 500 KiB.
const MOST_BYTES: usize = 256 * 1024;

const HEAD: &str = "{\"v\":1,\"messages\":[";
const TAIL: &str = "]}";

/// Messages that are sent together, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The delivery's name: the same batch sent again has it again.
    pub id: String,
    /// The number of its last message: what a 2xx frees.
    pub up_to: u64,
    /// As it is sent, JSON.
    pub body: String,
}

impl Batch {
    /// The first of `rows`, oldest first: as many as one batch may have, and one however large it is. `None` where
    /// nothing waits.
    pub fn of(rows: &[WordRow]) -> Option<Self> {
        let mut body = String::from(HEAD);
        let mut up_to = None;
        for row in rows.iter().take(MOST_WORDS as usize) {
            if up_to.is_some() {
                if body.len() + 1 + row.body.len() + TAIL.len() > MOST_BYTES {
                    break;
                }
                body.push(',');
            }
            body.push_str(&row.body);
            up_to = Some(row.seq);
        }
        body.push_str(TAIL);
        // A full stop in it would make the signed text ambiguous, and a store's name may have one.
        let id = format!("batch-{}", &Hash::of(body.as_bytes()).to_string()[..32]);
        up_to.map(|up_to| Self { id, up_to, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trip::UnixMillis;

    fn rows(first: u64, count: u64, bytes: usize) -> Vec<WordRow> {
        let row = |seq| WordRow { seq, at: UnixMillis(0), body: format!("{{\"pad\":\"{}\"}}", "x".repeat(bytes - 10)) };
        (first..first + count).map(row).collect()
    }

    #[test]
    fn the_first_words_go_first_as_many_as_fit() {
        let check = |rows: &[WordRow], expected: Option<(u64, usize)>| {
            let batch = Batch::of(rows);
            let seen = batch.as_ref().map(|batch| {
                let body: serde_json::Value = serde_json::from_str(&batch.body).expect("JSON");
                assert!(batch.body.len() <= MOST_BYTES || batch.up_to == rows[0].seq, "{}", batch.body.len());
                (batch.up_to, body["messages"].as_array().expect("a list").len())
            });
            assert_eq!(seen, expected);
        };
        check(&[], None);
        check(&rows(7, 3, 400), Some((9, 3)));
        check(&rows(1, 101, 400), Some((100, 100)));
        check(&rows(1, 100, 100 * 1024), Some((2, 2)));
        check(&rows(1, 2, 600 * 1024), Some((1, 1)));
    }

    #[test]
    fn the_same_batch_has_the_same_name_and_another_has_another() {
        let name = |rows: &[WordRow]| Batch::of(rows).expect("a batch").id;
        assert_eq!(name(&rows(1, 3, 40)), name(&rows(1, 3, 40)));
        assert_ne!(name(&rows(1, 3, 40)), name(&rows(1, 2, 40)));
        assert!(!name(&rows(1, 1, 40)).contains('.'));
    }
}
