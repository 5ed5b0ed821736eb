use std::io::{Cursor, Write as _};

use skyfold::{Error, ErrorKind, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Who may do what with the program: everybody may run it, as Lambda demands ("Working with .zip
/// file archives for Lambda functions").
const PROGRAM_PERMISSIONS: u32 = 0o755;

/// Who may do what with all else.
const PERMISSIONS: u32 = 0o644;

/// A zip of the program `content` under the name `entry`, which anybody may run, and of `files`
/// by their names beside it. Nothing in it says when or where it was made.
pub(crate) fn of_program(
    entry: &str,
    content: &[u8],
    files: &[(String, String)],
) -> Result<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(vec![]));
    let program = (entry, content, PROGRAM_PERMISSIONS);
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_bytes(), PERMISSIONS));
    for (name, content, permissions) in std::iter::once(program).chain(files) {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(permissions);
        zip.start_file(name, options).map_err(unwritten)?;
        zip.write_all(content).map_err(|error| unwritten(error.into()))?;
    }
    Ok(zip.finish().map_err(unwritten)?.into_inner())
}

fn unwritten(error: zip::result::ZipError) -> Error {
    Error::new(ErrorKind::Unexpected, "the program cannot be packed").with_source(error)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_same_program_gives_the_same_archive() {
        let program = b"\x7fELF".repeat(9_000);
        let files = [("host.json".to_owned(), "{}".to_owned())];
        let pack = || of_program("bootstrap", &program, &files).unwrap();
        assert_eq!(pack(), pack());
    }

    #[test]
    fn the_archive_holds_the_program_to_be_run() {
        let program = b"\x7fELF".repeat(9_000);
        let packed = of_program("bootstrap", &program, &[]).unwrap();
        assert!(packed.len() < program.len());
        let mut zip = zip::ZipArchive::new(Cursor::new(packed)).unwrap();
        assert_eq!(zip.len(), 1);
        let mut entry = zip.by_name("bootstrap").unwrap();
        assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(PROGRAM_PERMISSIONS));
        let mut content = vec![];
        entry.read_to_end(&mut content).unwrap();
        assert_eq!(content, program);
    }
}
