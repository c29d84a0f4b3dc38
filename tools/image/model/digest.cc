// SPDX-License-Identifier: Apache-2.0
// Digests by OpenSSL's EVP interface, which picks the processor's SHA instructions.
#include "model/digest.h"

#include <openssl/evp.h>

#include <algorithm>

namespace onggi::image {
namespace {

struct AlgorithmName {
  std::string_view name;
  size_t digits;
  const EVP_MD* (*implementation)();
};
constexpr AlgorithmName kAlgorithms[] = {{"sha256", 64, EVP_sha256}, {"sha512", 128, EVP_sha512}};

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// algorithm ::= component (separator component)*, component ::= [a-z0-9]+, separator ::= [+._-]
bool is_algorithm(std::string_view name) {
  bool after_component = false;
  for (char c : name) {
    const bool separator = c == '+' || c == '.' || c == '_' || c == '-';
    if (!separator && !is_lower_or_digit(c)) return false;
    if (separator && !after_component) return false;
    after_component = !separator;
  }
  return after_component;
}

bool is_encoded(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '=' || c == '_' || c == '-';
  });
}

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<Digest> Digest::parse(std::string_view text) {
  const size_t colon = std::min(text.find(':'), text.size());
  const std::string_view name = text.substr(0, colon);
  const std::string_view encoded = text.substr(std::min(colon + 1, text.size()));
  if (!is_algorithm(name) || !is_encoded(encoded)) {
    return make_error(ErrorKind::invalid_config, "'", text, "' is not a valid digest");
  }
  const auto row = std::ranges::find(kAlgorithms, name, &AlgorithmName::name);
  if (row == std::end(kAlgorithms)) {
    return make_error(ErrorKind::unsupported, "digest '", text, "': unknown algorithm ", name);
  }
  if (encoded.size() != row->digits || !is_lower_hex(encoded)) {
    return make_error(ErrorKind::invalid_config, "digest '", text, "': ", name, " requires ",
                      row->digits, " digits of 0-9 and a-f");
  }
  Digest digest;
  digest.text_ = text;
  digest.algorithm_ = static_cast<Algorithm>(row - std::begin(kAlgorithms));
  return digest;
}

void Hasher::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

// EVP fails only without memory, and then this program ends as everywhere else.
Hasher::Hasher(Algorithm algorithm) : context_(EVP_MD_CTX_new()), algorithm_(algorithm) {
  const EVP_MD* implementation = kAlgorithms[static_cast<size_t>(algorithm)].implementation();
  if (EVP_DigestInit_ex(context_.get(), implementation, nullptr) != 1) __builtin_abort();
}

void Hasher::update(std::string_view bytes) {
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) __builtin_abort();
}

Digest Hasher::finish() {
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_DigestFinal_ex(context_.get(), value, &size) != 1) __builtin_abort();
  Digest digest;
  digest.algorithm_ = algorithm_;
  digest.text_.append(kAlgorithms[static_cast<size_t>(algorithm_)].name).append(":");
  for (unsigned i = 0; i < size; ++i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    digest.text_ += kDigits[value[i] >> 4];
    digest.text_ += kDigits[value[i] & 15];
  }
  return digest;
}

Digest digest_of(std::string_view bytes, Algorithm algorithm) {
  Hasher hasher(algorithm);
  hasher.update(bytes);
  return hasher.finish();
}

Result<> Verifier::update(std::string_view bytes) {
  if (bytes.size() > size_ - seen_) {
    return make_error(ErrorKind::invalid_config, digest_.text(), ": longer than the ", size_,
                      " bytes in its descriptor");
  }
  seen_ += bytes.size();
  hasher_.update(bytes);
  return {};
}

Result<> Verifier::finish() {
  if (seen_ != size_) {
    return make_error(ErrorKind::invalid_config, digest_.text(), ": ", seen_,
                      " bytes, but its descriptor says ", size_);
  }
  const Digest found = hasher_.finish();
  if (found == digest_) return {};
  return make_error(ErrorKind::invalid_config, digest_.text(),
                    ": the content has a different digest: ", found.text());
}

Result<> verify(std::string_view bytes, const Digest& digest, uint64_t size) {
  Verifier verifier(digest, size);
  TRY(verifier.update(bytes));
  return verifier.finish();
}

}  // namespace onggi::image
