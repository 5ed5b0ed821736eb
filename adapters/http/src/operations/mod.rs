//! What operators ask and do, if the app is served to them: one subject per file.

pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod metrics;
pub(crate) mod privacy;
pub(crate) mod read_models;
pub(crate) mod sagas;

use std::sync::Arc;

use axum::Router;

use crate::options::Operations;
use crate::router::Host;

/// The paths of operators; none at all where they are hidden.
pub(crate) fn routes(host: &Arc<Host>) -> Router {
    match host.options.operations {
        Operations::Hidden => Router::new(),
        Operations::Served => {
            let routes = [
                dead_letters::routes,
                events::routes,
                metrics::routes,
                privacy::routes,
                read_models::routes,
                sagas::routes,
            ];
            routes.iter().fold(Router::new(), |router, routes| router.merge(routes(host.clone())))
        }
    }
}
