use std::sync::OnceLock;

use skyfold::{Error, ErrorKind, Kind, Result, Runtime};

/// Who announces and who hears, as far as a host needs it.
///
/// A manifest describes everything in full, schemas included: it is made once for each settling,
/// and only if something happened.
#[derive(Debug, Default)]
pub(crate) struct Subscribers(OnceLock<Names>);

#[derive(Debug)]
struct Names {
    relay: Option<String>,
    /// Each projection and saga, with the categories it hears.
    hearing: Vec<(String, Vec<String>)>,
}

impl Subscribers {
    /// Finds out about the functions of `runtime`, unless that was done.
    pub(crate) fn prepare(&self, runtime: &Runtime) {
        self.names(runtime);
    }

    /// The function of `runtime` that announces.
    pub(crate) fn relay(&self, runtime: &Runtime) -> Result<&str> {
        let missing = || Error::new(ErrorKind::NotFound, "the app has no relay function");
        self.names(runtime).relay.as_deref().ok_or_else(missing)
    }

    /// The functions of `runtime` that hear events of `category`, in order of name.
    pub(crate) fn of<'a>(
        &'a self,
        runtime: &Runtime,
        category: &'a str,
    ) -> impl Iterator<Item = &'a str> {
        let hears = move |(_, heard): &&(String, Vec<String>)| heard.iter().any(|h| h == category);
        self.names(runtime).hearing.iter().filter(hears).map(|(name, _)| name.as_str())
    }

    fn names(&self, runtime: &Runtime) -> &Names {
        self.0.get_or_init(|| {
            let manifest = runtime.manifest();
            let relay = manifest.of(Kind::Relay).next().map(|relay| relay.name.clone());
            let functions = manifest.functions.into_iter();
            let hearing = functions.filter(|function| !function.hears.is_empty());
            let hearing = hearing.map(|function| (function.name, function.hears)).collect();
            Names { relay, hearing }
        })
    }
}
