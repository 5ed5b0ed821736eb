//! What the Functions host posts, as its source has it, what Event Grid delivers, as it is
//! documented, and what comes of it. Neither of them runs here.

mod queues;
mod scene;
mod topics;
#[cfg(feature = "container-apps")]
mod webhooks;
#[cfg(feature = "container-apps")]
mod works;
