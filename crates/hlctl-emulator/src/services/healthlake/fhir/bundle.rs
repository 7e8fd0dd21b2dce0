//! Bundles of requests: batches, whose entries stand each for themselves, and transactions, which happen
//! whole or not at all (HealthLake developer guide, bundling FHIR resources).
//!
//! Where AWS documents nothing, this is what happens here: entries are done in their order, in a batch too; a transaction's
//! searches see what there was before it; `urn:uuid:` references that no entry of a transaction resolves are
//! refused; of a refused transaction the answer is that of the entry that was refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::json;

use super::address;
use super::answer::Answer;
use super::bundle_text::BundleText;
use super::context::{Context, Input};
use super::document::Document;
use super::draft::Draft;
use super::interaction::Interaction;
use super::local_names::{LocalNames, check_full_urls};
use super::perform::perform;
use super::refusal::{Outcome, Refusal};
use super::{conditions, resource};
use crate::store::resources::Collection;

/// The most entries of a Bundle (HealthLake quotas).
const MOST: usize = 500;
/// The most entries of a transaction whose answer is waited for (HealthLake developer guide, bundling FHIR resources).
const MOST_AT_ONCE: usize = 100;

/// Whether the caller waits for what becomes of the Bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Synchronous,
    Asynchronous,
}

/// A request in a Bundle.
struct Entry {
    interaction: Interaction,
    input: Input,
    full_url: Option<String>,
}

pub(super) fn process(
    collection: &mut Collection,
    cx: &Context<'_>,
    mut bundle: Document,
    mode: Mode,
) -> Outcome<Answer> {
    // Each entry is checked by itself: one that is broken is no reason to refuse a batch.
    let entries = match bundle.remove("entry") {
        None => Vec::new(),
        Some(Document::List(entries)) => entries,
        Some(_) => return Err(Refusal::invalid("entry must be an array.")),
    };
    let bundle = resource::checked(bundle, "Bundle")?;
    if entries.len() > MOST {
        return Err(Refusal::invalid(format!("A Bundle has at most {MOST} entries; this has {}.", entries.len())));
    }
    check_full_urls(&entries)?;
    match bundle.text("type") {
        Some("batch") => Ok(batch(collection, cx, entries)),
        Some("transaction") if mode == Mode::Synchronous && entries.len() > MOST_AT_ONCE => {
            Err(Refusal::unprocessable(format!(
                "A transaction has at most {MOST_AT_ONCE} entries; this has {}. With Prefer: respond-async it has at most {MOST}.",
                entries.len()
            )))
        }
        Some("transaction") => transaction(collection, cx, entries, mode),
        other => Err(Refusal::invalid(format!(
            "A Bundle of type \"{}\" cannot be processed: there are batch and transaction.",
            other.unwrap_or_default()
        ))),
    }
}

fn batch(collection: &mut Collection, cx: &Context<'_>, entries: Vec<Document>) -> Answer {
    let mut response = BundleText::new("batch-response");
    for entry in entries {
        match alone(collection, cx, entry) {
            Ok((answer, shows)) => add(&mut response, &answer, shows),
            Err(refusal) => {
                let outcome = json!({"status": refusal.status.to_string(), "outcome": refusal.outcome()});
                response.entry(&json!({"response": outcome}), None);
            }
        }
    }
    Answer::ok(response.finish(&cx.ids.uuid()))
}

/// Does one entry by itself; also says whether its answer shows a resource.
fn alone(collection: &mut Collection, cx: &Context<'_>, entry: Document) -> Outcome<(Answer, bool)> {
    let entry = Entry::parse(entry, cx)?;
    let shows = entry.reads();
    let mut draft = Draft::new(collection);
    let answer = perform(&mut draft, cx, entry.interaction, entry.input)?;
    draft.commit()?;
    Ok((answer, shows))
}

fn transaction(collection: &mut Collection, cx: &Context<'_>, entries: Vec<Document>, mode: Mode) -> Outcome<Answer> {
    let numbered = |place: usize| move |refusal: Refusal| refusal.about(&format!("entry[{place}]"));
    let mut parsed = Vec::new();
    for (place, entry) in entries.into_iter().enumerate() {
        let entry =
            Entry::parse(entry, cx).and_then(|entry| entry.fit_for_transactions(mode)).map_err(numbered(place))?;
        parsed.push(entry);
    }
    let mut draft = Draft::new(collection);
    let names = promise(&draft, cx, &mut parsed)?;
    let mut response = BundleText::new("transaction-response");
    for (place, mut entry) in parsed.into_iter().enumerate() {
        if let Some(content) = &mut entry.input.content {
            names.apply(content, entry.full_url.as_deref());
            check_resolved(content).map_err(numbered(place))?;
        }
        let shows = entry.reads();
        let answer = perform(&mut draft, cx, entry.interaction, entry.input).map_err(numbered(place))?;
        add(&mut response, &answer, shows);
    }
    draft.commit()?;
    Ok(Answer::ok(response.finish(&cx.ids.uuid())))
}

