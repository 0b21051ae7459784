//! An independent SIP and RTP caller, for people at a terminal, tests and load.
