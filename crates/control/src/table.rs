//! Which function serves which route: one line each. What a route asks of its caller stands in the table of `access`.

use crate::endpoint::{Endpoint, delete, get, open_get, post, put};
use crate::{configs, openapi, workspaces};

#[rustfmt::skip]
pub(crate) fn table() -> Vec<Endpoint> {
    vec![
        open_get("/openapi.json", "This description", openapi::serve),

        // Configs.
        post("/v1/configs", "Save a config", configs::create),
        get("/v1/configs", "List configs", configs::list),
        get("/v1/configs/{slug}", "A config", configs::retrieve),
        put("/v1/configs/{slug}", "Change a config, which makes a version", configs::update),
        delete("/v1/configs/{slug}", "Remove a config", configs::delete),
        get("/v1/configs/{slug}/versions", "List the versions of a config", configs::versions),
        get("/v1/configs/{slug}/versions/{version}", "A version of a config", configs::version),
        get("/v1/configs/{slug}/diff", "What two versions differ in", configs::compare),
        post("/v1/configs/{slug}/rollback", "Go back to a version", configs::rollback),

        // Workspaces.
        get("/v1/admin/workspaces", "List workspaces", workspaces::list),
        get("/v1/admin/workspaces/{slug}", "A workspace", workspaces::retrieve),
    ]
}
