//! The seam for SRTP.

/// Bytes a transform may add to a packet: an authentication tag and a key identifier.
pub const TRANSFORM_BYTES_MAX: usize = 32;

/// Protects what a session sends and checks what it receives: the place where SRTP (RFC 3711) goes.
///
/// The session hands over whole packets at the last moment before the socket and at the first after it, so a transform
/// needs to know nothing of playouts, digits or bridges. It is called on a pacer thread: it must not block.
/// A relay between two sessions passes through both of their transforms.
pub trait PacketTransform: Send {
    /// Protects the RTP packet in `buffer[..length]`; may use [`TRANSFORM_BYTES_MAX`] bytes behind it.
    /// Gives the new length, or `None` to send nothing.
    fn protect_rtp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize>;

    /// Checks and opens a received RTP packet in place. Gives the new length, or `None` if it is forged or replayed,
    /// which is counted as [`crate::Reject::Transform`].
    fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Option<usize>;

    /// As [`PacketTransform::protect_rtp`], for RTCP.
    fn protect_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Option<usize>;

    /// As [`PacketTransform::unprotect_rtp`], for RTCP.
    fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Option<usize>;
}
