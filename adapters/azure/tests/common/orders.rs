//! The order app over HTTP: what is placed, and what is shown of it.

use order::import::{Plan, parse};
use serde_json::{Value, json};
use skyfold::Payload;
use skyfold_cli::Client;

/// What placing `invoices` takes.
pub fn plan(invoices: &str) -> Plan {
    Plan::of(parse::rows(invoices.as_bytes()).unwrap(), "GBP".parse().unwrap()).unwrap()
}

/// What `client` shows of the products and the orders of `invoices`.
pub async fn shown(client: &Client, invoices: &str) -> Vec<Value> {
    let mut shown = vec![];
    for line in invoices.lines().skip(1) {
        let mut fields = line.split(',');
        let order = fields.next().unwrap().trim_start_matches('C').to_owned();
        let product = fields.next().unwrap().to_uppercase();
        for (query, params) in [
            ("show-order", json!({ "order": order })),
            ("stock-of", json!({ "product": product })),
            ("sales-of", json!({ "product": product })),
        ] {
            let asked = Payload::encode(&params).unwrap();
            shown.push(match client.query(query, asked, None).await {
                Ok(answer) => json!([params, serde_json::from_str::<Value>(answer.get()).unwrap()]),
                Err(error) => json!([params, error.kind().code()]),
            });
        }
    }
    shown
}
