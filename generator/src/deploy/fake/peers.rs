//! The other services.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use super::FakeCloudFormation;
use crate::aws::cloudformation::CloudFormation;
use crate::aws::cloudfront::Edges;
use crate::aws::cognito::{UserPool, UserPools};
use crate::aws::lambda::Functions;
use crate::aws::logs::LogGroups;
use crate::aws::s3::{Files, Listed, NewFile, ObjectHead, ObjectStore, ObjectVersion, Owner, Upload};
use crate::aws::sts::Identity;
use crate::aws::{AwsError, Boxed, Peers};

/// The other services: what exists there, and what was done to it.
#[derive(Default)]
pub(in crate::deploy) struct World {
    pub(in crate::deploy) buckets: BTreeMap<String, Vec<ObjectVersion>>,
    pub(in crate::deploy) objects: BTreeMap<String, Vec<u8>>,
    /// Whether no file can be written.
    pub(in crate::deploy) full: bool,
    /// Whether objects are answered with their digest.
    pub(in crate::deploy) checksums: bool,
    pub(in crate::deploy) pools: Vec<UserPool>,
    pub(in crate::deploy) functions: Vec<String>,
    pub(in crate::deploy) function_refusal: Option<AwsError>,
    /// Statuses of the distribution, in their order; the last one is repeated.
    pub(in crate::deploy) distribution: VecDeque<String>,
    pub(in crate::deploy) public_keys: Vec<(String, String)>,
    pub(in crate::deploy) calls: Vec<String>,
}

/// Peers of all regions.
#[derive(Clone, Default)]
pub(in crate::deploy) struct FakePeers {
    pub(in crate::deploy) regions: BTreeMap<String, FakeCloudFormation>,
    pub(in crate::deploy) world: Arc<Mutex<World>>,
    pub(in crate::deploy) account: String,
}

impl FakePeers {
    pub(in crate::deploy) fn calls(&self) -> Vec<String> {
        self.world.lock().unwrap().calls.clone()
    }

    fn with<'a, T: Send + 'a>(
        &self,
        call: String,
        act: impl FnOnce(&mut World) -> Result<T, AwsError>,
    ) -> Boxed<'a, Result<T, AwsError>> {
        let mut world = self.world.lock().unwrap();
        world.calls.push(call);
        let answer = act(&mut world);
        Box::pin(async move { answer })
    }
}

impl Peers for FakePeers {
    fn cloudformation(&self, region: &str) -> Arc<dyn CloudFormation> {
        Arc::new(self.regions[region].clone())
    }

    fn objects(&self, _: &str) -> Arc<dyn ObjectStore> {
        Arc::new(self.clone())
    }

    fn files(&self, _: &str) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    fn functions(&self, _: &str) -> Arc<dyn Functions> {
        Arc::new(FakeFunctions(self.clone()))
    }

    fn user_pools(&self, _: &str) -> Arc<dyn UserPools> {
        Arc::new(FakePools(self.clone()))
    }

    fn edges(&self) -> Arc<dyn Edges> {
        Arc::new(FakeEdges(self.clone()))
    }

    fn log_groups(&self, region: &str) -> Arc<dyn LogGroups> {
        Arc::new(FakeLogs(self.clone(), region.to_owned()))
    }

    fn identity(&self) -> Arc<dyn Identity> {
        Arc::new(self.clone())
    }
}

struct FakeEdges(FakePeers);

impl Edges for FakeEdges {
    fn detach_functions<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        self.0.with(format!("UpdateDistribution {distribution}"), |_| Ok(true))
    }

    fn status<'a>(&'a self, distribution: &'a str) -> Boxed<'a, Result<Option<String>, AwsError>> {
        self.0.with(format!("GetDistribution {distribution}"), |world| {
            let next = if world.distribution.len() > 1 { world.distribution.pop_front() } else { None };
            Ok(Some(
                next.or_else(|| world.distribution.front().cloned()).unwrap_or_else(|| "Deployed".into()),
            ))
        })
    }

    fn public_keys(&self) -> Boxed<'_, Result<Vec<(String, String)>, AwsError>> {
        self.0.with("ListPublicKeys".into(), |world| Ok(world.public_keys.clone()))
    }

    fn delete_public_key<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("DeletePublicKey {id}"), |world| {
            world.public_keys.retain(|(known, _)| known != id);
            Ok(())
        })
    }
}

struct FakeLogs(FakePeers, String);

impl LogGroups for FakeLogs {
    fn delete<'a>(&'a self, group: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        self.0.with(format!("DeleteLogGroup {} {group}", self.1), |_| Ok(true))
    }
}

impl Identity for FakePeers {
    fn account(&self) -> Boxed<'_, Result<String, AwsError>> {
        let account = self.account.clone();
        self.with("GetCallerIdentity".into(), |_| Ok(account))
    }
}

