//! One interaction, no matter who asked for it.

use super::answer::Answer;
use super::context::{Context, Input};
use super::draft::Draft;
use super::interaction::Interaction;
use super::refusal::{Outcome, Refusal};
use super::search::{self, Query};
use super::{everything, read, validate, write};
use crate::services::not_modelled;

/// Does what `interaction` asks, with changes going into `draft`.
pub(super) fn perform(
    draft: &mut Draft<'_>,
    cx: &Context<'_>,
    interaction: Interaction,
    input: Input,
) -> Outcome<Answer> {
    match interaction {
        Interaction::Search { kind, .. } => {
            let query = Query::parse(kind, &input.conditions(), cx.setting())?;
            let found = search::search(draft.collection(), cx.permit, query, cx.view, (cx.base, cx.home))?;
            Ok(Answer::ok(found.finish(&cx.ids.uuid())))
        }
        Interaction::Read { kind, id } => read::read(draft, cx, kind, &id),
        Interaction::VersionRead { kind, id, version } => {
            read::version_read(draft.collection(), cx, kind, &id, &version)
        }
        Interaction::History { kind, id } => read::history(draft.collection(), cx, kind, id.as_deref(), &input),
        Interaction::Everything { id } => everything::everything(draft, cx, &id, &input),
        Interaction::Create { kind } => write::create(draft, cx, kind, input),
        Interaction::Update { kind, id: Some(id) } => write::update(draft, cx, kind, &id, input),
        Interaction::Update { kind, id: None } => write::update_by_query(draft, cx, kind, input),
        Interaction::Patch { kind, id } => write::patch(draft, cx, kind, &id, input),
        Interaction::Delete { kind, id: Some(id) } => write::delete(draft, cx, kind, &id, &input),
        Interaction::Delete { kind, id: None } => write::delete_by_query(draft, cx, kind, &input),
        Interaction::Validate { kind, id } => validate::validate(cx, kind, id.as_deref(), input),
        Interaction::NotModelled(action) => Err(Refusal::not_supported(501, not_modelled("healthlake", action))),
        Interaction::Bundle
        | Interaction::TransactionStatus { .. }
        | Interaction::Capabilities
        | Interaction::Discovery
        | Interaction::Export(_)
        | Interaction::DownloadExport(_)
        | Interaction::ExportedFile { .. }
        | Interaction::ExportStatus { .. }
        | Interaction::ExportCancel { .. } => {
            Err(Refusal::not_supported(400, "This cannot be done in an entry of a Bundle."))
        }
    }
}
