//! SMART on FHIR as an app meets it: log-in, token, access and refusals, in the sandbox and at another address.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use base64ct::{Base64, Encoding as _};
use hlctl_aws::Trust;
use hlctl_config::Secret;
use hlctl_emulator::Action;
use hlctl_fhir::oauth::{Asking, Http, Login, OauthError, sign_in};
use nix::sys::signal::Signal;
use rexpect::session::spawn_command;
use serde_json::Value;
use url::Url;

use crate::support::{Ended, Place, Run, Running, call, each, eventually, rule};

const PASSWORD: &str = "Corr3ct-Horse";
const BY_NAME: [&str; 4] = ["--username", "alice", "--password-env", "ALICE_PASSWORD"];

/// Applied, with callback addresses on ports of its own.
fn smart(place: Place) -> (Place, Vec<String>) {
    // Two, in case somebody takes one of them before hlctl does.
    let sockets: Vec<_> = (0..2).map(|_| TcpListener::bind(("127.0.0.1", 0)).unwrap()).collect();
    let port = |socket: &TcpListener| socket.local_addr().unwrap().port();
    let callbacks: Vec<String> =
        sockets.iter().map(|socket| format!("http://localhost:{}/callback", port(socket))).collect();
    place.configure("\"http://localhost:8484/callback\"", &format!("\"{}\", \"{}\"", callbacks[0], callbacks[1]));
    drop(sockets);
    run(&place, &["apply", "--auto-approve"]).succeeds();
    (place, callbacks)
}

fn everywhere() -> [fn() -> Place; 2] {
    [|| Place::sandbox("smart"), || Place::quick("smart")]
}

fn run<'a>(place: &'a Place, arguments: &[&str]) -> Run<'a> {
    Run::new(place).args(arguments.iter().copied()).env("ALICE_PASSWORD", PASSWORD).env("HLCTL_LOG", "calls")
}

fn token(place: &Place, arguments: &[&str]) -> Ended {
    let ended = run(place, &[&["smart", "token"], arguments].concat()).succeeds();
    let token = ended.stdout.trim_end();
    assert_eq!(token.split('.').count(), 3, "{ended}");
    assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "{ended}");
    assert!(!ended.stderr.contains(token), "the token is data, not talk");
    ended
}

fn secret(place: &Place, name: &str) -> String {
    run(place, &["outputs", name, "--raw", "--show-secrets"]).succeeds().stdout
}

