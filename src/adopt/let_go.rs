//! How Terraform forgets what hlctl has taken over.

use std::collections::BTreeSet;

use super::tfstate::{Key, TfResource};
use hlctl_model::text::shell_quoted;

/// The way in which Terraform forgets a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One run of `state rm`, which takes the lock once and writes the state once.
    StateRm,
    /// `removed` blocks, for those whose state is changed by plans alone (Terraform 1.7, OpenTofu 1.7).
    RemovedBlocks,
}

/// Resources that no `removed` block can name: their module is one of several, and a block is for all of them ("The from
/// argument ... cannot include instance keys", Terraform language, `removed` block).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOfSeveral(
    /// The module's path.
    pub String,
);

/// What lets Terraform forget the resources, as commands or as HCL; one text for each command or block.
///
/// # Errors
/// [`OneOfSeveral`]
pub fn let_go<'a>(
    way: Way,
    module: &str,
    resources: impl IntoIterator<Item = &'a TfResource>,
) -> Result<Vec<String>, OneOfSeveral> {
    let resources: Vec<&TfResource> = resources.into_iter().collect();
    match way {
        Way::StateRm => Ok(vec![state_rm(&resources)]),
        // A path without a count or for_each has no bracket: names are identifiers.
        Way::RemovedBlocks if module.contains('[') => Err(OneOfSeveral(module.to_owned())),
        Way::RemovedBlocks => Ok(removed_blocks(&resources)),
    }
}

fn state_rm(resources: &[&TfResource]) -> String {
    let program = if resources.iter().any(|resource| resource.is_tofus()) { "tofu" } else { "terraform" };
    let addresses: BTreeSet<String> = resources.iter().map(|resource| shell_quoted(&resource.address())).collect();
    let lines = std::iter::once(format!("{program} state rm")).chain(addresses);
    lines.collect::<Vec<_>>().join(" \\\n  ")
}

fn removed_blocks(resources: &[&TfResource]) -> Vec<String> {
    let without_key = |resource: &&TfResource| match &resource.key {
        None => resource.address(),
        Some(Key::Index(_) | Key::Name(_)) => {
            let module = if resource.module.is_empty() { String::new() } else { format!("{}.", resource.module) };
            format!("{module}{}.{}", resource.kind, resource.name)
        }
    };
    let addresses: BTreeSet<String> = resources.iter().map(without_key).collect();
    let block =
        |address: &String| format!("removed {{\n  from = {address}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}");
    addresses.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn resource(module: &str, name: &str, key: Option<Key>, registry: &str) -> TfResource {
        TfResource {
            module: module.to_owned(),
            kind: "aws_cognito_user".to_owned(),
            name: name.to_owned(),
            provider: format!("provider[\"{registry}/hashicorp/aws\"]"),
            key,
            attributes: serde_json::Map::new(),
            deposed: None,
            tainted: false,
        }
    }

    fn several(registry: &str) -> Vec<TfResource> {
        let key = |name: &str| Some(Key::Name(name.to_owned()));
        vec![
            resource("module.x", "users", key("b"), registry),
            resource("module.x", "users", key("o'a"), registry),
            resource("module.x", "one", None, registry),
        ]
    }

    #[test]
    fn one_command_names_everything_by_the_program_whose_state_it_is() {
        let terraform = let_go(Way::StateRm, "module.x", &several("registry.terraform.io")).unwrap();
        let lines = [
            "terraform state rm \\",
            r#"  'module.x.aws_cognito_user.users["b"]' \"#,
            r#"  'module.x.aws_cognito_user.users["o'\''a"]' \"#,
            "  module.x.aws_cognito_user.one",
        ];
        let mut sorted: Vec<&str> = terraform[0].lines().collect();
        assert_eq!((terraform.len(), sorted.len(), sorted[0]), (1, 4, lines[0]));
        sorted.sort_unstable();
        for line in lines {
            let name = line.trim_end_matches(" \\");
            assert!(sorted.iter().any(|reported| reported.trim_end_matches(" \\") == name), "{terraform:?}");
        }
        let tofu = let_go(Way::StateRm, "module.x", &several("registry.opentofu.org")).unwrap();
        assert_eq!(tofu, [terraform[0].replacen("terraform", "tofu", 1)]);
    }

    #[test]
    fn blocks_name_resources_without_their_keys_and_no_single_module_of_several() {
        let blocks = let_go(Way::RemovedBlocks, "module.x", &several("registry.terraform.io")).unwrap();
        let block = |name: &str| {
            format!(
                "removed {{\n  from = module.x.aws_cognito_user.{name}\n\n  lifecycle {{\n    destroy = false\n  }}\n}}"
            )
        };
        assert_eq!(blocks, [block("one"), block("users")]);
        let refused = let_go(Way::RemovedBlocks, "module.x[0]", &several("registry.terraform.io"));
        assert_eq!(refused, Err(OneOfSeveral("module.x[0]".to_owned())));
    }
}
