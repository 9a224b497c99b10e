//! Keys in files: the store's own, for its owner's eyes only, and the public ones that this machine trusts.

use std::path::{Path, PathBuf};

use ed25519_dalek::{SigningKey, VerifyingKey};
use identity::{SecretError, secret};
use zeroize::Zeroizing;

use crate::config::public_key;

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read or written, or others may read it.
    #[error(transparent)]
    File(#[from] SecretError),
    /// It holds something else.
    #[error("{} is no {expected}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for a new key: {0}")]
    Random(getrandom::Error),
}

/// Opens the private key at `path`, and makes it when it is not there. `expected` says in words what it is.
///
/// # Errors
/// [`KeyError`] when others may read it, it is no key, or it cannot be made.
pub fn own_key(path: &Path, expected: &'static str) -> Result<SigningKey, KeyError> {
    if let Some(bytes) = secret::read(path)? {
        let wrong = |_| KeyError::Wrong { path: path.to_owned(), expected };
        let seed: [u8; 32] = bytes.as_slice().try_into().map_err(wrong)?;
        return Ok(SigningKey::from_bytes(&seed));
    }
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).map_err(KeyError::Random)?;
    secret::write(path, seed.as_ref())?;
    Ok(SigningKey::from_bytes(&seed))
}

/// What a file's error is told as.
pub(crate) fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SecretError {
    move |source| SecretError::File { what, path: path.to_owned(), source }
}

/// Where this machine keeps the keys it trusts: `$TRUNDLE_TRUST`, else `trundle/trust` in the
/// user's data folder. `None` when neither is set and there is no home.
pub fn trust_folder() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("TRUNDLE_TRUST").or_else(|| {
        let data = set("XDG_DATA_HOME").or_else(|| Some(set("HOME")?.join(".local/share")))?;
        Some(data.join("trundle/trust"))
    })
}

/// Reads the public keys in `files`.
///
/// # Errors
/// [`KeyError`] names the file that cannot be read or holds no key.
pub fn read_keys(files: &[PathBuf]) -> Result<Vec<VerifyingKey>, KeyError> {
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).map_err(failed("cannot read key", path))?;
        public_key(&text)
            .ok_or_else(|| KeyError::Wrong { path: path.clone(), expected: "public key (43 letters of base64url)" })
    };
    files.iter().map(read).collect()
}

/// The keys in a trust folder: every `*.pub`. A missing folder has none.
///
/// # Errors
/// As [`read_keys`].
pub fn trusted_keys(folder: &Path) -> Result<Vec<VerifyingKey>, KeyError> {
    let mut files: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => {
            entries.flatten().map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "pub")).collect()
        }
        Err(_) => Vec::new(),
    };
    files.sort();
    read_keys(&files)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_refused_when_others_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("receipt.key");
        let made = own_key(&path, "key").expect("a new key");
        assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
        assert_eq!(own_key(&path, "key").expect("the same").to_bytes(), made.to_bytes());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("opened up");
        let refused = own_key(&path, "key").expect_err("others may read it").to_string();
        assert!(refused.contains("receipt.key") && refused.contains("chmod 600"), "{refused}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("private again");
        std::fs::write(&path, b"short").expect("written over");
        let refused = own_key(&path, "receipt key of 32 bytes").expect_err("no key").to_string();
        assert!(refused.contains("receipt.key") && refused.contains("32 bytes"), "{refused}");
    }
}
