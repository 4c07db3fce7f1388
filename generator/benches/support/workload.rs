//! Tenant files by number: always the same ones, and of every kind.

use std::fs;
use std::io;
use std::path::Path;

const REGIONS: [&str; 4] = ["eu-north-1", "us-east-1", "ap-southeast-2", "eu-central-1"];
const UPLOADS: [&str; 3] = ["off", "own-folder", "shared"];
const PRICES: [&str; 3] = ["PriceClass_100", "PriceClass_200", "PriceClass_All"];

/// Writes the first `count` tenants into a folder; their names, in order.
pub(crate) fn write(folder: &Path, count: usize) -> io::Result<Vec<String>> {
    let mut names = Vec::with_capacity(count);
    for number in 0..count {
        let name = format!("tenant-{number:04}");
        fs::write(folder.join(format!("{name}.yaml")), tenant(&name, number))?;
        names.push(name);
    }
    Ok(names)
}

fn tenant(name: &str, number: usize) -> String {
    // Each choice takes another step through the numbers, so that all combinations come up.
    let pick = |from: &[&'static str], step: usize| from[number / step % from.len()];
    let mut text = format!(
        "description: Media of {name}\nregion: {}\nlabels:\n  tier: t{}\nsign_in:\n  \
         callback_urls: [https://{name}.example.com/signed-in]\nuploads:\n  mode: {}\n",
        pick(&REGIONS, 1),
        number % 5,
        pick(&UPLOADS, 4),
    );
    if number.is_multiple_of(2) {
        text.push_str(&format!(
            "cors:\n  origins: [https://{name}.example.com]\ncookies:\n  minutes: {}\n  same_site: none\n",
            30 + number % 90,
        ));
    }
    text.push_str(&format!("edge:\n  price_class: {}\n", pick(&PRICES, 12)));
    if number.is_multiple_of(3) {
        text.push_str(&format!(
            "  aliases: [media.{name}.example.com]\n  certificate_arn: \
             arn:aws:acm:us-east-1:111122223333:certificate/{number:08}\n",
        ));
    }
    text
}
