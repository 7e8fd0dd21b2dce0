//! What a service may do in a role that it assumes.
//!
//! The role's trust policy, its inline and attached policies and its boundary are evaluated: Allow and Deny, actions
//! and resources with their wildcards and inversions, and conditions on what the service says of itself. Of the
//! policies that AWS keeps, those that speak of HealthLake or of everything are known; the others allow nothing.

use super::{Iam, Role};
use crate::services::policy::{self, Decision, Kind};
use crate::store::World;

/// Why a service may not do something in a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NoSuchRole,
    /// The trust policy does not let the service assume the role.
    NotTrusted,
    /// No policy of the role allows the action.
    NotAllowed,
    /// A policy of the role denies the action.
    Denied,
}

/// Whether `service` may assume the role `arn` of any account and do `action` on `resource` in it. With `external` a role
/// that does not exist here may do everything.
pub(crate) fn permits_service(
    world: &World,
    external: bool,
    arn: &str,
    service: &str,
    (action, resource): (&str, &str),
    context: &[(&str, &str)],
) -> Result<(), Refused> {
    let account = world.accounts.get(arn.split(':').nth(4).unwrap_or_default());
    let decided = account.ok_or(Refused::NoSuchRole);
    match decided.and_then(|account| account.iam.permits_service(arn, service, (action, resource), context)) {
        Err(Refused::NoSuchRole) if external => Ok(()),
        other => other,
    }
}

impl Iam {
    /// Whether `service` may assume the role `arn` and do `action` on `resource` in it.
    ///
    /// `context` has the condition keys that the service sends, such as `aws:SourceArn`.
    fn permits_service(
        &self,
        arn: &str,
        service: &str,
        (action, resource): (&str, &str),
        context: &[(&str, &str)],
    ) -> Result<(), Refused> {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let role = self.role(name).filter(|role| role.arn == arn).ok_or(Refused::NoSuchRole)?;
        let principal = format!("Service:{service}");
        let trusted = policy::parse(&role.trust, Kind::Trust)
            .is_ok_and(|trust| trust.allows("sts:AssumeRole", "*", &[&principal], context));
        if !trusted {
            return Err(Refused::NotTrusted);
        }
        self.decide(role, action, resource, context)
    }

    fn decide(&self, role: &Role, action: &str, resource: &str, context: &[(&str, &str)]) -> Result<(), Refused> {
        let attached = role.attached.iter().filter_map(|arn| self.document(arn));
        let own = attached.chain(role.inline.values().map(String::as_str));
        let boundary = role.boundary.as_deref().map(|arn| self.document(arn).unwrap_or_default());
        let decision = |document: &str| {
            policy::parse(document, Kind::Identity).ok().and_then(|policy| policy.decides(action, resource, context))
        };
        match (own.filter_map(decision).max(), boundary.map(decision)) {
            (Some(Decision::Deny), _) | (_, Some(Some(Decision::Deny))) => Err(Refused::Denied),
            (None, _) | (_, Some(None)) => Err(Refused::NotAllowed),
            (Some(Decision::Allow), _) => Ok(()),
        }
    }

    /// The document in force of a managed policy, if it is known.
    fn document(&self, arn: &str) -> Option<&str> {
        if let Some(policy) = self.policies.get(arn) {
            return policy.versions.get(&policy.default).map(|version| version.document.as_str());
        }
        kept_by_aws(super::managed::known(arn)?)
    }
}

