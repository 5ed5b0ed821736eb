use std::process::ExitCode;

use skyfold::{Error, ErrorKind};

/// How a run ended, as its exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: what was asked for was done.
    Done,
    /// 1: it was refused, or it failed.
    Failed,
    /// 2: it makes no sense as it was asked for, and never will.
    Usage,
}

impl Exit {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Invalid => Self::Usage,
            _ => Self::Failed,
        }
    }
}
