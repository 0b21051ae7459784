//! For every row of the table that is campaigns', a request that succeeds for who may.

use crate::cases::{By, Case, case, live};
use crate::world::{World, ask};
use gudok_admin::access::Operation;
use serde_json::json;

/// What the audit says of a write or a look.
pub fn audited_as(operation: Operation) -> Option<&'static str> {
    Some(match operation {
        Operation::CampaignSet => "campaign.create",
        Operation::CampaignDelete => "campaign.delete",
        Operation::CampaignStart => "campaign.start",
        Operation::CampaignPause => "campaign.pause",
        Operation::CampaignResume => "campaign.resume",
        Operation::CampaignStop => "campaign.stop",
        Operation::CampaignForecastOf => "campaign.forecast",
        Operation::ContactsImport => "contacts.import",
        Operation::ContactsCopy => "contacts.copy",
        Operation::ContactsFind | Operation::ContactsList | Operation::ContactRead => "contacts.read",
        Operation::ContactDecide => "contacts.decide",
        Operation::CampaignResults => "campaign.results",
        Operation::OptOutAdd => "opt-out.add",
        Operation::OptOutsFind => "opt-out.find",
        Operation::OptOutWithdraw => "opt-out.withdraw",
        Operation::OptOutsImport => "opt-out.import",
        _ => return None,
    })
}

/// A request for an operation, about something of `agency`, by somebody called `asker`: the emergency officer's campaigns
/// are emergencies.
pub async fn make(world: &World, operation: Operation, agency: &str, path: String, asker: &str) -> Case {
    let method = operation.route().method.http();
    let request = |path: String| ask(method.as_str(), path);
    let name = format!("spring-{}", world.fresh());
    let emergency = asker == "officer";
    let path = path.replace("{name}", &name).replace("{no}", "1");
    let document = json!({ "agency": agency, "entry": "main", "trunk": "city", "emergency": emergency });
    let list = b"number\n+79990000001\n".to_vec();
    let present = |state: &str| world.engine.campaign_of(&name, agency, emergency, state);
    match operation {
        Operation::CampaignFacts => case(By::Nothing, 200, request(path)),
        Operation::CampaignsList => {
            present("draft");
            case(By::Agency, 200, request(format!("{path}?agency={agency}")))
        }
        Operation::OptOutsList => case(By::Agency, 200, request(format!("{path}?agency={agency}"))),
        Operation::CampaignSet => case(By::Agency, 201, request(path).json(&document)),
        Operation::CampaignStart => {
            live(world, agency).await;
            present("draft");
            case(By::Id, 200, request(path))
        }
        Operation::CampaignPause | Operation::CampaignStop => {
            present("running");
            case(By::Id, 200, request(path))
        }
        Operation::CampaignResume => {
            present("paused");
            case(By::Id, 200, request(path))
        }
        Operation::CampaignDelete => {
            present("draft");
            case(By::Id, 204, request(path))
        }
        Operation::CampaignForecastOf => {
            present("draft");
            case(By::Id, 200, request(path).json(&document))
        }
        Operation::ContactsImport => {
            present("draft");
            case(By::Id, 200, request(format!("{path}?format=csv")).bytes("text/csv", list))
        }
        Operation::ContactsCopy => {
            present("draft");
            world.engine.campaign_of("kept-ready", agency, false, "draft");
            case(By::Id, 200, request(path).json(&json!({ "from": "kept-ready", "areas": ["42"] })))
        }
        Operation::ContactsFind => {
            present("draft");
            case(By::Id, 200, request(path).json(&json!({ "number": "+79990000001" })))
        }
        Operation::ContactDecide => {
            present("running");
            case(By::Id, 200, request(path).json(&json!({ "decision": "try-again" })))
        }
        Operation::OptOutAdd => {
            let body = json!({ "number": "+79990000001", "agency": agency, "reason": "asked so" });
            case(By::Agency, 201, request(path).json(&body))
        }
        Operation::OptOutsFind => case(By::Nothing, 200, request(path).json(&json!({ "number": "+79990000001" }))),
        Operation::OptOutWithdraw => {
            let key = format!("{:032x}", world.fresh());
            world.engine.opt_out_of(&key, Some(agency));
            let body = json!({ "agency": agency, "reason": "wrote so on 3 May" });
            case(By::Agency, 204, request(path.replace("{id}", &key)).json(&body))
        }
        Operation::OptOutsImport => {
            let path = format!("{path}?format=csv&agency={agency}");
            case(By::Agency, 200, request(path).bytes("text/csv", list))
        }
        // The rest only reads: one campaign, or what is in it.
        _ => {
            present("running");
            case(By::Id, 200, request(path))
        }
    }
}