impl ObjectStore for FakePeers {
    fn bucket_exists<'a>(&'a self, bucket: &'a str, _: Owner<'a>) -> Boxed<'a, Result<bool, AwsError>> {
        self.with(format!("HeadBucket {bucket}"), |world| Ok(world.buckets.contains_key(bucket)))
    }

    fn create_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("CreateBucket {bucket}"), |world| {
            world.buckets.insert(bucket.to_owned(), vec![]);
            Ok(())
        })
    }

    fn secure_bucket<'a>(
        &'a self,
        bucket: &'a str,
        _: Owner<'a>,
        policy: &'a str,
    ) -> Boxed<'a, Result<(), AwsError>> {
        assert!(policy.contains("aws:SecureTransport"));
        self.with(format!("SecureBucket {bucket}"), |_| Ok(()))
    }

    fn head<'a>(
        &'a self,
        _: &'a str,
        _: Owner<'a>,
        key: &'a str,
    ) -> Boxed<'a, Result<Option<ObjectHead>, AwsError>> {
        self.with(format!("HeadObject {key}"), |world| {
            Ok(world.objects.get(key).map(|bytes| ObjectHead {
                size: bytes.len() as u64,
                sha256: world.checksums.then(|| crate::deploy::tests::sha256(bytes)),
            }))
        })
    }

    fn put_new<'a>(
        &'a self,
        _: &'a str,
        _: Owner<'a>,
        key: &'a str,
        bytes: Vec<u8>,
        _: &'a str,
    ) -> Boxed<'a, Result<Upload, AwsError>> {
        self.with(format!("PutObject {key}"), |world| {
            if world.objects.contains_key(key) {
                return Ok(Upload::AlreadyThere);
            }
            world.objects.insert(key.to_owned(), bytes);
            Ok(Upload::Written)
        })
    }

    fn get<'a>(&'a self, _: &'a str, _: Owner<'a>, key: &'a str) -> Boxed<'a, Result<Vec<u8>, AwsError>> {
        self.with(format!("GetObject {key}"), |world| Ok(world.objects[key].clone()))
    }

    fn some_versions<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<Vec<ObjectVersion>, AwsError>> {
        // Pages of two, so that emptying has several.
        self.with(format!("ListObjectVersions {bucket}"), |world| {
            Ok(world.buckets[bucket].iter().take(2).cloned().collect())
        })
    }

    fn delete_versions<'a>(
        &'a self,
        bucket: &'a str,
        versions: Vec<ObjectVersion>,
    ) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("DeleteObjects {}", versions.len()), |world| {
            let left = world.buckets.get_mut(bucket).unwrap();
            left.retain(|version| !versions.contains(version));
            Ok(())
        })
    }

    fn delete_bucket<'a>(&'a self, bucket: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("DeleteBucket {bucket}"), |world| {
            let left = world.buckets.remove(bucket).unwrap_or_default();
            assert!(left.is_empty(), "the bucket was not empty");
            Ok(())
        })
    }
}

impl Files for FakePeers {
    fn below<'a>(&'a self, _: &'a str, prefix: &'a str) -> Boxed<'a, Result<Vec<Listed>, AwsError>> {
        self.with(format!("ListObjectsV2 {prefix}"), |world| {
            let below = world.objects.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(below
                .map(|(key, bytes)| Listed { key: key.clone(), tag: crate::deploy::tests::sha256(bytes) })
                .collect())
        })
    }

    fn read_file<'a>(&'a self, _: &'a str, key: &'a str) -> Boxed<'a, Result<Option<Vec<u8>>, AwsError>> {
        self.with(format!("GetObject {key}"), |world| Ok(world.objects.get(key).cloned()))
    }

    fn write_file<'a>(
        &'a self,
        _: &'a str,
        key: &'a str,
        file: NewFile<'a>,
    ) -> Boxed<'a, Result<String, AwsError>> {
        let call = format!("PutObject {key} ({}, {})", file.media_type, file.cache_control);
        self.with(call, |world| {
            if world.full {
                return Err(crate::deploy::tests::refused("PutObject"));
            }
            world.objects.insert(key.to_owned(), file.bytes.to_vec());
            Ok(crate::deploy::tests::sha256(file.bytes))
        })
    }

    fn delete_file<'a>(&'a self, _: &'a str, key: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.with(format!("DeleteObject {key}"), |world| {
            world.objects.remove(key);
            Ok(())
        })
    }
}

struct FakeFunctions(FakePeers);

impl Functions for FakeFunctions {
    fn exists<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<bool, AwsError>> {
        self.0.with(format!("GetFunction {name}"), |world| Ok(world.functions.iter().any(|f| f == name)))
    }

    fn delete<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("DeleteFunction {name}"), |world| match world.function_refusal.clone() {
            Some(refusal) => Err(refusal),
            None => {
                world.functions.retain(|function| function != name);
                Ok(())
            }
        })
    }
}

struct FakePools(FakePeers);

impl UserPools for FakePools {
    fn pool<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<Option<UserPool>, AwsError>> {
        let call = format!("DescribeUserPool {id}");
        self.0.with(call, |world| Ok(world.pools.iter().find(|pool| pool.id == id).cloned()))
    }

    fn named<'a>(&'a self, name: &'a str) -> Boxed<'a, Result<Vec<String>, AwsError>> {
        self.0.with(format!("ListUserPools {name}"), |world| {
            Ok(world.pools.iter().filter(|pool| pool.name == name).map(|pool| pool.id.clone()).collect())
        })
    }

    fn unprotect<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("UpdateUserPool {id}"), |_| Ok(()))
    }

    fn delete<'a>(&'a self, id: &'a str) -> Boxed<'a, Result<(), AwsError>> {
        self.0.with(format!("DeleteUserPool {id}"), |world| {
            world.pools.retain(|pool| pool.id != id);
            Ok(())
        })
    }
}
