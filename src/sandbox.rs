//! The emulator behind `--sandbox`. It is a part of every build with the feature `sandbox`, which is a default one; a build without
//! it refuses `--sandbox` and has no `hlctl sandbox`.

#[cfg(not(feature = "sandbox"))]
mod absent;
#[cfg(feature = "sandbox")]
mod present;
#[cfg(feature = "sandbox")]
mod surroundings;

#[cfg(not(feature = "sandbox"))]
pub use absent::{Emulator, endpoint, in_process, serve};
#[cfg(feature = "sandbox")]
pub use present::{Emulator, endpoint, in_process, serve};
#[cfg(feature = "sandbox")]
pub use surroundings::faults;
