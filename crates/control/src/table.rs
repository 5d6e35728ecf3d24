//! Which function serves which route: one line each. What a route asks of its caller stands in the table of `access`.

use crate::endpoint::{Endpoint, get, open_get};
use crate::{openapi, workspaces};

#[rustfmt::skip]
pub(crate) fn table() -> Vec<Endpoint> {
    vec![
        open_get("/openapi.json", "This description", openapi::serve),

        // Workspaces.
        get("/v1/admin/workspaces", "List workspaces", workspaces::list),
        get("/v1/admin/workspaces/{slug}", "A workspace", workspaces::retrieve),
    ]
}
