use std::sync::Mutex;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::super::refusal::{Outcome, Refusal};
use super::super::smart::{Question, TokenJudge};
use super::super::{Call, is_addressed};
use crate::emulator::{Emulator, Trace};
use crate::{Clock, External, Ids, Options, route};

/// Answers what it was given, and remembers what it was asked.
struct Fake {
    answer: Mutex<Outcome<Value>>,
    asked: Mutex<Vec<(String, String, String)>>,
}

#[async_trait::async_trait]
impl TokenJudge for Fake {
    async fn judge(&self, question: Question<'_>) -> Outcome<Value> {
        let asked = [question.operation, question.token, question.endpoint].map(ToOwned::to_owned);
        self.asked.lock().unwrap().push(asked.into());
        self.answer.lock().unwrap().clone()
    }
}

struct Ward {
    emulator: Emulator,
    store: String,
    judge: Fake,
}

const ROLE: &str = "arn:aws:iam::000000000000:role/smart";

impl Ward {
    async fn new(strategy: &str, fine_grained: bool, capabilities: &[&str]) -> Self {
        Self::neighbour(&[], strategy, fine_grained, capabilities).await
    }

    /// A datastore with two patients of two practitioners. These services are external.
    async fn neighbour(external: &[External], strategy: &str, fine_grained: bool, capabilities: &[&str]) -> Self {
        let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
        let external = external.iter().copied().collect();
        let emulator = Emulator::open(Options { clock, ids: Ids::seeded(1), external, ..Options::default() }).unwrap();
        let metadata = json!({
            "authorization_endpoint": "https://a/authorize", "token_endpoint": "https://a/token",
            "grant_types_supported": ["authorization_code"], "capabilities": capabilities,
            "code_challenge_methods_supported": ["S256"],
        });
        let made = aws(
            &emulator,
            "healthlake",
            "HealthLake.CreateFHIRDatastore",
            &json!({
                "DatastoreTypeVersion": "R4",
                "IdentityProviderConfiguration": {
                    "AuthorizationStrategy": strategy, "FineGrainedAuthorizationEnabled": fine_grained,
                    "IdpLambdaArn": "arn:aws:lambda:us-east-1:000000000000:function:validator",
                    "Metadata": metadata.to_string(),
                },
            })
            .to_string(),
        )
        .await;
        let store = serde_json::from_slice::<Value>(made.body()).unwrap()["DatastoreId"].as_str().unwrap().to_owned();
        let ward = Self {
            emulator,
            store,
            judge: Fake { answer: Mutex::new(Err(Refusal::login("not told"))), asked: Mutex::default() },
        };
        ward.role("healthlake:*").await;
        for content in [
            json!({"resourceType": "Practitioner", "id": "x"}),
            json!({"resourceType": "Patient", "id": "a", "generalPractitioner": [{"reference": "Practitioner/x"}]}),
            json!({"resourceType": "Patient", "id": "b", "link": [{"other": {"reference": "Patient/a"}, "type": "seealso"}]}),
            observation("oa", "a", "laboratory"),
            observation("ob", "b", "laboratory"),
            observation("va", "a", "vital-signs"),
        ] {
            let path = format!("{}/{}", content["resourceType"].as_str().unwrap(), content["id"].as_str().unwrap());
            let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/healthlake/aws4_request, Signature=0";
            assert_eq!(ward.ask_as(signed, "PUT", &path, content.to_string()).await.status(), 201);
        }
        ward
    }

