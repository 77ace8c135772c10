//! Thinking: what models write before they answer, and which is no part of the answer.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

/// How thinking of each kind begins and ends.
const KINDS: [(&str, &str); 8] = [
    (
        r"<(?:seed:|ant)?(?:think(?:ing)?|thoughts?)(?:\s[^<>\n]*)?>",
        r"</(?:seed:|ant)?(?:think(?:ing)?|thoughts?)>",
    ),
    (
        r"<(?:reasoning|reflection|scratchpad|analysis)(?:\s[^<>\n]*)?>",
        r"</(?:reasoning|reflection|scratchpad|analysis)>",
    ),
    (r"\[THINK\]", r"\[/THINK\]"),
    ("◁think▷", "◁/think▷"),
    (r"<\|begin_of_thought\|>", r"<\|end_of_thought\|>"),
    (r"<\|START_THINKING\|>", r"<\|END_THINKING\|>"),
    (r#"<details type="reasoning"[^<>\n]*>"#, r"</details>"),
    (r"^Thinking\.\.\.[ \t]*$", r"^\.\.\.done thinking\.[ \t]*$"),
];

/// The tags of each kind; of the two groups the first is the beginning.
static TAGS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let tag = |(begin, end): &(&str, &str)| {
        let mut builder = RegexBuilder::new(&format!("({begin})|({end})"));
        builder.case_insensitive(true).multi_line(true).build().expect("a constant")
    };
    KINDS.iter().map(tag).collect()
});

/// Marks that some servers leave at a reply's end.
static END_MARKS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:\s|<\|[A-Za-z_]+\|>|</s>)*\z").expect("a constant"));

/// The answer in a reply: all of it but the thinking. Thinking that never ends leaves nothing of what follows it, and
/// where only its end is marked, all before that was thinking.
#[must_use]
pub fn answer(reply: &str) -> String {
    let text = TAGS.iter().fold(final_channel(reply).to_owned(), |text, tags| without(&text, tags));
    let end = END_MARKS.find(&text).map_or(text.len(), |marks| marks.start());
    text[..end].to_owned() + "\n"
}

/// The last channel of a reply that is in channels, if that is the final one.
fn final_channel(reply: &str) -> &str {
    if let Some((_, answer)) = reply.rsplit_once("<|channel|>final<|message|>") {
        return answer;
    }
    // The same where the server has taken the marks out.
    match reply.split_once("assistantfinal") {
        Some((thinking, answer)) if thinking.starts_with("analysis") => answer,
        _ if reply.trim_start().starts_with("<|channel|>") => "",
        _ => reply,
    }
}

/// The text without the thinking between these tags.
fn without(text: &str, tags: &Regex) -> String {
    let (mut kept, mut from, mut thinks, mut in_code) = (String::new(), 0, false, 0);
    for found in tags.captures_iter(text) {
        let begins = found.get(1).is_some();
        let tag = found.get_match();
        match (thinks, begins) {
            (true, true) => {}
            (true, false) => (thinks, from) = (false, tag.end()),
            (false, true) if is_fenced(&text[from..tag.start()]) => in_code += 1,
            (false, true) if begins_line(text, from, tag.start()) => {
                kept += &text[from..tag.start()];
                thinks = true;
            }
            (false, true) => {}
            (false, false) if in_code > 0 => in_code -= 1,
            (false, false) if stands_alone(text, tag.start(), tag.end(), tags) => {
                kept.clear();
                from = tag.end();
            }
            (false, false) => {}
        }
    }
    if !thinks {
        kept += &text[from..];
    }
    kept
}

/// True behind text with an open fence.
fn is_fenced(before: &str) -> bool {
    let fence = |line: &&str| ["```", "~~~"].iter().any(|fence| line.trim_start().starts_with(fence));
    before.lines().filter(fence).count() % 2 == 1
}

fn begins_line(text: &str, from: usize, at: usize) -> bool {
    text[from..at].rsplit('\n').next().is_none_or(|line| line.trim().is_empty())
}

/// True if a tag that ends thinking is not just spoken of: neither in quotes nor in a line with its beginning.
fn stands_alone(text: &str, start: usize, end: usize, tags: &Regex) -> bool {
    let quotes = |c: char| matches!(c, '\'' | '"' | '`');
    let line = text[..start].rsplit('\n').next().unwrap_or_default();
    let quoted = line.ends_with(quotes) || text[end..].starts_with(quotes) && !text[end..].starts_with("```");
    !quoted && !tags.captures_iter(line).any(|found| found.get(1).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_of_every_kind_is_left_out() {
        for (begin, end) in [
            ("<think>", "</think>"),
            ("<THINKING time=\"3\">", "</thinking>"),
            ("<thought>", "</thought>"),
            ("<seed:think>", "</seed:think>"),
            ("<reasoning>", "</reasoning>"),
            ("[THINK]", "[/THINK]"),
            ("◁think▷", "◁/think▷"),
            ("<|begin_of_thought|>", "<|end_of_thought|>"),
            ("<details type=\"reasoning\" done=\"true\">", "</details>"),
            ("Thinking...", "...done thinking."),
            ("<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>final<|message|>"),
        ] {
            let thinking = format!("{begin}\nfirst ```python\nx = 1\n```\n{end}");
            assert_eq!(answer(&format!("{thinking}\nyes")).trim(), "yes", "{begin}");
            assert_eq!(answer(&format!("{begin}\nx = 1\nand so on")).trim(), "", "{begin}");
            if !begin.starts_with("<|channel") {
                assert_eq!(answer(&format!("a\n{thinking}\nb\n{thinking}\nc")).replace('\n', ""), "abc");
                assert_eq!(answer(&format!("x = 1\n{end}\nyes")).trim(), "yes", "{end}");
            }
        }
        assert_eq!(answer("analysisWe need f.assistantfinaldef f(): pass"), "def f(): pass\n");
        assert_eq!(answer("hm</think>```python\nx\n```<|im_end|>"), "```python\nx\n```\n");
    }

    #[test]
    fn tags_that_code_speaks_of_stay() {
        for text in [
            "```python\ns = re.sub(r'<think>.*?</think>', '', s)\n```",
            "```python\ns = \"<think>x</think>y\"\n```",
            "```python\nEND = '</think>'\nreturn s.split('</think>')[-1]\n```",
            "```python\nDOC = '''\n<think>\n</think>\n'''\n```",
            "The tag `</think>` ends it.",
            "analysis of the task",
        ] {
            assert_eq!(answer(text), format!("{text}\n"));
        }
    }
}
