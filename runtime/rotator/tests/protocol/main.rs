//! The protocol in a world in memory that cuts runs off, repeats them and mixes them.

mod cloud;
mod crashes;
mod custom_resource;
mod interleaved;
mod model;
mod proof;
mod revocation;
mod rotation;
mod world;
