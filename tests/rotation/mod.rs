//! Rotation against the local cloud: the rotator's own code in this process, where it can be cut off at any
//! call, and the deployed function, driven by `RotateSecret`.

mod deployed;
mod line;
mod site;
mod undisturbed;
