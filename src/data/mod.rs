//! A store's data on its way in and out: checks, uploads, jobs, downloads.

pub mod check;
