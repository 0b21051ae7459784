//! How much a script may use: its manifest's wish, capped by the host.

use serde::{Deserialize, Serialize};
use std::time::Duration;

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:literal, cap $cap:literal;)*) => {
        /// What a manifest asks for; what it leaves out is the default.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct LimitWishes {
            $($(#[$doc])* pub $name: Option<$type>,)*
        }

        /// The limits of one script, each as large as it is.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Limits {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Default for Limits {
            /// What a script has whose manifest says nothing.
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl Limits {
            /// What no script gets more than, where the host's configuration says nothing.
            #[must_use]
            pub const fn caps_default() -> Self {
                Self { $($name: $cap,)* }
            }

            /// No caps: to see what is asked for.
            pub(crate) const fn uncapped() -> Self {
                Self { $($name: <$type>::MAX,)* }
            }

            /// Each limit by its name.
            #[must_use]
            pub fn rows(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), u64::from(self.$name)),)*]
            }

            /// A script's limits: its wishes or the defaults, but not more than the caps.
            #[must_use]
            pub fn of(wishes: &LimitWishes, caps: &Self) -> Self {
                let default = Self::default();
                Self { $($name: wishes.$name.unwrap_or(default.$name).min(caps.$name),)* }
            }
        }
    };
}

limits! {
    /// Linear memory, all of the script's together. More: the call lands, cause `memory`.
    memory_mib: u32 = 32, cap 256;
    /// Elements of one table. More: cause `memory`.
    table_elements_max: u32 = 20_000, cap 100_000;
    /// CPU between two host calls. More: cause `cpu`.
    cpu_ms_per_step: u32 = 100, cap 1_000;
    /// CPU of the whole call. More: cause `cpu`.
    cpu_ms_per_call: u32 = 5_000, cap 60_000;
    /// From the start of the script to its end. More: cause `timeout`.
    wall_s_per_call: u32 = 14_400, cap 14_400;
    /// From the start of a campaign's `prepare` to its end. More: the contact is not dialled.
    prepare_ms_max: u32 = 20_000, cap 60_000;
    /// For a host call that does not wait for a person or a back end. More: cause `timeout`.
    host_call_ms_max: u32 = 5_000, cap 30_000;
    /// Host calls of the whole call. More: cause `quota`.
    host_calls_max: u32 = 20_000, cap 1_000_000;
    /// Data of one host call, arguments and result. More in arguments: cause `quota`.
    host_call_kib_max: u32 = 1_024, cap 8_192;
    /// Resource handles that the script holds at once. More: cause `quota`.
    handles_max: u32 = 256, cap 4_096;
    /// What it keeps in its buckets, all of them together; enforced by the store.
    storage_kib: u32 = 1_024, cap 65_536;
    /// HTTP requests of one call. More: `quota`.
    http_requests_max: u32 = 100, cap 10_000;
    /// HTTP requests on their way at once. More: `quota`.
    http_pending_max: u32 = 4, cap 32;
    /// For one HTTP request, whatever its own timeout says.
    http_ms_max: u32 = 15_000, cap 60_000;
    /// Of one request's body. More: `quota`.
    http_request_kib_max: u32 = 256, cap 4_096;
    /// Of one answer's body. More: `quota`.
    http_response_kib_max: u32 = 1_024, cap 8_192;
    /// Lines to the author's log in one call. What is over is dropped and counted.
    log_lines_max: u32 = 500, cap 10_000;
    /// Of a line with its fields; longer is cut.
    log_line_bytes_max: u32 = 2_048, cap 16_384;
    /// Pieces of one prompt. More: `invalid`.
    prompt_segments_max: u32 = 128, cap 1_024;
    /// Text of one prompt. More: `invalid`.
    prompt_bytes_max: u32 = 16_384, cap 131_072;
    /// Elements of any other list that a script hands over: choices, tags, headers. More: `invalid`.
    list_len_max: u32 = 256, cap 2_048;
    /// Bytes of any other string that a script hands over: names, keys, tags. More: `invalid`.
    string_bytes_max: u32 = 4_096, cap 65_536;
}

impl Limits {
    pub(crate) const fn memory_bytes(&self) -> usize {
        self.memory_mib as usize * 1024 * 1024
    }

    pub(crate) const fn host_call_bytes(&self) -> usize {
        self.host_call_kib_max as usize * 1024
    }

    pub(crate) const fn prepare(&self) -> Duration {
        Duration::from_millis(self.prepare_ms_max as u64)
    }

    pub(crate) const fn wall(&self) -> Duration {
        Duration::from_secs(self.wall_s_per_call as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_counts_up_to_the_cap() {
        let caps = Limits { memory_mib: 16, ..Limits::caps_default() };
        let check = |wish: Option<u32>, expect: u32| {
            let wishes = LimitWishes { memory_mib: wish, ..LimitWishes::default() };
            assert_eq!(Limits::of(&wishes, &caps).memory_mib, expect);
        };
        check(Some(8), 8);
        check(Some(1_000_000), 16);
        check(None, 16);
    }

    #[test]
    fn the_defaults_are_under_the_caps() {
        let (default, caps) = (Limits::default(), Limits::caps_default());
        assert_eq!(Limits::of(&LimitWishes::default(), &caps), default);
    }
}
