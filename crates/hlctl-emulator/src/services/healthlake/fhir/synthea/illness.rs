//! Illnesses, who gets them, and what is prescribed.

use super::codes::Named;

/// An illness that stays.
pub(super) struct Chronic {
    pub(super) code: Named,
    /// The age from which it is met with.
    pub(super) from_age: i32,
    pub(super) chance: f64,
    pub(super) medicine: Option<Named>,
}

pub(super) const CHRONIC: &[Chronic] = &[
    Chronic {
        code: ("59621000", "Essential hypertension"),
        from_age: 35,
        chance: 0.4,
        medicine: Some(("314076", "lisinopril 10 MG Oral Tablet")),
    },
    Chronic {
        code: ("44054006", "Diabetes mellitus type 2"),
        from_age: 40,
        chance: 0.25,
        medicine: Some(("860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet")),
    },
    Chronic {
        code: ("55822004", "Hyperlipidemia"),
        from_age: 40,
        chance: 0.3,
        medicine: Some(("617310", "atorvastatin 20 MG Oral Tablet")),
    },
    Chronic {
        code: ("195967001", "Asthma"),
        from_age: 5,
        chance: 0.15,
        medicine: Some(("745679", "200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler")),
    },
    Chronic { code: ("396275006", "Osteoarthritis"), from_age: 55, chance: 0.3, medicine: None },
    Chronic { code: ("271737000", "Anemia"), from_age: 15, chance: 0.1, medicine: None },
];

/// An illness that passes.
pub(super) struct Acute {
    pub(super) code: Named,
    /// The longest that it lasts.
    pub(super) days: i64,
    pub(super) medicine: Option<Named>,
}

pub(super) const ACUTE: &[Acute] = &[
    Acute {
        code: ("444814009", "Viral sinusitis"),
        days: 21,
        medicine: Some(("313782", "acetaminophen 325 MG Oral Tablet")),
    },
    Acute { code: ("195662009", "Acute viral pharyngitis"), days: 14, medicine: None },
    Acute {
        code: ("10509002", "Acute bronchitis"),
        days: 28,
        medicine: Some(("313782", "acetaminophen 325 MG Oral Tablet")),
    },
    Acute {
        code: ("65363002", "Otitis media"),
        days: 14,
        medicine: Some(("308182", "amoxicillin 250 MG Oral Capsule")),
    },
    Acute { code: ("44465007", "Sprain of ankle"), days: 42, medicine: None },
];