/// Gives each resource that is to be created its id, and says what the full URLs of the entries are to become.
fn promise(draft: &Draft<'_>, cx: &Context<'_>, entries: &mut [Entry]) -> Outcome<LocalNames> {
    let mut names = LocalNames::default();
    for (place, entry) in entries.iter_mut().enumerate() {
        let name = match &entry.interaction {
            Interaction::Create { kind } => {
                let found = conditions::existing(draft, cx, kind, &entry.input);
                let found = found.map_err(|refusal| refusal.about(&format!("entry[{place}]")))?;
                let id = found.map_or_else(|| cx.ids.uuid(), |hit| hit.id);
                entry.input.id = Some(id.clone());
                format!("{kind}/{id}")
            }
            Interaction::Update { kind, id: Some(id) } => format!("{kind}/{id}"),
            _ => continue,
        };
        if let Some(url) = &entry.full_url {
            names.add(url, name).map_err(|refusal| refusal.about(&format!("entry[{place}]")))?;
        }
    }
    Ok(names)
}

/// Every local name must have been resolved: a transaction keeps its references whole.
fn check_resolved(content: &Document) -> Outcome<()> {
    let mut dangling = None;
    resource::references(&content.to_value(), &mut |reference| {
        if reference.starts_with("urn:uuid:") || reference.starts_with("urn:oid:") {
            dangling = Some(reference.to_owned());
        }
    });
    match dangling {
        None => Ok(()),
        Some(name) => Err(Refusal::invalid(format!("No entry of the transaction has the full URL {name}."))),
    }
}

fn add(response: &mut BundleText, answer: &Answer, shows: bool) {
    let mut line = json!({"status": answer.status.to_string()});
    if let Some(written) = &answer.version {
        if !shows {
            line["location"] = json!(written.location());
        }
        line["etag"] = json!(written.etag());
        line["lastModified"] = json!(resource::instant(written.at));
    }
    response.entry(&json!({"response": line}), answer.body.as_deref().filter(|_| shows));
}

impl Entry {
    fn parse(mut entry: Document, cx: &Context<'_>) -> Outcome<Self> {
        let request = entry.remove("request").unwrap_or_default().to_value();
        let text = |name: &str| request[name].as_str().map(ToOwned::to_owned);
        let (Some(method), Some(url)) = (text("method"), text("url")) else {
            return Err(Refusal::invalid("request.method and request.url are required."));
        };
        let method: Method =
            method.parse().map_err(|_| Refusal::invalid(format!("request.method \"{method}\" is not a method.")))?;
        // The address may be absolute, in this datastore.
        let path = url.strip_prefix(cx.base).or_else(|| url.split_once(cx.home).map(|(_, path)| path)).unwrap_or(&url);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(ToOwned::to_owned).collect();
        let interaction = Interaction::parse(&method, &segments)?;
        let mut content = entry.remove("resource").filter(|content| *content != Document::Null);
        if matches!(interaction, Interaction::Patch { .. }) {
            content = content.map(patch_in).transpose()?;
        }
        let input = Input {
            query: address::parameters(query.as_bytes()),
            content,
            if_match: text("ifMatch"),
            if_none_match: text("ifNoneMatch"),
            if_none_exist: text("ifNoneExist"),
            idempotency_key: None,
            id: None,
        };
        Ok(Self {
            interaction,
            input,
            full_url: entry.get("fullUrl").and_then(Document::as_text).map(ToOwned::to_owned),
        })
    }

    /// Whether the entry asks for what there is.
    fn reads(&self) -> bool {
        matches!(
            self.interaction,
            Interaction::Read { .. }
                | Interaction::VersionRead { .. }
                | Interaction::Search { .. }
                | Interaction::History { .. }
                | Interaction::Everything { .. }
        )
    }

    /// Updates by query are for batches only (HealthLake developer guide).
    fn fit_for_transactions(self, mode: Mode) -> Outcome<Self> {
        if mode == Mode::Asynchronous && matches!(self.interaction, Interaction::Patch { .. }) {
            return Err(Refusal::not_supported(400, "A transaction with Prefer: respond-async cannot contain PATCH."));
        }
        if matches!(self.interaction, Interaction::Update { id: None, .. }) {
            return Err(Refusal::not_supported(400, "A conditional update is possible in a batch only."));
        }
        Ok(self)
    }
}

/// The JSON Patch in a Binary, or the Parameters of a FHIRPath Patch.
fn patch_in(content: Document) -> Outcome<Document> {
    if content.is_parameters() {
        return Ok(content);
    }
    let binary = &content;
    let refuse = || {
        Refusal::invalid(
            "A patch in a Bundle is a Binary with application/json-patch+json in base64, or a Parameters resource.",
        )
    };
    let text = |name: &str| binary.get(name).and_then(Document::as_text);
    if text("resourceType") != Some("Binary") || text("contentType") != Some("application/json-patch+json") {
        return Err(refuse());
    }
    let bytes = text("data").and_then(|data| BASE64.decode(data).ok()).ok_or_else(refuse)?;
    Document::parse(&bytes).map_err(|_| refuse())
}
