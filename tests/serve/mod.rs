//! `generator serve`: twelve tenants at once, as viewers see them.

mod access;
mod accessible;
mod browser;
mod chromium;
mod client;
mod debian;
mod driver;
mod flow;
mod honest;
mod isolation;
mod limits;
mod shipped;
mod started;
mod watch;
mod world;

/// One test, as everything in it needs the same twelve deployed tenants.
#[test]
fn tenants_are_served_as_cloudfront_would_and_kept_apart() {
    let mut world = world::World::start();
    let (client, authority) = world.serve();
    let cloud = world.cloud();
    isolation::holds(&world, &cloud, &client);
    access::holds(&world, &cloud, &client);
    limits::hold(&world, &cloud);
    flow::holds(&world, &cloud, &client);
    watch::holds(&world, &client);
    browser::holds(&world, &cloud, &client, &authority);
}
