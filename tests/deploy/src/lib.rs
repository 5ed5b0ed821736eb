//! What the project deploys, checked without a cloud: Terraform runs over a copy of a folder below
//! `deploy`, against a provider that knows the real one's schema and makes up whatever a cloud
//! would answer. So a test sees every resource with all its values, and what Terraform refuses.
//!
//! Terraform and the rest of it may be missing on a machine. A case that needs it is then ignored,
//! with the line that says how to get it; where `CI` is `true`, it fails.
//!
//! ```
//! let told = deploy::Tools::find(deploy::Need::Terraform).map(|tools| tools.to_string());
//! assert!(!told.unwrap_or_else(|missing| missing).is_empty());
//! ```

mod careless;
mod cases;
mod growth;
mod mistakes;
mod resources;
mod terraform;
mod tools;

pub use careless::{Careless, assert_explained, assert_noticed};
pub use cases::{Case, run};
pub use growth::{ADDED, grown};
pub use mistakes::{Impossible, Mistake, are_impossible, are_refused};
pub use resources::{Resource, Resources};
pub use terraform::{Copy, Refused};
pub use tools::{Need, Tools};