/// What the policies that AWS keeps say of HealthLake (AWS managed policy reference).
fn kept_by_aws(path: &str) -> Option<&'static str> {
    Some(match path {
        "/AdministratorAccess" => r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
        "/PowerUserAccess" => {
            r#"{"Statement":{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}}"#
        }
        "/AmazonHealthLakeFullAccess" => r#"{"Statement":{"Effect":"Allow","Action":"healthlake:*","Resource":"*"}}"#,
        "/AmazonHealthLakeReadOnlyAccess" => {
            r#"{"Statement":{"Effect":"Allow","Action":["healthlake:ListFHIRDatastores",
                "healthlake:DescribeFHIRDatastore","healthlake:DescribeFHIRImportJob",
                "healthlake:DescribeFHIRExportJob","healthlake:GetCapabilities","healthlake:ReadResource",
                "healthlake:SearchWithGet","healthlake:SearchWithPost","healthlake:SearchEverything"],
                "Resource":"*"}}"#
        }
        "/ReadOnlyAccess" => {
            r#"{"Statement":{"Effect":"Allow","Action":["healthlake:Describe*","healthlake:Get*",
                "healthlake:List*","healthlake:ReadResource","healthlake:Search*"],"Resource":"*"}}"#
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const ROLE: &str = "arn:aws:iam::000000000000:role/service-role/reader";
    const STORE: &str = "arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/0123";
    const FROM_STORE: &[(&str, &str)] = &[("aws:SourceAccount", "000000000000"), ("aws:SourceArn", STORE)];

    fn trust(condition: &Value) -> String {
        json!({"Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "healthlake.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": condition,
        }})
        .to_string()
    }

    fn account(trust: String, attached: &[&str], inline: &[Value]) -> Iam {
        let role = Role {
            name: "reader".to_owned(),
            path: "/service-role/".to_owned(),
            id: "AROA".to_owned(),
            arn: ROLE.to_owned(),
            created: Timestamp::UNIX_EPOCH,
            trust,
            description: None,
            max_session: 3600,
            boundary: None,
            tags: Default::default(),
            inline: inline
                .iter()
                .enumerate()
                .map(|(n, p)| (n.to_string(), json!({"Statement": p}).to_string()))
                .collect(),
            attached: attached.iter().map(|arn| (*arn).to_owned()).collect(),
        };
        let mut iam = Iam::default();
        iam.roles.insert("reader".to_owned(), role);
        iam
    }

    fn ask(iam: &Iam, action: &str) -> Result<(), Refused> {
        iam.permits_service(ROLE, "healthlake.amazonaws.com", (action, STORE), FROM_STORE)
    }

    fn open_trust() -> String {
        trust(&json!({"StringEquals": {"aws:SourceAccount": "000000000000"}}))
    }

    #[test]
    fn trust_is_given_to_a_service_under_its_conditions() {
        let full = ["arn:aws:iam::aws:policy/AmazonHealthLakeFullAccess"];
        assert_eq!(ask(&account(open_trust(), &full, &[]), "healthlake:ReadResource"), Ok(()));
        let exact = trust(&json!({"ArnEquals": {"aws:SourceArn": STORE}}));
        assert_eq!(ask(&account(exact, &full, &[]), "healthlake:ReadResource"), Ok(()));
        let other = trust(&json!({"ArnEquals": {"aws:SourceArn": format!("{STORE}4")}}));
        assert_eq!(ask(&account(other, &full, &[]), "healthlake:ReadResource"), Err(Refused::NotTrusted));
        let iam = account(open_trust(), &full, &[]);
        let lambda = iam.permits_service(ROLE, "lambda.amazonaws.com", ("healthlake:ReadResource", STORE), FROM_STORE);
        assert_eq!(lambda, Err(Refused::NotTrusted));
        let path = ROLE.replace("/service-role", "");
        let missing = iam.permits_service(&path, "healthlake.amazonaws.com", ("healthlake:ReadResource", STORE), &[]);
        assert_eq!(missing, Err(Refused::NoSuchRole));
    }

    #[test]
    fn policies_allow_deny_and_say_nothing() {
        let read =
            json!({"Effect": "Allow", "Action": ["healthlake:Read*", "healthlake:Search?ithGet"], "Resource": STORE});
        let iam = account(open_trust(), &[], std::slice::from_ref(&read));
        assert_eq!(ask(&iam, "healthlake:ReadResource"), Ok(()));
        assert_eq!(ask(&iam, "healthlake:SearchWithGet"), Ok(()));
        assert_eq!(ask(&iam, "healthlake:DeleteResource"), Err(Refused::NotAllowed));
        let elsewhere = json!({"Effect": "Allow", "Action": "healthlake:*", "Resource": format!("{STORE}4")});
        assert_eq!(ask(&account(open_trust(), &[], &[elsewhere]), "healthlake:ReadResource"), Err(Refused::NotAllowed));
        let but = json!({"Effect": "Deny", "NotAction": "healthlake:SearchWithGet", "Resource": "*"});
        let iam = account(open_trust(), &[], &[read, but]);
        assert_eq!(ask(&iam, "healthlake:ReadResource"), Err(Refused::Denied));
        assert_eq!(ask(&iam, "healthlake:SearchWithGet"), Ok(()));
        let unknown = account(open_trust(), &["arn:aws:iam::aws:policy/AmazonS3FullAccess"], &[]);
        assert_eq!(ask(&unknown, "healthlake:ReadResource"), Err(Refused::NotAllowed));
    }

    #[test]
    fn a_boundary_is_a_limit_and_not_a_grant() {
        let full = ["arn:aws:iam::aws:policy/AmazonHealthLakeFullAccess"];
        let mut iam = account(open_trust(), &full, &[]);
        let bounded = |iam: &mut Iam, arn: &str| iam.roles.get_mut("reader").unwrap().boundary = Some(arn.to_owned());
        bounded(&mut iam, "arn:aws:iam::aws:policy/AmazonHealthLakeReadOnlyAccess");
        assert_eq!(ask(&iam, "healthlake:ReadResource"), Ok(()));
        assert_eq!(ask(&iam, "healthlake:CreateResource"), Err(Refused::NotAllowed));
        let mut iam = account(open_trust(), &[], &[]);
        bounded(&mut iam, "arn:aws:iam::aws:policy/AdministratorAccess");
        assert_eq!(ask(&iam, "healthlake:ReadResource"), Err(Refused::NotAllowed));
    }

    proptest! {
        #[test]
        fn a_denial_wins_whatever_else_is_said(statements in proptest::collection::vec(any::<(bool, bool)>(), 0..6)) {
            let inline: Vec<Value> = statements
                .iter()
                .map(|(allows, matches)| json!({
                    "Effect": if *allows { "Allow" } else { "Deny" },
                    "Action": if *matches { "healthlake:*" } else { "s3:*" },
                    "Resource": "*",
                }))
                .collect();
            let said = |wanted: bool| statements.iter().any(|(allows, matches)| *matches && *allows == wanted);
            let expected = match (said(false), said(true)) {
                (true, _) => Err(Refused::Denied),
                (false, true) => Ok(()),
                (false, false) => Err(Refused::NotAllowed),
            };
            prop_assert_eq!(ask(&account(open_trust(), &[], &inline), "healthlake:ReadResource"), expected);
        }
    }
}
