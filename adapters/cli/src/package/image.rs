use std::path::Path;
use std::{fs, io};

/// Writes all that an image is built from to `folder`: what the `recipe` says, and the program.
pub(crate) fn write(folder: &Path, recipe: &str, program: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let path = folder.join("app");
    fs::write(&path, program)?;
    may_run(&path)?;
    fs::write(folder.join("Containerfile"), recipe)
}

/// Has everybody be able to run what is at `path`, where files say who may.
#[cfg(unix)]
fn may_run(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn may_run(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_holds_the_program_to_be_run_and_the_recipe() {
        let folder = std::env::temp_dir().join(format!("skyfold-image-{}", std::process::id()));
        for program in [b"old".as_slice(), b"\x7fELF"] {
            write(&folder, "FROM scratch\n", program).unwrap();
        }
        assert_eq!(fs::read(folder.join("app")).unwrap(), b"\x7fELF");
        assert_eq!(fs::read_to_string(folder.join("Containerfile")).unwrap(), "FROM scratch\n");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(folder.join("app")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755);
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}
