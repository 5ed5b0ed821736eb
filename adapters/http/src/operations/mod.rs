//! What operators ask and do, if the app is served to them: one subject per file.

mod metrics;
pub(crate) mod privacy;

use std::sync::Arc;

use axum::Router;

use crate::options::Operations;
use crate::router::Host;

/// The paths of operators; none at all where they are hidden.
pub(crate) fn routes(host: &Arc<Host>) -> Router {
    match host.options.operations {
        Operations::Hidden => Router::new(),
        Operations::Served => {
            Router::new().merge(metrics::routes(host.clone())).merge(privacy::routes(host.clone()))
        }
    }
}
