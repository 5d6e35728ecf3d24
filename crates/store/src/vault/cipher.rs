//! AES-256-GCM, with the nonce before the ciphertext.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::id::random;

pub(super) struct Cipher {
    key: LessSafeKey,
    /// For keys derived from this one.
    root: hmac::Key,
}

impl Cipher {
    /// `bytes` are 32.
    pub fn new(bytes: &[u8]) -> Result<Self, StoreError> {
        let key = UnboundKey::new(&AES_256_GCM, bytes)
            .map_err(|_| StoreError::internal("a key of wrong length"))?;
        Ok(Self { key: LessSafeKey::new(key), root: hmac::Key::new(hmac::HMAC_SHA256, bytes) })
    }

    pub fn seal(&self, context: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let nonce = random::<NONCE_LEN>()?;
        let mut text = Vec::with_capacity(NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        text.extend_from_slice(plain);
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut text)
            .map_err(|_| StoreError::internal("encryption failed"))?;
        text.splice(0..0, nonce);
        Ok(text)
    }

    /// `None` when it was sealed under another key or for another context, or was altered.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self.key.open_in_place(nonce, Aad::from(context), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    pub fn derive(&self, purpose: &str) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        Ok(Zeroizing::new(hmac::sign(&self.root, purpose.as_bytes()).as_ref().to_vec()))
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