/// One request over a connection of its own; status, headers and body.
fn http(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, String) {
    let url = Url::parse(url).unwrap();
    let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect(&host).unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    write!(stream, "{request}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
    line.unwrap_or_else(|| panic!("no {name} in\n{head}")).split_once(':').unwrap().1.trim()
}

/// What a browser does with the address that was printed: shows the page, sends the form, and is sent back.
fn log_in(address: &str) -> String {
    log_in_on(address, str::to_owned)
}

/// The same on pages that a browser first makes something of.
fn log_in_on(address: &str, shown: fn(&str) -> String) -> String {
    let (status, head, _) = http("GET", address, &[], "");
    assert_eq!(status, 302, "{head}");
    let page = Url::parse(address).unwrap().join(header(&head, "location")).unwrap();
    let (_, head, html) = http("GET", page.as_str(), &[], "");
    let html = shown(&html);
    let cookie = header(&head, "set-cookie").split(';').next().unwrap().to_owned();
    let csrf = html.split("name=\"_csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let body = format!("_csrf={csrf}&username=alice&password={PASSWORD}");
    let headers = [("cookie", cookie.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let (status, head, html) = http("POST", page.as_str(), &headers, &body);
    assert_eq!(status, 302, "{html}");
    header(&head, "location").to_owned()
}

/// A log-in that waits for its browser, and the address that it has printed.
fn waiting(place: &Place) -> (Running, String) {
    let running = run(place, &["smart", "token", "--no-browser"]).start();
    eventually("the address is printed", || running.has_said("Waiting for the browser"));
    let said = running.said();
    let address = said.lines().map(str::trim).find(|line| line.starts_with("http://")).unwrap().to_owned();
    (running, address)
}

#[test]
fn the_machine_client_gets_a_token_for_itself() {
    each(everywhere(), |place| {
        let (place, _) = smart(place());
        let ended = token(&place, &["--grant", "client-credentials"]);
        assert!(ended.stderr.contains("system/*.*"), "{ended}");
        let whole = run(&place, &["smart", "token", "--grant", "client-credentials", "--json"]).succeeds().json();
        assert_eq!(whole["token_type"], "Bearer");
    });
}

#[test]
fn a_user_gets_a_token_without_a_browser_and_it_opens_the_store() {
    each(everywhere(), |place| {
        let (place, _) = smart(place());
        let ended = token(&place, &BY_NAME);
        let whole = run(&place, &[&["smart", "token", "--json"], &BY_NAME[..]].concat()).succeeds().json();
        assert!(whole["id_token"].is_string() && whole["refresh_token"].is_string());
        if place.has_cloud() {
            let url = format!("{}/datastore/{}/r4/Patient?_count=1", place.cloud().url(), place.store_id());
            let bearer = format!("Bearer {}", ended.stdout.trim_end());
            let (status, _, body) = http("GET", &url, &[("authorization", &bearer)], "");
            assert_eq!(status, 200, "{body}");
            assert!(body.contains("\"Patient\""), "{body}");
        }
    });
}

#[test]
fn scopes_are_those_that_were_asked_for() {
    let (place, _) = smart(Place::quick("smart"));
    let ended = token(&place, &[&BY_NAME[..], &["--scope", "openid", "--scope", "patient/*.read"]].concat());
    assert!(ended.stderr.contains("with openid patient/*.read."), "{ended}");
    let refused = run(&place, &[&["smart", "token", "--scope", "patient/*.all"], &BY_NAME[..]].concat()).exits(1);
    assert!(refused.stderr.contains("invalid_scope"), "{refused}");
}

#[test]
fn a_wrong_password_is_reported_and_not_repeated() {
    let (place, _) = smart(Place::quick("smart"));
    let run = run(&place, &[&["smart", "token"], &BY_NAME[..]].concat()).env("ALICE_PASSWORD", "Wr0ng-Horse");
    let ended = run.exits(1).says("Incorrect username or password").keeps_silent_about("Wr0ng-Horse");
    assert_eq!(ended.stdout, "");
}

#[test]
fn secrets_and_tokens_are_in_no_file_and_on_no_stderr() {
    let (place, _) = smart(Place::quick("smart"));
    let secrets = ["cognito_client_secret", "cognito_machine_client_secret"].map(|name| secret(&place, name));
    assert!(secrets.iter().all(|secret| secret.len() > 40), "{secrets:?}");
    let all = run(&place, &["outputs", "--json", "--show-secrets"]).succeeds();
    assert_eq!(all.json()["cognito_client_secret"], secrets[0].as_str());
    let runs = [
        token(&place, &BY_NAME),
        token(&place, &["--grant", "client-credentials"]),
        run(&place, &["smart", "test"]).succeeds(),
        run(&place, &[&["smart", "test"], &BY_NAME[..]].concat()).succeeds(),
        all,
    ];
    let tokens = runs[..2].iter().map(|ended| ended.stdout.trim_end().to_owned());
    for hidden in tokens.chain(secrets).chain([PASSWORD.to_owned()]) {
        for ended in &runs {
            assert!(!ended.stderr.contains(&hidden), "{ended}");
        }
        for (path, content) in place.files() {
            assert!(!String::from_utf8_lossy(&content).contains(&hidden), "{}", path.display());
        }
    }
}

#[test]
fn a_secret_must_be_asked_for() {
    let (place, _) = smart(Place::quick("smart"));
    let shown = run(&place, &["outputs", "--json"]).succeeds();
    assert!(shown.json().as_object().unwrap().keys().all(|name| !name.contains("secret")));
    place.cloud().emulator.clear_requests();
    run(&place, &["outputs", "cognito_client_secret", "--raw"]).exits(64).says("--show-secrets");
    run(&place, &["outputs", "s3_bucket", "--show-secrets"]).succeeds();
    assert!(place.cloud().requests().is_empty(), "what is no secret is in the state");
}

#[test]
fn a_stack_without_an_identity_provider_says_so() {
    let place = Place::quick("minimal");
    place.apply();
    for arguments in [&["outputs", "--show-secrets"][..], &["smart", "token"], &["smart", "test"]] {
        place.run(arguments.iter().copied()).exits(64).says("smart_on_fhir = true");
    }
}

#[test]
fn the_test_passes_on_a_good_stack() {
    each(everywhere(), |place| {
        let (place, _) = smart(place());
        let whole = run(&place, &["smart", "test", "--json"]).succeeds().json();
        assert_eq!(whole["passed"], true);
        let status = |id: &str| -> Vec<&Value> {
            let checks = whole["checks"].as_array().unwrap();
            checks.iter().filter(|check| check["check"] == id).map(|check| &check["status"]).collect()
        };
        for id in ["discovery", "discovery_as_set", "discovery_content", "token", "key_set", "function", "latency"] {
            assert_eq!(status(id), ["passed"], "{id} in {whole:#}");
        }
        for id in ["fhir_read", "tampered_signature", "expired", "wrong_client", "wrong_issuer", "no_fhir_scope"] {
            assert_eq!(status(id), ["passed"], "{id} in {whole:#}");
        }
        for id in ["alg_none", "no_token"] {
            assert_eq!(status(id), ["passed"], "{id} in {whole:#}");
        }
        let text = run(&place, &[&["smart", "test"], &BY_NAME[..]].concat()).succeeds();
        assert!(text.stdout.contains("a real token with only openid is refused"), "{text}");
        assert!(text.stdout.contains("function: no_fhir_scope"), "{text}");
    });
}

#[test]
fn the_test_fails_where_the_function_cannot_get_the_keys() {
    let (place, _) = smart(Place::quick("smart"));
    place.cloud().rules([rule("Jwks", None, Action::ServerError)]);
    let ended = run(&place, &["smart", "test"]).exits(1);
    assert!(ended.stdout.contains("FAIL  the function accepts the token\n      keys_unavailable"), "{ended}");
    assert!(ended.stdout.contains("next: "), "{ended}");
}

/// A stack whose function ends with an error, whatever it is asked.
#[cfg(unix)]
fn with_a_broken_function() -> Place {
    let place = Place::quick("smart");
    std::fs::create_dir(place.path("code")).unwrap();
    place.program("code/bootstrap", "#!/bin/sh\nexit 1\n");
    place.add("lambda_package = \"code\"");
    smart(place).0
}

const REFUSALS: [&str; 7] =
    ["tampered_signature", "expired", "wrong_client", "wrong_issuer", "no_fhir_scope", "alg_none", "no_token"];

#[cfg(unix)]
#[test]
fn a_function_that_fails_refuses_nobody() {
    let place = with_a_broken_function();
    let whole = run(&place, &["smart", "test", "--json"]).exits(1).json();
    assert_eq!(whole["passed"], false);
    let checks = whole["checks"].as_array().unwrap();
    for check in checks.iter().filter(|check| REFUSALS.contains(&check["check"].as_str().unwrap())) {
        let expected = if check["check"] == "no_token" { "skipped" } else { "failed" };
        assert_eq!(check["status"], expected, "{check:#}");
    }
    let function = checks.iter().find(|check| check["check"] == "function").unwrap();
    assert_eq!(function["status"], "failed", "{function:#}");
    // Who may not ask the function sees that nothing is let in.
    place.cloud().rules([rule("Invoke", None, Action::Deny)]);
    let whole = run(&place, &["smart", "test", "--json"]).exits(1).json();
    let checks = whole["checks"].as_array().unwrap();
    for check in checks.iter().filter(|check| REFUSALS.contains(&check["check"].as_str().unwrap())) {
        assert_eq!(check["status"], "skipped", "{check:#}");
    }
}

#[test]
fn a_function_that_may_not_be_asked_directly_is_passed_over() {
    let (place, _) = smart(Place::quick("smart"));
    place.cloud().rules([rule("Invoke", None, Action::Deny)]);
    let ended = run(&place, &["smart", "test"]).succeeds();
    assert!(ended.stdout.contains("skip  the function accepts the token"), "{ended}");
    assert!(ended.stdout.contains("lambda:InvokeFunction"), "{ended}");
}

#[test]
fn a_browser_brings_the_code_back_to_a_listening_hlctl() {
    each(everywhere(), |place| {
        let (place, callbacks) = smart(place());
        let (running, address) = waiting(&place);
        let back = log_in(&address);
        assert!(callbacks.iter().any(|callback| back.starts_with(callback)), "{back}");
        let (status, head, page) = http("GET", &back, &[], "");
        assert_eq!((status, page.contains("Signed in")), (200, true), "{page}");
        assert_eq!(header(&head, "referrer-policy"), "no-referrer");
        let ended = running.ends();
        assert_eq!(ended.code, 0, "{ended}");
        assert_eq!(ended.stdout.trim_end().split('.').count(), 3);
        assert!(!ended.stderr.contains("code="), "the code is not told\n{ended}");
    });
}

#[test]
fn an_answer_with_another_state_is_passed_over() {
    let (place, _) = smart(Place::quick("smart"));
    let (mut running, address) = waiting(&place);
    let back = Url::parse(&log_in(&address)).unwrap();
    let mut foreign = back.clone();
    foreign.set_query(Some("code=stolen&state=another"));
    let (status, _, page) = http("GET", foreign.as_str(), &[], "");
    assert_eq!((status, page.contains("Not this log-in")), (400, true), "{page}");
    let (status, ..) = http("GET", foreign.join("/favicon.ico").unwrap().as_str(), &[], "");
    assert_eq!(status, 404);
    assert!(running.is_alive() && place.cloud().count("Token") == 0);
    http("GET", back.as_str(), &[], "");
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{ended}");
    assert!(ended.stderr.contains("another log-in"), "{ended}");
}

#[test]
fn a_browser_that_connects_early_and_asks_late_is_heard() {
    let (place, _) = smart(Place::quick("smart"));
    let (running, address) = waiting(&place);
    let back = Url::parse(&log_in(&address)).unwrap();
    let mut early = TcpStream::connect(back.socket_addrs(|| None).unwrap().as_slice()).unwrap();
    let (status, ..) = http("GET", back.join("/favicon.ico").unwrap().as_str(), &[], "");
    assert_eq!(status, 404);
    let target = format!("{}?{}", back.path(), back.query().unwrap());
    write!(early, "GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{ended}");
}

#[test]
fn a_refusal_at_the_callback_ends_the_log_in() {
    let (place, _) = smart(Place::quick("smart"));
    let (running, address) = waiting(&place);
    let query = |name: &str| {
        let address = Url::parse(&address).unwrap();
        address.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    };
    let back = format!("{}?error=access_denied&state={}", query("redirect_uri"), query("state"));
    http("GET", &back, &[], "");
    let ended = running.ends();
    assert_eq!(ended.code, 1, "{ended}");
    assert!(ended.stderr.contains("the log-in answered access_denied"), "{ended}");
}

#[test]
fn ctrl_c_ends_the_wait_for_a_browser() {
    let (place, _) = smart(Place::quick("smart"));
    let (running, _) = waiting(&place);
    running.signal(Signal::SIGINT);
    let ended = running.ends();
    assert_eq!((ended.code, ended.stdout.as_str()), (130, ""), "{ended}");
}

#[test]
fn without_a_loopback_callback_it_says_what_to_add() {
    let place = Place::quick("smart");
    place.configure(", \"http://localhost:8484/callback\"", "");
    run(&place, &["apply", "--auto-approve"]).succeeds();
    let ended = run(&place, &["smart", "token", "--no-browser"]).exits(64);
    assert!(ended.stderr.contains("add \"http://localhost:8484/callback\" to cognito_callback_urls"), "{ended}");
    // The page needs no address that anybody listens on.
    token(&place, &BY_NAME);
}

#[test]
fn at_a_terminal_the_address_can_be_pasted() {
    let place = Place::quick("smart");
    place.configure(", \"http://localhost:8484/callback\"", "");
    run(&place, &["apply", "--auto-approve"]).succeeds();
    for is_right in [true, false] {
        let mut command = Run::new(&place).args(["smart", "token", "--no-browser"]).command();
        command.env("NO_COLOR", "1");
        let mut session = spawn_command(command, Some(20_000)).unwrap();
        let (_, address) = session.exp_regex("http://[^ \r\n]+").unwrap();
        session.exp_string("Paste that URL here:").unwrap();
        if is_right {
            session.send_line(&log_in(&address)).unwrap();
            session.exp_string("A token for a user, logged in with a browser").unwrap();
            session.exp_regex("\\neyJ[^ \r\n]+").unwrap();
        } else {
            session.send_line("https://localhost/?code=stolen&state=another").unwrap();
            session.exp_string("belongs to another log-in").unwrap();
        }
    }
}

#[test]
fn a_callback_that_is_not_registered_is_refused_by_the_pool() {
    let (place, _) = smart(Place::quick("smart"));
    let client = run(&place, &["outputs", "cognito_client_id", "--raw"]).succeeds().stdout;
    let authorize = Url::parse(&format!("{}/oauth2/authorize", place.cloud().url())).unwrap();
    let asking = Asking::new(authorize, &client, "http://127.0.0.1:1/other", vec!["openid".to_owned()]).unwrap();
    let login = Login { username: "alice".to_owned(), password: Secret::new(PASSWORD) };
    let error = call(sign_in(&Http::new(&Trust::default()).unwrap(), &asking, &login)).unwrap_err();
    assert!(
        matches!(&error, OauthError::Refused { description: Some(text), .. } if text.contains("redirect_mismatch"))
    );
}

#[test]
fn what_cannot_go_together_is_a_usage_error() {
    let (place, _) = smart(Place::quick("smart"));
    let both = [&["smart", "token", "--grant", "client-credentials"], &BY_NAME[..]].concat();
    run(&place, &both).exits(64);
    run(&place, &["smart", "token", "--username", "alice"]).exits(64);
    let unset = run(&place, &[&["smart", "token"], &BY_NAME[..]].concat()).without("ALICE_PASSWORD");
    unset.exits(64).says("ALICE_PASSWORD");
}

/// What managed login shows, which is written by a script.
fn written_by_the_script(html: &str) -> String {
    let encoded = html.split("atob(\"").nth(1).unwrap_or_else(|| panic!("{html}")).split('"').next().unwrap();
    String::from_utf8(Base64::decode_vec(encoded).unwrap()).unwrap()
}

#[test]
fn with_managed_login_a_token_is_bound_to_the_store_and_opens_it() {
    let place = Place::quick("smart");
    place.add("cognito_managed_login = true");
    let (place, _) = smart(place);
    let (running, address) = waiting(&place);
    let endpoint = place.state()["resources"]["healthlake_fhir_datastore.this"]["recorded"]["endpoint"]
        .as_str()
        .unwrap()
        .to_owned();
    let asked = Url::parse(&address).unwrap();
    let resource = asked.query_pairs().find(|(name, _)| name == "resource").map(|(_, value)| value.into_owned());
    assert_eq!(resource.as_deref(), Some(endpoint.as_str()), "{address}");
    let back = log_in_on(&address, written_by_the_script);
    http("GET", &back, &[], "");
    let ended = running.ends();
    assert_eq!(ended.code, 0, "{ended}");
    let token = ended.stdout.trim_end();
    assert_eq!(hlctl_fhir::oauth::claims(token).unwrap()["aud"], endpoint.as_str());
    let ended = ended.says("bound to ");
    let url = format!("{}/datastore/{}/r4/Patient?_count=1", place.cloud().url(), place.store_id());
    let bearer = format!("Bearer {}", ended.stdout.trim_end());
    let (status, _, body) = http("GET", &url, &[("authorization", &bearer)], "");
    assert_eq!(status, 200, "{body}");
}

#[test]
fn the_test_says_that_managed_login_has_no_pages_without_a_style() {
    let (place, _) = smart(Place::quick("smart"));
    let state = place.state();
    let pool = state["resources"]["cognito_user_pool.main"]["recorded"]["id"].as_str().unwrap();
    let update = place.cloud().cognito().update_user_pool_domain().domain("example-fhir-smart").user_pool_id(pool);
    call(update.managed_login_version(2).send()).unwrap();
    let ended = run(&place, &["smart", "test"]).exits(1);
    assert!(ended.stdout.contains("FAIL  users log in by managed login"), "{ended}");
    assert!(ended.stdout.contains("no branding style"), "{ended}");
    place.apply();
    let ended = run(&place, &["smart", "test"]).succeeds();
    assert!(ended.stdout.contains("classic pages"), "{ended}");
}
