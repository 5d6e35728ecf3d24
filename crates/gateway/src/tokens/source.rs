//! Where the keys come from.

use std::path::PathBuf;
use std::time::Duration;

use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use tidegate_upstream::{Egress, OutBody};

/// A JSON Web Key Set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    Url(Uri),
    File(PathBuf),
}

/// For connecting, answering and the whole body together.
const PATIENCE: Duration = Duration::from_secs(10);
/// Far above a hundred keys.
const LARGEST: usize = 1024 * 1024;

impl KeySource {
    /// # Errors
    /// Why there is no text, for the operator.
    pub async fn read(&self, egress: &Egress) -> Result<Vec<u8>, String> {
        match self {
            Self::File(path) => {
                tokio::fs::read(path).await.map_err(|error| format!("{}: {error}", path.display()))
            }
            Self::Url(uri) => match tokio::time::timeout(PATIENCE, fetch(egress, uri)).await {
                Ok(fetched) => fetched.map_err(|why| format!("{uri}: {why}")),
                Err(_) => Err(format!("{uri}: no answer within {} s", PATIENCE.as_secs())),
            },
        }
    }
}

async fn fetch(egress: &Egress, uri: &Uri) -> Result<Vec<u8>, String> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(uri)
        .header(header::ACCEPT, "application/json")
        .body(OutBody::empty())
        .map_err(|error| error.to_string())?;
    let response = egress.send(request, None).await.map_err(|error| error.detail)?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("the answer is {status}"));
    }
    match Limited::new(response.into_body(), LARGEST).collect().await {
        Ok(body) => Ok(body.to_bytes().to_vec()),
        Err(_) => Err(format!("the answer broke off, or is larger than {LARGEST} bytes")),
    }
}
