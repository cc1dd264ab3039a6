//! Text in XML.

/// The text with what XML reads as markup written as references.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(escape(r#"<a b="c">&amp;"#), "&lt;a b=&quot;c&quot;&gt;&amp;amp;");
    }
}
