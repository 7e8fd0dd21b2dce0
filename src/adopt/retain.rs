//! How what hlctl has taken over outlives CloudFormation's stack.

use std::collections::BTreeSet;

use super::instance::Instance;
use hlctl_model::address::Address;
use hlctl_model::text::shell_quoted;

/// A script that gives the stack's resources `DeletionPolicy: Retain` (CloudFormation, "DeletionPolicy attribute"), with which
/// they outlive the stack. It changes nothing else, and deletes nothing: what else the stack holds is for the user to know.
pub fn script(instance: &Instance, unused: &[Address], region: &str) -> Vec<String> {
    let taken = instance.resources.iter().filter(|(address, _)| !unused.contains(address));
    let ids: BTreeSet<&str> = taken.map(|(_, resource)| resource.name.as_str()).collect();
    // Logical ids are alphanumeric (CloudFormation, "Resources section").
    let names = ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let filter = format!(
        ".Resources |= with_entries(if (.key | IN({names})) then .value += \
         {{\"DeletionPolicy\": \"Retain\", \"UpdateReplacePolicy\": \"Retain\"}} else . end)"
    );
    let (stack, region) = (shell_quoted(&instance.module), shell_quoted(region));
    let of_stack = format!("--stack-name {stack} --region {region}");
    vec![
        "set -eu\n# Keep the resources when they leave CloudFormation's stack. A template in YAML is not JSON, and `jq` refuses it:\n\
         # then set both policies in it by hand; in the CDK, `applyRemovalPolicy(RemovalPolicy.RETAIN)`."
            .to_owned(),
        format!("aws cloudformation get-template {of_stack} --query TemplateBody --output json > template.json"),
        format!("jq {} template.json > retained.json", shell_quoted(&filter)),
        format!(
            "parameters=$(aws cloudformation describe-stacks {of_stack} --query 'Stacks[0].Parameters[].[ParameterKey]' \\\n  \
             --output text | sed '/^None$/d; s/.*/ParameterKey=&,UsePreviousValue=true/')"
        ),
        format!(
            "aws cloudformation update-stack {of_stack} --template-body file://retained.json \\\n  --capabilities \
             CAPABILITY_IAM CAPABILITY_NAMED_IAM ${{parameters:+--parameters $parameters}}"
        ),
        format!("aws cloudformation wait stack-update-complete {of_stack}"),
        "# Now take them out of the template, or delete the stack if it holds nothing else that you need.".to_owned(),
    ]
}
