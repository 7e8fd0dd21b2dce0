//! Which files go into which job ("AWS HealthLake endpoints and quotas").

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::data::source::Source;
use hlctl_transform::limits::FILE_BYTES;

/// Input of a job: 1 GB, counted in powers of ten, since the other count would be refused if AWS counts so.
pub(super) const MOST_BYTES: u64 = 1_000_000_000;
/// Files of a job.
const MOST_CSV: usize = 20;
const MOST_CCDA: usize = 1000;

/// Which tables of a mapping belong together: the number of its family by the name of each. `None` is a mapping that hlctl cannot read,
/// whose tables may all belong together.
pub type Families = Option<BTreeMap<String, usize>>;

/// Files that belong together are more than one job takes.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} in {} belong together and have {bytes} bytes; a job takes {most} files and {MOST_BYTES} bytes",
    hlctl_model::text::counted(*files, "file"), if folder.is_empty() { "the folder" } else { folder })]
pub struct InputTooLarge {
    /// The folder.
    pub folder: String,
    /// How many files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many a job takes.
    pub most: usize,
}

/// Files cannot be divided into jobs.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Indivisible {
    /// What belongs together is too large.
    #[error("{0}")]
    TooLarge(InputTooLarge),
    /// Tables that refer to each other are in several folders, and it is not known which of them belong together.
    #[error(
        "tables of the mapping refer to each other: {one} belongs with {other}, which is not in its folder, and other folders have files \
             of these names too"
    )]
    Scattered {
        /// A file.
        one: String,
        /// A file of another folder.
        other: String,
    },
}

/// How many files a job of this format takes.
pub fn most_files(format: &str) -> usize {
    if format == "CSV" { MOST_CSV } else { MOST_CCDA }
}

/// One job does not take the files.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotOneJob {
    /// They are too many, or too large together.
    #[error("{} with {bytes} bytes; a job takes {most} files and {MOST_BYTES} bytes", hlctl_model::text::counted(*files as u64, "file"))]
    TooMuch {
        /// How many there are.
        files: usize,
        /// Their bytes.
        bytes: u64,
        /// How many a job takes.
        most: usize,
    },
    /// One of them is too large.
    #[error("{name} has {bytes} bytes; a job takes CSV files of {FILE_BYTES}")]
    TooLarge {
        /// Its name.
        name: String,
        /// Its bytes.
        bytes: u64,
    },
    /// Two would have one name.
    #[error("{first} and {second} would both be {name} in the folder that a job reads")]
    SameName {
        /// The first.
        first: String,
        /// The second.
        second: String,
        /// The name.
        name: String,
    },
}

impl NotOneJob {
    /// Whether files with these names and sizes are within the quotas of a job, which AWS raises on request ("AWS HealthLake endpoints and
    /// quotas").
    ///
    /// # Errors
    /// [`NotOneJob::TooMuch`] or [`NotOneJob::TooLarge`].
    pub(in crate::data) fn check_quotas<'a>(
        files: impl IntoIterator<Item = (&'a str, u64)>,
        format: &str,
    ) -> Result<(), Self> {
        let (mut count, mut bytes) = (0, 0_u64);
        for (name, size) in files {
            (count, bytes) = (count + 1, bytes.saturating_add(size));
            if format == "CSV" && size > FILE_BYTES as u64 {
                return Err(Self::TooLarge { name: name.to_owned(), bytes: size });
            }
        }
        let most = most_files(format);
        if count > most || bytes > MOST_BYTES { Err(Self::TooMuch { files: count, bytes, most }) } else { Ok(()) }
    }

    /// Whether files with these names would have names of their own in one folder.
    ///
    /// # Errors
    /// [`NotOneJob::SameName`].
    pub(in crate::data) fn check_names<'a>(files: impl IntoIterator<Item = &'a str>, format: &str) -> Result<(), Self> {
        let mut names: BTreeMap<String, &str> = BTreeMap::new();
        for second in files {
            let name = name_in_job(second, format);
            if let Some(first) = names.insert(name.clone(), second) {
                return Err(Self::SameName { first: first.to_owned(), second: second.to_owned(), name });
            }
        }
        Ok(())
    }
}