    /// Gives the role for requests with tokens one inline policy.
    async fn role(&self, action: &str) {
        let trust = json!({"Statement": {
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "healthlake.amazonaws.com"},
            "Condition": {"ArnEquals": {"aws:SourceArn": format!("arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/{}", self.store)}},
        }});
        let policy = json!({"Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}});
        for (operation, name, document) in
            [("CreateRole", "AssumeRolePolicyDocument", &trust), ("PutRolePolicy", "PolicyDocument", &policy)]
        {
            let document = document.to_string();
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("Action", operation).append_pair("Version", "2010-05-08").append_pair("RoleName", "smart");
            form.append_pair(name, &document);
            if operation == "PutRolePolicy" {
                form.append_pair("PolicyName", "p");
            }
            aws(&self.emulator, "iam", "", &form.finish()).await;
        }
    }

    fn endpoint(&self) -> String {
        format!("https://healthlake.us-east-1.amazonaws.com/datastore/{}/r4/", self.store)
    }

    /// Lets the judge answer with these scopes and further claims.
    fn grant(&self, scope: &str, claims: &Value) {
        let mut payload = json!({"aud": self.endpoint(), "nbf": 1_767_323_000, "exp": 1_767_333_000, "isAuthorized": true, "scope": scope});
        payload.as_object_mut().unwrap().extend(claims.as_object().cloned().unwrap_or_default());
        self.answer(Ok(json!({"authPayload": payload, "iamRoleARN": ROLE})));
    }

    fn answer(&self, answer: Outcome<Value>) {
        *self.judge.answer.lock().unwrap() = answer;
    }

    async fn ask(&self, method: &str, path: &str, content: Value) -> Response<Bytes> {
        let body = if content.is_null() { String::new() } else { content.to_string() };
        self.ask_as("Bearer the.to.ken", method, path, body).await
    }

    async fn ask_as(&self, authorization: &str, method: &str, path: &str, body: String) -> Response<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/datastore/{}/r4/{path}", self.store))
            .header("host", "127.0.0.1")
            .header("authorization", authorization)
            .body(Bytes::from(body))
            .unwrap();
        self.send(request).await
    }

    async fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        let core = self.emulator.core();
        let route = route::route(&request, &core.options);
        let signed_for = route.caller.access_key.is_some().then_some(route.scope.as_str());
        assert!(is_addressed(&request, signed_for));
        let trace = Trace::new("id".to_owned());
        let call = Call { core, judge: &self.judge, caller: &route.caller, signed_for, trace: &trace };
        call.answer(&request).await
    }

    async fn status(&self, method: &str, path: &str) -> u16 {
        self.ask(method, path, Value::Null).await.status().as_u16()
    }

    async fn ids(&self, path: &str) -> Vec<String> {
        let response = self.ask("GET", path, Value::Null).await;
        assert_eq!(response.status(), 200, "{path}: {}", String::from_utf8_lossy(response.body()));
        let bundle: Value = serde_json::from_slice(response.body()).unwrap();
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn refusal(&self, path: &str) -> (u16, String) {
        let response = self.ask("GET", path, Value::Null).await;
        let outcome: Value = serde_json::from_slice(response.body()).unwrap();
        let text = outcome["issue"][0]["diagnostics"].as_str().unwrap_or_default().to_owned();
        (response.status().as_u16(), text)
    }
}

fn observation(id: &str, patient: &str, category: &str) -> Value {
    json!({
        "resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"},
        "category": [{"coding": [{"code": category}]}],
        "subject": {"reference": format!("Patient/{patient}")},
    })
}

async fn aws(emulator: &Emulator, service: &str, target: &str, body: &str) -> Response<Bytes> {
    let authorization =
        format!("AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/{service}/aws4_request, Signature=0");
    let request = Request::post("/")
        .header("authorization", authorization)
        .header("x-amz-target", target)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    emulator.handle(request).await.unwrap()
}

#[tokio::test]
async fn the_validator_is_asked_by_the_actions_name() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    ward.grant("system/*.*", &json!({}));
    assert_eq!(ward.status("GET", "Patient?name=x").await, 200);
    assert_eq!(ward.status("GET", "Patient/a").await, 200);
    let asked = ward.judge.asked.lock().unwrap().clone();
    let endpoint = ward.endpoint();
    assert_eq!(
        asked,
        [
            ("SearchWithGet".to_owned(), "the.to.ken".to_owned(), endpoint.clone()),
            ("ReadResource".to_owned(), "the.to.ken".to_owned(), endpoint),
        ]
    );
}

