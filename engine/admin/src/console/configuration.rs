//! The configuration in force, and reading its file anew.

use super::context::Ctx;
use super::form::Form;
use super::visit::{Outcome, Posted, Refused, Visit};
use crate::access::Operation;
use crate::service::configuration::{self as service, Configuration};
use askama::Template;

/// A part of the configuration.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// The configuration.
#[derive(Template)]
#[template(path = "configuration.html")]
pub(crate) struct ConfigurationPage<'a> {
    pub(crate) c: &'a Ctx,
    pub(crate) form: Form,
    pub(crate) hash: String,
    pub(crate) sections: Vec<Section>,
    pub(crate) may_reload: bool,
    pub(crate) changed: Option<Vec<String>>,
}

impl<'a> ConfigurationPage<'a> {
    pub(crate) fn of(c: &'a Ctx, configuration: &Configuration, form: Form) -> Self {
        let sections = configuration.configuration.as_object().into_iter().flatten();
        let section = |(name, value): (&String, &serde_json::Value)| Section {
            name: name.clone(),
            value: serde_json::to_string_pretty(value).unwrap_or_default(),
        };
        Self {
            c,
            form,
            hash: configuration.file_sha256.clone(),
            sections: sections.map(section).collect(),
            may_reload: c.may(Operation::ConfigurationReload),
            changed: None,
        }
    }
}

fn page(visit: &Visit, form: Form) -> Result<ConfigurationPage<'_>, Refused> {
    let configuration = service::read(&visit.admin, &visit.me)?;
    Ok(ConfigurationPage::of(&visit.c, &configuration, form))
}

/// `GET /console/configuration`
pub(crate) async fn show(visit: Visit) -> Outcome {
    Ok(visit.page(&page(&visit, Form::default())?))
}

/// `POST /console/configuration/reload`
pub(crate) async fn reload(Posted { visit, mut form }: Posted) -> Outcome {
    match service::reload(&visit.admin, &visit.me).await {
        Ok(reloaded) => {
            let mut page = page(&visit, Form::default())?;
            page.changed = Some(reloaded.changed);
            Ok(visit.page(&page))
        }
        Err(problem) => {
            form.refused(visit.c.lang, &problem);
            Ok(visit.again(&page(&visit, form)?))
        }
    }
}
