//! Session timers (RFC 4028) as a machine without clock and sockets: header fields and `now` in, header fields and the
//! next deadline out.

use crate::config::SessionTimerConfig;
use std::time::{Duration, Instant};

/// Section 10: the side that does not refresh gives up this long before the session ends, at most.
const EARLY_END_S_MAX: u32 = 32;

/// Who refreshes, in the words of the header: the one that sent the request, or the one that answered it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refresher {
    Uac,
    Uas,
}

impl Refresher {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Uac => "uac",
            Self::Uas => "uas",
        }
    }
}

/// What a message says about the session's time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Said {
    /// `Supported: timer`.
    pub(crate) supported: bool,
    /// `Session-Expires`, in seconds.
    pub(crate) expires_s: Option<u32>,
    /// Its `refresher`.
    pub(crate) refresher: Option<Refresher>,
    /// `Min-SE`, in seconds.
    pub(crate) min_se_s: Option<u32>,
}

/// What our message is to say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Say {
    pub(crate) expires_s: u32,
    pub(crate) refresher: Option<Refresher>,
    /// In requests.
    pub(crate) min_se_s: Option<u32>,
    /// In answers: the peer has the extension, and must use it (`Require: timer`).
    pub(crate) require: bool,
}

/// The peer's interval is below our minimum: 422 with this Min-SE.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooSmall {
    pub(crate) min_se_s: u32,
}

/// What is due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Due {
    /// Send a refresh.
    Refresh,
    /// Nobody refreshed: BYE.
    Expire,
}

/// The machine. One for each dialog.
#[derive(Debug)]
pub(crate) struct SessionTimer {
    wish: Option<SessionTimerConfig>,
    /// The largest Min-SE that anyone on the way asked for.
    min_se_s: u32,
    running: Option<Running>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Running {
    expires_s: u32,
    we_refresh: bool,
    refresh_at: Option<Instant>,
    expire_at: Instant,
}

impl SessionTimer {
    pub(crate) fn new(wish: Option<SessionTimerConfig>) -> Self {
        let min_se_s = wish.map_or(SessionTimerConfig::MIN_SE_S_LEAST, |wish| wish.min_se_s);
        Self { wish, min_se_s, running: None }
    }

    /// What our INVITE or UPDATE says. A refresh keeps the interval and the roles.
    pub(crate) fn request(&self) -> Option<Say> {
        let (expires_s, refresher) = match (self.running, self.wish) {
            (Some(running), _) => {
                let refresher = if running.we_refresh { Refresher::Uac } else { Refresher::Uas };
                (running.expires_s, Some(refresher))
            }
            (None, Some(wish)) => (wish.expires_s, None),
            (None, None) => return None,
        };
        let min_se_s = Some(self.min_se_s).filter(|min| *min > SessionTimerConfig::MIN_SE_S_LEAST);
        Some(Say { expires_s: expires_s.max(self.min_se_s), refresher, min_se_s, require: false })
    }

    /// Our request was refused with 422: the next one asks for more. False where that cannot help.
    pub(crate) fn refused(&mut self, min_se_s: Option<u32>) -> bool {
        match min_se_s {
            Some(min) if min > self.min_se_s => {
                self.min_se_s = min;
                true
            }
            _ => false,
        }
    }

    /// Our request was answered 2xx.
    pub(crate) fn answered(&mut self, said: Said, now: Instant) {
        let Some(expires_s) = said.expires_s else {
            // Section 7.2: no Session-Expires in the 2xx means no expiration.
            self.running = None;
            return;
        };
        self.start(expires_s, said.refresher != Some(Refresher::Uas), now);
    }

    /// A request of the peer that we are about to answer 2xx: what the answer says.
    pub(crate) fn requested(&mut self, said: Said, now: Instant) -> Result<Option<Say>, TooSmall> {
        self.check(said)?;
        let wish = self.wish.map(|wish| wish.expires_s);
        let Some(expires_s) = said.expires_s.or(wish) else {
            self.running = None;
            return Ok(None);
        };
        // Section 9: we may lower it, but not below the peer's Min-SE; never raise what it asked for.
        let least = said.min_se_s.unwrap_or(0).max(self.min_se_s);
        let expires_s =
            wish.map_or(expires_s, |wish| expires_s.min(wish.max(least))).max(SessionTimerConfig::MIN_SE_S_LEAST);
        let refresher = match (said.refresher, said.supported) {
            // One without the extension cannot refresh.
            (_, false) => Refresher::Uas,
            (Some(refresher), true) => refresher,
            (None, true) => Refresher::Uac,
        };
        self.start(expires_s, refresher == Refresher::Uas, now);
        Ok(Some(Say { expires_s, refresher: Some(refresher), min_se_s: None, require: said.supported }))
    }

    /// Whether the peer's wish is below our minimum. Changes nothing.
    pub(crate) fn check(&self, said: Said) -> Result<(), TooSmall> {
        match said.expires_s {
            // A peer without the extension would not understand 422; then a proxy put the field there.
            Some(expires_s) if expires_s < self.min_se_s && said.supported => Err(TooSmall { min_se_s: self.min_se_s }),
            _ => Ok(()),
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.running.map(|running| running.refresh_at.map_or(running.expire_at, |at| at.min(running.expire_at)))
    }

    /// What is due at `now`. A refresh is due once; its answer, or the end of the session, comes next.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<Due> {
        let running = self.running.as_mut()?;
        if now >= running.expire_at {
            self.running = None;
            return Some(Due::Expire);
        }
        if running.refresh_at.is_some_and(|at| now >= at) {
            running.refresh_at = None;
            return Some(Due::Refresh);
        }
        None
    }

