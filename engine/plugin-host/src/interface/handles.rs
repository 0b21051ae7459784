//! What the resource handles of the WIT stand for. The types have no content: the handle's number says it all.
#![expect(unreachable_pub, reason = "wasmtime's macro re-exports them as `pub`")]

/// The call itself. There is one, so the handle's number says nothing.
#[derive(Debug)]
pub struct Call;
/// A playback in the background, by the core's handle.
#[derive(Debug)]
pub struct Player;
/// The keys of the call. There is one row of them, so the handle's number says nothing.
#[derive(Debug)]
pub struct Collector;
/// A recording in the background, by the core's handle.
#[derive(Debug)]
pub struct Recorder;
/// A place in a queue.
#[derive(Debug)]
pub struct QueueTicket;
/// An open bucket, by its slot.
#[derive(Debug)]
pub struct Bucket;
/// An HTTP request on its way, by its slot.
#[derive(Debug)]
pub struct Pending;
/// A secret, by its slot.
#[derive(Debug)]
pub struct SecretHandle;
