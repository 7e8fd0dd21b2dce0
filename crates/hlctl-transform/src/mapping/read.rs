//! Reads a mapping from YAML, and checks all of it.

use std::collections::HashMap;

use hlctl_r4::{Primitive, Type};

use super::fault::{Expected, MappingFault, MappingProblem, MappingProblems, PathFault, Severity};
use super::path::{self, End, Step, nearest};
use super::{Children, Field, FieldName, Mapping, PRIMARY_KEY, Plan, ResourceMapping, Rows, Table, Target, Transform};
use crate::identity::Identities;
use crate::limits;
use crate::transform::{DateFormats, Expression, Pattern};
use crate::yaml::{self, Entry, MappingPlace, Node, Value};

pub(super) fn mapping(text: &str) -> Result<Mapping, MappingProblems> {
    let mut reader = Reader::default();
    let chars = text.chars().count();
    let start = MappingPlace { line: 1, column: 1 };
    if chars > limits::MAPPING_CHARS {
        reader.fault(start, MappingFault::TooLarge(chars));
        return Err(MappingProblems(reader.problems));
    }
    match yaml::read(text) {
        Err((place, fault)) => reader.fault(place, fault),
        Ok(None) => reader.fault(start, MappingFault::Nothing),
        Ok(Some(root)) if root.is_null() => reader.fault(start, MappingFault::Nothing),
        Ok(Some(root)) => reader.document(&root),
    }
    let Reader { mut problems, tables, fields, .. } = reader;
    problems.sort();
    if problems.iter().any(|problem| problem.fault.severity() == Severity::Error) {
        return Err(MappingProblems(problems));
    }
    Ok(Mapping { tables, fields, warnings: problems })
}

/// The keys of a map.
struct Keys<'n> {
    place: MappingPlace,
    entries: &'n [Entry],
}

impl<'n> Keys<'n> {
    /// What stands under a key, if anything does.
    fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node).filter(|node| !node.is_null())
    }
}

/// A table before its resource mappings are read.
struct Header<'n> {
    name: String,
    columns: Vec<String>,
    foreign_keys: Vec<ForeignKey>,
    resources: Vec<(&'n Node, Option<&'static Type>)>,
}

struct ForeignKey {
    /// Where the table is named.
    place: MappingPlace,
    column: usize,
    table: String,
    referenced: String,
}

impl Header<'_> {
    /// The number of a column.
    fn column(&mut self, name: &str) -> usize {
        self.columns.iter().position(|known| known == name).unwrap_or_else(|| {
            self.columns.push(name.to_owned());
            self.columns.len() - 1
        })
    }

    /// How many of the mappings before this one produce the same type.
    fn ordinal(&self, at: usize) -> usize {
        let of = self.resources[at].1.map(Type::name);
        self.resources[..at].iter().filter(|(_, other)| other.map(Type::name) == of).count()
    }
}

/// Where the fields of a list of field mappings belong.
struct Scope {
    /// The type that paths begin at.
    from: &'static Type,
    /// What paths begin with in messages.
    prefix: String,
    /// The table whose columns are read.
    table: usize,
    rows: Rows,
    /// Whether paths begin at the resource itself.
    is_resource: bool,
}

#[derive(Default)]
struct Reader {
    problems: Vec<MappingProblem>,
    system: String,
    tables: Vec<Table>,
    fields: Vec<FieldName>,
}

impl Reader {
    fn fault(&mut self, place: MappingPlace, fault: MappingFault) {
        self.problems.push(MappingProblem { place, fault });
    }

    /// The value, or a fault.
    fn sound<T>(&mut self, place: MappingPlace, result: Result<T, MappingFault>) -> Option<T> {
        result.map_err(|fault| self.fault(place, fault)).ok()
    }

    fn keys<'n>(&mut self, node: &'n Node, known: &[&'static str]) -> Option<Keys<'n>> {
        let Value::Map(entries) = &node.value else {
            self.fault(node.place, MappingFault::NotA(Expected::Map));
            return None;
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let similar = nearest(&entry.key, known.iter().copied());
            let similar = similar.and_then(|similar| known.iter().copied().find(|key| *key == similar));
            self.fault(entry.place, MappingFault::UnknownKey { key: entry.key.clone(), similar });
        }
        Some(Keys { place: node.place, entries })
    }

    fn required<'n>(&mut self, keys: &Keys<'n>, key: &'static str) -> Option<&'n Node> {
        let found = keys.get(key);
        if found.is_none() {
            self.fault(keys.place, MappingFault::MissingKey(key));
        }
        found
    }

    fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.value {
            Value::List(nodes) => nodes,
            _ => {
                self.fault(node.place, MappingFault::NotA(Expected::List));
                &[]
            }
        }
    }

