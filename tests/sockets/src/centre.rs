//! The whole sample centre: the main menu, the desks that it leads to, and their back end.

use crate::ConfigBuilder;
use std::net::SocketAddr;

/// Leads to the main menu.
pub const NUMBER: &str = "122";
/// Leads straight to the desk of the public service centres.
pub const MFC_NUMBER: &str = "123";

/// The centre with its agencies; it has no operator yet.
///
/// # Errors
/// Where a bundle was not built.
pub fn config(back_end: SocketAddr) -> anyhow::Result<ConfigBuilder> {
    const APPROVED: &str = "approve = \"as-declared\"";
    let secret = crate::root().join("demo/secrets/back-end");
    let with_back_end =
        format!("{APPROVED}\nconfig = {{ back_end = \"http://{back_end}\" }}\nsecrets = {{ back-end = {secret:?} }}");
    Ok(ConfigBuilder::new()
        .script("centre", "main", crate::bundle("centre")?, APPROVED)
        .agency(
            "centre",
            "reachable = { mfc = \"mfc/desk\", passport = \"migration/passport\", kindergarten = \"education/kindergarten\", \
             utilities = \"utilities/complaint\", booking = \"mfc/booking\" }",
        )
        .script("mfc", "desk", crate::bundle("mfc")?, &with_back_end)
        .script("mfc", "booking", crate::bundle("mfc")?, &with_back_end)
        .script("utilities", "complaint", crate::bundle("utilities")?, APPROVED)
        .script("migration", "passport", crate::bundle("passport")?, &with_back_end)
        .script("education", "kindergarten", crate::bundle("kindergarten")?, &with_back_end)
        .number(NUMBER, "centre", "main")
        .number(MFC_NUMBER, "mfc", "desk"))
}
