//! A form with a file in it: its fields, and the file as bytes of a limited number.

use super::form::Form;
use super::visit::{self, Refused, Visit};
use crate::Admin;
use crate::auth::csrf;
use crate::problem::{Problem, codes};
use axum::extract::{FromRequestParts, Request};
use axum::http::header;
use bytes::Bytes;

/// Longest field beside the file.
const FIELD_BYTES_MAX: u64 = 32 * 1024;
/// Fields and files of a form.
const FIELDS_MAX: usize = 512;

/// A form that came with a file.
pub(crate) struct Sent {
    pub(crate) visit: Visit,
    pub(crate) form: Form,
    /// Nothing where none was chosen.
    pub(crate) file: Option<Bytes>,
}

/// Which part of a form is long.
pub(crate) struct Long {
    /// A file, or a field with the text of one.
    pub(crate) names: [&'static str; 2],
    pub(crate) bytes_max: usize,
}

/// Reads a form. The token is compared before anything long is read.
pub(crate) async fn read(admin: &Admin, request: Request, long: &Long) -> Result<Sent, Refused> {
    let (mut parts, body) = request.into_parts();
    let visit = Visit::from_request_parts(&mut parts, admin).await?;
    let check = csrf::look(&parts.method, &parts.headers)?;
    let boundary = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary = boundary.and_then(|kind| multer::parse_boundary(kind).ok());
    let boundary =
        boundary.ok_or_else(|| Problem::new(&codes::UNSUPPORTED_TYPE, "The form is not multipart/form-data."))?;
    let mut limit = multer::SizeLimit::new().per_field(FIELD_BYTES_MAX);
    for name in long.names {
        limit = limit.for_field(name, long.bytes_max as u64);
    }
    let constraints = multer::Constraints::new().size_limit(limit);
    let mut multipart = multer::Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let (mut form, mut file) = (Form::new(""), None);
    for _ in 0..FIELDS_MAX {
        let Some(field) = multipart.next_field().await.map_err(|error| broken(&error))? else { break };
        let name = field.name().unwrap_or_default().to_owned();
        let of_file = field.file_name().map(|name| !name.is_empty());
        if of_file.is_some() || long.names.contains(&name.as_str()) {
            visit::verify(&check, form.value(csrf::CSRF_FIELD))?;
            let bytes = field.bytes().await.map_err(|error| broken(&error))?;
            let chosen = of_file.unwrap_or(true) && !bytes.is_empty();
            file = file.or(chosen.then_some(bytes));
        } else {
            let value = field.text().await.map_err(|error| broken(&error))?;
            form = form.with(&name, value);
        }
    }
    visit::verify(&check, form.value(csrf::CSRF_FIELD))?;
    Ok(Sent { visit, form, file })
}

fn broken(error: &multer::Error) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { limit, .. } => {
            Problem::new(&codes::TOO_LARGE, format!("A part of the form has more than {limit} bytes."))
        }
        error => Problem::new(&codes::TIMEOUT, format!("The form could not be read: {error}.")),
    }
}
