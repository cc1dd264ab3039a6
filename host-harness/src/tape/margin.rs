//! The notes beside an exchange on a tape, handed from a replay to a recorder around it.

use std::sync::{Arc, Mutex};

use http::Extensions;

use super::{
    fault::Fault,
    format::{Interaction, Provenance, RecordedResponse, Timing},
    replay::locked,
    rules::Rules,
};

/// Notes and rules of an interaction. A recorder puts an empty margin into the extensions of a request; a
/// replay fills it in, so that the recording of a replay is the same tape.
#[derive(Debug, Clone, Default)]
pub(super) struct Margin(Arc<Mutex<Option<Notes>>>);

/// The facts that a network cannot tell.
#[derive(Debug, Clone)]
pub(super) struct Notes {
    pub(super) note: Option<String>,
    pub(super) provenance: Option<Provenance>,
    pub(super) rules: Rules,
    pub(super) side_by_side: bool,
    pub(super) timing: Option<Timing>,
    pub(super) fault: Option<Fault>,
    /// The whole of the response, where a fault lets only a part of it through.
    pub(super) response: Option<RecordedResponse>,
}

impl Margin {
    /// Fills in the margin of a request, if it has one.
    pub(super) fn note(extensions: &Extensions, interaction: &Interaction) {
        let Some(margin) = extensions.get::<Self>() else { return };
        *locked(&margin.0) = Some(Notes {
            note: interaction.note.clone(),
            provenance: interaction.provenance.clone(),
            rules: interaction.rules.clone(),
            side_by_side: interaction.side_by_side,
            timing: interaction.timing,
            fault: interaction.fault.clone(),
            response: interaction.fault.as_ref().and(interaction.response.clone()),
        });
    }

    pub(super) fn take(&self) -> Option<Notes> {
        locked(&self.0).take()
    }
}
