//! What an adoption tells.

use std::collections::BTreeMap;

use crate::adopt::Found;
use crate::adopt::instance::Tool;
use crate::plan::Plan;
use crate::session::Session;
use crate::ui::{json, plan_view};
use hlctl_engine::state::Place;
use hlctl_model::address::Address;
use hlctl_model::text::{counted, shown};

/// One resource that the state now holds.
pub(super) struct Adopted {
    address: String,
    id: String,
    /// What the tool that made it calls it: Terraform's address, or CloudFormation's type and logical id.
    named: Option<String>,
}

impl Adopted {
    pub(super) fn of(address: &Address, found: &Found, named: Option<String>) -> Self {
        Self { address: address.to_string(), id: found.id(), named }
    }
}

/// All of it.
pub(super) struct Report<'a> {
    /// What made it.
    pub(super) tool: Tool,
    pub(super) adopted: Vec<Adopted>,
    /// What should be there and is not.
    pub(super) missing: Vec<Address>,
    /// What is there and was not adopted, in words.
    pub(super) left: Vec<String>,
    /// Tags that the next apply takes away, by their keys.
    pub(super) own_tags: BTreeMap<Address, Vec<String>>,
    /// Terraform's addresses of what it holds to be damaged.
    pub(super) tainted: Vec<String>,
    /// Protections that the next apply takes away, in words.
    pub(super) protections: Vec<String>,
    /// The configuration that was written.
    pub(super) config: Option<String>,
    /// The command, or the `removed` blocks, by which Terraform forgets the resources.
    pub(super) commands: Vec<String>,
    pub(super) plan: &'a Plan,
    pub(super) stack: &'a str,
    pub(super) place: String,
    pub(super) dry_run: bool,
}

impl<'a> Report<'a> {
    pub(super) fn new(plan: &'a Plan, stack: &'a str) -> Self {
        Self {
            tool: Tool::Terraform,
            adopted: Vec::new(),
            missing: Vec::new(),
            left: Vec::new(),
            own_tags: BTreeMap::new(),
            tainted: Vec::new(),
            protections: Vec::new(),
            config: None,
            commands: Vec::new(),
            plan,
            stack,
            place: String::new(),
            dry_run: false,
        }
    }

    /// The commands to stdout, all else to stderr; or all of it as JSON.
    pub(super) fn tell(&self, session: &Session, state: &Place, as_json: bool) {
        if as_json {
            session.printer.json(&self.document(session, state));
            return;
        }
        let say = |text: &str| session.printer.say(text);
        if let Some(config) = self.config.as_ref().filter(|_| self.dry_run) {
            say(&format!("{} would be:\n\n{config}", session.global.config.display()));
        }
        let verb = if self.dry_run { "Would adopt" } else { "Adopted" };
        say(&format!("{verb} {} as the stack {}:\n", counted(self.adopted.len() as u64, "resource"), self.stack));
        for adopted in &self.adopted {
            say(&format!("  {}  {}", adopted.address, adopted.id));
        }
        let own_tags =
            self.own_tags.iter().map(|(address, keys)| format!("{address}: {}", shown(&keys.join(", ")))).collect();
        let paragraphs = [
            ("No longer in AWS; an apply creates them again:", lines(&self.missing)),
            ("Not adopted:", self.left.clone()),
            (
                "Terraform holds these to be damaged (tainted) and would replace them; hlctl keeps them:",
                self.tainted.clone(),
            ),
            ("The next apply takes these protections away:", self.protections.clone()),
            ("With extra tags, which the next apply removes unless you add them to [tags]:", own_tags),
        ];
        for (heading, lines) in paragraphs.iter().filter(|(_, lines)| !lines.is_empty()) {
            say(&format!("\n{heading}\n\n  {}", lines.join("\n  ")));
        }
        say(&format!(
            "\nWhat `{}` would do now:\n\n{}",
            hlctl!("apply"),
            plan_view::render(self.plan, &self.place, None)
        ));
        if self.dry_run {
            say("\nDry run: nothing was written.");
        } else {
            let config = self.config.as_ref().map(|_| format!("{} and ", session.global.config.display()));
            say(&format!("\nWrote {}{}.", config.unwrap_or_default(), state));
        }
        if !self.commands.is_empty() {
            let let_go = match self.tool {
                Tool::Terraform => "remove the resources from Terraform",
                Tool::CloudFormation => "let CloudFormation keep the resources when its stack is deleted",
            };
            say(&format!("\nTo {let_go}, once `{}` shows what you expect:\n", hlctl!("plan")));
            session.printer.data(&self.letting_go());
        }
    }

    /// What goes to stdout. After a dry run it is comments, so that a file that was made of it does nothing.
    fn letting_go(&self) -> String {
        let text = self.commands.join("\n\n");
        if !self.dry_run {
            return text;
        }
        let lines = text.lines().map(|line| format!("# {line}").trim_end().to_owned());
        let place = match self.tool {
            Tool::Terraform => "the Terraform state",
            Tool::CloudFormation => "CloudFormation's stack",
        };
        let heading = format!("# Dry run: nothing was adopted, so the resources must stay in {place}.");
        std::iter::once(heading).chain(lines).collect::<Vec<_>>().join("\n")
    }

    fn document(&self, session: &Session, state: &Place) -> json::Adopted {
        let adopted = self.adopted.iter().map(|adopted| json::AdoptedResource {
            address: adopted.address.clone(),
            id: adopted.id.clone(),
            terraform: adopted.named.clone().filter(|_| self.tool == Tool::Terraform),
            cloudformation: adopted.named.clone().filter(|_| self.tool == Tool::CloudFormation),
        });
        json::Adopted {
            format_version: json::FORMAT_VERSION,
            dry_run: self.dry_run,
            stack: self.stack.to_owned(),
            state: state.to_string(),
            adopted: adopted.collect(),
            missing: lines(&self.missing),
            left: self.left.clone(),
            own_tags: self.own_tags.keys().map(Address::to_string).collect(),
            tainted: self.tainted.clone(),
            protections_removed: self.protections.clone(),
            config: self.config.as_ref().map(|text| json::WrittenConfig {
                path: session.global.config.display().to_string(),
                text: text.clone(),
            }),
            commands: self.commands.clone(),
            plan: json::plan(self.plan, session.global.environment(), None),
        }
    }
}

fn lines(addresses: &[Address]) -> Vec<String> {
    addresses.iter().map(Address::to_string).collect()
}
