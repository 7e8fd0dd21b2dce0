//! Words of other tools, and what hlctl has for them: Terraform and OpenTofu first, also Pulumi, the CDK and the shell's habits.
//!
//! A word that hlctl does not have is never answered with a command that does more harm than the word says.

/// What is typed elsewhere, and what to do here.
#[derive(Clone, Copy, Debug)]
pub struct Word {
    /// As it is typed: a command, `state replace-provider`, or a flag without its dashes.
    pub typed: &'static str,
    /// What hlctl has for it.
    pub instead: &'static str,
}

const fn word(typed: &'static str, instead: &'static str) -> Word {
    Word { typed, instead }
}

/// Commands.
pub const VERBS: &[Word] = &[
    word(
        "refresh",
        concat!(
            "`",
            hlctl!("apply --refresh-only"),
            "` brings the state up to date; `",
            hlctl!("drift"),
            "` only shows what others have changed"
        ),
    ),
    word(
        "unlock",
        concat!(
            "`",
            hlctl!("force-unlock ID"),
            "` releases the lock of a run that has died; the error about the locked state shows the ID"
        ),
    ),
    word(
        "import",
        concat!(
            "`",
            hlctl!("adopt ADDRESS ID"),
            "` adopts an existing resource; `",
            hlctl!("data import DIR"),
            "` imports FHIR data into the store"
        ),
    ),
    word("token", concat!("`", hlctl!("smart token"), "` logs in and prints an access token")),
    word(
        "login",
        concat!("hlctl uses the credentials of the AWS CLI; `", hlctl!("smart token"), "` gets a token for the store"),
    ),
    word("logout", "hlctl saves no credentials: it uses those of the AWS CLI"),
    word("whoami", concat!("`", hlctl!("doctor"), "` shows which credentials are used")),
    word(
        "workspace",
        "-e NAME chooses an environment, the table [env.NAME] of the configuration; or each stack has a configuration of its \
         own, which -c FILE names",
    ),
    word(
        "env",
        "-e NAME chooses an environment, the table [env.NAME] of the configuration; each has a stack and a state of its own",
    ),
    word(
        "taint",
        concat!(
            "`",
            hlctl!("plan --replace ADDRESS"),
            "` shows what replacing a resource would do, `",
            hlctl!("apply --replace ADDRESS"),
            "` does it"
        ),
    ),
    word("untaint", "hlctl marks no resource as tainted: plan and apply take --replace ADDRESS"),
    word("fmt", concat!("any TOML formatter does; `", hlctl!("validate"), "` checks the configuration")),
    word("format", concat!("any TOML formatter does; `", hlctl!("validate"), "` checks the configuration")),
    word("lint", concat!("`", hlctl!("validate"), "` checks the configuration")),
    word(
        "check",
        concat!(
            "`",
            hlctl!("validate"),
            "` checks the configuration, `",
            hlctl!("doctor"),
            "` what else an apply needs"
        ),
    ),
    word(
        "console",
        concat!("there are no expressions: `", hlctl!("outputs"), "` and `", hlctl!("state show"), "` print values"),
    ),
    word("get", "there are no modules to fetch: one TOML file has the whole configuration"),
    word("modules", "there are no modules: one TOML file has the whole configuration"),
    word("providers", "there are no providers: hlctl is one program"),
    word("metadata", "there are no providers: hlctl is one program"),
    word(
        "show",
        concat!("`", hlctl!("state show"), "` prints what the state holds; `", hlctl!("plan"), "` what would change"),
    ),
    word("test", concat!("`", hlctl!("smart test"), "` tests SMART on FHIR; --sandbox tries any command without AWS")),
    word("list", concat!("`", hlctl!("state list"), "` lists the resources")),
    word("ls", concat!("`", hlctl!("state list"), "` lists the resources")),
    word(
        "history",
        concat!(
            "`",
            hlctl!("report"),
            "` shows the last run; `",
            hlctl!("fhir history TYPE/ID"),
            "` a resource's versions"
        ),
    ),
    word("search", concat!("`", hlctl!("fhir search TYPE"), "` searches the store")),
    word("query", concat!("`", hlctl!("fhir search TYPE"), "` searches the store")),
    word("up", concat!("`", hlctl!("apply"), "`; `", hlctl!("plan"), "` first shows what it would do")),
    word(
        "update",
        concat!(
            "`",
            hlctl!("apply"),
            "` updates the stack; `",
            hlctl!("fhir update --file FILE"),
            "` a resource in the store"
        ),
    ),
    word(
        "create",
        concat!(
            "`",
            hlctl!("apply"),
            "` creates the stack; `",
            hlctl!("fhir create --file FILE"),
            "` a resource in the store"
        ),
    ),
    word(
        "start",
        concat!("`", hlctl!("apply"), "` creates the stack; `", hlctl!("plan"), "` first shows what it would do"),
    ),
    word("deploy", concat!("`", hlctl!("apply"), "`; `", hlctl!("plan"), "` first shows what it would do")),
    word("preview", concat!("`", hlctl!("plan"), "` shows what apply would do")),
    word(
        "diff",
        concat!("`", hlctl!("plan"), "` shows what apply would do, `", hlctl!("drift"), "` what others have changed"),
    ),
    word(
        "synth",
        concat!(
            "`",
            hlctl!("plan --json"),
            "` prints what would be created, `",
            hlctl!("export terraform"),
            "` the stack as Terraform"
        ),
    ),
    word("bootstrap", "there is nothing to set up first: hlctl creates the stack with your current credentials"),
    word(
        "stack",
        concat!("each configuration is a stack: -c FILE selects it; `", hlctl!("state list"), "` shows its resources"),
    ),
    word(
        "stacks",
        concat!("each configuration is a stack: -c FILE selects it; `", hlctl!("state list"), "` shows its resources"),
    ),
    word(
        "config",
        concat!("the configuration is a TOML file: `", hlctl!("init"), "` writes one, --set sets a key for one run"),
    ),
    word("new", concat!("`", hlctl!("init"), "` writes a commented configuration")),
    word("cancel", "Ctrl-C stops a run; the next one continues where it stopped"),
    word("watch", concat!("`", hlctl!("wait"), "` waits for the store")),
    word(
        "backup",
        concat!("datastore_backup = true turns continuous backup on; `", hlctl!("state pull"), "` prints the state"),
    ),
    word(
        "rollback",
        concat!("revert the change in the configuration; `", hlctl!("plan"), "` then shows what that changes"),
    ),
    word(
        "delete",
        "it depends on what: `destroy` the stack, `stores delete` a store, `fhir delete` a resource; each has its --help",
    ),
    word(
        "remove",
        "it depends on what: `forget` removes a resource from the state and keeps it in AWS, `destroy` deletes the \
         stack; each has its --help",
    ),
    word(
        "rm",
        "it depends on what: `forget` removes a resource from the state and keeps it in AWS, `destroy` deletes the \
         stack; each has its --help",
    ),
    word("down", "`destroy` deletes the stack; `plan --destroy` first shows what that would be"),
    word("upgrade", "hlctl does not upgrade itself: install a newer version, which also reads older states"),
    word("state replace-provider", "there are no providers: hlctl is one program"),
    word("state identities", concat!("`", hlctl!("state show --json"), "` prints the ids")),
    word("state move", "it is called `state mv`"),
    word("state remove", "it is called `state rm`"),
    word("state delete", "`state rm` only removes a resource from the state; it stays in AWS"),
    word("state import", concat!("`", hlctl!("adopt ADDRESS ID"), "` adopts an existing resource")),
    word("state refresh", concat!("`", hlctl!("apply --refresh-only"), "` brings the state up to date with AWS")),
    word("state ls", "it is called `state list`"),
    word(
        "state get",
        concat!("`", hlctl!("state show"), "` prints what the state holds; `", hlctl!("outputs"), "` the outputs"),
    ),
    word("state unlock", concat!("`", hlctl!("force-unlock ID"), "` releases the lock of a run that has died")),
];

