//! What every page begins with.

use maud::{DOCTYPE, Markup, html};

/// A page: its title, the addresses of its look and its script, what more stands in its head, and its `body`.
pub(super) fn document(title: &str, style: &str, script: &str, more: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                (more)
                title { (title) }
                link rel="stylesheet" href=(style);
                script defer src=(script) {}
            }
            (body)
        }
    }
}
