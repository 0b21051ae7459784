//! The loop that owns the machine.

use super::keep::{Book, RunDocument};
use super::prepare::{self, AskScript, Held, OpenContact};
use super::series::Series;
use super::zones::Zones;
use super::{Attempting, Campaigns, Heard, Inbox, figures, recover, views};
use crate::clock::EngineClock;
use crate::config::CampaignsConfig;
use crate::keys::Subjects;
use crate::live::LiveCalls;
use futures_util::stream::{FuturesUnordered, StreamExt};
use gudok_admin::documents::CampaignDocument;
use gudok_admin::ports::{CampaignRow, Event};
use gudok_core::campaign::{
    AttemptEnd, AttemptId, AttemptStart, CampaignCall, CampaignCommand, CampaignInput, CampaignMachine, CampaignReport,
    CampaignSave, CampaignSettings, CampaignsSettings, Disposition, Load, Plan, PrepareFailure, RunState, SaveId,
};
use gudok_core::ids::Campaign;
use gudok_core::leg::DialTarget;
use gudok_core::prompt::LanguageTag;
use gudok_core::time::Timestamp;
use gudok_store::Store;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Contacts that are opened, and scripts that are asked, at once.
const PREPARING_MAX: usize = 128;
/// Things heard that are taken in one turn.
const HEARD_AT_ONCE_MAX: usize = 256;
/// Watchers and gauges are told so often.
const SHOW_EVERY: Duration = Duration::from_secs(1);
/// The wall clock has been set where it and the steady one differ by more over [`SHOW_EVERY`].
const CLOCK_JUMP_MIN: Duration = Duration::from_millis(500);

/// What the task works with.
pub(crate) struct Parts {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<EngineClock>,
    pub(crate) subjects: Subjects,
    pub(crate) live: Arc<LiveCalls>,
    /// Asks scripts about contacts.
    pub(crate) scripts: AskScript,
    /// The centre's language.
    pub(crate) lang: LanguageTag,
    pub(crate) config: CampaignsConfig,
    /// Calls that are to be begun.
    pub(crate) starts: mpsc::Sender<Box<CampaignStart>>,
    /// There is nothing to be read.
    pub(crate) without_store: bool,
}

/// A call to be begun now.
pub(crate) struct CampaignStart {
    pub(crate) start: AttemptStart,
    pub(crate) call: CampaignCall,
    /// The contact's own language, or the campaign's.
    pub(crate) lang: LanguageTag,
    /// Says that it ended, whatever becomes of the call.
    pub(crate) attempting: Attempting,
}

/// Starts the task; what a former process left is read in the background.
pub(crate) fn start(parts: Parts) -> Campaigns {
    figures::describe();
    let (campaigns, inbox) = Campaigns::new();
    let book = Book { store: parts.store, clock: parts.clock, subjects: parts.subjects };
    let now = book.now();
    let shared = Arc::clone(&parts.config.settings);
    let task = Task {
        machine: CampaignMachine::new(shared, rand::random(), now),
        book: book.clone(),
        scripts: parts.scripts,
        live: parts.live,
        config: parts.config,
        zones: Zones::default(),
        known: BTreeMap::new(),
        erasing: BTreeSet::new(),
        held: Held::default(),
        saving: FuturesUnordered::new(),
        promises: Vec::new(),
        last_saves: Vec::new(),
        changed: BTreeSet::new(),
        preparing: Arc::new(Semaphore::new(PREPARING_MAX)),
        starts: parts.starts,
        load: Load::default(),
        drains: false,
        campaigns: campaigns.clone(),
    };
    if !parts.without_store {
        tokio::spawn(recover::recover(campaigns.clone(), book, parts.lang));
    }
    tokio::spawn(task.run(inbox));
    campaigns
}

type Saving = Pin<Box<dyn Future<Output = (SaveId, Result<(), String>)> + Send>>;

/// What is known of a campaign besides its figures.
pub(super) struct Known {
    /// Of what people decide.
    pub(super) revision: u64,
    pub(super) document: Arc<CampaignDocument>,
    pub(super) settings: Arc<CampaignSettings>,
    pub(super) run: RunDocument,
    pub(super) series: Series,
}