/// Flags. Those that hlctl has too, with two dashes, need no line here.
pub const FLAGS: &[Word] = &[
    word("var", "a key of the configuration is set with --set KEY=VALUE, or by the variable HLCTL_<KEY>"),
    word("var-file", "the configuration is the file: name another one with -c FILE"),
    word("lock", "every run that writes locks the state; with --lock-timeout 10m it waits for another run"),
    word("refresh", "AWS is always read; `plan --refresh-only` and `apply --refresh-only` do nothing else"),
    word(
        "destroy",
        concat!("apply has no such flag: `", hlctl!("plan --destroy"), "` shows what `destroy` would delete"),
    ),
    word("input", "hlctl asks on a terminal only; -y or --auto-approve skips the question"),
    word("chdir", "name the configuration instead: -c DIR/healthlake.toml; the state is next to it"),
    word("compact-warnings", "-q prints data and errors only"),
    word("concise", "-q prints data and errors only"),
    word("upgrade", "there is nothing to fetch: hlctl is one program"),
    word(
        "reconfigure",
        concat!("`", hlctl!("state migrate"), "` moves the state to where `backend` in the configuration says"),
    ),
    word(
        "migrate-state",
        concat!("`", hlctl!("state migrate"), "` moves the state to where `backend` in the configuration says"),
    ),
    word("backend", "the place of the state is set by `backend` in the configuration, or by --state"),
    word("backend-config", "the place of the state is set by `backend` in the configuration, or by --state"),
    word("state-out", "the state is written to the place it was read from: --state sets it"),
    word(
        "force",
        "no flag skips every check: -y or --auto-approve skips the question, --allow-destroy NAME allows destroying \
         what is protected",
    ),
    word("exclude", "use --target to name what to include instead"),
    word("approve", "it is called --auto-approve, or -y"),
    word("generate-config-out", concat!("`", hlctl!("adopt --from-tfstate STATE"), "` writes a configuration")),
    word("recursive", "name a folder with -c to use all its configurations"),
    word("verbose", "HLCTL_LOG=calls prints every call to AWS"),
    word("debug", "HLCTL_LOG=calls prints every call to AWS"),
    word("no-colour", "it is called --no-color"),
    word("color", "colour is for terminals only; --no-color turns it off there"),
    word("stack", "each configuration is a stack: -c FILE names it"),
    word("skip-preview", "it is called --auto-approve, or -y"),
    word("require-approval", "apply asks unless --auto-approve is given"),
    word(
        "dry-run",
        concat!(
            "`",
            hlctl!("plan"),
            "` shows what apply would do, and `",
            hlctl!("plan --destroy"),
            "` what destroy would"
        ),
    ),
    word("output", "--json prints JSON"),
    word("format", "--json prints JSON"),
];

/// Commands that destroy, make what costs money, or lift a protection. A word that is not one of them, mistyped, never leads
/// here.
pub const HARMFUL: &[&str] =
    &["destroy", "restore", "replace", "unprotect", "force-unlock", "forget", "delete", "rm", "use", "recover", "push"];

/// What hlctl has for a command of another tool.
pub fn verb(path: &str) -> Option<&'static Word> {
    VERBS.iter().find(|word| word.typed == path)
}

/// What hlctl has for a flag of another tool, without its dashes.
pub fn flag(name: &str) -> Option<&'static Word> {
    FLAGS.iter().find(|word| word.typed == name)
}
