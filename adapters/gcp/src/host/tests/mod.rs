//! Each delivery, in the form in which Google Cloud documents it, and what it is answered.

mod deliveries;
mod scene;
mod tokens;
mod watch;