pub(super) struct Task {
    campaigns: Campaigns,
    pub(super) machine: CampaignMachine,
    pub(super) book: Book,
    scripts: AskScript,
    live: Arc<LiveCalls>,
    pub(super) config: CampaignsConfig,
    pub(super) zones: Zones,
    pub(super) known: BTreeMap<Campaign, Known>,
    /// Campaigns that were removed, and whose contacts are not all erased.
    pub(super) erasing: BTreeSet<Campaign>,
    held: Held,
    saving: FuturesUnordered<Saving>,
    /// Answers that wait for something to be durable.
    promises: Vec<(SaveId, oneshot::Sender<Result<(), String>>)>,
    /// Of the last feeding.
    last_saves: Vec<SaveId>,
    /// Whose figures have changed since watchers were told.
    changed: BTreeSet<Campaign>,
    preparing: Arc<Semaphore>,
    starts: mpsc::Sender<Box<CampaignStart>>,
    load: Load,
    drains: bool,
}

impl Task {
    async fn run(mut self, mut inbox: Inbox) {
        let mut timer = pin!(tokio::time::sleep_until(tokio::time::Instant::now()));
        let mut timer_for = None;
        let mut show = tokio::time::interval(SHOW_EVERY);
        show.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut clocks = (Instant::now(), self.book.now());
        loop {
            let deadline = self.machine.deadline();
            if let Some(deadline) = deadline.filter(|_| deadline != timer_for) {
                timer.as_mut().reset(self.book.clock.instant(deadline));
            }
            timer_for = deadline;
            tokio::select! {
                Some((save, saved)) = self.saving.next() => self.saved(save, saved),
                heard = inbox.heard.recv() => {
                    let Some(heard) = heard else { return };
                    self.hear(heard);
                    for _ in 1..HEARD_AT_ONCE_MAX {
                        let Ok(heard) = inbox.heard.try_recv() else { break };
                        self.hear(heard);
                    }
                }
                Some(order) = inbox.orders.recv() => order(&mut self),
                () = timer.as_mut(), if deadline.is_some() => {
                    timer_for = None;
                    self.machine.handle_timeout(self.book.now());
                    self.carry_out();
                }
                _ = show.tick() => {
                    if self.clock_was_set(&mut clocks) {
                        timer_for = None;
                        self.feed(CampaignInput::ClockMoved);
                    }
                    self.show();
                }
            }
        }
    }

    /// Whether the wall clock has gone another way than the steady one.
    fn clock_was_set(&self, (steady, wall): &mut (Instant, Timestamp)) -> bool {
        let (now_steady, now_wall) = (Instant::now(), self.book.now());
        let (went, expected) = (now_wall, *wall + now_steady.duration_since(*steady));
        (*steady, *wall) = (now_steady, now_wall);
        let apart = went.since(expected).max(expected.since(went));
        if apart >= CLOCK_JUMP_MIN {
            tracing::warn!(
                apart_ms = crate::clock::millis(apart),
                "the machine's clock was set; campaigns look at their windows anew"
            );
        }
        apart >= CLOCK_JUMP_MIN
    }

    pub(super) fn feed(&mut self, input: CampaignInput) {
        self.machine.handle(input, self.book.now());
        self.carry_out();
    }

    fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Report(attempt, CampaignReport::Answered) => self.feed(CampaignInput::Answered(attempt)),
            Heard::Report(attempt, CampaignReport::Connected) => self.feed(CampaignInput::Connected(attempt)),
            Heard::Report(attempt, CampaignReport::Ended(end)) => self.feed(CampaignInput::Ended(attempt, end)),
            Heard::Prepared(attempt, prepared) => self.prepared(attempt, prepared),
            Heard::Load(load) => {
                self.load = load;
                self.tell_load();
            }
            Heard::Drain => {
                self.drains = true;
                self.tell_load();
            }
            Heard::Configured(config) => {
                self.config = *config;
                self.configure();
            }
        }
    }

    fn tell_load(&mut self) {
        let closed = self.load.closed || self.drains;
        self.feed(CampaignInput::Load(Load { closed, ..self.load.clone() }));
    }

    /// The machine's settings are the file's, with the zones that were met.
    pub(super) fn configure(&mut self) {
        let settings = self.shared();
        self.feed(CampaignInput::Configured(settings));
    }

    pub(super) fn shared(&self) -> Arc<CampaignsSettings> {
        Arc::new(CampaignsSettings { zones: self.zones.rules(), ..CampaignsSettings::clone(&self.config.settings) })
    }

    /// Does something of which writings-down follow, and tells when the last of them is durable.
    pub(super) fn durably<E>(
        &mut self,
        order: impl FnOnce(&mut CampaignMachine, Timestamp) -> Result<(), E>,
    ) -> Result<oneshot::Receiver<Result<(), String>>, E> {
        let now = self.book.now();
        self.last_saves.clear();
        order(&mut self.machine, now)?;
        self.carry_out();
        let (answer, answered) = oneshot::channel();
        match self.last_saves.last() {
            Some(save) => self.promises.push((*save, answer)),
            None => {
                let _ = answer.send(Ok(()));
            }
        }
        Ok(answered)
    }

    fn saved(&mut self, save: SaveId, saved: Result<(), String>) {
        if let Err(problem) = &saved {
            figures::not_kept();
            tracing::error!(problem, "what became of a campaign's contact was not written down; it is tried again");
        }
        let mut at = 0;
        while at < self.promises.len() {
            if self.promises[at].0 == save {
                let _ = self.promises.swap_remove(at).1.send(saved.clone());
            } else {
                at += 1;
            }
        }
        self.feed(CampaignInput::Saved(save, saved));
    }

    /// Does what the machine says, until it says nothing more.
    fn carry_out(&mut self) {
        while let Some(command) = self.machine.poll_command() {
            match command {
                CampaignCommand::Prepare(attempt) => self.prepare(attempt),
                CampaignCommand::Save(save, what) => self.save(save, &what),
                CampaignCommand::Dial(start) => self.dial(*start),
                CampaignCommand::Changed(campaign) => {
                    self.changed.insert(campaign);
                }
            }
        }
    }

    fn prepare(&mut self, attempt: AttemptId) {
        let Some(settings) = self.known.get(&attempt.campaign).map(|known| Arc::clone(&known.settings)) else {
            return self.feed_later(attempt, Err(PrepareFailure::Store("the campaign is being removed".to_owned())));
        };
        let counted = self.counted(&attempt);
        let (book, scripts) = (self.book.clone(), Arc::clone(&self.scripts));
        let (campaigns, places) = (self.campaigns.clone(), Arc::clone(&self.preparing));
        tokio::spawn(async move {
            let begun = Instant::now();
            // The semaphore is never closed.
            let _place = places.acquire_owned().await;
            let prepared = prepare::ask(&book, &*scripts, &attempt, counted, &settings).await;
            figures::prepared(&attempt.campaign, &prepared, begun.elapsed());
            campaigns.say(Heard::Prepared(attempt, prepared));
        });
    }

    fn feed_later(&self, attempt: AttemptId, prepared: Result<(Plan, Option<OpenContact>), PrepareFailure>) {
        self.campaigns.say(Heard::Prepared(attempt, prepared));
    }

    /// Attempts of a contact that counted.
    fn counted(&self, attempt: &AttemptId) -> u8 {
        self.machine.contact(&attempt.campaign, attempt.contact).map_or(0, |view| view.seed.spent.attempts)
    }

    fn prepared(&mut self, attempt: AttemptId, prepared: Result<(Plan, Option<OpenContact>), PrepareFailure>) {
        let plan = match prepared {
            Ok((Plan::Dial, Some(open))) => {
                self.held.put(attempt.clone(), open);
                Ok(Plan::Dial)
            }
            Ok((plan, _)) => Ok(plan),
            Err(failure) => {
                tracing::debug!(campaign = %attempt.campaign, contact = attempt.contact.0, ?failure, "not prepared");
                Err(failure)
            }
        };
        self.feed(CampaignInput::Prepared(attempt, plan));
    }

    fn save(&mut self, save: SaveId, what: &CampaignSave) {
        self.last_saves.push(save);
        let now = self.book.now();
        let run = match what {
            CampaignSave::Run { campaign, state, reason } => self.known.get_mut(campaign).map(|known| {
                known.run.state = state.as_str().to_owned();
                known.run.since_ms = now.as_millis();
                known.run.reason = reason.as_ref().map(ToString::to_string);
                tracing::info!(%campaign, state = state.as_str(), reason = known.run.reason, "campaign");
                known.run.clone()
            }),
            CampaignSave::Contact { campaign, attempt, .. } => {
                if let Some(end) = attempt.as_ref().and_then(|attempt| attempt.end.as_ref()) {
                    figures::ended(campaign, &end.disposition);
                    if let Some(known) = self.known.get_mut(campaign) {
                        known.series.add(now, end.disposition.kind());
                    }
                }
                None
            }
            CampaignSave::OptOut(..) | CampaignSave::OptIn(..) => None,
        };
        let written = self.book.write(what, run.as_ref());
        self.saving.push(Box::pin(async move { (save, written.await.map_err(|error| error.to_string())) }));
    }

    fn dial(&mut self, start: AttemptStart) {
        let attempting = self.campaigns.begin(start.attempt.clone());
        if let Some(open) = self.held.take(&start.attempt) {
            return begin(&self.campaigns, &self.starts, start, open, attempting);
        }
        // It waited so long that it was let go.
        let (counted, book) = (self.counted(&start.attempt), self.book.clone());
        let (campaigns, starts) = (self.campaigns.clone(), self.starts.clone());
        tokio::spawn(async move {
            match prepare::open(&book, &start.attempt, counted).await {
                Ok(Some(open)) => begin(&campaigns, &starts, start, open, attempting),
                Ok(None) | Err(_) => campaigns.report(start.attempt, not_dialled()),
            }
        });
    }

    /// Tells whoever watches, and brings the gauges up to date.
    fn show(&mut self) {
        let now = self.book.now();
        for campaign in std::mem::take(&mut self.changed) {
            if let Some(row) = self.row(&campaign, now) {
                figures::show(&campaign, &row.figures);
                self.live.tell(|| Event::Campaign(Box::new(row)));
            }
        }
    }

    /// A campaign as people see it.
    pub(super) fn row(&self, campaign: &Campaign, now: Timestamp) -> Option<CampaignRow> {
        let (known, figures) = (self.known.get(campaign)?, self.machine.figures(campaign, now)?);
        Some(views::campaign_row(campaign, known, &figures))
    }

    /// Takes in what is decided about a campaign, where it is newer than what is known.
    pub(super) fn put(
        &mut self,
        revision: u64,
        document: Arc<CampaignDocument>,
        settings: Arc<CampaignSettings>,
        run: RunDocument,
    ) {
        let name = settings.name.clone();
        let state = run.run();
        match self.known.get_mut(&name) {
            Some(known) if known.revision >= revision => return,
            Some(known) => {
                (known.revision, known.document, known.settings) = (revision, document, Arc::clone(&settings));
            }
            None => {
                let known =
                    Known { revision, document, settings: Arc::clone(&settings), run, series: Series::default() };
                self.known.insert(name.clone(), known);
            }
        }
        self.feed(CampaignInput::Put(settings, state));
        self.changed.insert(name);
    }

    /// A campaign is no more; its contacts are erased in the background.
    pub(super) fn removed(&mut self, campaign: &Campaign) {
        self.known.remove(campaign);
        self.erasing.insert(campaign.clone());
        figures::forget(campaign);
        self.feed(CampaignInput::Removed(campaign.clone()));
    }

    /// Whether it may be taken away: nothing of it goes on.
    pub(super) fn is_at_rest(&self, campaign: &Campaign) -> bool {
        self.machine
            .standing(campaign, self.book.now())
            .is_none_or(|figures| figures.run != RunState::Running && figures.in_hand == 0)
    }
}

/// Hands a call over to whoever begins calls.
fn begin(
    campaigns: &Campaigns,
    starts: &mpsc::Sender<Box<CampaignStart>>,
    start: AttemptStart,
    open: OpenContact,
    attempting: Attempting,
) {
    let attempt = start.attempt.clone();
    let call = CampaignCall {
        attempt: attempt.clone(),
        target: DialTarget { trunk: Some(start.trunk.clone()), address: open.contact.number.clone() },
        contact: open.contact,
        ring_max: start.ring_max,
        on_machine: start.on_machine,
        queue: start.queue.clone(),
    };
    let lang = open.lang.unwrap_or_else(|| start.lang.clone());
    if let Err(lost) = starts.try_send(Box::new(CampaignStart { start, call, lang, attempting })) {
        tracing::error!("a campaign's call could not be begun: too many begin at once");
        // Before the guard says that nobody knows.
        campaigns.report(attempt, not_dialled());
        drop(lost);
    }
}

fn not_dialled() -> CampaignReport {
    let disposition = Disposition::NotDialled;
    CampaignReport::Ended(AttemptEnd { disposition, answered_by: None, answered: None, status: None })
}
