//! The key that a store is encrypted to, and the place of its private half.

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    io::{self, Read, Write},
    iter,
    path::{Path, PathBuf},
};

use age::{
    Decryptor, Encryptor, scrypt,
    secrecy::{ExposeSecret, SecretString},
    x25519::Identity,
};

use super::{
    StoreError,
    files::{self, Durable},
};
use crate::reading::{self, NotText};

#[cfg(feature = "keyring")]
mod keyring;

/// Names the file that holds the key, for [`KeySource::from_env`].
pub const KEY_FILE_VARIABLE: &str = "GCF_KEY_FILE";
/// Holds the passphrase of the key, for [`KeySource::from_env`].
pub const PASSPHRASE_VARIABLE: &str = "GCF_PASSPHRASE";

/// Puts the key into the system's keyring if it is set to anything, for [`KeySource::from_env`].
pub const KEYRING_VARIABLE: &str = "GCF_KEYRING";

/// The place of the private half of a store's key. The first use of a store makes one there.
#[derive(Debug)]
pub enum KeySource {
    /// In a file that only its owner can read, as `age-keygen` writes it. It must lie outside the store, for
    /// a copy of the store would otherwise carry its key along.
    File(PathBuf),
    /// In the store, encrypted with a passphrase. Each opening costs the time and the memory of one scrypt.
    Passphrase(Passphrase),
    /// In the keyring of the operating system.
    #[cfg(feature = "keyring")]
    Keyring,
}

impl KeySource {
    /// The passphrase in `GCF_PASSPHRASE`, the file that `GCF_KEY_FILE` names, or the system's keyring if
    /// `GCF_KEYRING` is set; or else `gcf/key.txt` in the user's folder of settings (`$XDG_CONFIG_HOME`, or
    /// `~/.config`).
    ///
    /// # Errors
    /// [`StoreError::Other`] if several variables are set, if there is no home folder, or if this build has
    /// no keyring.
    pub fn from_env() -> Result<Self, StoreError> {
        let variables = [PASSPHRASE_VARIABLE, KEY_FILE_VARIABLE, KEYRING_VARIABLE].map(env::var_os);
        Self::of(variables, Self::default_file)
    }

    fn of(
        variables: [Option<OsString>; 3],
        default: impl FnOnce() -> Option<PathBuf>,
    ) -> Result<Self, StoreError> {
        match variables.map(|value| value.filter(|value| !value.is_empty())) {
            [Some(text), None, None] => match text.into_string() {
                Ok(text) => Ok(Self::Passphrase(Passphrase::new(text)?)),
                Err(_) => Err(StoreError::other(format!("{PASSPHRASE_VARIABLE} is not UTF-8"))
                    .with_fix("set it to text")),
            },
            [None, Some(path), None] => Ok(Self::File(path.into())),
            [None, None, Some(_)] => Self::keyring(),
            [None, None, None] => default().map(Self::File).ok_or_else(|| {
                StoreError::other("there is no home folder for the key")
                    .with_fix(format!("set {KEY_FILE_VARIABLE}"))
            }),
            _ => Err(StoreError::other(format!(
                "only one of {PASSPHRASE_VARIABLE}, {KEY_FILE_VARIABLE} and {KEYRING_VARIABLE} may be set"
            ))
            .with_fix("unset those that are not meant")),
        }
    }

    #[cfg(feature = "keyring")]
    #[expect(clippy::unnecessary_wraps, reason = "without the feature, it fails")]
    fn keyring() -> Result<Self, StoreError> {
        Ok(Self::Keyring)
    }

    #[cfg(not(feature = "keyring"))]
    fn keyring() -> Result<Self, StoreError> {
        Err(StoreError::other(format!("{KEYRING_VARIABLE} is set, but this build has no keyring"))
            .with_fix("build gcf with `--features keyring`"))
    }

    /// `gcf/key.txt` in the user's folder of settings, if there is a home folder.
    #[must_use]
    pub fn default_file() -> Option<PathBuf> {
        let settings = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = || env::home_dir().filter(|home| home.is_absolute());
        let settings = settings.or_else(|| home().map(|home| home.join(".config")))?;
        Some(settings.join("gcf").join("key.txt"))
    }

