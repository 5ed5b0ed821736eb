use serde_json::Value;

/// A resource as it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its address: `aws_sqs_queue.dead["order-summary"]`.
    pub address: String,
    /// Its type: `aws_sqs_queue`.
    pub kind: String,
    /// Its name: `dead`.
    pub name: String,
    /// Which of its name it is: `order-summary`; empty if there is one.
    pub index: String,
    /// All its values.
    pub values: Value,
}

/// All resources of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Resources(pub Vec<Resource>);

impl Resources {
    /// Those of `state`, as Terraform shows it in JSON; `None` if it is not of that form.
    pub(crate) fn of(state: &Value) -> Option<Self> {
        let listed = state["root_module"]["resources"].as_array()?.iter();
        let managed = listed.filter(|resource| resource["mode"] == "managed");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let resources = managed.map(|resource| Resource {
            address: text(&resource["address"]),
            kind: text(&resource["type"]),
            name: text(&resource["name"]),
            index: text(&resource["index"]),
            values: resource["values"].clone(),
        });
        Some(Self(resources.collect()))
    }

    /// Those of `kind` and `name`.
    pub fn of_name(&self, kind: &str, name: &str) -> impl Iterator<Item = &Resource> {
        self.0.iter().filter(move |resource| resource.kind == kind && resource.name == name)
    }

    /// The one at `address`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn at(&self, address: &str) -> &Resource {
        let found = self.0.iter().find(|resource| resource.address == address);
        found.unwrap_or_else(|| panic!("{address} is missing"))
    }
}
