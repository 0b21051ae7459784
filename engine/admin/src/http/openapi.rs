//! OpenAPI made of the code: each route's handler says what is its own, the table and the gate add what all have.

use crate::access::{Gate, Operation, ROUTES, Route, Verb};
use crate::problem::{PROBLEM_JSON, ProblemBody, codes};
use bytes::Bytes;
use utoipa::PartialSchema;
use utoipa::openapi::path::{HttpMethod, Operation as Documented, Parameter, ParameterBuilder, ParameterIn, Paths};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr, Required,
};

const TOKEN: &str = "token";
const SESSION: &str = "session";
const DESCRIPTION: &str = "Who may do what is in one table; each refusal is application/problem+json and says what to do. \
    Writes take Idempotency-Key; changes of a document take If-Match with the ETag that was seen.";

/// What the routes say, collected.
#[derive(Default)]
pub(super) struct Collected {
    paths: Paths,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// The only operation of a handler, with what all of its kind have.
pub(super) fn operation(route: &Route, paths: Paths) -> Documented {
    let item = paths.paths.into_values().next().unwrap_or_default();
    let own = match route.method {
        Verb::Get => item.get,
        Verb::Post => item.post,
        Verb::Put => item.put,
        Verb::Delete => item.delete,
    };
    let mut documented = own.unwrap_or_default();
    documented.operation_id = Some(format!("{:?}", route.operation));
    let parameters = documented.parameters.get_or_insert_default();
    parameters.extend(common_parameters(route).into_iter().map(RefOr::T));
    documented.security = Some(match route.gate {
        Gate::Signed => [TOKEN, SESSION].map(|name| SecurityRequirement::new(name, [""; 0])).to_vec(),
        Gate::Open => Vec::new(),
        Gate::Local => vec![SecurityRequirement::default(), SecurityRequirement::new(TOKEN, [""; 0])],
    });
    for code in refusals(route, documented.request_body.is_some()) {
        let answers = &mut documented.responses.responses;
        answers.entry(code.as_u16().to_string()).or_insert_with(|| RefOr::T(refusal(code)));
    }
    documented
}

impl Collected {
    pub(super) fn add(&mut self, route: &Route, operation: Documented, schemas: Vec<(String, RefOr<Schema>)>) {
        let method = match route.method {
            Verb::Get => HttpMethod::Get,
            Verb::Post => HttpMethod::Post,
            Verb::Put => HttpMethod::Put,
            Verb::Delete => HttpMethod::Delete,
        };
        let item = PathItem::new(method, operation);
        match self.paths.paths.get_mut(route.path) {
            Some(present) => present.merge_operations(item),
            None => {
                self.paths.paths.insert(route.path.to_owned(), item);
            }
        }
        self.schemas.extend(schemas);
    }

    /// The document, as JSON.
    pub(super) fn finish(self) -> Bytes {
        let mut schemas = self.schemas;
        <ProblemBody as utoipa::ToSchema>::schemas(&mut schemas);
        schemas.push(("Problem".to_owned(), ProblemBody::schema()));
        schemas.extend(crate::names::schemas());
        let cookie = ApiKeyValue::new(crate::auth::SESSION_COOKIE);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("gdk_…")).build();
        let components = ComponentsBuilder::new()
            .schemas_from_iter(schemas)
            .security_scheme(TOKEN, SecurityScheme::Http(bearer))
            .security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
            .build();
        let info = InfoBuilder::new()
            .title("Gudok, the admins' API")
            .version(env!("CARGO_PKG_VERSION"))
            .description(Some(DESCRIPTION))
            .build();
        let document: OpenApi = OpenApiBuilder::new().info(info).paths(self.paths).components(Some(components)).build();
        debug_assert!(ROUTES.iter().all(|route| document.paths.paths.contains_key(route.path)));
        Bytes::from(document.to_json().unwrap_or_default())
    }
}

