//! Makes on the emulator what Terraform has planned, from the plan's own values.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deploy::{Resource, Resources};
use emulators::Ministack;
use serde_json::{Map, Value, json};

/// What is planned and not made: the emulator checks no rights, and nobody looks at its alarms and
/// logs.
const NOT_MADE: [&str; 9] = [
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_log_metric_filter",
    "aws_cloudwatch_metric_alarm",
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_kms_alias",
    "aws_kms_key",
    "aws_lambda_permission",
    "aws_sqs_queue_policy",
];

/// The role of every function.
const ROLE: &str = "arn:aws:iam::000000000000:role/order";

/// How long a message is invisible once a function has it: as long as a call may take here. What is
/// planned is six times as long, which is how long a test would wait for what was killed.
const VISIBILITY_SECONDS: u64 = 10;

/// Variables of an environment.
pub(crate) type Variables = Vec<(&'static str, String)>;

/// What is being made, and where.
pub(crate) struct Making<'a> {
    ministack: &'a Ministack,
    planned: &'a Resources,
    /// What Terraform has made up, and what is there instead.
    real: Vec<(String, String)>,
    kinds: BTreeSet<&'a str>,
}

/// A value of a resource, by its name.
fn text<'a>(resource: &'a Resource, name: &str) -> &'a str {
    let value = resource.values[name].as_str();
    value.unwrap_or_else(|| panic!("{} has no {name}", resource.address))
}

/// `body` without what is absent or, in Terraform's way of saying so, 0.
fn stated(body: Value) -> Value {
    let Value::Object(fields) = body else { return body };
    let is_stated = |value: &Value| !value.is_null() && *value != 0;
    Value::Object(fields.into_iter().filter(|(_, value)| is_stated(value)).collect())
}

impl<'a> Making<'a> {
    pub(crate) fn new(ministack: &'a Ministack, planned: &'a Resources) -> Self {
        Self { ministack, planned, real: vec![], kinds: BTreeSet::new() }
    }

    /// The resources of `kind` and `name`, or of any name.
    fn all(&mut self, kind: &'static str, name: Option<&str>) -> Vec<&'a Resource> {
        self.kinds.insert(kind);
        let all = self.planned.0.iter().filter(|resource| resource.kind == kind);
        all.filter(|resource| name.is_none_or(|name| resource.name == name)).collect()
    }

    /// Remembers what is there in place of what Terraform has made up for `resource` as `name`.
    fn is(&mut self, resource: &Resource, name: &str, real: &Value) {
        let real = real.as_str().unwrap_or_else(|| panic!("{} is made", resource.address));
        self.real.push((text(resource, name).to_owned(), real.to_owned()));
    }

    /// `value` with what is there in place of all that was made up.
    pub(crate) fn real(&self, value: &Value) -> Value {
        let is_known = |text: &str| self.real.iter().any(|(made_up, _)| text.contains(made_up));
        match value {
            Value::String(text) if is_known(text) => {
                let real = |text: String, (made_up, real): &(String, String)| {
                    text.replace(made_up.as_str(), real)
                };
                Value::String(self.real.iter().fold(text.clone(), real))
            }
            Value::Array(items) => items.iter().map(|item| self.real(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.clone(), self.real(value)));
                Value::Object(fields.collect::<Map<_, _>>())
            }
            value => value.clone(),
        }
    }

    fn target(&self, service: &str, target: &str, body: Value) -> Value {
        self.ministack.target(service, target, &self.real(&stated(body)))
    }

    fn post(&self, service: &str, path: &str, body: Value) -> Value {
        self.ministack.rest(service, "POST", path, &self.real(&stated(body)))
    }

    pub(crate) fn tables(&mut self) {
        for table in self.all("aws_dynamodb_table", None) {
            let values = &table.values;
            let each = |list: &Value, make: fn(&Value) -> Value| -> Value {
                list.as_array().into_iter().flatten().map(make).collect()
            };
            let indexes = each(&values["global_secondary_index"], |index| {
                let keys = index["key_schema"].as_array().unwrap().iter();
                let key = |key: &Value| {
                    let (name, role) = (&key["attribute_name"], &key["key_type"]);
                    json!({ "AttributeName": name, "KeyType": role })
                };
                json!({
                    "IndexName": index["name"],
                    "KeySchema": keys.map(key).collect::<Value>(),
                    "Projection": { "ProjectionType": index["projection_type"] },
                })
            });
            let stream = json!({
                "StreamEnabled": true, "StreamViewType": values["stream_view_type"] });
            let body = json!({
                "TableName": values["name"],
                "BillingMode": values["billing_mode"],
                "AttributeDefinitions": each(&values["attribute"], |attribute| {
                    json!({
                        "AttributeName": attribute["name"], "AttributeType": attribute["type"] })
                }),
                "KeySchema": [
                    { "AttributeName": values["hash_key"], "KeyType": "HASH" },
                    { "AttributeName": values["range_key"], "KeyType": "RANGE" },
                ],
                "GlobalSecondaryIndexes":
                    (indexes != json!([])).then_some(indexes),
                "StreamSpecification": (values["stream_enabled"] == true).then_some(stream),
            });
            let made = self.target("dynamodb", "DynamoDB_20120810.CreateTable", body);
            if values["stream_enabled"] == true {
                self.is(table, "stream_arn", &made["TableDescription"]["LatestStreamArn"]);
            }
            let forgets = &values["ttl"][0];
            if forgets["enabled"] == true {
                let says = json!({ "Enabled": true, "AttributeName": forgets["attribute_name"] });
                let body = json!({ "TableName": values["name"], "TimeToLiveSpecification": says });
                self.target("dynamodb", "DynamoDB_20120810.UpdateTimeToLive", body);
            }
        }
    }