    fn start(&mut self, expires_s: u32, we_refresh: bool, now: Instant) {
        let seconds = |s: u32| Duration::from_secs(u64::from(s));
        let (refresh_at, expire_at) = if we_refresh {
            // Section 10: half-way is when to refresh; the session itself ends at its time.
            (Some(now + seconds(expires_s) / 2), now + seconds(expires_s))
        } else {
            (None, now + seconds(expires_s - EARLY_END_S_MAX.min(expires_s / 3)))
        };
        self.running = Some(Running { expires_s, we_refresh, refresh_at, expire_at });
    }
}

/// Reads `1800;refresher=uac`.
pub(crate) fn read_session_expires(value: &str) -> (Option<u32>, Option<Refresher>) {
    let mut parts = value.split(';');
    let expires_s = parts.next().and_then(|n| n.trim().parse().ok());
    let refresher = parts.find_map(|param| {
        let (name, value) = param.split_once('=')?;
        match (name.trim().eq_ignore_ascii_case("refresher"), value.trim()) {
            (true, v) if v.eq_ignore_ascii_case("uac") => Some(Refresher::Uac),
            (true, v) if v.eq_ignore_ascii_case("uas") => Some(Refresher::Uas),
            _ => None,
        }
    });
    (expires_s, refresher)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISH: SessionTimerConfig = SessionTimerConfig { expires_s: 1800, min_se_s: 90 };

    fn said(expires_s: u32, refresher: Option<Refresher>) -> Said {
        Said { supported: true, expires_s: Some(expires_s), refresher, min_se_s: None }
    }

    fn after(now: Instant, s: u64) -> Instant {
        now + Duration::from_secs(s)
    }

    #[test]
    fn as_answerer_the_peer_refreshes_unless_it_says_otherwise() {
        let now = Instant::now();
        let check = |said: Said, expect: Say, deadline_s: u64| {
            let mut timer = SessionTimer::new(Some(WISH));
            assert_eq!(timer.requested(said, now), Ok(Some(expect)));
            assert_eq!(timer.deadline(), Some(after(now, deadline_s)), "{said:?}");
        };
        let say =
            |expires_s, refresher, require| Say { expires_s, refresher: Some(refresher), min_se_s: None, require };
        check(said(600, None), say(600, Refresher::Uac, true), 568);
        check(said(600, Some(Refresher::Uas)), say(600, Refresher::Uas, true), 300);
        check(said(7200, Some(Refresher::Uac)), say(1800, Refresher::Uac, true), 1768);
        check(said(90, None), say(90, Refresher::Uac, true), 60);
        let min_se = Said { min_se_s: Some(3600), ..said(7200, None) };
        check(min_se, say(3600, Refresher::Uac, true), 3568);
        check(Said::default(), say(1800, Refresher::Uas, false), 900);
    }

    #[test]
    fn too_short_an_interval_is_refused_to_those_who_understand() {
        let mut timer = SessionTimer::new(Some(SessionTimerConfig { expires_s: 1800, min_se_s: 120 }));
        let now = Instant::now();
        assert_eq!(timer.requested(said(100, None), now), Err(TooSmall { min_se_s: 120 }));
        assert_eq!(timer.deadline(), None);
        let proxy_added = Said { supported: false, ..said(100, None) };
        assert!(timer.requested(proxy_added, now).is_ok());
    }

    #[test]
    fn without_a_wish_only_the_peers_counts() {
        let mut timer = SessionTimer::new(None);
        assert_eq!(timer.request(), None);
        assert_eq!(timer.requested(Said::default(), Instant::now()), Ok(None));
        assert!(timer.requested(said(300, None), Instant::now()).unwrap().is_some());
    }

    #[test]
    fn as_caller_the_answer_decides() {
        let now = Instant::now();
        let mut timer = SessionTimer::new(Some(WISH));
        assert_eq!(timer.request(), Some(Say { expires_s: 1800, refresher: None, min_se_s: None, require: false }));
        assert!(timer.refused(Some(3600)));
        assert!(!timer.refused(Some(3600)), "the same Min-SE again cannot help");
        let again = Say { expires_s: 3600, refresher: None, min_se_s: Some(3600), require: false };
        assert_eq!(timer.request(), Some(again));
        timer.answered(said(3600, Some(Refresher::Uac)), now);
        assert_eq!(timer.deadline(), Some(after(now, 1800)));
        assert_eq!(timer.poll(after(now, 1799)), None);
        assert_eq!(timer.poll(after(now, 1800)), Some(Due::Refresh));
        assert_eq!(timer.poll(after(now, 1800)), None, "due once");
        assert_eq!(timer.deadline(), Some(after(now, 3600)));
        assert_eq!(timer.poll(after(now, 3600)), Some(Due::Expire));
        timer.answered(said(3600, Some(Refresher::Uas)), now);
        assert_eq!(timer.deadline(), Some(after(now, 3568)));
        assert_eq!(timer.request().and_then(|say| say.refresher), Some(Refresher::Uas), "a refresh keeps the roles");
        timer.answered(Said::default(), now);
        assert_eq!(timer.deadline(), None, "no Session-Expires in the 2xx: no expiration");
    }

    #[test]
    fn the_header_is_read() {
        let check =
            |text: &str, expect: (Option<u32>, Option<Refresher>)| assert_eq!(read_session_expires(text), expect);
        check("1800", (Some(1800), None));
        check(" 90 ; Refresher = UAS ", (Some(90), Some(Refresher::Uas)));
        check("90;x=y;refresher=uac", (Some(90), Some(Refresher::Uac)));
        check("nonsense;refresher=both", (None, None));
        check("", (None, None));
    }
}
