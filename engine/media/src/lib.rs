//! RTP on its own threads: playout, digits, recording, bridging.