#[tokio::test]
async fn the_documents_need_no_token_and_ask_nobody() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    for path in ["metadata", ".well-known/smart-configuration"] {
        assert_eq!(ward.status("GET", path).await, 200);
    }
    assert!(ward.judge.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_validator_that_takes_too_long_is_answered_with_the_documented_text() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    ward.answer(Err(Refusal::timeout("Timeout during custom Idp execution.")));
    let (status, text) = ward.refusal("Patient/a").await;
    assert_eq!((status, text.as_str()), (401, "Timeout during custom Idp execution."));
}

#[tokio::test]
async fn scopes_say_what_may_be_done() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    let patient = json!({"resourceType": "Patient", "id": "a"});
    for (scope, read, search, write, other) in [
        ("system/*.*", 200, 200, 200, 200),
        ("system/*.read", 200, 200, 403, 200),
        ("system/Patient.read", 200, 200, 403, 403),
        ("system/Patient.write", 403, 403, 200, 403),
        ("patient/Patient.* user/Observation.read", 200, 200, 200, 200),
        ("system/Patient.cruds", 403, 403, 403, 403),
    ] {
        ward.grant(scope, &json!({}));
        assert_eq!(ward.status("GET", "Patient/a").await, read, "{scope}");
        assert_eq!(ward.status("GET", "Patient").await, search, "{scope}");
        assert_eq!(ward.ask("PUT", "Patient/a", patient.clone()).await.status(), write, "{scope}");
        assert_eq!(ward.status("GET", "Observation/oa").await, other, "{scope}");
    }
}

#[tokio::test]
async fn the_second_version_distinguishes_reading_from_searching() {
    let ward = Ward::new("SMART_ON_FHIR", false, &["permission-v2"]).await;
    ward.grant("system/Patient.r", &json!({}));
    assert_eq!(ward.status("GET", "Patient/a").await, 200);
    assert_eq!(ward.status("GET", "Patient").await, 403);
    ward.grant("system/Patient.s", &json!({}));
    assert_eq!(ward.status("GET", "Patient/a").await, 403);
    assert_eq!(ward.ids("Patient").await, ["a", "b"]);
    ward.grant("system/Observation.rs?category=laboratory", &json!({}));
    assert_eq!(ward.refusal("Observation").await.0, 403);
}

#[tokio::test]
async fn scopes_with_filters_narrow_what_is_found() {
    let ward = Ward::new("SMART_ON_FHIR", false, &["permission-v2", "permission-v2.2"]).await;
    ward.grant("system/Observation.rs?category=laboratory", &json!({}));
    assert_eq!(ward.ids("Observation").await, ["oa", "ob"]);
    assert_eq!(ward.status("GET", "Observation/va").await, 403);
    ward.grant("system/Observation.rs?category=laboratory system/Observation.rs", &json!({}));
    assert_eq!(ward.ids("Observation").await, ["oa", "ob", "va"]);
    ward.grant("system/Observation.rs?colour=red", &json!({}));
    let (status, text) = ward.refusal("Observation").await;
    assert!(status == 403 && text.starts_with("InvalidScope"), "{status} {text}");
}

#[tokio::test]
async fn a_patients_context_holds_patient_scopes_to_that_patient() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    ward.grant("patient/*.*", &json!({"patient": "a"}));
    assert_eq!(ward.ids("Patient").await, ["a"]);
    assert_eq!(ward.ids("Observation").await, ["oa", "va"]);
    assert_eq!(ward.ids("Patient/a/$everything").await, ["oa", "va", "a", "x"]);
    assert_eq!(ward.status("GET", "Patient/b").await, 403);
    assert_eq!(ward.status("GET", "Patient/b/$everything").await, 403);
    assert_eq!(ward.status("GET", "Observation/ob").await, 403);
    assert_eq!(ward.status("GET", "Observation/ob/_history/1").await, 403);
    assert_eq!(ward.status("GET", "Practitioner/x").await, 200);
    assert_eq!(ward.status("DELETE", "Observation/ob").await, 403);
    let stolen = observation("ob", "a", "laboratory");
    assert_eq!(ward.ask("PUT", "Observation/ob", stolen).await.status(), 403);
    let given = observation("oa", "b", "laboratory");
    assert_eq!(ward.ask("PUT", "Observation/oa", given).await.status(), 403);
    let patch = json!([{"op": "replace", "path": "/subject/reference", "value": "Patient/b"}]);
    assert_eq!(ward.ask("PATCH", "Observation/oa", patch).await.status(), 403);
    assert_eq!(ward.ask("POST", "Observation", observation("n", "b", "laboratory")).await.status(), 403);
    assert_eq!(ward.ask("POST", "Observation", observation("n", "a", "laboratory")).await.status(), 201);
    // Cognito's tokens name no patient.
    ward.grant("patient/*.read", &json!({}));
    assert_eq!(ward.ids("Patient").await, ["a", "b"]);
}

