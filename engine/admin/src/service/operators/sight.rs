//! Who sees which operators.

use crate::Admin;
use crate::access::{Role, Scope};
use crate::auth::Principal;
use crate::documents::{UserDocument, kinds};
use crate::ports::OperatorRow;
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};

/// Which operators somebody sees: those of the agencies within reach, by their queues or by their users' roles; and
/// oneself.
#[derive(Debug)]
pub(crate) struct Sight {
    scope: Scope,
    own: Option<String>,
    /// Agencies in which users are operators, by user; empty where everything is within reach.
    of_users: BTreeMap<String, BTreeSet<String>>,
}

impl Sight {
    pub(crate) async fn of(admin: &Admin, who: &Principal, scope: Scope) -> Result<Self, Problem> {
        let own = who.has(Role::Operator).then(|| who.user.clone());
        let of_users = if scope == Scope::Me { BTreeMap::new() } else { grants(admin).await? };
        Ok(Self { scope, own, of_users })
    }

    /// Nobody.
    pub(crate) const fn none() -> Self {
        Self { scope: Scope::Me, own: None, of_users: BTreeMap::new() }
    }

    pub(crate) fn sees(&self, row: &OperatorRow) -> bool {
        self.own.as_deref() == Some(row.name.as_str())
            || match &self.scope {
                Scope::Everything => true,
                Scope::Agencies(agencies) => agencies.iter().any(|agency| self.belongs(row, agency)),
                Scope::Me => false,
            }
    }

    pub(crate) fn belongs(&self, row: &OperatorRow, agency: &str) -> bool {
        let by_user = self.of_users.get(&row.name).is_some_and(|agencies| agencies.contains(agency));
        by_user || row.agencies.iter().any(|of| of == agency)
    }
}

async fn grants(admin: &Admin) -> Result<BTreeMap<String, BTreeSet<String>>, Problem> {
    let users = admin.ledger().all::<UserDocument>(kinds::USER, "").await?;
    let operators = users.into_iter().map(|user| {
        let grants = user.body.roles.into_iter().filter(|grant| grant.role == Role::Operator);
        (user.id, grants.filter_map(|grant| grant.agency).map(|agency| agency.to_string()).collect())
    });
    Ok(operators.collect())
}
