//! A world written down becomes one at work.

use super::World;
use crate::back_end::{SimFetch, SimSecrets};
use crate::clock::VirtualClock;
use crate::decide::add_twins;
use crate::dice::{Dice, SeededRandom};
use crate::directory::DecidedDirectory;
use crate::post::{Post, SimPromises};
use crate::report::Report;
use crate::stage::{Setting, Stage};
use crate::storage::SimStorage;
use crate::tasks::{DeskSink, SharedDesk, beside};
use crate::words::KnownWords;
use gudok_plugin_host::ports::{Clock, DirectoryPort, Ports, StoragePort};
use parking_lot::Mutex;
use std::sync::Arc;

impl World {
    /// Lets it all happen, on this thread. Not from within a tokio runtime: use a thread that may block.
    #[must_use]
    pub fn run(mut self) -> Report {
        if self.decider.is_some() {
            self = self.with_twins();
        }
        let mut dice = Dice::new(self.seed);
        let random = SeededRandom(Mutex::new(dice.split()));
        let clock = VirtualClock::new(self.now, self.zone);
        let desk = SharedDesk::default();
        let post = Arc::new(Mutex::new(Post::new(dice.split(), self.trouble.failing_webhooks_percent, self.now)));
        desk.lock().keeps_host_calls = self.keeps_host_calls;
        let decider = self.decider;
        let storage = Arc::new(SimStorage {
            clock: clock.clone(),
            desk: Arc::clone(&desk),
            buckets: Mutex::new(self.kept),
            decider: decider.clone(),
        });
        let directory: Arc<dyn DirectoryPort> = match &decider {
            None => self.directory,
            Some(decider) => {
                let (desk, decider) = (Arc::clone(&desk), Arc::clone(decider));
                Arc::new(DecidedDirectory { directory: self.directory, desk, decider })
            }
        };
        let promises = SimPromises { post: Arc::clone(&post), desk: Arc::clone(&desk), decider: decider.clone() };
        let ports = Ports {
            storage: Arc::clone(&storage) as Arc<dyn StoragePort>,
            fetch: Arc::new(SimFetch {
                clock: clock.clone(),
                desk: Arc::clone(&desk),
                origins: self.back_ends,
                other: self.other_back_ends,
                decider: decider.clone(),
            }),
            promises: Arc::new(promises),
            directory,
            secrets: Arc::new(SimSecrets { desk: Arc::clone(&desk), secrets: self.secrets }),
            clock: Arc::new(clock.clone()) as Arc<dyn Clock>,
            random: Arc::new(random),
            sink: Arc::new(DeskSink(Arc::clone(&desk))),
        };
        Stage::new(Setting {
            seed: self.seed,
            now: self.now,
            dice,
            trouble: self.trouble,
            operators: self.operators,
            recordings: self.recordings,
            routes: self.routes,
            limits: self.limits,
            scripts: self.scripts,
            deployments: self.deployments,
            drains: self.drains,
            callers: self.callers,
            callees: self.callees,
            campaigns: self.campaigns,
            quiet: self.quiet,
            logged_in: self.logged_in,
            operators_do: self.operators_do,
            deaths: self.deaths,
            announcements: self.announcements,
            desk,
            post,
            clock,
            ports,
            decider,
            words: self.words,
            journal: self.journal,
            storage,
            until_script_is_over: self.until_script_is_over,
            beside: self.beside,
        })
        .run()
    }

    /// For very many runs of the same world: what is the same in all of them is made now, and each ends with the script of
    /// its first call.
    pub(crate) fn for_many_runs(mut self) -> Self {
        self = self.with_twins().quiet();
        self.until_script_is_over = true;
        self.beside = beside();
        self.words = Arc::new(KnownWords::of(self.words));
        self
    }

    fn with_twins(mut self) -> Self {
        if !self.has_twins {
            add_twins(Arc::make_mut(&mut self.routes), self.now);
            self.has_twins = true;
        }
        self
    }
}