#[tokio::test]
async fn includes_and_histories_show_no_more_than_scopes_do() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    ward.grant("system/Observation.read", &json!({}));
    assert_eq!(ward.ids("Observation?_id=oa&_include=Observation:subject").await, ["oa"]);
    ward.grant("system/Patient.read", &json!({}));
    assert_eq!(ward.ids("Patient?_id=a&_revinclude=Observation:subject").await, ["a"]);
    ward.grant("patient/*.read", &json!({"patient": "a"}));
    assert_eq!(ward.ids("Observation/_history").await, ["va", "oa"]);
    assert_eq!(ward.ids("Patient?_id=a&_revinclude=Patient:link").await, ["a"]);
}

#[tokio::test]
async fn fine_grained_authorization_asks_who_the_user_is() {
    let ward = Ward::new("SMART_ON_FHIR_V1", true, &[]).await;
    for (user, patients) in [("Practitioner/x", "a"), ("https://h/r4/Patient/a", "a b"), ("Patient/b", "b")] {
        ward.grant("user/*.read", &json!({"fhirUser": user}));
        assert_eq!(ward.ids("Patient").await.join(" "), patients, "{user}");
    }
    ward.grant("user/*.read", &json!({}));
    assert!(ward.refusal("Patient").await.1.contains("fhirUser"));
    ward.grant("user/*.read system/*.read", &json!({}));
    assert_eq!(ward.ids("Patient").await, ["a", "b"]);
}

#[tokio::test]
async fn a_key_that_was_used_shows_its_resource_to_those_who_may_read_it() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    let create = |id: &'static str| {
        let request = Request::post(format!("/datastore/{}/r4/Observation", ward.store))
            .header("authorization", "Bearer the.to.ken")
            .header("x-amz-fhir-idempotency-key", "123e4567-e89b-12d3-a456-426614174000")
            .body(Bytes::from(observation(id, id, "laboratory").to_string()))
            .unwrap();
        let ward = &ward;
        async move {
            let core = ward.emulator.core();
            let caller = route::route(&request, &core.options).caller;
            let trace = Trace::new("id".to_owned());
            let call = Call { core, judge: &ward.judge, caller: &caller, signed_for: None, trace: &trace };
            let response = call.answer(&request).await;
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            (response.status().as_u16(), body["resourceType"].as_str().unwrap().to_owned())
        }
    };
    ward.grant("patient/*.*", &json!({"patient": "a"}));
    assert_eq!(create("a").await, (201, "Observation".to_owned()));
    assert_eq!(create("a").await, (409, "Observation".to_owned()));
    ward.grant("patient/*.*", &json!({"patient": "b"}));
    assert_eq!(create("b").await, (409, "OperationOutcome".to_owned()));
}

#[tokio::test]
async fn each_entry_of_a_bundle_needs_its_scope() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    ward.grant("system/Patient.read", &json!({}));
    let entry = |method: &str, url: &str| json!({"request": {"method": method, "url": url}});
    let mut bundle = json!({
        "resourceType": "Bundle", "type": "batch",
        "entry": [entry("GET", "Patient/a"), entry("DELETE", "Patient/a"), entry("GET", "Observation/oa")],
    });
    let response: Value = serde_json::from_slice(ward.ask("POST", "", bundle.clone()).await.body()).unwrap();
    let statuses: Vec<_> =
        response["entry"].as_array().unwrap().iter().map(|entry| entry["response"]["status"].clone()).collect();
    assert_eq!(statuses, ["200", "403", "403"]);
    bundle["type"] = json!("transaction");
    assert_eq!(ward.ask("POST", "", bundle).await.status(), 403);
}

