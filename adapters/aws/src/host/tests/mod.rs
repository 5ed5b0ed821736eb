//! Each trigger, in the form in which AWS documents it, and what Lambda is answered.

mod app;
mod calls;
mod queues;
mod streams;
mod watch;