    /// A text; it may be empty.
    fn any_text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        match &node.value {
            Value::Text { text, .. } => Some(text),
            _ => {
                self.fault(node.place, MappingFault::NotA(Expected::Text));
                None
            }
        }
    }

    fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = self.any_text(node)?;
        if text.is_empty() {
            self.fault(node.place, MappingFault::EmptyText);
            return None;
        }
        Some(text)
    }

    /// A text that must be there.
    fn required_text<'n>(&mut self, keys: &Keys<'n>, key: &'static str) -> Option<(MappingPlace, &'n str)> {
        let node = self.required(keys, key)?;
        Some((node.place, self.text(node)?))
    }

    fn boolean(&mut self, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Text { text, plain: true } if text == "true" => Some(true),
            Value::Text { text, plain: true } if text == "false" => Some(false),
            _ => {
                self.fault(node.place, MappingFault::NotA(Expected::Boolean));
                None
            }
        }
    }

    fn document(&mut self, root: &Node) {
        let Some(keys) = self.keys(root, &["sourceSystemId", "tables"]) else { return };
        if let Some((_, system)) = self.required_text(&keys, "sourceSystemId") {
            self.system = system.to_owned();
        }
        let Some(list) = self.required(&keys, "tables") else { return };
        let nodes = self.list(list);
        if nodes.len() > limits::FILES {
            self.fault(list.place, MappingFault::TooManyTables(nodes.len()));
        }
        let mut headers: Vec<Header<'_>> = Vec::new();
        for node in nodes {
            if let Some(header) = self.header(node, &headers) {
                headers.push(header);
            }
        }
        if !nodes.is_empty() && headers.len() < nodes.len() {
            // Names that are not known would be missed everywhere else.
            return;
        }
        if headers.iter().all(|header| header.resources.is_empty()) {
            self.fault(list.place, MappingFault::NoResources);
        }
        self.foreign_keys(&headers);
        let mut resources: Vec<Vec<ResourceMapping>> = Vec::new();
        for at in 0..headers.len() {
            let mut of_table = Vec::new();
            for number in 0..headers[at].resources.len() {
                of_table.extend(self.resource(&mut headers, at, number));
            }
            resources.push(of_table);
        }
        let tables = headers.into_iter().zip(resources);
        self.tables =
            tables.map(|(header, resources)| Table { name: header.name, columns: header.columns, resources }).collect();
    }

    /// What a table says of itself; its name must be there.
    fn header<'n>(&mut self, node: &'n Node, others: &[Header<'n>]) -> Option<Header<'n>> {
        let known = ["tableName", "primaryKeyColumn", "foreignKeys", "resourceMappings"];
        let keys = self.keys(node, &known)?;
        let name = self.required_text(&keys, "tableName");
        let key = self.required_text(&keys, "primaryKeyColumn");
        let ((place, name), (_, key)) = (name?, key?);
        if others.iter().any(|other| other.name == name) {
            self.fault(place, MappingFault::DuplicateTable(name.to_owned()));
        }
        let mut header = Header {
            name: name.to_owned(),
            columns: vec![key.to_owned()],
            foreign_keys: Vec::new(),
            resources: Vec::new(),
        };
        for node in keys.get("foreignKeys").map(|node| self.list(node)).unwrap_or_default() {
            let Some(keys) = self.keys(node, &["columnName", "referenceTableName", "referenceColumnName"]) else {
                continue;
            };
            let column = self.required_text(&keys, "columnName");
            let table = self.required_text(&keys, "referenceTableName");
            let referenced = self.required_text(&keys, "referenceColumnName");
            if let (Some((_, column)), Some((place, table)), Some((_, referenced))) = (column, table, referenced) {
                let column = header.column(column);
                let (table, referenced) = (table.to_owned(), referenced.to_owned());
                header.foreign_keys.push(ForeignKey { place, column, table, referenced });
            }
        }
        for node in keys.get("resourceMappings").map(|node| self.list(node)).unwrap_or_default() {
            header.resources.push((node, self.resource_type(node)));
        }
        if header.resources.is_empty() && header.foreign_keys.is_empty() {
            self.fault(node.place, MappingFault::NoForeignKeys);
        }
        Some(header)
    }

    fn resource_type(&mut self, node: &Node) -> Option<&'static Type> {
        let known = ["targetResourceType", "fieldMappings", "aggregationMappings", "groupByPk", "arrayFieldMappings"];
        let keys = self.keys(node, &known)?;
        let (place, name) = self.required_text(&keys, "targetResourceType")?;
        let of = self.known_type(name);
        self.sound(place, of)
    }

    fn known_type(&self, name: &str) -> Result<&'static Type, MappingFault> {
        Type::resource(name).ok_or_else(|| {
            let similar = nearest(name, Type::resources().iter().map(|of| of.name())).map(str::to_owned);
            MappingFault::UnknownResourceType { name: name.to_owned(), similar }
        })
    }

    fn foreign_keys(&mut self, headers: &[Header<'_>]) {
        for key in headers.iter().flat_map(|header| &header.foreign_keys) {
            self.sound(key.place, table_of(headers, &key.table));
        }
    }

    fn resource(&mut self, headers: &mut [Header<'_>], at: usize, number: usize) -> Option<ResourceMapping> {
        let (node, of) = headers[at].resources[number];
        let of = of?;
        let Value::Map(entries) = &node.value else { return None };
        let keys = Keys { place: node.place, entries };
        let grouped = keys.get("groupByPk").is_some_and(|node| self.boolean(node).unwrap_or(true));
        let mut plan = Plan::empty();
        let own = Scope { from: of, prefix: of.name().to_owned(), table: at, rows: Rows::Own, is_resource: true };
        if let Some(fields) = keys.get("fieldMappings") {
            self.fields(headers, fields, &own, &[], &mut plan);
        } else if keys.get("aggregationMappings").is_none() && keys.get("arrayFieldMappings").is_none() {
            self.fault(node.place, MappingFault::MissingKey("fieldMappings"));
        }
        let mut children = Vec::new();
        for node in keys.get("aggregationMappings").map(|node| self.list(node)).unwrap_or_default() {
            self.aggregation(headers, node, &own, &mut plan, &mut children);
        }
        if let Some(list) = keys.get("arrayFieldMappings") {
            if !grouped {
                self.fault(list.place, MappingFault::ArraysWithoutGroups);
            }
            for node in self.list(list) {
                let Some(keys) = self.keys(node, &["fhirPath", "fieldMappings"]) else { continue };
                let target = self.required_text(&keys, "fhirPath");
                let fields = self.required(&keys, "fieldMappings");
                if let (Some(target), Some(fields)) = (target, fields) {
                    self.array(headers, target, fields, &own, (Rows::Group, at), &mut plan);
                }
            }
        }
        let identities = Identities::new(&self.system, &headers[at].name, of.name(), headers[at].ordinal(number));
        Some(ResourceMapping { resource: of.name(), identities, grouped, plan, children })
    }

    fn aggregation(
        &mut self,
        headers: &mut [Header<'_>],
        node: &Node,
        own: &Scope,
        plan: &mut Plan,
        children: &mut Vec<Children>,
    ) {
        let known = ["sourceTableName", "targetFhirPath", "aggregationType", "fieldMappings"];
        let Some(keys) = self.keys(node, &known) else { return };
        let source = self.required_text(&keys, "sourceTableName");
        let target = self.required_text(&keys, "targetFhirPath");
        let kind = self.required_text(&keys, "aggregationType");
        let fields = self.required(&keys, "fieldMappings");
        let (Some((place, source)), Some(target), Some((kind_place, kind)), Some(fields)) =
            (source, target, kind, fields)
        else {
            return;
        };
        let Some(table) = self.sound(place, table_of(headers, source)) else { return };
        let parent = &headers[own.table];
        let is_key = |key: &&ForeignKey| key.table == parent.name && key.referenced == parent.columns[PRIMARY_KEY];
        let Some(key) = headers[table].foreign_keys.iter().find(is_key).map(|key| key.column) else {
            let fault = MappingFault::NotAChild {
                child: source.to_owned(),
                parent: parent.name.clone(),
                key: parent.columns[PRIMARY_KEY].clone(),
            };
            return self.fault(place, fault);
        };
        children.push(Children { table, key });
        let rows = Rows::Children(children.len() - 1);
        match kind {
            "array" => self.array(headers, target, fields, own, (rows, table), plan),
            "merge" => {
                let (place, path) = target;
                let end = path::parse(path).and_then(|steps| Ok((path::follow(own.from, &steps, false)?, steps)));
                match self.sound(place, end.map_err(MappingFault::Path)) {
                    Some((End::Complex(from), steps)) => {
                        let prefix = format!("{}.{path}", own.prefix);
                        let scope = Scope { from, prefix, table, rows, is_resource: false };
                        self.fields(headers, fields, &scope, &steps, plan);
                    }
                    Some((End::Primitive(_), _)) => {
                        self.fault(place, MappingFault::Path(PathFault::NoParts(path.to_owned())));
                    }
                    None => {}
                }
            }
            other => self.fault(kind_place, MappingFault::UnknownAggregation(other.to_owned())),
        }
    }

    /// Entries of a list, one for each of these rows of this table.
    fn array(
        &mut self,
        headers: &mut [Header<'_>],
        (place, path): (MappingPlace, &str),
        fields: &Node,
        own: &Scope,
        (rows, table): (Rows, usize),
        plan: &mut Plan,
    ) {
        let end = path::parse(path).and_then(|steps| Ok((path::follow(own.from, &steps, true)?, steps)));
        match self.sound(place, end.map_err(MappingFault::Path)) {
            Some((End::Complex(from), steps)) => {
                // Within an entry its own row is read.
                let prefix = format!("{}.{path}", own.prefix);
                let scope = Scope { from, prefix, table, rows: Rows::Own, is_resource: false };
                let mut entry = Plan::empty();
                self.fields(headers, fields, &scope, &[], &mut entry);
                let added = plan.add_rows(&steps, rows, entry);
                self.sound(place, added.map_err(MappingFault::Path));
            }
            Some((End::Primitive(_), _)) => {
                self.fault(place, MappingFault::Path(PathFault::NoParts(path.to_owned())));
            }
            None => {}
        }
    }

    fn fields(&mut self, headers: &mut [Header<'_>], list: &Node, scope: &Scope, before: &[Step], plan: &mut Plan) {
        for node in self.list(list) {
            let Some((place, mut steps, field)) = self.field(headers, node, scope) else { continue };
            steps.splice(0..0, before.iter().cloned());
            let added = plan.add(&steps, field);
            self.sound(place, added.map_err(MappingFault::Path));
        }
    }

    fn field(
        &mut self,
        headers: &mut [Header<'_>],
        node: &Node,
        scope: &Scope,
    ) -> Option<(MappingPlace, Vec<Step>, Field)> {
        let known = ["fhirPath", "sourceColumn", "sourceColumns", "transform", "targetFhirType"];
        let keys = self.keys(node, &known)?;
        let path = self.required_text(&keys, "fhirPath");
        let columns = self.columns(headers, &keys, scope.table);
        let transform = self.required(&keys, "transform");
        let transform = transform.and_then(|node| self.transform(headers, node));
        let target = keys.get("targetFhirType").map(|node| (node.place, self.target(node)));
        let ((place, path), columns, (kind, transform)) = (path?, columns?, transform?);
        if scope.is_resource && path == "resourceType" {
            let is_it =
                matches!(&transform, Transform::Expression(it) if it.constant().as_deref() == Some(scope.from.name()));
            if !is_it {
                self.fault(place, MappingFault::OtherResourceType);
            }
            return None;
        }
        if scope.is_resource && path == "id" {
            self.fault(place, MappingFault::GeneratedId);
            return None;
        }
        self.counts(keys.place, kind, &transform, columns.len());
        let end = path::parse(path).and_then(|steps| Ok((path::follow(scope.from, &steps, false)?, steps)));
        let (end, steps) = self.sound(place, end.map_err(MappingFault::Path))?;
        let target = match (end, &transform, target) {
            (End::Complex(_), Transform::Direct, None) => Target::Json,
            (End::Complex(of), ..) => {
                let element = steps.last().map(|step| step.name.clone()).unwrap_or_default();
                self.fault(place, MappingFault::Path(PathFault::Parts { element, of: of.name() }));
                return None;
            }
            (End::Primitive(primitive), transform, target) => self.types(place, primitive, transform, target),
        };
        let number = self.fields.len();
        let column = columns.first().map(|column| headers[scope.table].columns[*column].clone());
        self.fields.push(FieldName { path: format!("{}.{path}", scope.prefix), column });
        Some((place, steps, Field { number, rows: scope.rows, columns, transform, target }))
    }

    fn columns(&mut self, headers: &mut [Header<'_>], keys: &Keys<'_>, table: usize) -> Option<Vec<usize>> {
        match (keys.get("sourceColumn"), keys.get("sourceColumns")) {
            (Some(_), Some(both)) => {
                self.fault(both.place, MappingFault::BothColumns);
                None
            }
            (Some(node), None) => {
                let name = self.text(node)?;
                Some(vec![headers[table].column(name)])
            }
            (None, Some(list)) => {
                let names: Vec<_> = self.list(list).iter().map(|node| self.text(node)).collect();
                Some(names.into_iter().flatten().map(|name| headers[table].column(name)).collect())
            }
            (None, None) => Some(Vec::new()),
        }
    }

    /// Checks that a transform has the columns that it reads.
    fn counts(&mut self, place: MappingPlace, kind: &'static str, transform: &Transform, columns: usize) {
        let needs = match transform {
            Transform::Expression(expression) => expression.has_value(),
            _ => true,
        };
        if needs && columns == 0 {
            self.fault(place, MappingFault::NoColumn(kind));
        }
        if columns > 1 && !matches!(transform, Transform::Concat { .. }) {
            self.fault(place, MappingFault::SeveralColumns(kind));
        }
    }

    fn target(&mut self, node: &Node) -> Option<Target> {
        match self.text(node)? {
            "boolean" => Some(Target::Boolean),
            "integer" => Some(Target::Integer),
            "decimal" => Some(Target::Decimal),
            // The default, which the guide calls "string".
            "string" => Some(Target::Text),
            other => {
                self.fault(node.place, MappingFault::UnknownTargetType(other.to_owned()));
                None
            }
        }
    }

    /// The JSON type of a value; warns where R4 has another.
    fn types(
        &mut self,
        place: MappingPlace,
        primitive: Primitive,
        transform: &Transform,
        target: Option<(MappingPlace, Option<Target>)>,
    ) -> Target {
        let wanted = match primitive {
            Primitive::Boolean => Some("boolean"),
            Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt => Some("integer"),
            Primitive::Decimal => Some("decimal"),
            _ => None,
        };
        let (at, target) = match target {
            Some((at, Some(target))) => (at, target),
            // Something else is wrong with it already.
            Some((_, None)) => return Target::Text,
            None => (place, Target::Text),
        };
        let written = match target {
            Target::Boolean => Some("boolean"),
            Target::Integer => Some("integer"),
            Target::Decimal => Some("decimal"),
            Target::Text | Target::Json => None,
        };
        match (written, wanted) {
            (None, Some(wanted)) => self.fault(at, MappingFault::WrittenAsText(wanted)),
            (Some("integer"), Some("decimal")) => {}
            (Some(written), wanted) if Some(written) != wanted => {
                self.fault(at, MappingFault::WrittenAs { written, wanted: wanted.unwrap_or("text") });
            }
            _ => {}
        }
        if let (Transform::Date(formats), Primitive::DateTime | Primitive::Instant) = (transform, primitive)
            && formats.lacks_offset()
        {
            self.fault(place, MappingFault::NoOffset);
        }
        target
    }

    fn transform(&mut self, headers: &[Header<'_>], node: &Node) -> Option<(&'static str, Transform)> {
        let keys = self.keys(node, &["type", "params"])?;
        let (place, kind) = self.required_text(&keys, "type")?;
        // Parameters that are missing are found by the transform itself.
        let none = Node { place: node.place, value: Value::Map(Vec::new()) };
        let params = keys.get("params").unwrap_or(&none);
        match kind {
            "direct" => {
                self.keys(params, &[])?;
                Some(("direct", Transform::Direct))
            }
            "concat" => {
                let keys = self.keys(params, &["separator"])?;
                let separator =
                    keys.get("separator").and_then(|node| self.any_text(node)).unwrap_or_default().to_owned();
                Some(("concat", Transform::Concat { separator }))
            }
            "dateFormat" => {
                let keys = self.keys(params, &["inputFormat", "outputFormat"])?;
                let input = self.required_text(&keys, "inputFormat");
                let output = self.required_text(&keys, "outputFormat");
                let ((of_input, input), (of_output, output)) = (input?, output?);
                match DateFormats::parse(input, output) {
                    Ok(formats) => Some(("dateFormat", Transform::Date(Box::new(formats)))),
                    Err((is_input, fault)) => {
                        self.fault(if is_input { of_input } else { of_output }, MappingFault::Date(fault));
                        None
                    }
                }
            }
            "valueMap" => {
                let keys = self.keys(params, &["mapping"])?;
                let values = self.required(&keys, "mapping")?;
                Some(("valueMap", Transform::Map(self.values(values)?)))
            }
            "expression" => {
                let keys = self.keys(params, &["expression"])?;
                let (place, text) = self.required_text(&keys, "expression")?;
                let expression = Expression::parse(text).map_err(MappingFault::Expression);
                Some(("expression", Transform::Expression(self.sound(place, expression)?)))
            }
            "conditional" => {
                let keys = self.keys(params, &["condition", "presentValue", "absentValue"])?;
                let condition = self.required_text(&keys, "condition");
                let present = self.required_text(&keys, "presentValue");
                let absent = keys.get("absentValue").and_then(|node| self.any_text(node)).map(str::to_owned);
                let ((place, condition), (_, present)) = (condition?, present?);
                if condition != "present" {
                    self.fault(place, MappingFault::UnknownCondition(condition.to_owned()));
                }
                Some(("conditional", Transform::Conditional { present: present.to_owned(), absent }))
            }
            "resourceReference" => {
                let keys = self.keys(params, &["referenceTableName", "referenceResourceType"])?;
                let table = self.required_text(&keys, "referenceTableName");
                let resource = self.required_text(&keys, "referenceResourceType");
                let ((of_table, table), (of_type, resource)) = (table?, resource?);
                let at = self.sound(of_table, table_of(headers, table));
                let of = self.known_type(resource);
                let (at, of) = (at, self.sound(of_type, of));
                let (at, of) = (at?, of?);
                if !headers[at].resources.iter().any(|(_, produced)| produced.map(Type::name) == Some(of.name())) {
                    let fault = MappingFault::NotProduced { table: table.to_owned(), resource: resource.to_owned() };
                    self.fault(of_type, fault);
                    return None;
                }
                let identities = Identities::new(&self.system, table, of.name(), 0);
                Some(("resourceReference", Transform::Reference { table: at, resource: of.name(), identities }))
            }
            "regex" => {
                let keys = self.keys(params, &["pattern", "replacement"])?;
                let pattern = self.required_text(&keys, "pattern");
                let replacement = self.required(&keys, "replacement").and_then(|node| self.any_text(node));
                let ((place, pattern), replacement) = (pattern?, replacement?);
                let pattern = Pattern::parse(pattern, replacement).map_err(MappingFault::Pattern);
                Some(("regex", Transform::Pattern(Box::new(self.sound(place, pattern)?))))
            }
            other => {
                self.fault(place, MappingFault::UnknownTransform(other.to_owned()));
                None
            }
        }
    }

    /// The entries of a valueMap.
    fn values(&mut self, node: &Node) -> Option<HashMap<String, String>> {
        let Value::Map(entries) = &node.value else {
            self.fault(node.place, MappingFault::NotA(Expected::Map));
            return None;
        };
        let mut values = HashMap::new();
        for entry in entries {
            let Some(value) = self.any_text(&entry.node) else { continue };
            let is_plain = matches!(entry.node.value, Value::Text { plain: true, .. });
            for (place, word, plain) in
                [(entry.place, entry.key.as_str(), entry.plain), (entry.node.place, value, is_plain)]
            {
                if plain && is_boolean_of_1_1(word) {
                    self.fault(place, MappingFault::ReadAsBoolean(word.to_owned()));
                }
            }
            values.insert(entry.key.clone(), value.to_owned());
        }
        Some(values)
    }
}

/// Whether YAML 1.1, which Java's parsers read, has this word for true or false (yaml.org/type/bool.html).
fn is_boolean_of_1_1(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    let is_cased = word == lower || word == word.to_ascii_uppercase() || word.get(1..) == lower.get(1..);
    is_cased && ["y", "n", "yes", "no", "on", "off", "true", "false"].contains(&lower.as_str())
}

fn table_of(headers: &[Header<'_>], name: &str) -> Result<usize, MappingFault> {
    headers.iter().position(|header| header.name == name).ok_or_else(|| {
        let similar = nearest(name, headers.iter().map(|header| header.name.as_str())).map(str::to_owned);
        MappingFault::UnknownTable { name: name.to_owned(), similar }
    })
}
