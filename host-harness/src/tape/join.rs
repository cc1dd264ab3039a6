//! Tapes one behind the other, as one tape of a whole session.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::tape::{
    file::format::{Interaction, Tape, Timing},
    hide::{
        placeholders::{self, Placeholder},
        scan,
    },
    play::given::grants,
    same::{matching::differences, request::Comparable, tolerance::Tolerance},
};

impl Tape {
    /// This tape, and `next` behind it: one session, for one replay from beginning to end.
    ///
    /// A token that `next` asks for again, because it was recorded by itself, is asked for once:
    /// the second exchange is left out, and its token is the first one from there on. Other secrets
    /// of `next` are taken for other ones than this tape's. Clock, seed and programs are this
    /// tape's; rules and origin of `next`, where they differ, stand with its interactions.
    #[must_use]
    pub fn join(&self, next: &Self) -> Self {
        let mut joined = self.clone();
        let mut next = with_other_numbers(next, self);
        let ended = self.interactions.iter().filter_map(|interaction| interaction.timing);
        let ended = ended.map(|timing| timing.done_ms).fold(0.0, f64::max);
        let rules = std::mem::take(&mut next.rules);
        let origin = (next.provenance() != self.provenance()).then(|| next.provenance().clone());
        let mut names = HashMap::new();
        let (mut left_out, mut group_is_open) = (vec![false; self.interactions.len()], false);
        for mut interaction in next.interactions {
            rename(&mut interaction, &names);
            if let Some(at) =
                asked_before(&joined.interactions[..self.interactions.len()], &left_out, &interaction)
            {
                left_out[at] = true;
                pair(&joined.interactions[at], &interaction, &mut names);
                group_is_open &= interaction.side_by_side;
                continue;
            }
            // The one that it ran beside may be left out.
            interaction.side_by_side &= group_is_open;
            group_is_open = true;
            interaction.timing = interaction.timing.map(|Timing { sent_ms, head_ms, done_ms }| Timing {
                sent_ms: sent_ms + ended,
                head_ms: head_ms + ended,
                done_ms: done_ms + ended,
            });
            if rules != self.rules {
                interaction.rules.add(&rules);
            }
            interaction.provenance = interaction.provenance.or_else(|| origin.clone());
            joined.interactions.push(interaction);
        }
        joined
    }
}

/// The place of the exchange that has granted the same token already, and that no other was taken
/// for.
fn asked_before(earlier: &[Interaction], taken: &[bool], interaction: &Interaction) -> Option<usize> {
    let is_grant = |interaction: &Interaction| {
        interaction.fault.is_none()
            && interaction.request.url.parse().is_ok_and(|uri| grants(&uri, interaction))
    };
    let found = |(at, other): (usize, &Interaction)| {
        (!taken[at] && is_grant(other) && same_grant(other, interaction)).then_some(at)
    };
    is_grant(interaction).then(|| earlier.iter().enumerate().find_map(found))?
}

/// Tells whether two exchanges are about one token: the same question but for the numbers of
/// secrets, and an answer about the same person.
fn same_grant(one: &Interaction, other: &Interaction) -> bool {
    let question = |interaction: &Interaction| {
        let masked = placeholders::changed(interaction, &|mut placeholder| {
            placeholder.number = 0;
            placeholder
        });
        Comparable::new(&masked.request, Tolerance::default())
    };
    differences(&question(one), &question(other)).is_empty() && people(one) == people(other)
}

/// The people that the tokens of an answer are about, by the names of their fields.
fn people(interaction: &Interaction) -> BTreeMap<String, [Option<String>; 2]> {
    let body = interaction.response.as_ref().and_then(|response| response.body.as_ref());
    let Some(Ok(Value::Object(fields))) = body.map(|body| serde_json::from_slice(&body.to_bytes())) else {
        return BTreeMap::new();
    };
    let claims = fields.iter().filter_map(|(name, value)| {
        let (_, claims, _) = scan::decode_jwt(value.as_str()?)?;
        let text = |claim: &str| claims[claim].as_str().map(str::to_owned);
        Some((name.clone(), [text("sub"), text("email")]))
    });
    claims.collect()
}

/// The tape with other numbers for its secrets than those of another tape.
fn with_other_numbers(tape: &Tape, than: &Tape) -> Tape {
    let mut last: HashMap<String, u32> = HashMap::new();
    for placeholder in than.interactions.iter().flat_map(placeholders::of) {
        let last = last.entry(placeholder.kind).or_default();
        *last = placeholder.number.max(*last);
    }
    let change = |mut placeholder: Placeholder| {
        // All that have no number of their own share 0.
        if placeholder.number > 0 {
            placeholder.number += last.get(&placeholder.kind).copied().unwrap_or_default();
        }
        placeholder
    };
    let interactions =
        tape.interactions.iter().map(|interaction| placeholders::changed(interaction, &change));
    let mut numbered = tape.emptied();
    numbered.interactions = interactions.collect();
    numbered
}

fn rename(interaction: &mut Interaction, names: &HashMap<Placeholder, Placeholder>) {
    if !names.is_empty() {
        *interaction = placeholders::changed(interaction, &|placeholder| {
            names.get(&placeholder).cloned().unwrap_or(placeholder)
        });
    }
}

/// Notes which secret of the one exchange is which of the other.
fn pair(first: &Interaction, second: &Interaction, names: &mut HashMap<Placeholder, Placeholder>) {
    let (first, second) = (placeholders::of(first), placeholders::of(second));
    names.extend(
        second.into_iter().zip(first).filter(|(second, first)| second.kind == first.kind && second != first),
    );
}
