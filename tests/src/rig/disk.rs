//! The hub's own small disk, which can be full: a file system in memory, so that nothing else fills up with it.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How large it is, in MiB: the hub's reserve, its database and some room.
const SIZE_MIB: u32 = 128;

/// The disk.
#[derive(Debug)]
pub struct SmallDisk {
    filler: PathBuf,
}

impl SmallDisk {
    /// Mounts it at `folder`; `None` where this process may not mount anything.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn mount(folder: &Path) -> anyhow::Result<Option<Self>> {
        std::fs::create_dir_all(folder)?;
        let size = format!("size={SIZE_MIB}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(folder).output();
        let mounted = mounted.is_ok_and(|tried| tried.status.success());
        Ok(mounted.then(|| Self { filler: folder.join("filler") }))
    }

    /// Writes until nothing more goes in.
    ///
    /// # Errors
    /// Any other than that it is full.
    pub fn fill(&self) -> std::io::Result<()> {
        let mut file = std::fs::File::create(&self.filler)?;
        let piece = vec![0; 64 * 1024];
        loop {
            match file.write(&piece) {
                Ok(_) => {}
                Err(full) if full.kind() == ErrorKind::StorageFull => return Ok(()),
                Err(why) => return Err(why),
            }
        }
    }

    /// Makes room again.
    ///
    /// # Errors
    /// What the file system says.
    pub fn free(&self) -> std::io::Result<()> {
        match std::fs::remove_file(&self.filler) {
            Err(why) if why.kind() != ErrorKind::NotFound => Err(why),
            _ => Ok(()),
        }
    }
}

/// What comes behind it runs in user and mount namespaces of its own, where it may mount.
pub fn unshare() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--mount"]);
    unshare
}

/// Runs this program once more where it may mount: in user and mount namespaces of its own. `None` where there are
/// none, or when it is in them.
///
/// # Errors
/// When it is started and cannot be waited for.
pub fn inside() -> anyhow::Result<Option<i32>> {
    const INSIDE: &str = "TRUNDLE_RIG_INSIDE";
    if std::env::var_os(INSIDE).is_some() || !unshare().arg("true").output().is_ok_and(|t| t.status.success()) {
        return Ok(None);
    }
    let status = unshare().arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(INSIDE, "1").status()?;
    Ok(Some(status.code().unwrap_or(1)))
}
