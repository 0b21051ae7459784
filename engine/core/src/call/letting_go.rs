//! What goes on, and what does not, when a call's script or its caller is gone.

use super::input::{Command, MediaCommand};
use super::transfer::Stage;
use super::{CallMachine, Initiator, Operation};
use crate::ids::LegId;
use crate::script::TransferOutcome;
use crate::time::Timestamp;

impl CallMachine {
    /// What is pending goes no further; whoever asked is not told here.
    pub(super) fn abandon_operation(&mut self, now: Timestamp) {
        self.supervision_over(now);
        self.stop_music();
        self.stop_foreground();
        if let Some(Stage::Bridged { leg, since } | Stage::PassingOn { leg, since, .. }) = self.transfer_stage() {
            let (leg, since) = (*leg, *since);
            self.conversation_broken_off(leg, since, now);
        }
        if self.legs.is_live(LegId::FIRST) {
            self.unmask();
        }
        self.legs.end_all_others(now, &mut self.commands);
        if let Some(Operation::Record(message)) = self.pending_operation()
            && let Some(recording) = message.running()
        {
            self.media_command(LegId::FIRST, MediaCommand::FinishRecording(recording));
        }
    }

    fn conversation_broken_off(&mut self, leg: LegId, since: Timestamp, now: Timestamp) {
        if !self.legs.is_live(leg) {
            return;
        }
        self.command(Command::Unbridge(LegId::FIRST, leg));
        self.operator_free();
        let talked = TransferOutcome::BridgedThenReturned(now.since(since));
        let record = self.transfer_mut().map(|transfer| transfer.record(talked));
        self.legs.first_mut().record.transfer = record;
    }

    /// The caller hung up in a recording: it ends, is kept, and still answers the script. False where none runs.
    pub(super) fn keep_running_recording(&mut self) -> bool {
        match self.pending_operation() {
            Some(Operation::Record(message)) => match message.running() {
                Some(recording) => {
                    self.media_command(LegId::FIRST, MediaCommand::FinishRecording(recording));
                    true
                }
                None => false,
            },
            Some(Operation::FinishRecorder(_)) => true,
            _ => false,
        }
    }

    /// The script is gone while its caller talks to somebody: they go on, and the call ends with their talk.
    pub(super) fn keep_conversation(&mut self) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        match &mut pending.operation {
            Operation::Transfer(transfer) if transfer.is_bridged() => {
                transfer.options.return_on_end = false;
                pending.initiator = pending.initiator.hosted();
                true
            }
            _ => false,
        }
    }

    /// The script is taken out of the call: what it has begun with others goes on, and the host answers for the rest.
    pub(super) fn keep_transfer(&mut self) -> bool {
        let Some(pending) = &mut self.pending else { return false };
        let Operation::Transfer(transfer) = &mut pending.operation else { return false };
        transfer.options.return_on_end = false;
        pending.initiator = pending.initiator.hosted();
        true
    }
}

impl Initiator {
    /// The same without its script.
    const fn hosted(self) -> Self {
        match self {
            Self::Queue => Self::Queue,
            Self::Script(_) | Self::Host => Self::Host,
        }
    }
}
