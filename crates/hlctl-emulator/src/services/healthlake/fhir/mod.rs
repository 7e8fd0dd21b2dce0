//! HealthLake's data plane: the FHIR R4 interface of each datastore, at `/datastore/{id}/r4/`.
//!
//! A request is let in by its signature, with which a caller may do everything that the faults do not deny, or by a
//! bearer token, which [`smart`] judges. A signed request finds the datastores of the caller's account and region, a
//! request with a token any datastore, for their ids are unique.
//!
//! Where AWS documents nothing, this is what happens here. Errors are OperationOutcomes throughout, with AWS's name
//! of the error in `x-amzn-errortype`. A request without either is answered with 403 and
//! MissingAuthenticationTokenException, and with 401 where the datastore has an identity provider; `metadata` and
//! `.well-known/smart-configuration`, which the developer guide shows signed, need neither. A signature opens a
//! datastore with an identity provider as well. A datastore that is DELETED or never was is answered with 404, one
//! that is CREATING, CREATE_FAILED or DELETING with 409; in all other states it serves. Throttling is 429. Types that
//! R4 does not have are answered with 404, bodies that are not JSON with 415, other formats asked for with 406.
//! Links lead to the host that the caller named. Numbers are kept as they are written, elements in their order; a member
//! that comes twice in one object and nesting beyond 127 levels are answered with 400.
//!
//! Left out: validation against profiles and beyond what an import knows of R4, `$erase`, `$bulk-delete`,
//! `$bulk-patch`, `_summary` of reads, conditional reads, subscriptions, the medical language processing of
//! DocumentReferences, and the check of a role's access to a customer key.

mod address;
mod answer;
pub(super) mod bulk;
mod bundle;
mod bundle_text;
mod capability;
mod conditions;
mod context;
mod document;
mod draft;
mod everything;
mod export;
mod interaction;
mod local_names;
mod perform;
mod read;
mod refusal;
mod request;
mod resource;
mod search;
mod signature;
mod smart;
mod synthea;
#[cfg(test)]
mod tests;
mod transactions;
mod types;
mod validate;
mod write;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Datastore;
use crate::emulator::{Core, Trace};
use crate::error::Error;
use crate::route::{Caller, Service};
use crate::services::cognito;
use crate::store::World;
use crate::store::resources::{Collection, Resources};
use address::Address;
pub(crate) use address::is_addressed;
use answer::Answer;
use context::Context;
use document::Document;
use draft::Draft;
use interaction::Interaction;
use refusal::{Outcome, Refusal};
use request::{Credentials, Preferences};
use search::View;
use smart::{Accepted, LambdaJudge, Permit, Realm, TokenJudge, Verb};
pub(crate) use transactions::Transactions;

/// A request on its way through.
struct Call<'a> {
    core: &'a Core,
    judge: &'a dyn TokenJudge,
    caller: &'a Caller,
    /// The service in the signature.
    signed_for: Option<&'a str>,
    trace: &'a Trace,
}

/// Serves a request to the FHIR interface.
pub(crate) async fn serve(
    core: &Arc<Core>,
    (caller, signed_for): (&Caller, Option<&str>),
    request: Request<Bytes>,
    trace: &Trace,
) -> Response<Bytes> {
    Call { core, judge: &LambdaJudge(core), caller, signed_for, trace }.answer(&request).await
}

