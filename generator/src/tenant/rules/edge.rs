//! Rules of `edge`, `cookies` and `cors`.

use super::conflict;
use crate::tenant::problem::Problem;
use crate::tenant::settings::{GeoMode, SameSite, Settings};
use contract::EDGE_REGION;

pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    aliases(settings, problems);
    cookies(settings, problems);
    paths(settings, problems);
    error_pages(settings, problems);
    let edge = &settings.edge;
    match *edge.geo.mode {
        GeoMode::Off if !edge.geo.countries.is_empty() => {
            let help = "set `edge.geo.mode` to `allow` or `deny`";
            let message = "`edge.geo.countries` is of no use while `edge.geo.mode` is `off`";
            problems.push(
                conflict(edge.geo.countries.place, message, help)
                    .related(edge.geo.mode.place, "this switches the list off"),
            );
        }
        mode @ (GeoMode::Allow | GeoMode::Deny) if edge.geo.countries.is_empty() => {
            let message = format!("`edge.geo.mode: {mode}` needs countries");
            problems.push(
                conflict(edge.geo.mode.place, message, "list them in `edge.geo.countries`")
                    .related(edge.geo.countries.place, "none is listed here"),
            );
        }
        _ => {}
    }
    if edge.logging.bucket.is_none() && edge.logging.prefix.is_some() {
        let message = "`edge.logging.prefix` is of no use without a bucket";
        problems.push(conflict(edge.logging.prefix.place, message, "set `edge.logging.bucket`"));
    }
    let cache = &edge.cache;
    for (low, high) in [
        (&cache.minimum_seconds, &cache.default_seconds),
        (&cache.default_seconds, &cache.maximum_seconds),
        (&cache.minimum_seconds, &cache.maximum_seconds),
    ] {
        if let (Some(least), Some(most)) = (low.as_ref(), high.as_ref())
            && least.get() > most.get()
        {
            let message = format!("`{}` is longer than `{}`", low.path, high.path);
            problems.push(
                conflict(low.place, message, "put them in order: minimum, default, maximum")
                    .related(high.place, "this is shorter"),
            );
        }
    }
}

fn aliases(settings: &Settings, problems: &mut Vec<Problem>) {
    let edge = &settings.edge;
    match edge.certificate_arn.as_ref() {
        None if !edge.aliases.is_empty() => problems.push(conflict(
            edge.aliases.place,
            "`edge.aliases` needs a certificate",
            "set `edge.certificate_arn` to a certificate in us-east-1 that covers the aliases",
        )),
        Some(_) if edge.aliases.is_empty() => problems.push(conflict(
            edge.certificate_arn.place,
            "`edge.certificate_arn` is of no use without aliases",
            "set `edge.aliases`, or leave the certificate out",
        )),
        Some(arn) if arn.region() != EDGE_REGION => problems.push(conflict(
            edge.certificate_arn.place,
            format!("the certificate stands in `{}`, and CloudFront reads us-east-1 only", arn.region()),
            "request or import the certificate in us-east-1",
        )),
        _ => {}
    }
}

fn cookies(settings: &Settings, problems: &mut Vec<Problem>) {
    let cookies = &settings.cookies;
    if *cookies.same_site == SameSite::None && settings.cors.origins.is_empty() {
        let message = "`cookies.same_site: none` is of no use while no other origin may use the media";
        problems.push(
            conflict(
                cookies.same_site.place,
                message,
                "list the pages' origins in `cors.origins`, or set `lax`",
            )
            .related(settings.cors.origins.place, "no origin is listed here"),
        );
    }
    if *cookies.bind_address && *settings.edge.ipv6 {
        let message = "`cookies.bind_address` shuts out viewers on IPv6, as a cookie holds one IPv4 address";
        problems.push(
            conflict(cookies.bind_address.place, message, "set `edge.ipv6: false`")
                .related(settings.edge.ipv6.place, "viewers come over IPv6 too"),
        );
    }
    if u64::from(cookies.slot_seconds.get()) >= u64::from(cookies.minutes.get()) * 60 {
        let message = "`cookies.slot_seconds` is no shorter than the life of a cookie";
        problems.push(
            conflict(cookies.slot_seconds.place, message, "make the slot shorter; a minute serves well")
                .related(cookies.minutes.place, "cookies live this many minutes"),
        );
    }
}

fn paths(settings: &Settings, problems: &mut Vec<Problem>) {
    let paths = &settings.edge.paths;
    for pattern in paths.public.iter().filter(|pattern| paths.protected.contains(pattern)) {
        let message = format!("`{pattern}` is both public and protected");
        problems.push(
            conflict(paths.public.place, message, "take it out of one of the lists")
                .related(paths.protected.place, "it is protected here"),
        );
    }
    if paths.public.is_empty() && !paths.protected.is_empty() {
        let message = "`edge.paths.protected` is of no use while no path is public";
        let help = "leave it out: every path needs a cookie already";
        problems.push(
            conflict(paths.protected.place, message, help).related(paths.public.place, "no path is public"),
        );
    }
}

fn error_pages(settings: &Settings, problems: &mut Vec<Problem>) {
    let pages = &settings.edge.error_pages;
    for (index, page) in pages.iter().enumerate() {
        if let Some(first) = pages.iter().take(index).find(|first| *first.status == *page.status) {
            let message = format!("status `{}` has two pages", page.status.get());
            problems.push(
                conflict(page.status.place, message, "keep one of them")
                    .related(first.status.place, "the first stands here"),
            );
        }
        if page.page.is_none() && page.answer.is_some() {
            let message = "an `answer` needs a `page` to be sent with";
            problems.push(conflict(page.answer.place, message, "set `page`, or leave `answer` out"));
        }
    }
}
