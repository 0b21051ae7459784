//! Names of things, each a type of its own.

use std::fmt;
use std::sync::Arc;

/// Our own id of a call: never derived from anything the network sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u128);

impl CallId {
    /// From 128 bits that the caller of this function drew at random (or, in the simulator, from its seed).
    #[must_use]
    pub const fn from_random(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits.
    #[must_use]
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// Reads what [`fmt::Display`] wrote: 32 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if well_formed { u128::from_str_radix(text, 16).ok().map(Self) } else { None }
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Which leg of a call: the first party's is 0, others count up in the order in which they were made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LegId(pub u16);

impl LegId {
    /// The leg that the call began with.
    pub const FIRST: Self = Self(0);
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// Takes the name as it is; whoever reads configuration checks it first.
            #[must_use]
            pub fn new(name: &str) -> Self {
                Self(Arc::from(name))
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name!(
    /// A tenant: it owns numbers, scripts and campaigns.
    Agency
);
name!(
    /// A configured SIP peer.
    Trunk
);
impl Trunk {
    /// The trunk of telephones that register at the engine: their calls come by it, and the user part of a
    /// [`crate::leg::DialTarget`] on it is where one of them is now. No trunk in the configuration has this name.
    pub const REGISTERED: &str = "registered";
}
name!(
    /// Where a number leads inside an agency: the name under which a script version is active.
    Entry
);
name!(
    /// A script by name, without version.
    ScriptName
);
name!(
    /// A group of operators.
    Group
);
name!(
    /// Where callers wait for an operator.
    Queue
);
name!(
    /// A person who talks to callers, by login.
    Operator
);
name!(
    /// Something that an operator is good at: a language, a service.
    Skill
);
name!(
    /// Another region's centre.
    Peer
);
name!(
    /// A list of contacts, a script and rules: whom to call, when, how often.
    Campaign
);
name!(
    /// The promise of a callback, as it is told to scripts and shown to people.
    CallbackId
);

/// One version of a script: what a call is pinned to for its life.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ScriptVersion {
    /// The script's name.
    pub script: ScriptName,
    /// Its version as the manifest has it, a semantic version.
    pub version: Arc<str>,
    /// The hash of the bundle's content: two bundles with the same name and version are still told apart.
    pub bundle_sha256: [u8; 32],
}
