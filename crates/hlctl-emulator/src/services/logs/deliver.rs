//! What other services write into logs.

use super::{Group, Stream};
use crate::emulator::Core;
use crate::error::Error;
use crate::protocol::Effect;
use crate::store::World;
use crate::store::files::Event;

/// A group to which functions write keeps this many streams, the newest.
const MOST_STREAMS: usize = 100;

/// Where events go.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) group: String,
    pub(crate) stream: String,
}

/// Writes events, making the group and the stream if they are missing and still `wanted`.
pub(crate) fn deliver(
    core: &Core,
    to: &Destination,
    events: &[Event],
    wanted: impl FnOnce(&World) -> bool,
) -> Result<(), Error> {
    let add = |id: &str| core.files.add_events(id, events);
    let known = core.store.with(Effect::Read, |world, _| stream(world, to).map(|stream| add(&stream.id)))?;
    match known {
        Some(done) => done,
        None => core.store.with(
            Effect::Write,
            |world, _| {
                if wanted(world) { add(&made(core, world, to)) } else { Ok(()) }
            },
        )?,
    }
}

fn stream<'a>(world: &'a World, to: &Destination) -> Option<&'a Stream> {
    world.accounts.get(&to.account)?.logs.get(&to.region)?.groups.get(&to.group)?.streams.get(&to.stream)
}

/// The id of the stream, which is there afterwards.
fn made(core: &Core, world: &mut World, to: &Destination) -> String {
    let now = core.options.clock.now();
    let logs = world.account(&to.account).logs.entry(to.region.clone()).or_default();
    let group = logs.groups.entry(to.group.clone()).or_insert_with(|| Group::new(now));
    let fresh = || Stream { id: core.options.ids.hex32(), created: now };
    let id = group.streams.entry(to.stream.clone()).or_insert_with(fresh).id.clone();
    while group.streams.len() > MOST_STREAMS {
        let oldest =
            group.streams.iter().filter(|(_, stream)| stream.id != id).min_by_key(|(_, stream)| stream.created);
        let Some(name) = oldest.map(|(name, _)| name.clone()) else {
            break;
        };
        if let Some(gone) = group.streams.remove(&name) {
            core.files.remove_events(&gone.id);
        }
    }
    id
}
