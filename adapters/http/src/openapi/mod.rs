//! The document that describes the app: OpenAPI 3.1, made of the manifest.

mod components;
mod events;
mod operations;
mod operators;
mod read_models;
mod sagas;
mod shared;

use serde_json::{Map, Value, json};
use skyfold::{Kind, Manifest};

use crate::openapi::components::Components;
use crate::options::{Operations, Options};

/// Describes every path of the app.
pub(crate) fn document(manifest: &Manifest, options: &Options) -> Value {
    let mut components = Components::default();
    shared::add_schemas(&mut components);
    let mut paths = Map::new();
    let mut tags = vec![];
    for function in &manifest.functions {
        let described = match function.kind {
            Kind::Command => operations::commands(function, &mut components),
            Kind::Projection => operations::views(function, &mut components),
            Kind::Query => operations::query(function, &mut components),
            Kind::Saga | Kind::Relay => continue,
        };
        tags.push(json!({ "name": function.name }));
        paths.extend(described);
    }
    tags.push(json!({ "name": operations::HOST }));
    paths.extend(operations::host());
    if options.operations == Operations::Served {
        tags.push(json!({ "name": operators::OPERATIONS }));
        paths.extend(operators::paths());
        paths.extend(events::paths());
        paths.extend(read_models::paths());
        paths.extend(sagas::paths());
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": manifest.app,
            "version": "1",
            "description": DESCRIPTION,
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": components.into_schemas(),
            "parameters": shared::parameters(options),
            "headers": shared::headers(),
            "responses": shared::responses(),
        },
    })
}

const DESCRIPTION: &str = "Commands change streams of events; views, lists and queries show what \
    came of them. Every command has an id, its Idempotency-Key: sent again, it is answered with \
    the first outcome. A receipt names the events of a command, and a reader given one of them in \
    `after` answers once it shows it. Every error is a problem document (RFC 9457).";