impl Call<'_> {
    async fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let address = match Address::of(request) {
            Ok(address) => address,
            Err(refusal) => return refusal.response(),
        };
        match self.run(&address, request).await {
            Ok(answer) => answer.response(&address.base),
            Err(refusal) => refusal.response(),
        }
    }

    async fn run(&self, address: &Address, request: &Request<Bytes>) -> Outcome<Answer> {
        let interaction = request::interaction(request, address)?;
        let action = interaction.action();
        self.trace.name(Service::HealthLake, action);
        let credentials = Credentials::of(request, self.caller);
        if credentials == Credentials::Signature {
            request::check_signature((self.caller, self.signed_for), request, address, &self.core.options)?;
        }
        self.core.admit(Service::HealthLake, action, self.caller, self.trace).await?;
        let signer = (credentials == Credentials::Signature).then_some(self.caller);
        if credentials == Credentials::Signature {
            let input = json!({"DatastoreId": address.store});
            self.core.authorize(Service::HealthLake, action, self.caller, &input, self.trace)?;
        }
        let found = self.core.store.with_resources(|world, _| self.find(world, address, signer))??;
        let accepted = match credentials {
            _ if interaction.is_public() => None,
            Credentials::Signature => None,
            Credentials::Token(token) => Some(smart::accept(self.core, self.judge, &found.realm, action, token).await?),
            Credentials::None => return Err(request::unsigned(found.realm.provider.is_smart())),
        };
        match interaction {
            Interaction::Capabilities => {
                let now = resource::instant(self.core.options.clock.now());
                let origin = &self.caller.origin;
                let url = origin.localized(&found.realm.endpoint, &[]);
                Ok(capability::statement(&url, &found.block, &now))
            }
            Interaction::Discovery => capability::discovery(&found.block),
            Interaction::Export(scope) => self.start_export(&scope, address, request, (signer, accepted.as_ref())),
            Interaction::DownloadExport(scope) => {
                let requester = export::requester(credentials);
                self.start_download(&scope, requester, address, request, (signer, accepted.as_ref()))
            }
            Interaction::ExportedFile { id, name } => {
                let requester = export::requester(credentials);
                self.exported_file((&id, &name), &requester, address, (signer, accepted.as_ref()))
            }
            Interaction::ExportStatus { id } => self.export_status(&id, address, (signer, accepted.as_ref())),
            Interaction::TransactionStatus { id } => self.transaction_status(&id, address, (signer, accepted.as_ref())),
            Interaction::ExportCancel { id } => self.cancel_export(&id, address, (signer, accepted.as_ref())),
            interaction => self.perform(interaction, address, request, signer, accepted.as_ref()),
        }
    }

    /// The datastore that a request is for, if it serves.
    fn find(&self, world: &World, address: &Address, signer: Option<&Caller>) -> Outcome<Found> {
        let store = datastore(world, &address.store, signer).ok_or_else(|| unknown(&address.store))?;
        match store.status(self.core.options.clock.now()) {
            "DELETED" => Err(unknown(&address.store)),
            status @ ("CREATING" | "CREATE_FAILED" | "DELETING") => {
                Err(Refusal::conflict(format!("The data store {} is {status}.", address.store)))
            }
            _ => {
                let domains = cognito::custom_domains(world);
                let block = capability::localized(&store.identity_provider, &self.caller.origin, &domains);
                Ok(Found { realm: Realm::of(store), block })
            }
        }
    }

    fn perform(
        &self,
        interaction: Interaction,
        address: &Address,
        request: &Request<Bytes>,
        signer: Option<&Caller>,
        accepted: Option<&Accepted>,
    ) -> Outcome<Answer> {
        let input = request::input(request, address, &interaction)?;
        let preferences = Preferences::of(request, address)?;
        let home = format!("/datastore/{}/r4/", address.store);
        self.core.store.with_resources(|world, resources| {
            // Much may have happened while the token was judged.
            let found = self.find(world, address, signer)?;
            let collection = self.collection(world, resources, address, signer)?;
            let permit = match accepted {
                None => Permit::Full,
                Some(accepted) => {
                    accepted.check_role(world, &found.realm, interaction.action())?;
                    accepted.permit(collection, &home)?
                }
            };
            let now = resource::to_the_millisecond(self.core.options.clock.now());
            let delay = Duration::from_millis(self.core.faults.current().propagation.fhir_ms);
            let profiles =
                datastore(world, &address.store, signer).map(Datastore::default_profiles).unwrap_or_default();
            let flawed = Cell::new(false);
            let cx = Context {
                now,
                ids: &self.core.options.ids,
                base: &address.base,
                home: &home,
                permit: &permit,
                view: View { now, delay, strong: preferences.strong },
                lenient: preferences.lenient,
                level: preferences.level,
                profiles: &profiles,
                flawed: &flawed,
            };
            let answer = if interaction == Interaction::Bundle {
                let content = input.content.unwrap_or_default();
                // Only transactions are ever answered later (HealthLake developer guide, bundling FHIR resources).
                if preferences.asynchronous && content.get("type").and_then(Document::as_text) == Some("transaction") {
                    let outcome = bundle::process(collection, &cx, content, bundle::Mode::Asynchronous);
                    let outcome = outcome.map(|answer| Answer { flawed: flawed.get(), ..answer });
                    let place = (address.store.as_str(), address.base.as_str());
                    return Ok(self.core.transactions.keep(place, cx.ids.uuid(), now, outcome));
                }
                bundle::process(collection, &cx, content, bundle::Mode::Synchronous)
            } else {
                let mut draft = Draft::new(collection);
                let answer = perform::perform(&mut draft, &cx, interaction, input)?;
                draft.commit()?;
                Ok(answer)
            };
            answer.map(|answer| Answer { flawed: flawed.get(), ..answer })
        })?
    }

    /// What became of a transaction that was asked for with `Prefer: respond-async`.
    fn transaction_status(
        &self,
        id: &str,
        address: &Address,
        (signer, accepted): (Option<&Caller>, Option<&Accepted>),
    ) -> Outcome<Answer> {
        let home = format!("/datastore/{}/r4/", address.store);
        self.core.store.with_resources(|world, resources| {
            let found = self.find(world, address, signer)?;
            let collection = self.collection(world, resources, address, signer)?;
            if let Some(accepted) = accepted {
                accepted.check_role(world, &found.realm, "ReadResource")?;
                accepted.permit(collection, &home)?.reach(Verb::Read, "Transaction")?;
            }
            let options = &self.core.options;
            self.core.transactions.look(&address.store, id, options.clock.now(), options.delays.job)
        })?
    }

    /// The resources of a datastore.
    fn collection<'r>(
        &self,
        world: &World,
        resources: &'r mut Resources,
        address: &Address,
        signer: Option<&Caller>,
    ) -> Outcome<&'r mut Collection> {
        let collection = resources.of_store(&address.store)?;
        if let Some(store) = datastore(world, &address.store, signer) {
            preload(store, collection, self.core.options.clock.now())?;
        }
        Ok(collection)
    }
}

