//! Paths into a resource, and the plan of a resource that they make together.

use hlctl_r4::{Element, Kind, Name, Primitive, Type};

use super::fault::MOST_PLACES;
use super::{Field, PathFault, Plan, Rows};

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) place: Option<usize>,
}

/// Where a path leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Primitive(Primitive),
    Complex(&'static Type),
}

pub(crate) fn parse(path: &str) -> Result<Vec<Step>, PathFault> {
    let step = |text: &str| {
        let (name, place) = match text.split_once('[') {
            None => (text, None),
            Some((name, rest)) => {
                let digits = rest.strip_suffix(']').ok_or(PathFault::Form)?;
                if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                    return Err(PathFault::Form);
                }
                let place = digits.parse().ok().filter(|place| *place <= MOST_PLACES).ok_or(PathFault::FarPlace)?;
                (name, Some(place))
            }
        };
        let letters = name.strip_prefix('_').unwrap_or(name);
        if letters.is_empty() || !letters.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(PathFault::Form);
        }
        Ok(Step { name: name.to_owned(), place })
    };
    path.split('.').map(step).collect()
}

/// The element of that name. `_birthDate` is what `birthDate` has in addition to its value.
fn element(of: &'static Type, name: &str) -> Result<(&'static Element, bool), PathFault> {
    let (plain, itself) = name.strip_prefix('_').map_or((name, false), |plain| (plain, true));
    let found = Name::of(plain).and_then(|name| of.element(name));
    let found = found.filter(|element| !itself || matches!(element.kind(), Kind::Primitive(_)));
    found.map(|element| (element, itself)).ok_or_else(|| {
        let names = of.elements().iter().map(Element::name);
        let similar = nearest(plain, names);
        PathFault::UnknownElement { of: of.name(), element: name.to_owned(), similar }
    })
}

/// The name that is most like another one, if any is.
pub(crate) fn nearest<'n>(name: &str, among: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let likeness = |other: &&'n str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let best = among.map(|other| (likeness(&other), other)).max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(likeness, _)| *likeness > 0.85).map(|(_, name)| name)
}

/// Follows a path from a type. The last step names a place in a list where `array` is false, and none where it is true.
pub(crate) fn follow(from: &'static Type, steps: &[Step], array: bool) -> Result<End, PathFault> {
    let mut of = from;
    for (at, step) in steps.iter().enumerate() {
        let is_last = at + 1 == steps.len();
        let (element, itself) = element(of, &step.name)?;
        let name = || step.name.clone();
        match (element.is_list(), step.place) {
            (true, Some(_)) if array && is_last => return Err(PathFault::ArrayPlace(name())),
            (true, None) if array && is_last => {}
            (true, None) => return Err(PathFault::List(name())),
            (false, _) if array && is_last => return Err(PathFault::NoList(name())),
            (false, Some(_)) => return Err(PathFault::NoList(name())),
            (true, Some(_)) | (false, None) => {}
        }
        let kind = match (element.kind(), Type::element_itself()) {
            (Kind::Primitive(_), Some(parts)) if itself => Kind::Complex(parts),
            (kind, _) => kind,
        };
        match kind {
            Kind::Resource => return Err(PathFault::Resource(name())),
            Kind::Primitive(primitive) if is_last => return Ok(End::Primitive(primitive)),
            Kind::Primitive(_) => return Err(PathFault::NoParts(name())),
            Kind::Complex(inner) => of = inner,
        }
    }
    Ok(End::Complex(of))
}

impl Plan {
    /// The plan of an object without elements.
    pub(crate) fn empty() -> Self {
        Self::Object(Vec::new())
    }

    /// Adds a field at the end of a path.
    pub(crate) fn add(&mut self, steps: &[Step], field: Field) -> Result<(), PathFault> {
        let end = self.at(steps)?;
        match end {
            Self::Value(fields) => fields.push(field),
            Self::Object(elements) if elements.is_empty() => *end = Self::Value(vec![field]),
            Self::Object(_) | Self::List { .. } => return Err(taken(steps)),
        }
        Ok(())
    }

    /// Adds entries for rows to the list at the end of a path, which is not there twice for one aggregation.
    pub(crate) fn add_rows(&mut self, steps: &[Step], rows: Rows, entry: Plan) -> Result<(), PathFault> {
        let end = self.at(steps)?;
        if matches!(end, Self::Object(elements) if elements.is_empty()) {
            *end = Self::List { fixed: Vec::new(), rows: Vec::new() };
        }
        match end {
            Self::List { rows: others, .. } => others.push((rows, entry)),
            Self::Value(_) | Self::Object(_) => return Err(taken(steps)),
        }
        Ok(())
    }

    /// What is at the end of a path, made if nothing is there yet.
    fn at(&mut self, steps: &[Step]) -> Result<&mut Self, PathFault> {
        let mut plan = self;
        for (at, step) in steps.iter().enumerate() {
            let Self::Object(elements) = plan else { return Err(taken(&steps[..at])) };
            let place = match elements.iter().position(|(name, _)| *name == step.name) {
                Some(place) => place,
                None => {
                    elements.push((step.name.clone(), Self::empty()));
                    elements.len() - 1
                }
            };
            plan = &mut elements[place].1;
            let Some(number) = step.place else { continue };
            if matches!(plan, Self::Object(elements) if elements.is_empty()) {
                *plan = Self::List { fixed: Vec::new(), rows: Vec::new() };
            }
            let Self::List { fixed, .. } = plan else { return Err(taken(&steps[..=at])) };
            let place = match fixed.binary_search_by_key(&number, |(place, _)| *place) {
                Ok(place) => place,
                Err(place) => {
                    fixed.insert(place, (number, Self::empty()));
                    place
                }
            };
            plan = &mut fixed[place].1;
        }
        Ok(plan)
    }
}

fn taken(steps: &[Step]) -> PathFault {
    PathFault::Taken(steps.last().map(|step| step.name.clone()).unwrap_or_default())
}
