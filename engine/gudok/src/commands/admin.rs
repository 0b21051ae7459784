//! The commands by which people run an engine: nearly all of them ask a running one over its API.

use super::centre::{callbacks, directory, guides, operators, queues, reports, supervise, tickets};
use super::remote::{Outcome, Remote, Screen, anonymous, end, online};
use super::{
    audit, calls, campaigns, configuration, deploy, deployments, entries, keys, login, logs, overlay, people, places,
    privacy, publish, recordings, signing, trace, versions,
};
use clap::{Args, Subcommand};
use std::process::ExitCode;

/// Nothing but whom to ask.
#[derive(Debug, Args)]
pub(crate) struct Plain {
    #[command(flatten)]
    remote: Remote,
}

/// Everything that admins, authors, auditors and emergency officers do with a running engine.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Logs in at an engine and keeps the token for the commands after it.
    Login(login::Arguments),
    /// Logs out: the token works no more.
    Logout(Plain),
    /// Says who is logged in, where, and with which roles.
    Whoami(Plain),
    /// Puts a project, a bundle or a version live at an entry, for all callers or a share of them.
    Deploy(deploy::Arguments),
    /// Hands a project's or a file's bundle over without putting it live: to the engine, or to a registry.
    Publish(publish::Arguments),
    /// Gives the canary all callers.
    Release(deployments::Release),
    /// Shows how a new version's calls end, watches it, and changes its share of callers.
    Canary(deployments::Canary),
    /// Goes back to the version before, in one step. Running calls keep theirs.
    Rollback(deployments::Rollback),
    /// Says what is live where, and what happened there.
    Deployments(deployments::Arguments),
    /// Lists versions; shows, compares, uploads, downloads and deletes one.
    Versions(versions::Arguments),
    /// Approves the rights that a version asks for.
    Approve(versions::Judgement),
    /// Refuses a version for good.
    Refuse(versions::Judgement),
    /// Says who is on the line; hangs up, or hands a caller to an operator.
    Calls(calls::Arguments),
    /// Says what happened in a call, line by line.
    Trace(trace::Arguments),
    /// Prints what scripts log.
    Logs(logs::Arguments),
    /// Says why scripts were stopped, and where.
    Faults(logs::Faults),
    /// Lists what was recorded in a call, and fetches it.
    Recordings(recordings::Arguments),
    /// Says who talks to callers and what each is doing; makes, changes and orders operators.
    Operators(operators::Arguments),
    /// Says who waits, caller by caller, and how the peer centres are.
    Queues(queues::Arguments),
    /// Says who is owed a call; promises one, and decides about it.
    Callbacks(callbacks::Arguments),
    /// Takes part in a talk: listens, whispers to the operator, barges in.
    Supervise(supervise::Arguments),
    /// Lists what callers were promised in writing; registers one more.
    Tickets(tickets::Tickets),
    /// Says whether tickets reached their agencies; tries one again.
    Deliveries(tickets::Deliveries),
    /// Searches, shows, imports and exports the directory.
    Directory(directory::Arguments),
    /// Makes, fills, tries, starts and watches campaigns: whom to call, when, and what came of it.
    #[command(alias = "campaign")]
    Campaigns(campaigns::Arguments),
    /// Says who does not want to be called; notes one more, takes one back.
    #[command(alias = "opt-out")]
    OptOuts(campaigns::opt_outs::Arguments),
    /// Manages what operators say and ask, by topic.
    Guide(guides::Arguments),
    /// Says what a time came to: calls, service levels, callbacks, surveys.
    Reports(reports::Reports),
    /// Lists what callers answered after their calls.
    Surveys(reports::Surveys),
    /// Says who did what; checks that the record is whole; exports it.
    Audit(audit::Arguments),
    /// Makes a pair of keys to sign bundles with.
    Keygen(signing::Keygen),
    /// Signs a bundle.
    Sign(signing::Sign),
    /// Checks a bundle's signature.
    Verify(signing::Verify),
    /// Manages the keys that sign for an agency.
    Key(keys::Arguments),
    /// Manages the people who may ask the engine.
    User(people::Users),
    /// Manages tokens for programs.
    Token(people::Tokens),
    /// Manages where dialled numbers lead.
    Number(places::Numbers),
    /// Manages agencies.
    Agency(places::Agencies),
    /// Manages the settings and secrets of an entry's script.
    Entry(entries::Arguments),
    /// Manages emergency announcements, which every caller hears first.
    Overlay(overlay::Arguments),
    /// Gives out or erases what is kept about a caller.
    Subject(privacy::Subjects),
    /// Manages for how long an agency's data is kept.
    Retention(privacy::Retention),
    /// Shows the configuration in force; reads gudok.toml anew.
    Configuration(configuration::Arguments),
}