/// Every status that a refusal of the route may have. Rather one too many than an answer that nobody expected.
fn refusals(route: &Route, has_body: bool) -> Vec<axum::http::StatusCode> {
    let always = [
        &codes::BAD_QUERY,
        &codes::METHOD_NOT_ALLOWED,
        &codes::NOT_ACCEPTABLE,
        &codes::URI_TOO_LONG,
        &codes::MISDIRECTED,
        &codes::RATE_LIMITED,
        &codes::HEADERS_TOO_LARGE,
        &codes::INTERNAL,
        &codes::BUSY,
    ];
    let mut all = always.map(|code| code.status).to_vec();
    let mut add_if = |yes: bool, codes: &[&codes::Code]| {
        if yes {
            all.extend(codes.iter().map(|code| code.status));
        }
    };
    add_if(route.gate != Gate::Open, &[&codes::UNAUTHENTICATED, &codes::FORBIDDEN, &codes::DISK_LOW]);
    add_if(route.method.writes(), &[&codes::CSRF, &codes::EXISTS, &codes::INVALID, &codes::DISK_LOW]);
    add_if(route.method.writes() || has_body, &[&codes::TIMEOUT, &codes::TOO_LARGE, &codes::UNSUPPORTED_TYPE]);
    add_if(route.path.contains('{') || route.method.writes(), &[&codes::NOT_FOUND]);
    add_if(takes_revision(route.operation), &[&codes::STALE, &codes::PRECONDITION_REQUIRED]);
    // The engine may say so: the version went, the place does not have it.
    let asks_the_engine = matches!(
        route.operation,
        Operation::VersionDifference
            | Operation::CallJournal
            | Operation::DeploymentHistory
            | Operation::DirectorySearch
            | Operation::CallbackNumber
            | Operation::CampaignFacts
            | Operation::CampaignsList
            | Operation::CampaignRead
            | Operation::CampaignSeries
            | Operation::CampaignForecast
            | Operation::ContactsList
            | Operation::ContactRead
            | Operation::CampaignResults
            | Operation::OptOutsList
    );
    add_if(asks_the_engine, &[&codes::CONFLICTING, &codes::UNKNOWN_VERSION]);
    // Two who change the same thing at the same moment: the ledger tells the second one.
    add_if(route.method.writes(), &[&codes::STALE]);
    all
}

fn refusal(status: axum::http::StatusCode) -> utoipa::openapi::Response {
    let all = codes::ALL.iter().filter(|code| code.status == status);
    let words: Vec<String> = all.map(|code| format!("`{}`: {}", code.code, code.title)).collect();
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new().description(words.join("; ")).content(PROBLEM_JSON, Content::new(Some(schema))).build()
}

fn common_parameters(route: &Route) -> Vec<Parameter> {
    let mut all = Vec::new();
    if takes_revision(route.operation) {
        let what = "The ETag that a GET answered. Needed for a change (PUT) of a document that exists.";
        all.push(header("If-Match", what, "^\"[0-9]{1,18}\"$", 20));
    }
    if route.method.writes()
        && !matches!(
            route.operation,
            Operation::Login
                | Operation::Logout
                | Operation::CallReplay
                | Operation::Rehearse
                | Operation::OverlayRecord
                | Operation::DirectoryImport
                | Operation::ContactsImport
                | Operation::OptOutsImport
        )
    {
        let what = "The same key with the same request gives the same answer again, for a day.";
        all.push(header("Idempotency-Key", what, "^[!-~]{1,128}$", 128));
    }
    all
}

fn header(name: &str, what: &str, pattern: &str, len_max: usize) -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .min_length(Some(1))
        .max_length(Some(len_max))
        .build();
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(what))
        .schema(Some(schema))
        .build()
}

/// Documents that are changed by revision.
const fn takes_revision(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::UserUpdate
            | Operation::UserDelete
            | Operation::AgencyUpdate
            | Operation::AgencyDelete
            | Operation::RetentionSet
            | Operation::NumberUpdate
            | Operation::NumberDelete
            | Operation::EntrySet
            | Operation::Deploy
            | Operation::Release
            | Operation::RollBack
            | Operation::OverlaySet
            | Operation::OverlayDelete
            | Operation::OperatorUpdate
            | Operation::OperatorDelete
            | Operation::MarkSet
            | Operation::WebhookSet
            | Operation::WebhookDelete
            | Operation::GuideSet
            | Operation::GuideDelete
            | Operation::CampaignSet
            | Operation::CampaignDelete
            | Operation::DirectorySet
            | Operation::DirectoryDelete
    )
}