    pub(crate) fn queues(&mut self) {
        for name in ["dead", "heard"] {
            for queue in self.all("aws_sqs_queue", Some(name)) {
                let values = &queue.values;
                let redrive = &values["redrive_policy"];
                let is_said = |text: &str| text.starts_with('{');
                let attributes = stated(json!({
                    "MessageRetentionPeriod": values["message_retention_seconds"].to_string(),
                    "VisibilityTimeout": values["visibility_timeout_seconds"].as_u64()
                        .map(|planned| planned.min(VISIBILITY_SECONDS).to_string()),
                    "RedrivePolicy": redrive.as_str().filter(|text| is_said(text)),
                }));
                let body = json!({ "QueueName": values["name"], "Attributes": attributes });
                let made = self.target("sqs", "AmazonSQS.CreateQueue", body);
                self.is(queue, "url", &made["QueueUrl"]);
                let asked = json!({ "QueueUrl": made["QueueUrl"], "AttributeNames": ["QueueArn"] });
                let told = self.target("sqs", "AmazonSQS.GetQueueAttributes", asked);
                self.is(queue, "arn", &told["Attributes"]["QueueArn"]);
            }
        }
    }

    /// Makes the functions of the program in the archive `package`, each with what `more` adds to
    /// its environment.
    pub(crate) fn functions(&mut self, package: &Path, more: impl Fn(&str) -> Variables) {
        let code = STANDARD.encode(std::fs::read(package).unwrap());
        for function in self.all("aws_lambda_function", None) {
            let values = &function.values;
            let mut variables = values["environment"][0]["variables"].clone();
            for (name, value) in more(&function.index) {
                variables[name] = value.into();
            }
            let mut body = self.real(&json!({
                "FunctionName": values["function_name"],
                "Runtime": values["runtime"],
                "Architectures": values["architectures"],
                "Role": ROLE,
                "Handler": values["handler"],
                "Timeout": values["timeout"],
                "MemorySize": values["memory_size"],
                "Environment": { "Variables": variables },
                "Publish": values["publish"],
            }));
            // Nothing is to be looked for in a program.
            body["Code"] = json!({ "ZipFile": code });
            let path = "/2015-03-31/functions";
            let made = self.ministack.rest("lambda", "POST", path, &body);
            self.is(function, "arn", &made["FunctionArn"]);
            self.is(function, "version", &made["Version"]);
        }
        for alias in self.all("aws_lambda_alias", None) {
            let function = text(alias, "function_name");
            let body = json!({
                "Name": alias.values["name"],
                "FunctionVersion": alias.values["function_version"],
            });
            let path = format!("/2015-03-31/functions/{function}/aliases");
            let made = self.post("lambda", &path, body);
            self.is(alias, "arn", &made["AliasArn"]);
        }
        for config in self.all("aws_lambda_function_event_invoke_config", None) {
            let function = text(config, "function_name");
            let qualifier = text(config, "qualifier");
            let path = format!(
                "/2019-09-25/functions/{function}/event-invoke-config?Qualifier={qualifier}"
            );
            let on_failure = &config.values["destination_config"][0]["on_failure"][0];
            let body = self.real(&json!({
                "MaximumRetryAttempts": config.values["maximum_retry_attempts"],
                "DestinationConfig": { "OnFailure": { "Destination": on_failure["destination"] } },
            }));
            self.ministack.rest("lambda", "PUT", &path, &body);
        }
    }

