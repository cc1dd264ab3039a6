//! The export of a store: converts, and decides nothing.

use std::time::Duration;

use crate::{
    bindings::exports::gcf::connector::secret_store as wit,
    contract::{Entry, Expected, Lease, Result, Store, StoreError},
    name::{Key, Prefix, Value, check_length},
    wasi,
};

/// A component that is a store.
pub trait Opens {
    /// Its store.
    type Store: Store + 'static;

    /// The store, made of what the environment says, once in the life of an instance.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it says too little.
    fn open() -> &'static Result<Self::Store>;
}

/// Makes this crate a component: the export of a store, which is a type over [`World`](crate::world::World) with a
/// function `open`.
#[macro_export]
macro_rules! export {
    ($($store:ident)::+) => {
        mod component {
            use std::sync::OnceLock;

            use $crate::{contract::Result, guest::Opens, settings::Settings, wasi::Wasi};

            use super::$($store)::+ as Store;

            struct Component;

            impl Opens for Component {
                type Store = Store<Wasi>;

                fn open() -> &'static Result<Self::Store> {
                    static STORE: OnceLock<Result<Store<Wasi>>> = OnceLock::new();
                    STORE.get_or_init(|| Store::open(Wasi, &Settings::of_environment()))
                }
            }

            $crate::bindings::export_store!(Component);
        }
    };
}

fn opened<T: Opens>() -> Result<&'static T::Store> {
    wasi::begin_call();
    T::open().as_ref().map_err(Clone::clone)
}

impl<T: Opens> wit::Guest for T {
    fn get(key: String) -> std::result::Result<Option<wit::Entry>, wit::StoreError> {
        let key = Key::parse(&key)?;
        Ok(opened::<T>()?.get(&key)?.map(Into::into))
    }

    fn put(
        key: String,
        value: String,
        expected: wit::Expected,
    ) -> std::result::Result<String, wit::StoreError> {
        let (key, value) = (Key::parse(&key)?, Value::parse(&value)?);
        Ok(opened::<T>()?.put(&key, &value, &expected.into())?)
    }

    fn delete(key: String, expected: wit::Expected) -> std::result::Result<(), wit::StoreError> {
        let key = Key::parse(&key)?;
        Ok(opened::<T>()?.delete(&key, &expected.into())?)
    }

    fn keys(prefix: String) -> std::result::Result<Vec<String>, wit::StoreError> {
        let prefix = Prefix::parse(&prefix)?;
        Ok(opened::<T>()?.keys(&prefix)?)
    }

    fn acquire_lease(name: String, ttl_ms: u64) -> std::result::Result<wit::Lease, wit::StoreError> {
        let name = Key::parse(&name)?;
        Ok(opened::<T>()?.acquire_lease(&name, Duration::from_millis(ttl_ms))?.into())
    }

    fn release_lease(name: String, token: String) -> std::result::Result<(), wit::StoreError> {
        let name = Key::parse(&name)?;
        Ok(opened::<T>()?.release_lease(&name, &token)?)
    }

    fn sign(
        key: String,
        algorithm: wit::SignatureAlgorithm,
        message: Vec<u8>,
    ) -> std::result::Result<Vec<u8>, wit::StoreError> {
        let key = Key::parse(&key)?;
        check_length(message.len())?;
        match algorithm {
            wit::SignatureAlgorithm::Rs256 => Ok(opened::<T>()?.sign(&key, &message)?),
        }
    }
}

impl From<Entry> for wit::Entry {
    fn from(Entry { value, version }: Entry) -> Self {
        Self { value, version }
    }
}

impl From<wit::Expected> for Expected {
    fn from(expected: wit::Expected) -> Self {
        match expected {
            wit::Expected::Anything => Self::Anything,
            wit::Expected::Absent => Self::Absent,
            wit::Expected::Version(version) => Self::Version(version),
        }
    }
}

impl From<Lease> for wit::Lease {
    fn from(lease: Lease) -> Self {
        match lease {
            Lease::Granted(token) => Self::Granted(token),
            Lease::Held(rest) => Self::Held(u64::try_from(rest.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

impl From<StoreError> for wit::StoreError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::VersionMismatch => Self::VersionMismatch,
            StoreError::ReadOnly => Self::ReadOnly,
            StoreError::Unsupported => Self::Unsupported,
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::Other(why) => Self::Other(why),
        }
    }
}
