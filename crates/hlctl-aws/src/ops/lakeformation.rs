//! AWS Lake Formation.

use super::operations;

operations!("lakeformation", GET_DATA_LAKE_SETTINGS = reads("GetDataLakeSettings"),);
