// SPDX-License-Identifier: Apache-2.0
// Content addresses: "sha256:" and 64 hexadecimal digits. A Digest that exists is well formed, so
// that paths and URLs can be made of it without another look (CVE-2024-3727).
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace onggi::image {

enum class Algorithm : uint8_t { sha256, sha512 };

class Digest {
 public:
  Digest() = default;  // of nothing: empty text
  // By image-spec descriptor.md#digests. Registered algorithms only: what cannot be verified is
  // refused as ErrorKind::unsupported.
  static Result<Digest> parse(std::string_view text);

  Algorithm algorithm() const { return algorithm_; }
  const std::string& text() const { return text_; }  // "sha256:12ab..."
  std::string_view hex() const { return std::string_view(text_).substr(text_.find(':') + 1); }
  bool empty() const { return text_.empty(); }
  bool operator==(const Digest& other) const = default;
  bool operator<(const Digest& other) const { return text_ < other.text_; }

 private:
  friend class Hasher;
  std::string text_;
  Algorithm algorithm_ = Algorithm::sha256;
};

// The digest of bytes that come in portions.
class Hasher {
 public:
  explicit Hasher(Algorithm algorithm);
  void update(std::string_view bytes);
  Digest finish();  // once, at the end

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
  Algorithm algorithm_;
};

Digest digest_of(std::string_view bytes, Algorithm algorithm = Algorithm::sha256);

// Bytes that must have a known size and digest. Too many of them are noticed before more is read.
class Verifier {
 public:
  Verifier(const Digest& digest, uint64_t size)
      : hasher_(digest.algorithm()), digest_(digest), size_(size) {}
  Result<> update(std::string_view bytes);
  Result<> finish();

 private:
  Hasher hasher_;
  Digest digest_;
  uint64_t size_, seen_ = 0;
};

// All of it at once.
Result<> verify(std::string_view bytes, const Digest& digest, uint64_t size);

}  // namespace onggi::image
