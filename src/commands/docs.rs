//! `hlctl docs`

use std::io::{self, Read as _};

use anyhow::Context as _;
use flate2::read::ZlibDecoder;
use url::Url;

use crate::cli::DocsArgs;
use crate::cli::docs::{TOPICS, Topic, of};
use crate::error::CommandError;
use crate::session::Session;
use hlctl_model::exit_code::ExitCode;

/// Prints a document, or what there is.
pub(super) fn run(session: &Session, arguments: &DocsArgs) -> Result<ExitCode, CommandError> {
    let Some(topic) = arguments.topic.and_then(of) else {
        let list = list().context("the documentation in the program cannot be read")?;
        session.printer.data(&list);
        session.printer.say(concat!(
            "\n`",
            hlctl!("docs state"),
            "` prints the one about the state. All are at ",
            documentation!("")
        ));
        return Ok(ExitCode::Success);
    };
    let text = text(topic).with_context(|| format!("{} in the program cannot be read", topic.path))?;
    session.printer.data(&with_urls(&text, topic));
    Ok(ExitCode::Success)
}

/// The topics with their titles.
fn list() -> io::Result<String> {
    let width = TOPICS.iter().map(|topic| topic.name.len()).max().unwrap_or_default();
    let mut list = String::new();
    for topic in TOPICS {
        list.push_str(&format!("{:width$}  {}\n", topic.name, title(&text(topic)?)));
    }
    Ok(list)
}

fn text(topic: &Topic) -> io::Result<String> {
    let mut text = String::new();
    ZlibDecoder::new(topic.compressed).read_to_string(&mut text)?;
    Ok(text)
}

/// The first heading, without the marks of Markdown.
fn title(text: &str) -> String {
    let heading = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default();
    heading.replace('`', "")
}

/// The document with links that lead somewhere outside of the repository too.
fn with_urls(text: &str, topic: &Topic) -> String {
    let base = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");
    let Some(base) = Url::parse(base).ok().and_then(|base| base.join(topic.path).ok()) else { return text.to_owned() };
    let mut whole = String::with_capacity(text.len() * 5 / 4);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        let (target, after) = after.split_once(')').unwrap_or((after, ""));
        whole.push_str(before);
        match base.join(target) {
            Ok(url) => whole.push_str(&format!("]({url})")),
            Err(_) => whole.push_str(&format!("]({target})")),
        }
        rest = after;
    }
    whole.push_str(rest);
    whole
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn repository() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn every_document_is_a_topic_with_the_text_of_its_file() {
        let files = fs::read_dir(repository().join("docs")).unwrap();
        let files = files.map(|file| format!("docs/{}", file.unwrap().file_name().to_string_lossy()));
        let wanted: BTreeSet<String> =
            files.filter(|file| file.ends_with(".md")).chain(["README.md".to_owned()]).collect();
        let topics: BTreeSet<String> = TOPICS.iter().map(|topic| topic.path.to_owned()).collect();
        assert_eq!(topics, wanted);
        for topic in TOPICS {
            let text = text(topic).unwrap();
            assert_eq!(text, fs::read_to_string(repository().join(topic.path)).unwrap(), "{}", topic.name);
            assert!(!title(&text).is_empty(), "{}", topic.name);
        }
    }

    #[test]
    fn a_name_means_one_document() {
        let names: Vec<&str> =
            TOPICS.iter().flat_map(|topic| topic.aliases.iter().copied().chain([topic.name])).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        assert!(of("restore").is_some_and(|topic| topic.name == "stores"));
    }

    #[test]
    fn links_lead_to_pages_wherever_the_document_lies() {
        let state = with_urls(
            "see [stores](stores.md#one), [it](#two) and [AWS](https://aws.amazon.com/x) (not]",
            of("state").unwrap(),
        );
        let page = documentation!("");
        assert_eq!(
            state,
            format!(
                "see [stores]({page}stores.md#one), [it]({page}state.md#two) and [AWS](https://aws.amazon.com/x) (not]"
            )
        );
        let overview = with_urls("[state](docs/state.md) [examples](examples/)", of("overview").unwrap());
        assert_eq!(overview.split("](").nth(1).unwrap(), format!("{page}state.md) [examples"));
    }
}
