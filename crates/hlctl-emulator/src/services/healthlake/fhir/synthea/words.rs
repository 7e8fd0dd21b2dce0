//! Words of which names and addresses are made.

pub(super) const WOMEN: &[&str] = &[
    "Amelia",
    "Beatriz",
    "Carmen",
    "Daniela",
    "Edith",
    "Farida",
    "Greta",
    "Hana",
    "Imani",
    "Josephine",
    "Keiko",
    "Lucia",
    "Mabel",
    "Nadia",
    "Olga",
    "Priya",
    "Rosa",
    "Sofia",
    "Tamara",
    "Una",
    "Vera",
    "Wanda",
    "Yasmin",
    "Zoe",
];

pub(super) const MEN: &[&str] = &[
    "Adrian", "Bruno", "Cedric", "Dmitri", "Elias", "Felix", "Gustavo", "Hiroshi", "Ibrahim", "Jonas", "Kofi", "Leon",
    "Marcus", "Nikhil", "Oscar", "Pavel", "Quentin", "Rafael", "Samuel", "Tomas", "Umar", "Victor", "Walter", "Yusuf",
];

pub(super) const FAMILIES: &[&str] = &[
    "Abbott",
    "Baptiste",
    "Calloway",
    "Delgado",
    "Eriksen",
    "Fontaine",
    "Greenwood",
    "Hayashi",
    "Ivanova",
    "Jankowski",
    "Kamau",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Pereira",
    "Quigley",
    "Ramaswamy",
    "Sandoval",
    "Thornton",
    "Ueda",
    "Vasquez",
    "Whitfield",
    "Yilmaz",
    "Zielinski",
    "Ashworth",
    "Bellweather",
    "Cartwright",
    "Dunmore",
    "Holloway",
];

pub(super) const STREETS: &[&str] = &[
    "Alder Street",
    "Birch Lane",
    "Canal Road",
    "Dogwood Avenue",
    "Elm Court",
    "Foundry Street",
    "Garden Way",
    "Harbor View",
    "Juniper Drive",
    "Lighthouse Road",
    "Maple Terrace",
    "Orchard Hill",
    "Quarry Road",
    "River Street",
];

/// City, state and the first three digits of the postal code.
pub(super) const CITIES: &[(&str, &str, &str)] = &[
    ("Boston", "MA", "021"),
    ("Worcester", "MA", "016"),
    ("Springfield", "MA", "011"),
    ("Lowell", "MA", "018"),
    ("Cambridge", "MA", "021"),
    ("New Bedford", "MA", "027"),
    ("Quincy", "MA", "021"),
    ("Pittsfield", "MA", "012"),
];

pub(super) const CLINICS: &[&str] =
    &["Harbor Street Clinic", "Elm Hill Family Medicine", "Riverbend General Hospital", "Lakeside Health Center"];

pub(super) const INSURERS: &[&str] = &["Bay Colony Health Plan", "Commonwealth Mutual Insurance"];
