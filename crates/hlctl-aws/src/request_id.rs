//! The request id of the attempt under way, which the log names for calls that succeed too.
//!
//! The SDK hands out the id of an answer only to those who ask the type of that answer. The HTTP clients see every answer, but not
//! whose attempt it belongs to. So the attempt leaves a place for the id, and the client below it writes it there.

use std::cell::RefCell;
use std::future::Future;

use tracing::Span;

use hlctl_model::text::shortened;

/// Headers that hold one: of AWS's services, and of S3 (S3 user guide, "Getting Amazon S3 request IDs for AWS Support").
const HEADERS: [&str; 2] = ["x-amzn-requestid", "x-amz-request-id"];

tokio::task_local! {
    static ATTEMPT: Attempt;
}

struct Attempt {
    /// Gets the field `request_id` as soon as an answer begins, so that one whose body never ends has it too.
    span: Span,
    id: RefCell<Option<String>>,
}

/// The first of the headers that holds a request id.
pub fn of_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    HEADERS.iter().find_map(|name| header(name)).map(|id| shortened(id).into_owned())
}

/// Makes an attempt in its span, and says which request id its answer had.
pub(super) fn observed<F: Future>(span: Span, attempt: F) -> impl Future<Output = (F::Output, Option<String>)> {
    let place = Attempt { span, id: RefCell::default() };
    ATTEMPT.scope(place, async { (attempt.await, ATTEMPT.with(|place| place.id.take())) })
}

/// Makes calls whose ids are not those of the attempt that they serve, such as those for credentials.
pub(super) async fn apart<F: Future>(calls: F) -> F::Output {
    observed(Span::none(), calls).await.0
}

/// Notes the id of an answer for the attempt under way, if there is one.
pub fn note(id: Option<&str>) {
    let Some(id) = id else { return };
    // Outside of an attempt nobody asks for it.
    let _ = ATTEMPT.try_with(|attempt| {
        attempt.span.record("request_id", id);
        *attempt.id.borrow_mut() = Some(id.to_owned());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_attempt_has_the_id_of_its_last_answer_and_not_of_calls_it_needed() {
        note(Some("nobody's"));
        let attempt = async {
            note(Some("own"));
            apart(async { note(Some("of the credentials")) }).await;
            note(None);
        };
        assert_eq!(observed(Span::none(), attempt).await.1.as_deref(), Some("own"));
        assert_eq!(observed(Span::none(), async {}).await.1, None);
    }

    #[test]
    fn services_and_s3_name_their_header_in_their_own_way() {
        let of = |name: &'static str| of_headers(|asked| (asked == name).then_some("id"));
        assert_eq!(of("x-amzn-requestid").as_deref(), Some("id"));
        assert_eq!(of("x-amz-request-id").as_deref(), Some("id"));
        assert_eq!(of("x-request-id"), None);
    }
}
