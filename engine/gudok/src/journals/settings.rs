//! How much of calls' journals is kept.

use crate::config::Journal;

/// From `[journal]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JournalSettings {
    pub(crate) enabled: bool,
    /// Of each agency and version: at least the last so many.
    pub(crate) calls_max: u32,
    /// Of each agency and version.
    pub(crate) bytes_max: u64,
    /// Of all together.
    pub(crate) bytes_max_total: u64,
    pub(crate) days_max: u32,
    /// Of one call; what comes later is left out.
    pub(crate) call_bytes_max: usize,
    /// What waits to be written; above, whole journals are dropped and counted.
    pub(crate) queue_bytes_max: usize,
    /// Nothing is kept below so much free disk.
    pub(crate) free_percent_min: u8,
}

impl JournalSettings {
    /// As the file says.
    pub(crate) fn of(file: &Journal, free_percent_min: u8) -> Self {
        const KIB: usize = 1 << 10;
        const MIB: u64 = 1 << 20;
        let queue_bytes_max = usize::try_from(file.queue_mib_max.clamp(1, 4_096)).unwrap_or(1) << 20;
        Self {
            enabled: file.enabled,
            calls_max: file.calls_max.max(1),
            bytes_max: file.mib_max.max(1).saturating_mul(MIB),
            bytes_max_total: file.mib_max_total.max(1).saturating_mul(MIB),
            days_max: file.days_max.clamp(1, 3_650),
            call_bytes_max: usize::try_from(file.call_kib_max.clamp(4, 65_536)).unwrap_or(KIB) * KIB,
            queue_bytes_max,
            free_percent_min,
        }
    }
}
