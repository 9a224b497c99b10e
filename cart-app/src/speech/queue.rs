//! What waits to be said: never much, and never what is no longer so.

use std::collections::VecDeque;

use crate::ui::Language;

/// So many words of what came and went wait at most; of more the oldest are left unsaid, and the total
/// tells of them.
pub const MOST_NEWS: usize = 3;

/// How urgent words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody has to answer or act: said at once, in the midst of anything.
    Question,
    /// What came and went: said in its order.
    News,
    /// How much it is by now: said last, and only the newest.
    Total,
}

/// Words to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// In sentences.
    pub text: String,
    /// In which language.
    pub language: Language,
    /// How urgent.
    pub kind: Kind,
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    question: Option<Words>,
    news: VecDeque<Words>,
    total: Option<Words>,
}

impl Queue {
    /// Takes words up. True when what is being said meanwhile, of kind `speaking`, is to be cut off for them.
    pub fn add(&mut self, words: Words, speaking: Option<Kind>) -> bool {
        match words.kind {
            Kind::Question => {
                self.question = Some(words);
                speaking.is_some()
            }
            Kind::News => {
                self.push(words);
                // After something came or went, the total being said is the old one.
                speaking == Some(Kind::Total)
            }
            Kind::Total => {
                self.total = Some(words);
                speaking == Some(Kind::Total)
            }
        }
    }

    /// What comes next.
    pub fn take_next(&mut self) -> Option<Words> {
        self.question.take().or_else(|| self.news.pop_front()).or_else(|| self.total.take())
    }

    /// Takes back what was cut off, if it is still worth saying: what came and went is.
    pub fn cut_off(&mut self, words: Words) {
        if words.kind == Kind::News && self.news.len() < MOST_NEWS {
            self.news.push_front(words);
        }
    }

    /// The question has its answer.
    pub fn settle(&mut self) {
        self.question = None;
    }

    fn push(&mut self, words: Words) {
        self.news.push_back(words);
        if self.news.len() > MOST_NEWS {
            self.news.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        let kind = match text.chars().next() {
            Some('?') => Kind::Question,
            Some('=') => Kind::Total,
            _ => Kind::News,
        };
        Words { text: text.into(), language: Language::English, kind }
    }

    /// What is said of these when none of them is heard before all have come.
    fn said(all: &[&str]) -> Vec<String> {
        let mut queue = Queue::default();
        for text in all {
            assert!(!queue.add(words(text), None), "nothing is being said");
        }
        std::iter::from_fn(|| queue.take_next()).map(|words| words.text).collect()
    }

    #[test]
    fn only_the_newest_total_is_said_and_after_what_made_it() {
        assert_eq!(said(&["+a", "=1", "+b", "=2"]), ["+a", "+b", "=2"]);
        assert_eq!(said(&["=1", "=2", "=3"]), ["=3"]);
    }

    #[test]
    fn a_question_comes_first_and_only_the_newest() {
        assert_eq!(said(&["+a", "=1", "?x"]), ["?x", "+a", "=1"]);
        assert_eq!(said(&["?x", "+a", "?y"]), ["?y", "+a"]);
    }

    #[test]
    fn what_piles_up_is_left_unsaid_from_its_oldest() {
        assert_eq!(said(&["+a", "+b", "+c", "+d", "+e", "=5"]), ["+c", "+d", "+e", "=5"]);
    }

    #[test]
    fn a_question_cuts_everything_off_and_news_only_the_old_total() {
        let check = |text: &str, speaking: Option<Kind>, cuts: bool| {
            assert_eq!(Queue::default().add(words(text), speaking), cuts, "{text} while {speaking:?}");
        };
        for speaking in [Kind::Question, Kind::News, Kind::Total] {
            check("?x", Some(speaking), true);
            check("+a", Some(speaking), speaking == Kind::Total);
            check("=1", Some(speaking), speaking == Kind::Total);
        }
        check("?x", None, false);
    }

    #[test]
    fn what_was_cut_off_is_said_again_when_it_still_holds() {
        let mut queue = Queue::default();
        queue.add(words("?x"), Some(Kind::News));
        queue.cut_off(words("+a"));
        queue.cut_off(words("=1"));
        queue.settle();
        assert_eq!(queue.take_next(), Some(words("+a")));
        assert_eq!(queue.take_next(), None);
    }
}
