use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload as Message};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::ports::SubjectKey;
use crate::{Error, ErrorKind, Result, StreamId};

/// The form of a sealed value: this byte, a nonce of 24, the value encrypted, a tag of 16.
///
/// XChaCha20-Poly1305 takes nonces so long that random ones never meet ("XChaCha: eXtended-nonce
/// ChaCha and AEAD_XChaCha20_Poly1305", draft-irtf-cfrg-xchacha-03).
const FORM: u8 = 1;

/// How many bytes a nonce has.
const NONCE_BYTES: usize = 24;

/// What a sealed value belongs to, and opens nowhere else: the payload's place, the way to it in
/// the payload, its subject and the number of its key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bond<'a> {
    pub(crate) place: &'a str,
    pub(crate) path: &'a str,
    pub(crate) subject: &'a StreamId,
    pub(crate) key: u32,
}

impl Bond<'_> {
    /// As data to authenticate. Only the path may hold a line break, and it comes last.
    fn text(&self) -> String {
        let Self { place, path, subject, key } = self;
        format!("skyfold\n{place}\n{subject}\n{key}\n{path}")
    }
}

/// A key from the system's random numbers.
pub(crate) fn fresh_key() -> Result<SubjectKey> {
    let bytes = Zeroizing::new(<[u8; SubjectKey::BYTES]>::try_generate().map_err(|error| {
        Error::new(ErrorKind::Unexpected, "the system gives no random numbers").with_source(error)
    })?);
    Ok(SubjectKey::from_bytes(*bytes))
}

/// `value` sealed under `key`, as text.
pub(crate) fn seal(key: &SubjectKey, bond: &Bond<'_>, value: &str) -> Result<String> {
    let nonce = XNonce::try_generate().map_err(|error| {
        Error::new(ErrorKind::Unexpected, "the system gives no random numbers").with_source(error)
    })?;
    let aad = bond.text();
    let message = Message { msg: value.as_bytes(), aad: aad.as_bytes() };
    let encrypted = cipher(key).encrypt(&nonce, message).map_err(|_| {
        let subject = bond.subject;
        let message = format!("personal data of {subject} are too large to be sealed");
        Error::new(ErrorKind::Oversized, message)
    })?;
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + encrypted.len());
    sealed.push(FORM);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&encrypted);
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

/// What was sealed under `key` and belongs to `bond`; `None` if it was altered or moved.
pub(crate) fn open(key: &SubjectKey, bond: &Bond<'_>, sealed: &str) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let (form, rest) = sealed.split_first()?;
    let (nonce, encrypted) = rest.split_at_checked(NONCE_BYTES)?;
    let nonce = XNonce::try_from(nonce).ok().filter(|_| *form == FORM)?;
    let aad = bond.text();
    let message = Message { msg: encrypted, aad: aad.as_bytes() };
    String::from_utf8(cipher(key).decrypt(&nonce, message).ok()?).ok()
}

fn cipher(key: &SubjectKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.as_bytes().into())
}
