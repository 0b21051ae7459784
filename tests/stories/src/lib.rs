//! The twelve caller stories, one file each, as automated calls through sockets. docs/STORIES.md says which of them
//! run and what the others wait for.
//!
//! [`Story`] is a centre with its agencies, an operator and a caller's telephone; [`Line`] is one call of that caller;
//! [`desks`] are operators who work in a queue.
#![forbid(unsafe_code)]

pub mod desks;

use anyhow::ensure;
use gudok_phone::{Call, CallOptions, EndReport, Phone};
use gudok_sockets::parties::{self, PATIENCE};
use gudok_sockets::{ConfigBuilder, Engine, SampleBackend, centre};

/// Whose number the caller shows.
pub const CALLER: &str = "+79135550142";

/// A centre with its agencies' scripts, their back end, an operator and a caller.
pub struct Story {
    /// The engine.
    pub engine: Engine,
    /// The agencies' back end.
    pub back_end: SampleBackend,
    /// Answers at once and hums.
    pub operator: Phone,
    caller: Phone,
}

impl Story {
    /// Opens the centre at that moment, "2026-05-05T02:30:00+07:00", with its log as `RUST_LOG` would have it.
    ///
    /// # Errors
    /// Where a program does not come up.
    pub async fn at(moment: &str, log: &str) -> anyhow::Result<Self> {
        let back_end = SampleBackend::start().await?;
        let operator = parties::operator().await?;
        let config = centre::config(back_end.address)?.operator("anna", operator.local_addr()).log(log);
        let engine = Engine::start_at(&config, Some(moment)).await?;
        Ok(Self { engine, back_end, operator, caller: parties::caller().await? })
    }

    /// Opens a centre that is set up otherwise; its operator is nobody's yet.
    ///
    /// # Errors
    /// Where a program does not come up.
    pub async fn with(
        moment: &str,
        config: impl FnOnce(std::net::SocketAddr) -> anyhow::Result<ConfigBuilder>,
    ) -> anyhow::Result<Self> {
        let back_end = SampleBackend::start().await?;
        let operator = parties::operator().await?;
        let engine = Engine::start_at(&config(back_end.address)?, Some(moment)).await?;
        Ok(Self { engine, back_end, operator, caller: parties::caller().await? })
    }

    /// The caller's telephone.
    #[must_use]
    pub const fn caller(&self) -> &Phone {
        &self.caller
    }

    /// The engine is killed and started again on the same store at that moment.
    ///
    /// # Errors
    /// Where it does not come up.
    pub async fn killed_until(self, moment: &str) -> anyhow::Result<Self> {
        let engine = self.engine.kill_and_restart_at(moment).await?;
        Ok(Self { engine, ..self })
    }

    /// The caller dials the centre.
    ///
    /// # Errors
    /// Where the telephone cannot.
    pub async fn call(&self) -> anyhow::Result<Line> {
        let options = CallOptions { from_user: CALLER.to_owned(), record: true, ..CallOptions::default() };
        Ok(Line(self.caller.call(&self.engine.uri(centre::NUMBER), options).await?))
    }

    /// Whether the telephones saw something at their sockets that no well-behaved peer does.
    ///
    /// # Errors
    /// Where they did.
    pub fn was_well_behaved(&self) -> anyhow::Result<()> {
        for phone in [&self.caller, &self.operator] {
            ensure!(phone.oddities().is_empty(), "{:?}", phone.oddities());
        }
        Ok(())
    }
}

/// The lines of an `[[agency]]` that bring its tickets to the sample back end.
///
/// # Errors
/// Where the secret's file is not there.
pub fn webhook(back_end: std::net::SocketAddr) -> anyhow::Result<String> {
    let secret = gudok_sockets::root().join("demo/secrets/webhook");
    ensure!(secret.is_file(), "{} is missing", secret.display());
    Ok(format!("webhook = {{ url = \"http://{back_end}/webhook\", secret_file = {secret:?} }}"))
}

/// One call of the caller.
pub struct Line(pub Call);

impl Line {
    /// Waits for a prompt with these words, and presses keys while it is said. Gives the whole prompt.
    ///
    /// # Errors
    /// Where the prompt does not come.
    pub async fn asked(&self, words: &str, keys: &str) -> anyhow::Result<String> {
        let prompt = self.0.heard(words, PATIENCE).await?;
        self.0.press(keys)?;
        Ok(prompt)
    }

    /// Waits for a prompt with these words.
    ///
    /// # Errors
    /// Where it does not come.
    pub async fn hears(&self, words: &str) -> anyhow::Result<String> {
        Ok(self.0.heard(words, PATIENCE).await?)
    }

    /// All that was said so far, as one text.
    #[must_use]
    pub fn said(&self) -> String {
        parties::prompts(&self.0).join(" ")
    }

    /// Waits until the engine hangs up, and looks whether it kept to the rules in this call.
    ///
    /// # Errors
    /// Where the call does not end, or the engine did not.
    pub async fn ended(&self) -> anyhow::Result<EndReport> {
        let end = self.0.wait_ended(PATIENCE).await?;
        ensure!(end.oddities.is_empty(), "{:?}", end.oddities);
        ensure!(end.status == 200, "the call ended with {}", end.status);
        Ok(end)
    }
}
