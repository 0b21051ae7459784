//! How much of the disk is left, and what may still be written.
use std::path::Path;

/// Where the store learns how much of its disk is free.
pub trait FreeSpace: Send + Sync + 'static {
    /// # Errors
    /// The system's reason. The store then writes call records on, for a broken probe must not stop calls, and promises
    /// nothing new: what is written into a folder that is gone is lost at the next start.
    fn probe(&self, path: &Path) -> std::io::Result<SpaceNow>;
}

/// Space of the disk under a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceNow {
    /// Free for us (not the superuser's reserve).
    pub free_bytes: u64,
    /// In all.
    pub total_bytes: u64,
}

impl SpaceNow {
    /// Whole percent free, rounded down.
    #[must_use]
    pub fn free_percent(self) -> u8 {
        let percent = u128::from(self.free_bytes) * 100 / u128::from(self.total_bytes.max(1));
        u8::try_from(percent.min(100)).unwrap_or(100)
    }
}

/// The real disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct FreeSpaceOfDisk;

impl FreeSpace for FreeSpaceOfDisk {
    fn probe(&self, path: &Path) -> std::io::Result<SpaceNow> {
        let stat = rustix::fs::statvfs(path)?;
        Ok(SpaceNow {
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }
}

/// Limits of free space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceLimits {
    /// Below this nothing new is promised.
    pub promises_free_percent_min: u8,
    /// Between this and the other, call records go on; below it nothing is written: sled may not be able to open
    /// again after a disk that is really full.
    pub records_free_percent_min: u8,
}

impl Default for SpaceLimits {
    fn default() -> Self {
        Self { promises_free_percent_min: 10, records_free_percent_min: 2 }
    }
}

/// What may be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpaceLevel {
    Enough,
    /// Below the promises' limit, with the percent free.
    Low(u8),
    /// Below the reserve, with the percent free.
    Full(u8),
}

impl SpaceLimits {
    pub(crate) fn level(self, now: SpaceNow) -> SpaceLevel {
        let percent = now.free_percent();
        if percent < self.records_free_percent_min {
            SpaceLevel::Full(percent)
        } else if percent < self.promises_free_percent_min {
            SpaceLevel::Low(percent)
        } else {
            SpaceLevel::Enough
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_change_at_their_limits() {
        let level = |free_bytes, total_bytes| SpaceLimits::default().level(SpaceNow { free_bytes, total_bytes });
        assert_eq!(level(100, 1_000), SpaceLevel::Enough);
        assert_eq!(level(99, 1_000), SpaceLevel::Low(9));
        assert_eq!(level(20, 1_000), SpaceLevel::Low(2));
        assert_eq!(level(19, 1_000), SpaceLevel::Full(1));
        assert_eq!(level(0, 0), SpaceLevel::Full(0));
        assert_eq!(level(u64::MAX, u64::MAX), SpaceLevel::Enough);
    }

    #[test]
    fn the_real_disk_answers() {
        let space = FreeSpaceOfDisk.probe(Path::new("/")).unwrap();
        assert!(space.total_bytes > 0 && space.free_bytes <= space.total_bytes);
    }
}