/// Runs one.
pub(crate) fn main(command: &Command) -> ExitCode {
    match command {
        Command::Login(a) => anonymous(&a.remote, async |screen| login::login(screen, a).await),
        Command::Logout(a) => anonymous(&a.remote, async |screen| login::logout(screen, &a.remote).await),
        Command::Whoami(a) => online(&a.remote, async |session| login::whoami(session).await),
        Command::Deploy(a) => online(&a.remote, async |session| deploy::run(session, a).await),
        Command::Publish(a) => publish::main(a),
        Command::Release(a) => online(&a.remote, async |session| deployments::release(session, a).await),
        Command::Canary(a) => online(&a.remote, async |session| deployments::canary_command(session, a).await),
        Command::Rollback(a) => online(&a.remote, async |session| deployments::rollback(session, a).await),
        Command::Deployments(a) => online(&a.remote, async |session| deployments::run(session, a).await),
        Command::Versions(a) => online(&a.remote, async |session| versions::run(session, a).await),
        Command::Approve(a) => online(&a.remote, async |session| versions::judge(session, a, "approve").await),
        Command::Refuse(a) => online(&a.remote, async |session| versions::judge(session, a, "refuse").await),
        Command::Calls(a) => online(&a.remote, async |session| calls::run(session, a).await),
        Command::Trace(a) => online(&a.remote, async |session| trace::run(session, a).await),
        Command::Logs(a) => online(&a.remote, async |session| logs::run(session, a).await),
        Command::Faults(a) => online(&a.remote, async |session| logs::faults(session, a).await),
        Command::Recordings(a) => online(&a.remote, async |session| recordings::run(session, a).await),
        Command::Operators(a) => online(&a.remote, async |session| operators::run(session, a).await),
        Command::Queues(a) => online(&a.remote, async |session| queues::run(session, a).await),
        Command::Callbacks(a) => online(&a.remote, async |session| callbacks::run(session, a).await),
        Command::Supervise(a) => online(&a.remote, async |session| supervise::run(session, a).await),
        Command::Tickets(a) => online(&a.remote, async |session| tickets::tickets(session, a).await),
        Command::Deliveries(a) => online(&a.remote, async |session| tickets::deliveries(session, a).await),
        Command::Directory(a) => online(&a.remote, async |session| directory::run(session, a).await),
        // Before there is an engine to ask.
        Command::Campaigns(a) if a.asks_for_example() => local(false, campaigns::example),
        Command::Campaigns(a) => online(&a.remote, async |session| campaigns::run(session, a).await),
        Command::OptOuts(a) => online(&a.remote, async |session| campaigns::opt_outs::run(session, a).await),
        Command::Guide(a) => online(&a.remote, async |session| guides::run(session, a).await),
        Command::Reports(a) => online(&a.remote, async |session| reports::reports(session, a).await),
        Command::Surveys(a) => online(&a.remote, async |session| reports::surveys(session, a).await),
        Command::Audit(a) => audit::main(a),
        Command::Keygen(a) => local(a.json, |screen| signing::keygen(screen, a)),
        Command::Sign(a) => local(a.json, |screen| signing::sign(screen, a)),
        Command::Verify(a) => local(a.json, |screen| signing::verify(screen, a)),
        Command::Key(a) => online(&a.remote, async |session| keys::run(session, a).await),
        Command::User(a) => online(&a.remote, async |session| people::users(session, a).await),
        Command::Token(a) => online(&a.remote, async |session| people::tokens(session, a).await),
        Command::Number(a) => online(&a.remote, async |session| places::numbers(session, a).await),
        Command::Agency(a) => online(&a.remote, async |session| places::agencies(session, a).await),
        Command::Entry(a) => online(&a.remote, async |session| entries::run(session, a).await),
        Command::Overlay(a) => online(&a.remote, async |session| overlay::run(session, a).await),
        Command::Subject(a) => online(&a.remote, async |session| privacy::subjects(session, a).await),
        Command::Retention(a) => online(&a.remote, async |session| privacy::retention(session, a).await),
        Command::Configuration(a) => online(&a.remote, async |session| configuration::run(session, a).await),
    }
}

/// Without any engine.
fn local(json: bool, work: impl FnOnce(&Screen) -> Outcome) -> ExitCode {
    let screen = Screen::new(json);
    end(&screen, work(&screen))
}
