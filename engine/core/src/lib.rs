//! The sans-IO heart: what a call does, as state machines without sockets, clocks, threads or randomness.
