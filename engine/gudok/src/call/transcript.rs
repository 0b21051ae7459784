//! The transcript for a caller's agent that asked for one (RFC 6086, `gudok-transcript`).

use super::CallTask;
use gudok_core::call::TranscriptLine;
use gudok_speech::MediaSource;
use serde_json::json;

/// Bytes of one piece, so that it fits a datagram with its headers.
const TEXT_BYTES_MAX: usize = 900;

impl CallTask {
    pub(super) fn transcript(&mut self, line: &TranscriptLine) {
        match line {
            TranscriptLine::Prompt { sources, lang } => {
                let overlays: &dyn MediaSource = &*self.host.overlays;
                let media = Some(self.script.as_ref().map_or(overlays, |script| script.media.as_ref()));
                let text = self.host.voice.words(sources, lang, media);
                for piece in pieces(&text) {
                    self.transcript_event(json!({ "event": "prompt", "text": piece, "lang": &**lang }));
                }
            }
            TranscriptLine::Collect => self.transcript_event(json!({ "event": "collect" })),
            TranscriptLine::Interrupted => self.transcript_event(json!({ "event": "interrupted" })),
            TranscriptLine::Bridged => self.transcript_event(json!({ "event": "bridged" })),
        }
    }

    fn transcript_event(&mut self, mut event: serde_json::Value) {
        self.transcript_seq += 1;
        event["seq"] = self.transcript_seq.into();
        self.legs[0].send_transcript(event.to_string());
    }
}

/// Cuts between words.
fn pieces(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut rest = text.trim();
    while rest.len() > TEXT_BYTES_MAX {
        let mut at = TEXT_BYTES_MAX;
        while !rest.is_char_boundary(at) {
            at -= 1;
        }
        let at = rest[..at].rfind(' ').unwrap_or(at);
        let (piece, more) = rest.split_at(at);
        all.push(piece);
        rest = more.trim_start();
    }
    all.push(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_words_and_nothing_is_lost() {
        let text = "слово ".repeat(400);
        let cut = pieces(&text);
        assert!(cut.len() > 4 && cut.iter().all(|piece| piece.len() <= TEXT_BYTES_MAX));
        assert_eq!(cut.join(" "), text.trim());
        let endless = "ы".repeat(2_000);
        assert_eq!(pieces(&endless).concat(), endless);
        assert_eq!(pieces(""), vec![""]);
    }
}