/// Gives a datastore that was created with synthetic data these, when it is first used.
pub(super) fn preload(store: &Datastore, collection: &mut Collection, now: Timestamp) -> Result<(), Error> {
    let wanted = store.preload.as_ref().is_some_and(|preload| preload["PreloadDataType"] == "SYNTHEA");
    if wanted && collection.is_untouched() {
        let loaded = store.passage.until.min(now);
        collection.commit(synthea::resources(&store.id, resource::to_the_millisecond(loaded)))?;
    }
    Ok(())
}

/// What a request needs to know of its datastore.
struct Found {
    realm: Realm,
    /// The identity provider block, with addresses as this caller reaches them.
    block: Value,
}

fn unknown(store: &str) -> Refusal {
    Refusal::not_found(format!("The data store {store} was not found."))
}

/// The datastore of an id: one of the signer's account and region, or any where nobody has signed.
fn datastore<'w>(world: &'w World, id: &str, signer: Option<&Caller>) -> Option<&'w Datastore> {
    match signer {
        Some(caller) => world.accounts.get(&caller.account)?.healthlake.get(&caller.region)?.stores.get(id),
        None => world
            .accounts
            .values()
            .flat_map(|account| account.healthlake.values())
            .find_map(|healthlake| healthlake.stores.get(id)),
    }
}
