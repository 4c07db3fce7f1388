//! What goes over a network: answers to CloudFormation, visits to edges, calls that are throttled.

mod answer;
mod edge;
mod server;
mod throttling;
