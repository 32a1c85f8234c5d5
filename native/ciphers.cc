#include "ciphers.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <cstring>

namespace twin {

namespace {

// What is read or set through it is the tag, 16 bytes at `tag`. Made by hand: the calls that make one are slower than a block of AES.
struct TagParam {
  explicit TagParam(const uint8_t* tag)
      : params{{OSSL_CIPHER_PARAM_AEAD_TAG, OSSL_PARAM_OCTET_STRING, const_cast<uint8_t*>(tag), tagLength, OSSL_PARAM_UNMODIFIED},
               {nullptr, 0, nullptr, 0, 0}} {}
  OSSL_PARAM params[2];
};

bool openByContext(EVP_CIPHER_CTX* context, const uint8_t* nonce, const uint8_t* sealed, size_t length, uint8_t* into, const uint8_t* aad,
                   size_t aadLength) {
  int written = 0;
  TagParam tag(sealed + length);
  if (EVP_CipherInit_ex2(context, nullptr, nullptr, nonce, 0, tag.params) != 1) return false;
  if (aadLength > 0 && EVP_CipherUpdate(context, nullptr, &written, aad, static_cast<int>(aadLength)) != 1) return false;
  if (length > 0 && EVP_CipherUpdate(context, into, &written, sealed, static_cast<int>(length)) != 1) return false;
  if (EVP_CipherFinal_ex(context, into + length, &written) == 1) return true;
  // What OpenSSL has noted of it must not be found by Node, which would take it for an error of its own.
  ERR_clear_error();
  return false;
}

}  // namespace

bool Cipher::seal(const uint8_t* nonce, const uint8_t* plain, size_t length, uint8_t* into, const uint8_t* aad, size_t aadLength) {
  if (wide_ != nullptr) {
    wide_->seal(nonce, plain, length, into, aad, aadLength);
    return true;
  }
  int written = 0;
  if (EVP_CipherInit_ex2(context_, nullptr, nullptr, nonce, 1, nullptr) != 1) return false;
  if (aadLength > 0 && EVP_CipherUpdate(context_, nullptr, &written, aad, static_cast<int>(aadLength)) != 1) return false;
  if (length > 0 && EVP_CipherUpdate(context_, into, &written, plain, static_cast<int>(length)) != 1) return false;
  if (EVP_CipherFinal_ex(context_, into + length, &written) != 1) return false;
  TagParam tag(into + length);
  return EVP_CIPHER_CTX_get_params(context_, tag.params) == 1;
}

bool Cipher::open(const uint8_t* nonce, const uint8_t* sealed, size_t length, uint8_t* into, const uint8_t* aad, size_t aadLength) {
  const size_t plain = length - tagLength;
  const bool authentic = wide_ != nullptr ? wide_->open(nonce, sealed, plain, into, aad, aadLength)
                                          : openByContext(context_, nonce, sealed, plain, into, aad, aadLength);
  if (!authentic) OPENSSL_cleanse(into, plain);
  return authentic;
}

void Cipher::discard() {
  EVP_CIPHER_CTX_free(context_);
  context_ = nullptr;
  if (wide_ != nullptr) OPENSSL_cleanse(wide_, sizeof *wide_);
  delete wide_;
  wide_ = nullptr;
}

Cipher::~Cipher() {
  discard();
  OPENSSL_cleanse(key_, keyRoom);
}

Ciphers::~Ciphers() {
  for (EVP_CIPHER* kind : kinds_) EVP_CIPHER_free(kind);
}

bool Ciphers::load() {
  kinds_[0] = EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr);
  kinds_[1] = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  return kinds_[0] != nullptr && kinds_[1] != nullptr;
}

Cipher* Ciphers::of(Algorithm algorithm, Direction direction, const uint8_t* key) {
  return keyed(ciphers_[static_cast<int>(algorithm)][static_cast<int>(direction)][(key[0] ^ key[7]) % places], algorithm, direction, key);
}

Cipher* Ciphers::once(Direction direction, const uint8_t* key) {
  return keyed(once_[static_cast<int>(direction)], Algorithm::gcm, direction, key);
}

Cipher* Ciphers::keyed(Cipher& cipher, Algorithm algorithm, Direction direction, const uint8_t* key) {
  if (!cipher.fresh() && CRYPTO_memcmp(cipher.key_, key, keyRoom) == 0) return &cipher;
  if (!setKey(cipher, algorithm, direction, key)) {
    // Half of a key must not be taken for a whole one.
    cipher.discard();
    return nullptr;
  }
  std::memcpy(cipher.key_, key, keyRoom);
  return &cipher;
}

bool Ciphers::setKey(Cipher& cipher, Algorithm algorithm, Direction direction, const uint8_t* key) {
  const bool fresh = cipher.fresh();
  if (wide_ && algorithm == Algorithm::gcm) {
    if (fresh) cipher.wide_ = new WideGcm();
    cipher.wide_->setKey(key);
    return true;
  }
  if (fresh) cipher.context_ = EVP_CIPHER_CTX_new();
  if (cipher.context_ == nullptr) return false;
  const EVP_CIPHER* kind = fresh ? kinds_[static_cast<int>(algorithm)] : nullptr;
  return EVP_CipherInit_ex2(cipher.context_, kind, key, nullptr, static_cast<int>(direction), nullptr) == 1;
}

}  // namespace twin
