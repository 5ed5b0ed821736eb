//! What the Functions host posts, as its source has it, and what comes of it. The host itself does
//! not run here.

mod queues;
mod scene;
mod topics;