    /// The key, or `None` if there is none yet.
    pub(super) fn load(&self, store: &Path) -> Result<Option<Identity>, StoreError> {
        match self {
            Self::File(path) => {
                refuse_inside(path, store)?;
                files::read_private(path, holds_key)?.map(|bytes| parse(path, &bytes)).transpose()
            }
            Self::Passphrase(passphrase) => {
                let path = store.join(IDENTITY);
                files::read(&path)?.map(|bytes| passphrase.open(&path, &bytes)).transpose()
            }
            #[cfg(feature = "keyring")]
            Self::Keyring => keyring::load(),
        }
    }

    /// Makes a key. Two processes that do so at once get the same one. The caller holds the store's lock.
    pub(super) fn create(&self, store: &Path) -> Result<Identity, StoreError> {
        let identity = Identity::generate();
        match self {
            Self::File(path) => files::create(path, key_file(&identity).expose_secret().as_bytes())?,
            Self::Passphrase(passphrase) => {
                files::replace(store, &store.join(IDENTITY), &passphrase.seal(&identity), Durable::Yes)?;
            }
            #[cfg(feature = "keyring")]
            Self::Keyring => keyring::save(&identity)?,
        }
        self.load(store)?.ok_or_else(|| StoreError::unavailable(format!("{} is gone again", self.place())))
    }

    /// Explains why an encrypted store cannot be opened without a key, and where that may be.
    pub(super) fn missing(&self, store: &Path) -> StoreError {
        let folder = store.display();
        if self.overlooks_passphrase(store) {
            return StoreError::unavailable(format!("the key of the store {folder} is under a passphrase"))
                .with_fix(format!("set {PASSPHRASE_VARIABLE}"));
        }
        let fix = match self {
            Self::Passphrase(_) => format!(
                "if it never had a passphrase, unset {PASSPHRASE_VARIABLE}; if it had, restore the file from a backup"
            ),
            Self::File(_) => "restore the file from a backup, or name the one that the store was made with; if the \
                store is somebody else's, open one of your own first, which makes the key, and ask them to share with \
                its recipient"
                .to_owned(),
            #[cfg(feature = "keyring")]
            Self::Keyring => "restore it, or name the key that the store was made with".to_owned(),
        };
        let message = format!("{} is missing, and the store {folder} is encrypted", self.place());
        StoreError::unavailable(message).with_fix(fix)
    }

    /// Tells whether the store has a key under a passphrase, and none was given.
    pub(super) fn overlooks_passphrase(&self, store: &Path) -> bool {
        !matches!(self, Self::Passphrase(_)) && store.join(IDENTITY).exists()
    }

    /// The place of the key, for messages.
    pub(super) fn place(&self) -> String {
        match self {
            Self::File(path) => format!("the key file {}", path.display()),
            Self::Passphrase(_) => format!("the store's file {IDENTITY}"),
            #[cfg(feature = "keyring")]
            Self::Keyring => "the key in the system's keyring".to_owned(),
        }
    }
}

/// A passphrase, which cannot be printed, and is wiped from memory when it is dropped.
pub struct Passphrase(SecretString);

impl Passphrase {
    /// Takes a passphrase.
    ///
    /// # Errors
    /// [`StoreError::Other`] if it is empty.
    pub fn new(text: impl Into<String>) -> Result<Self, StoreError> {
        let text = SecretString::from(text.into());
        if text.expose_secret().is_empty() {
            return Err(StoreError::other("the passphrase is empty").with_fix("set one"));
        }
        Ok(Self(text))
    }

    fn seal(&self, identity: &Identity) -> Vec<u8> {
        let mut recipient = scrypt::Recipient::new(self.0.clone());
        recipient.set_work_factor(WORK_FACTOR);
        let mut bytes = Vec::new();
        Encryptor::with_recipients(iter::once(&recipient as &dyn age::Recipient))
            .expect("a passphrase that stands alone is allowed")
            .wrap_output(&mut bytes)
            .and_then(|mut writer| {
                writer.write_all(identity.to_string().expose_secret().as_bytes())?;
                writer.finish()
            })
            .expect("a vector takes everything");
        bytes
    }