    /// Connects functions with queues and the stream.
    pub(crate) fn mappings(&mut self) {
        for mapping in self.all("aws_lambda_event_source_mapping", None) {
            let values = &mapping.values;
            let filters = values["filter_criteria"][0]["filter"].as_array();
            let pattern = |filter: &Value| json!({ "Pattern": filter["pattern"] });
            let filters: Option<Vec<_>> =
                filters.map(|filters| filters.iter().map(pattern).collect());
            let at_once = &values["scaling_config"][0]["maximum_concurrency"];
            let on_failure = &values["destination_config"][0]["on_failure"][0]["destination_arn"];
            let body = json!({
                "EventSourceArn": values["event_source_arn"],
                "FunctionName": values["function_name"],
                "FunctionResponseTypes": values["function_response_types"],
                "BatchSize": values["batch_size"],
                "StartingPosition": values["starting_position"],
                "ParallelizationFactor": values["parallelization_factor"],
                "MaximumRecordAgeInSeconds": values["maximum_record_age_in_seconds"],
                "MaximumRetryAttempts": values["maximum_retry_attempts"],
                "BisectBatchOnFunctionError": values["bisect_batch_on_function_error"],
                "FilterCriteria": filters.map(|filters| json!({ "Filters": filters })),
                "ScalingConfig":
                    at_once.is_number().then(|| json!({ "MaximumConcurrency": at_once })),
                "DestinationConfig": on_failure.is_string()
                    .then(|| json!({ "OnFailure": { "Destination": on_failure } })),
            });
            self.post("lambda", "/2015-03-31/event-source-mappings/", body);
        }
    }

    pub(crate) fn bus(&mut self) {
        for bus in self.all("aws_cloudwatch_event_bus", None) {
            let body = json!({ "Name": bus.values["name"] });
            let made = self.target("events", "AWSEvents.CreateEventBus", body);
            self.is(bus, "arn", &made["EventBusArn"]);
        }
    }

    pub(crate) fn machines(&mut self) {
        for machine in self.all("aws_sfn_state_machine", None) {
            let values = &machine.values;
            let body = json!({
                "name": values["name"],
                "type": values["type"],
                "roleArn": ROLE,
                "definition": values["definition"],
            });
            let made = self.target("states", "AWSStepFunctions.CreateStateMachine", body);
            self.is(machine, "arn", &made["stateMachineArn"]);
        }
    }

    pub(crate) fn rules(&mut self) {
        for rule in self.all("aws_cloudwatch_event_rule", None) {
            let values = &rule.values;
            let body = json!({
                "Name": values["name"],
                "EventBusName": values["event_bus_name"],
                "EventPattern": values["event_pattern"],
                "ScheduleExpression": values["schedule_expression"],
            });
            let made = self.target("events", "AWSEvents.PutRule", body);
            self.is(rule, "arn", &made["RuleArn"]);
        }
        for target in self.all("aws_cloudwatch_event_target", None) {
            let values = &target.values;
            let dead = &values["dead_letter_config"][0]["arn"];
            let transformer = &values["input_transformer"][0];
            let transformer = transformer.is_object().then(|| {
                json!({
                    "InputPathsMap": transformer["input_paths"],
                    "InputTemplate": transformer["input_template"],
                })
            });
            let to = stated(json!({
                "Id": values["target_id"],
                "Arn": values["arn"],
                "RoleArn": values["role_arn"].is_string().then_some(ROLE),
                "DeadLetterConfig": dead.is_string().then(|| json!({ "Arn": dead })),
                "InputTransformer": transformer,
            }));
            let body = json!({
                "Rule": values["rule"], "EventBusName": values["event_bus_name"],
                "Targets": [to],
            });
            self.target("events", "AWSEvents.PutTargets", body);
        }
    }

    /// Makes the HTTP API. Returns its id.
    pub(crate) fn api(&mut self) -> String {
        for api in self.all("aws_apigatewayv2_api", None) {
            let values = &api.values;
            let body = json!({
                "name": values["name"], "protocolType": values["protocol_type"] });
            let made = self.post("apigateway", "/v2/apis", body);
            self.is(api, "id", &made["apiId"]);
        }
        let api = self.planned.at("aws_apigatewayv2_api.http");
        let api = self.real(&api.values["id"]).as_str().unwrap().to_owned();
        for integration in self.all("aws_apigatewayv2_integration", None) {
            let values = &integration.values;
            let body = json!({
                "integrationType": values["integration_type"],
                "integrationUri": values["integration_uri"],
                "payloadFormatVersion": values["payload_format_version"],
            });
            let made = self.post("apigateway", &format!("/v2/apis/{api}/integrations"), body);
            self.is(integration, "id", &made["integrationId"]);
        }
        for route in self.all("aws_apigatewayv2_route", None) {
            let values = &route.values;
            let body = json!({
                "routeKey": values["route_key"],
                "target": values["target"],
                "authorizationType": values["authorization_type"],
            });
            self.post("apigateway", &format!("/v2/apis/{api}/routes"), body);
        }
        for stage in self.all("aws_apigatewayv2_stage", None) {
            let values = &stage.values;
            let body = json!({ "stageName": values["name"], "autoDeploy": values["auto_deploy"] });
            self.post("apigateway", &format!("/v2/apis/{api}/stages"), body);
        }
        api
    }

    /// Sees that nothing else was planned.
    pub(crate) fn ends(&self) {
        let made = |kind: &&str| self.kinds.contains(kind) || NOT_MADE.contains(kind);
        let planned = self.planned.0.iter().map(|resource| resource.kind.as_str());
        let left: BTreeSet<_> = planned.filter(|kind| !made(kind)).collect();
        assert!(left.is_empty(), "planned, and made by nobody here: {left:?}");
    }
}