#[tokio::test]
async fn an_external_role_allows_everything() {
    let ward = Ward::neighbour(&[External::Iam], "SMART_ON_FHIR_V1", false, &[]).await;
    ward.role("healthlake:ReadResource").await;
    ward.grant("system/*.*", &json!({}));
    assert_eq!(ward.refusal("Patient").await.0, 403, "a role that exists is checked as usual");
    let mut answer = ward.judge.answer.lock().unwrap().clone().unwrap();
    answer["iamRoleARN"] = json!("arn:aws:iam::000000000000:role/other");
    ward.answer(Ok(answer));
    assert_eq!(ward.status("GET", "Patient").await, 200);
}

#[tokio::test]
async fn the_role_must_exist_trust_and_allow() {
    let ward = Ward::new("SMART_ON_FHIR_V1", false, &[]).await;
    ward.role("healthlake:ReadResource").await;
    ward.grant("system/*.*", &json!({}));
    assert_eq!(ward.status("GET", "Patient/a").await, 200);
    let (status, text) = ward.refusal("Patient").await;
    assert!(status == 403 && text.contains("healthlake:SearchWithGet"), "{status} {text}");
    let mut answer = ward.judge.answer.lock().unwrap().clone().unwrap();
    answer["iamRoleARN"] = json!("arn:aws:iam::000000000000:role/other");
    ward.answer(Ok(answer));
    let (status, text) = ward.refusal("Patient/a").await;
    assert!(status == 403 && text.contains("does not exist"), "{status} {text}");
}

#[tokio::test]
async fn the_files_of_an_export_by_get_are_for_the_token_that_asked() {
    let ward = Ward::new("SMART_ON_FHIR", false, &[]).await;
    ward.grant("system/Patient.rs patient/Observation.rs?category=laboratory", &json!({}));
    let start = async |authorization: &str| {
        let request = Request::get(format!("/datastore/{}/r4/Patient/$export", ward.store))
            .header("prefer", "respond-async")
            .header("host", "127.0.0.1")
            .header("authorization", authorization);
        ward.send(request.body(Bytes::new()).unwrap()).await
    };
    let started = start("Bearer the.to.ken").await;
    assert_eq!(started.status(), 202, "{started:?}");
    let status = started.headers()["content-location"].to_str().unwrap().split("/r4/").nth(1).unwrap().to_owned();
    // Jobs are carried on by requests that go through the whole emulator.
    let list = json!({"DatastoreId": ward.store}).to_string();
    aws(&ward.emulator, "healthlake", "HealthLake.ListFHIRExportJobs", &list).await;
    let told = ward.ask("GET", &status, Value::Null).await;
    let told: Value = serde_json::from_slice(told.body()).unwrap();
    let files: Vec<&str> =
        told["output"].as_array().unwrap().iter().map(|file| file["type"].as_str().unwrap()).collect();
    assert_eq!(files, ["Patient"], "only what its scopes open wholly");
    let file = told["output"][0]["url"].as_str().unwrap().split("/r4/").nth(1).unwrap();
    let given = ward.ask("GET", file, Value::Null).await;
    assert_eq!(String::from_utf8_lossy(given.body()).lines().count(), 2);
    let signed = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/healthlake/aws4_request, Signature=0";
    for other in ["Bearer anoth.er.one", signed] {
        assert_eq!(ward.ask_as(other, "GET", file, String::new()).await.status(), 403, "{other}");
    }
    assert_eq!(ward.judge.asked.lock().unwrap().last().unwrap().0, "GetExportedFile");
    ward.role("healthlake:DescribeFHIRExportJobWithGet").await;
    let (status, text) = ward.refusal(file).await;
    assert_eq!(status, 403);
    assert!(text.contains("healthlake:GetExportedFile"), "{text}");
}