    fn open(&self, path: &Path, bytes: &[u8]) -> Result<Identity, StoreError> {
        let mut identity = scrypt::Identity::new(self.0.clone());
        identity.set_max_work_factor(MAX_WORK_FACTOR);
        let mut plain = String::new();
        let refused = |why: &str, fix: &str| {
            let path = path.display();
            StoreError::unavailable(format!("cannot open {path}: {why}")).with_fix(fix)
        };
        let decryptor = Decryptor::new_buffered(bytes)
            .map_err(|_| refused("it is damaged", "restore it from a backup of the store"))?;
        decryptor
            .decrypt(iter::once(&identity as &dyn age::Identity))
            .map_err(|_| {
                refused(
                    "the passphrase is another one, or the file is damaged",
                    "set the one that the store was made with",
                )
            })?
            .read_to_string(&mut plain)
            .map_err(|_| refused("it is damaged", "restore it from a backup of the store"))?;
        let plain = SecretString::from(plain);
        parse(path, plain.expose_secret().as_bytes())
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A key file as `age-keygen` writes it, so that `age -d -i` takes the file, too.
fn key_file(identity: &Identity) -> SecretString {
    SecretString::from(format!(
        "# The key of a gcf store. Whoever has it can read the store; without it nobody can.\n\
         # public key: {}\n{}\n",
        identity.to_public(),
        identity.to_string().expose_secret()
    ))
}

/// Tells whether a key is in what may be a key file, be it damaged.
fn holds_key(bytes: &[u8]) -> bool {
    const BEGINNING: &[u8] = b"AGE-SECRET-KEY-1";
    // In UTF-16 there is a zero beside each letter.
    let letters: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    letters.windows(BEGINNING.len()).any(|text| text == BEGINNING)
}

/// Reads the one key of a key file. The text appears in no message.
fn parse(path: &Path, bytes: &[u8]) -> Result<Identity, StoreError> {
    let refused = |why: &str, fix: &str| {
        StoreError::unavailable(format!("cannot use the key in {}: {why}", path.display())).with_fix(fix)
    };
    let text = reading::text(bytes.to_vec()).map_err(|why| match why {
        NotText::Utf16 => refused("it is text in UTF-16", "save it as UTF-8, or restore it from a backup"),
        NotText::Bytes { .. } => refused("it is no text", "name another key file"),
    })?;
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    match (lines.next(), lines.next()) {
        (Some(line), None) => line.parse().map_err(|_| {
            refused("it is no `AGE-SECRET-KEY-1…`", "restore it from a backup, or name another key file")
        }),
        (None, _) => Err(refused("there is none", "restore the file from a backup")),
        (Some(_), Some(_)) => Err(refused("there are several lines", "leave one `AGE-SECRET-KEY-1…` in it")),
    }
}

fn refuse_inside(path: &Path, store: &Path) -> Result<(), StoreError> {
    // A folder that is not there yet is in no store.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let inside =
        || -> io::Result<bool> { Ok(fs::canonicalize(folder)?.starts_with(fs::canonicalize(store)?)) };
    if path.starts_with(store) || inside().unwrap_or(false) {
        let message = format!("the key file {} lies in the store that it is to protect", path.display());
        return Err(StoreError::other(message).with_fix("name one outside"));
    }
    Ok(())
}

/// The key's file in the store. It is hidden, so that no listing takes it for a key of the store.
const IDENTITY: &str = ".identity";
/// The work factor: N = 2^17 with r = 8 and p = 1, OWASP's first choice for scrypt, 128 MiB. The tests have
/// nothing to protect.
const WORK_FACTOR: u8 = if cfg!(test) { 10 } else { 17 };
/// The largest work factor: a file that asks for more would be a way to occupy the machine.
const MAX_WORK_FACTOR: u8 = 20;

#[cfg(test)]
mod tests;
