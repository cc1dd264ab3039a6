//! The notes beside an exchange on a tape, handed from a replay to a recorder around it.

use std::sync::{Arc, Mutex};

use http::Extensions;

use crate::tape::{
    file::{
        fault::Fault,
        format::{Interaction, Provenance, RecordedResponse, Timing},
        rules::Rules,
    },
    shared::locked,
};

/// Notes and rules of an interaction. A recorder puts an empty margin into the extensions of a request; a
/// replay fills it in, so that the recording of a replay is the same tape.
#[derive(Debug, Clone, Default)]
pub(in crate::tape) struct Margin(Arc<Mutex<Option<Notes>>>);

/// The facts that a network cannot tell.
#[derive(Debug, Clone)]
pub(in crate::tape) struct Notes {
    pub(in crate::tape) note: Option<String>,
    pub(in crate::tape) provenance: Option<Provenance>,
    pub(in crate::tape) rules: Rules,
    pub(in crate::tape) side_by_side: bool,
    pub(in crate::tape) timing: Option<Timing>,
    pub(in crate::tape) fault: Option<Fault>,
    /// The whole of the response, where a fault lets only a part of it through.
    pub(in crate::tape) response: Option<RecordedResponse>,
}

impl Margin {
    /// Fills in the margin of a request, if it has one.
    pub(in crate::tape) fn note(extensions: &Extensions, interaction: &Interaction) {
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

    pub(in crate::tape) fn take(&self) -> Option<Notes> {
        locked(&self.0).take()
    }
}