/// Whether the files are within the quotas of one job.
///
/// # Errors
/// [`NotOneJob::TooMuch`] or [`NotOneJob::TooLarge`].
pub fn within_quotas(source: &Source, format: &str) -> Result<(), NotOneJob> {
    NotOneJob::check_quotas(source.files.iter().map(|file| (file.name.as_str(), file.checked.size)), format)
}

/// Gives the files the names that they have in the one folder that a job reads; whether a job takes so many is not looked at.
///
/// # Errors
/// [`NotOneJob::SameName`]; nothing is changed.
pub fn into_one(source: &mut Source, format: &str) -> Result<(), NotOneJob> {
    NotOneJob::check_names(source.files.iter().map(|file| file.name.as_str()), format)?;
    for file in &mut source.files {
        file.name = name_in_job(&file.name, format);
    }
    source.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

/// The folder of a part, from 0.
pub(super) fn folder(part: usize) -> String {
    format!("{:04}", part + 1)
}

/// A job that is being filled.
#[derive(Default)]
struct Filled {
    files: Vec<usize>,
    names: BTreeSet<String>,
    bytes: u64,
}

/// Divides files into jobs: renames them to where they go in S3, and tells how many jobs there are.
///
/// C-CDA documents are independent. Of CSV, tables of one family need one another: those of one folder where each folder has all of them, as
/// of two months, and otherwise those of all folders. Two files of one name are the same table twice, and go into different jobs.
///
/// # Errors
/// What belongs together is too large, or is not known.
pub fn divide(source: &mut Source, format: &str, families: &Families) -> Result<usize, Indivisible> {
    let most = most_files(format);
    let mut units: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (number, file) in source.files.iter().enumerate() {
        let (folder, name) = file.name.rsplit_once('/').unwrap_or(("", &file.name));
        let unit = if format == "CSV" {
            let table = name.trim_end_matches(".csv");
            match families {
                None => String::new(),
                Some(families) => families.get(table).map_or_else(|| name.to_owned(), |family| format!("/{family}")),
            }
        } else {
            name.to_owned()
        };
        units.entry((folder.to_owned(), unit)).or_default().push(number);
    }
    if format == "CSV" {
        units = match gathered(source, &units) {
            // Of a mapping that hlctl cannot read it does not know which tables refer to each other.
            Err(_) if families.is_none() => units,
            gathered => gathered?,
        };
    }
    let mut jobs: Vec<Filled> = Vec::new();
    for ((folder, _), files) in units {
        let bytes = files.iter().map(|number| source.files[*number].checked.size).sum();
        if files.len() > most || bytes > MOST_BYTES {
            return Err(Indivisible::TooLarge(InputTooLarge { folder, files: files.len() as u64, bytes, most }));
        }
        let names: BTreeSet<String> =
            files.iter().map(|number| name_in_job(&source.files[*number].name, format)).collect();
        let fits = |job: &&mut Filled| {
            job.files.len() + files.len() <= most && job.bytes + bytes <= MOST_BYTES && job.names.is_disjoint(&names)
        };
        let at = match jobs.iter_mut().find(fits) {
            Some(job) => job,
            None => {
                jobs.push(Filled::default());
                let last = jobs.len() - 1;
                &mut jobs[last]
            }
        };
        at.files.extend(files);
        at.names.extend(names);
        at.bytes += bytes;
    }
    for (part, job) in jobs.iter().enumerate() {
        for number in &job.files {
            let file = &mut source.files[*number];
            file.name = format!("{}/{}", folder(part), name_in_job(&file.name, format));
        }
    }
    source.files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(jobs.len())
}

type Units = BTreeMap<(String, String), Vec<usize>>;

/// Puts the files of a family into one unit where not every folder that has some of its tables has all of them: rows may refer to rows in
/// another folder, and would lose what they refer to in another job.
fn gathered(source: &Source, units: &Units) -> Result<Units, Indivisible> {
    let name = |number: &usize| name_in_job(&source.files[*number].name, "CSV");
    let mut families: BTreeMap<String, Vec<(String, Vec<usize>)>> = BTreeMap::new();
    for ((folder, family), files) in units {
        families.entry(family.clone()).or_default().push((folder.clone(), files.clone()));
    }
    let mut all = Units::new();
    for (family, folders) in families {
        let tables = |files: &Vec<usize>| files.iter().map(name).collect::<BTreeSet<String>>();
        let whole: BTreeSet<String> = folders.iter().flat_map(|(_, files)| tables(files)).collect();
        let Some((_, part)) = folders.iter().find(|(_, files)| tables(files) != whole) else {
            all.extend(folders.into_iter().map(|(folder, files)| ((folder, family.clone()), files)));
            continue;
        };
        let files: Vec<usize> = folders.iter().flat_map(|(_, files)| files.clone()).collect();
        if whole.len() < files.len() {
            let has = tables(part);
            let lacks = files.iter().find(|number| !has.contains(&name(number)));
            let file = |number: Option<&usize>| number.map(|at| source.files[*at].name.clone()).unwrap_or_default();
            return Err(Indivisible::Scattered { one: file(part.first()), other: file(lacks) });
        }
        all.insert((String::new(), family), files);
    }
    Ok(all)
}

/// Whether a job reads folders below its input is not documented, so that there are none. The name of a CSV file is that of its table.
fn name_in_job(name: &str, format: &str) -> String {
    if format == "CSV" { name.rsplit('/').next().unwrap_or(name).to_owned() } else { name.replace('/', "_") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::data::check::Checked;
    use crate::data::source::SourceFile;

    fn source(files: &[(&str, u64)]) -> Source {
        let file = |(name, size): &(&str, u64)| SourceFile {
            path: (*name).into(),
            name: (*name).to_owned(),
            bad_name: None,
            checked: Checked { size: *size, crc64: 0 },
        };
        Source { files: files.iter().map(file).collect(), ..Source::default() }
    }

    fn names(source: &Source) -> Vec<&str> {
        source.files.iter().map(|file| &*file.name).collect()
    }

    fn families(of: &[(&str, usize)]) -> Families {
        Some(of.iter().map(|(name, family)| ((*name).to_owned(), *family)).collect())
    }

    #[test]
    fn tables_that_need_one_another_stay_in_one_job() {
        let half = MOST_BYTES / 2;
        let mut files = source(&[("A.csv", half), ("B.csv", half), ("C.csv", half), ("D.csv", half)]);
        let of = families(&[("A", 0), ("C", 0), ("B", 1), ("D", 1)]);
        assert_eq!(divide(&mut files, "CSV", &of), Ok(2));
        assert_eq!(names(&files), ["0001/A.csv", "0001/C.csv", "0002/B.csv", "0002/D.csv"]);
        let mut large = source(&[("A.csv", half), ("C.csv", half + 1)]);
        let bytes = |error| if let Indivisible::TooLarge(error) = error { error.bytes } else { 0 };
        assert_eq!(bytes(divide(&mut large, "CSV", &of).unwrap_err()), MOST_BYTES + 1);
        assert_eq!(names(&large), ["A.csv", "C.csv"]);
        // Of a mapping that cannot be read nobody knows.
        let mut folders = source(&[("01/A.csv", 1), ("01/B.csv", 1), ("02/A.csv", 1), ("02/C.csv", 1)]);
        assert_eq!(divide(&mut folders, "CSV", &None), Ok(2));
        assert_eq!(names(&folders), ["0001/A.csv", "0001/B.csv", "0002/A.csv", "0002/C.csv"]);
        let mut unknown = source(&[("A.csv", half), ("B.csv", half + 1)]);
        assert_eq!(bytes(divide(&mut unknown, "CSV", &None).unwrap_err()), MOST_BYTES + 1);
    }

    #[test]
    fn one_table_of_two_folders_goes_into_two_jobs() {
        let of = families(&[("A", 0), ("B", 0), ("C", 1)]);
        let mut files = source(&[("01/A.csv", 1), ("01/B.csv", 1), ("02/A.csv", 1), ("02/B.csv", 1), ("02/C.csv", 1)]);
        assert_eq!(divide(&mut files, "CSV", &of), Ok(2));
        assert_eq!(names(&files), ["0001/A.csv", "0001/B.csv", "0001/C.csv", "0002/A.csv", "0002/B.csv"]);
    }

    #[test]
    fn tables_that_need_one_another_stay_in_one_job_whatever_their_folders() {
        let of = families(&[("A", 0), ("B", 0), ("C", 1)]);
        let crowd: Vec<String> = (0..19).map(|number| format!("a/X{number}.csv")).collect();
        let mut all = vec![("a/A.csv", 1), ("b/B.csv", 1)];
        all.extend(crowd.iter().map(|name| (name.as_str(), 1)));
        let mut files = source(&all);
        assert_eq!(divide(&mut files, "CSV", &of), Ok(2));
        let job =
            |name: &str| names(&files).into_iter().find(|file| file.ends_with(name)).map(|file| file[..4].to_owned());
        assert_eq!(job("/A.csv"), job("/B.csv"));
        // Whose rows those of the second B.csv refer to is not known.
        let mut scattered = source(&[("a/A.csv", 1), ("b/B.csv", 1), ("c/B.csv", 1)]);
        let error = Indivisible::Scattered { one: "a/A.csv".to_owned(), other: "b/B.csv".to_owned() };
        assert_eq!(divide(&mut scattered, "CSV", &of), Err(error));
        assert_eq!(names(&scattered), ["a/A.csv", "b/B.csv", "c/B.csv"]);
        let mut lacking = source(&[("01/A.csv", 1), ("01/B.csv", 1), ("02/A.csv", 1)]);
        let error = Indivisible::Scattered { one: "02/A.csv".to_owned(), other: "01/B.csv".to_owned() };
        assert_eq!(divide(&mut lacking, "CSV", &of), Err(error));
    }

    #[test]
    fn an_import_has_one_job_and_one_folder() {
        let mut files = source(&[("b/A.csv", 1), ("a/B.csv", 1)]);
        assert_eq!(into_one(&mut files, "CSV"), Ok(()));
        assert_eq!(names(&files), ["A.csv", "B.csv"]);
        let mut documents = source(&[("a/x.xml", 1), ("b/x.xml", FILE_BYTES as u64 + 1)]);
        assert_eq!(into_one(&mut documents, "CCDA"), Ok(()));
        assert_eq!(names(&documents), ["a_x.xml", "b_x.xml"]);
        let mut same = source(&[("a/A.csv", 1), ("b/A.csv", 1)]);
        assert_eq!(
            into_one(&mut same, "CSV").unwrap_err().to_string(),
            "a/A.csv and b/A.csv would both be A.csv in the folder that a job reads"
        );
        let mut large = source(&[("A.csv", FILE_BYTES as u64 + 1)]);
        assert!(matches!(within_quotas(&large, "CSV"), Err(NotOneJob::TooLarge { .. })));
        assert_eq!(into_one(&mut large, "CSV"), Ok(()));
        let tables: Vec<String> = (0..21).map(|number| format!("T{number}.csv")).collect();
        let sized: Vec<(&str, u64)> = tables.iter().map(|name| (name.as_str(), 1)).collect();
        let too_much = NotOneJob::TooMuch { files: 21, bytes: 21, most: 20 };
        assert_eq!(within_quotas(&source(&sized), "CSV"), Err(too_much));
        let half = MOST_BYTES / 2;
        assert!(within_quotas(&source(&[("a.xml", half), ("b.xml", half + 1)]), "CCDA").is_err());
    }

    #[test]
    fn no_job_has_more_files_or_bytes_than_aws_takes() {
        let all: Vec<String> = (0..1001).map(|number| format!("d/{number:04}.xml")).collect();
        let sized: Vec<(&str, u64)> = all.iter().map(|name| (name.as_str(), 1)).collect();
        let mut files = source(&sized);
        assert_eq!(divide(&mut files, "CCDA", &None), Ok(2));
        assert_eq!((names(&files)[0], names(&files)[1000]), ("0001/d_0000.xml", "0002/d_1000.xml"));
        let tables: Vec<String> = (0..41).map(|number| format!("T{number}.csv")).collect();
        let sized: Vec<(&str, u64)> = tables.iter().map(|name| (name.as_str(), 1)).collect();
        assert_eq!(divide(&mut source(&sized), "CSV", &families(&[])), Ok(3));
        let mut large = source(&[("a.xml", MOST_BYTES), ("b.xml", 1)]);
        assert_eq!(divide(&mut large, "CCDA", &None), Ok(2));
    }
}
