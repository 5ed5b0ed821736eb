use deploy::{ADDED, Tools, grown};
use skyfold::Kind;

use crate::{copy_of, made};

pub(crate) fn projection(tools: &Tools) {
    let manifest = grown(order::app().manifest());
    let after = copy_of("grown", &manifest).with("is_public", "true").apply(tools).unwrap();
    let added = after.beside(made(tools), |resource, old, new| {
        // Who answers questions, and who looks for what is missing, may read the new views.
        let kind = manifest.function(&resource.index).map(|function| function.kind);
        let reads = kind == Some(Kind::Query) || ["api", "sweep"].contains(&&*resource.index);
        if resource.kind == "aws_iam_role_policy" && reads {
            old["policy"].take();
            new["policy"].take();
        }
        // The copies are in different folders.
        old["filename"].take();
        new["filename"].take();
    });
    assert!(added.iter().all(|resource| resource.index == ADDED), "{added:#?}");
    for kind in ["aws_cloudwatch_event_rule", "aws_lambda_function", "aws_iam_role"] {
        assert_eq!(added.iter().filter(|resource| resource.kind == kind).count(), 1, "{kind}");
    }
    let queues = added.iter().filter(|resource| resource.kind == "aws_sqs_queue");
    assert_eq!(queues.count(), 2, "its own, and that of what it cannot handle");
}
