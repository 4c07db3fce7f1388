//! Public keys and key groups.

use aws_sdk_cloudfront::types::{KeyGroupConfig, PublicKeyConfig};

use super::Aws;
use super::failure::{fault, found, missing};
use crate::ports::{Fault, KeyGroup, Keys, Listed, Page, PublicKey};

impl Keys for Aws {
    async fn create_public_key(
        &self,
        name: &str,
        caller_reference: &str,
        pem: &str,
    ) -> Result<String, Fault> {
        const CALL: &str = "CreatePublicKey";
        let config =
            PublicKeyConfig::builder().name(name).caller_reference(caller_reference).encoded_key(pem).build();
        let config = config.map_err(|_| missing(CALL, "PublicKeyConfig"))?;
        let made = self.cloudfront.create_public_key().public_key_config(config).send().await;
        let key = made.map_err(|e| fault(CALL, e))?.public_key.ok_or_else(|| missing(CALL, "PublicKey"))?;
        Ok(key.id)
    }

    async fn public_keys(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault> {
        const CALL: &str = "ListPublicKeys";
        let answer = self.cloudfront.list_public_keys().set_marker(marker.map(str::to_owned)).send().await;
        let list = answer.map_err(|e| fault(CALL, e))?.public_key_list;
        let list = list.ok_or_else(|| missing(CALL, "PublicKeyList"))?;
        let items = list.items.unwrap_or_default();
        let items = items.into_iter().map(|key| Listed { id: key.id, name: key.name }).collect();
        Ok(Page { items, next: list.next_marker.filter(|next| !next.is_empty()) })
    }

    async fn public_key(&self, id: &str) -> Result<Option<PublicKey>, Fault> {
        const CALL: &str = "GetPublicKey";
        let answer = self.cloudfront.get_public_key().id(id).send().await.map_err(|e| fault(CALL, e));
        let Some(answer) = found(answer)? else { return Ok(None) };
        let config = answer.public_key.and_then(|key| key.public_key_config);
        let pem = config.ok_or_else(|| missing(CALL, "PublicKeyConfig"))?.encoded_key;
        let etag = answer.e_tag.ok_or_else(|| missing(CALL, "ETag"))?;
        Ok(Some(PublicKey { pem, etag }))
    }

    async fn delete_public_key(&self, id: &str, etag: &str) -> Result<(), Fault> {
        let answer = self.cloudfront.delete_public_key().id(id).if_match(etag).send().await;
        answer.map(drop).map_err(|e| fault("DeletePublicKey", e))
    }

    async fn key_groups(&self, marker: Option<&str>) -> Result<Page<Listed>, Fault> {
        const CALL: &str = "ListKeyGroups";
        let answer = self.cloudfront.list_key_groups().set_marker(marker.map(str::to_owned)).send().await;
        let list = answer.map_err(|e| fault(CALL, e))?.key_group_list;
        let list = list.ok_or_else(|| missing(CALL, "KeyGroupList"))?;
        let groups = list.items.unwrap_or_default().into_iter().filter_map(|summary| summary.key_group);
        let items =
            groups.filter_map(|group| Some(Listed { name: group.key_group_config?.name, id: group.id }));
        Ok(Page { items: items.collect(), next: list.next_marker.filter(|next| !next.is_empty()) })
    }

    async fn key_group(&self, id: &str) -> Result<Option<KeyGroup>, Fault> {
        const CALL: &str = "GetKeyGroup";
        let answer = self.cloudfront.get_key_group().id(id).send().await.map_err(|e| fault(CALL, e));
        let Some(answer) = found(answer)? else { return Ok(None) };
        let group = answer.key_group.ok_or_else(|| missing(CALL, "KeyGroup"))?;
        let config = group.key_group_config.ok_or_else(|| missing(CALL, "KeyGroupConfig"))?;
        let etag = answer.e_tag.ok_or_else(|| missing(CALL, "ETag"))?;
        // A second begun counts as a whole one: the time since then is never taken for longer than it is.
        let modified =
            group.last_modified_time.secs() + i64::from(group.last_modified_time.subsec_nanos() > 0);
        let modified = modified.unsigned_abs();
        Ok(Some(KeyGroup { id: id.to_owned(), name: config.name, etag, keys: config.items, modified }))
    }

    async fn create_key_group(&self, name: &str, keys: &[String]) -> Result<String, Fault> {
        const CALL: &str = "CreateKeyGroup";
        let config = config(CALL, name, keys)?;
        let made = self.cloudfront.create_key_group().key_group_config(config).send().await;
        let group = made.map_err(|e| fault(CALL, e))?.key_group.ok_or_else(|| missing(CALL, "KeyGroup"))?;
        Ok(group.id)
    }

    async fn update_key_group(&self, group: &KeyGroup, keys: &[String]) -> Result<(), Fault> {
        const CALL: &str = "UpdateKeyGroup";
        let config = config(CALL, &group.name, keys)?;
        let request = self.cloudfront.update_key_group().id(&group.id).if_match(&group.etag);
        let answer = request.key_group_config(config).send().await;
        answer.map(drop).map_err(|e| fault(CALL, e))
    }

    async fn delete_key_group(&self, id: &str, etag: &str) -> Result<(), Fault> {
        let answer = self.cloudfront.delete_key_group().id(id).if_match(etag).send().await;
        answer.map(drop).map_err(|e| fault("DeleteKeyGroup", e))
    }
}

fn config(call: &'static str, name: &str, keys: &[String]) -> Result<KeyGroupConfig, Fault> {
    let config = KeyGroupConfig::builder().name(name).set_items(Some(keys.to_vec())).build();
    config.map_err(|_| missing(call, "KeyGroupConfig"))
}
